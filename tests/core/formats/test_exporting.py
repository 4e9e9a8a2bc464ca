"""Exporting: a whole export or none, nothing of the person's overwritten."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.formats.exporting import MARK, Exported, TargetTaken, choose, export
from core.formats.importing import import_masks
from core.formats.items import WriteOptions
from core.formats.planning import plan_import, read_source
from core.formats.registry import FORMATS, format_of
from core.masks import MaskEncoding
from core.project.predictions import PredictionRecord
from core.project.project import Project, open_project
from core.project.reviews import Review, Status

PNG = format_of("png")


def exported(project: Project, target: Path, format_id: str = "png", **options: bool) -> Exported:
    names = choose(project)
    result = export(project, names, format_of(format_id), target, WriteOptions(**options))
    assert result is not None
    return result


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def masks_of(project: Project) -> dict[str, np.ndarray]:
    found = {name: project.read_mask(name) for name in project.names}
    return {name: mask for name, mask in found.items() if mask is not None}


@pytest.mark.parametrize("format_id", [f.id for f in FORMATS if f.read and f.write])
def test_what_is_exported_can_be_imported_elsewhere(format_id: str, make_project, tmp_path: Path):
    project = open_project(make_project(3, 2))
    target = tmp_path / f"out{format_of(format_id).suffix}"
    assert exported(project, target, format_id).images == 2
    other = open_project(make_project(3, 0, folder="other"))
    plan = plan_import(other, read_source(target))
    assert plan is not None
    assert plan.source.format == format_id
    imported = import_masks(other, plan)
    assert imported is not None
    assert not imported.problems
    wanted, found = masks_of(project), masks_of(other)
    assert found.keys() == wanted.keys()
    for name, mask in wanted.items():
        if format_id == "yolo":  # polygons: within a pixel of the border
            assert (found[name] != mask).mean() < 0.05
        else:
            np.testing.assert_array_equal(found[name], mask)


def test_only_approved_masks_are_exported_unless_others_are_asked_for(make_project, tmp_path):
    project = open_project(make_project(4, 2))
    name = "animal-1.png"
    project.add_review(Review(name, Status.EDITED, project.mask_digest(name)))
    mask = np.ones((48, 48), np.uint8)
    project.save_prediction("animal-2.png", mask, PredictionRecord("animal-2.png", "m"))
    assert choose(project) == ["animal-0.png"]
    every = choose(project, [Status.APPROVED, Status.EDITED, Status.PREDICTED])
    assert every == ["animal-0.png", name, "animal-2.png"]
    assert choose(project, [Status.EDITED], among=["animal-0.png", name]) == [name]
    result = export(project, every, PNG, tmp_path / "out", WriteOptions())
    assert result is not None
    assert files(tmp_path / "out") >= {"animal-0.png", "animal-1.png", "animal-2.png"}
    assert (np.asarray(Image.open(tmp_path / "out" / "animal-2.png")) == 1).all()


def test_one_subset_of_the_split_can_be_exported(make_project):
    project = open_project(make_project(5))
    split = project.fix_split(project.names)
    for subset in ("train", "val"):
        assert choose(project, subset=subset) == [n for n in project.names if split[n] == subset]


def test_a_subset_is_called_so_before_any_training_wrote_the_split_down(make_project, tmp_path):
    project = open_project(make_project(8))
    names = choose(project, subset="val")
    target = tmp_path / "out"
    export(project, names, format_of("yolo"), target, WriteOptions(), subset="val")
    assert len((target / "val.txt").read_text().split()) == len(names) > 0
    assert not (target / "train.txt").exists()
    assert not project.known_split()


@pytest.mark.skipif(sys.platform != "linux", reason="such names are not possible elsewhere")
@pytest.mark.parametrize("format_id", [f.id for f in FORMATS if f.write])
def test_photos_of_any_name_are_exported_or_left_out(format_id: str, make_project, tmp_path):
    root = make_project(3, 0)
    latin, lines = os.fsdecode(b"caf\xe9.png"), "two\nlines.png"
    (root / "images" / "animal-0.png").rename(root / "images" / latin)
    (root / "images" / "animal-1.png").rename(root / "images" / lines)
    project = open_project(root)
    for name in project.names:
        project.save_mask(name, np.eye(48, dtype=np.uint8), Review(name, Status.APPROVED))
    result = exported(project, tmp_path / "out", format_id, photos=True)
    assert result.images + len(result.problems) == 3
    assert result.problems.keys() <= {latin, lines}
    assert (latin in result.problems) == (format_id == "cvat")


def test_a_mask_that_cannot_be_read_is_named_and_the_rest_is_exported(make_project, tmp_path):
    root = make_project(3)
    project = open_project(root)
    (root / "masks" / "animal-1.png").write_bytes(b"no mask")
    result = exported(project, tmp_path / "out")
    assert result.images == 2
    assert result.problems.keys() == {"animal-1.png"}
    for i in (0, 2):
        (root / "masks" / f"animal-{i}.png").write_bytes(b"no mask")
    with pytest.raises(BadInput, match=r"None of the masks.*animal-0\.png"):
        exported(project, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_images_that_share_a_stem_and_folders_are_kept_apart(make_project, tmp_path):
    root = make_project(2)
    (root / "images" / "deep").mkdir()
    (root / "masks" / "deep").mkdir()
    for folder in ("images", "masks"):
        (root / folder / "animal-1.png").rename(root / folder / "deep" / "animal-0.png")
    exported(open_project(root), tmp_path / "out")
    assert files(tmp_path / "out") >= {"animal-0.png", "deep/animal-0.png"}


def taken(folder: Path, project: Project) -> Iterator[tuple[Path, type[BadInput]]]:
    """Places that an export must not touch, and how it says so."""
    (folder / "full").mkdir()
    (folder / "full" / "mine.txt").write_text("mine")
    yield folder / "full", BadInput
    (folder / "file").write_text("mine")
    yield folder / "file", BadInput
    root = project.folder
    for inside in (root, root / "images" / "out", root / "masks", root / ".petseg", root.parent):
        yield inside, BadInput
    exported(project, folder / "earlier")
    yield folder / "earlier", TargetTaken


def test_nothing_is_written_over_what_is_there(make_project, tmp_path, snapshot):
    project = open_project(make_project(2))
    place = tmp_path / "place"
    place.mkdir()
    for target, error in taken(place, project):
        before = snapshot(tmp_path)
        with pytest.raises(BadInput) as raised:
            exported(project, target)
        assert raised.type is error, target
        assert snapshot(tmp_path) == before, target


def test_an_earlier_export_is_replaced_where_that_is_asked_for(make_project, tmp_path):
    project = open_project(make_project(2))
    for format_id, target in (("png", tmp_path / "out"), ("areas", tmp_path / "areas.csv")):
        known = format_of(format_id)
        exported(project, target, format_id)
        with pytest.raises(TargetTaken):
            exported(project, target, format_id)
        names = project.names[:1]
        again = export(project, names, known, target, WriteOptions(), replacing=True)
        assert again is not None
        assert again.images == 1
    assert files(tmp_path / "out") == {"animal-0.png", "labelmap.txt", MARK}
    assert len((tmp_path / "areas.csv").read_text().splitlines()) == 2
    assert {p.name for p in tmp_path.iterdir()} == {"photos", "out", "areas.csv"}


def test_a_strangers_folder_is_never_replaced(make_project, tmp_path):
    project = open_project(make_project(1))
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="no export of PetSeg"):
        export(project, project.names, PNG, tmp_path / "theirs", WriteOptions(), replacing=True)
    assert files(tmp_path / "theirs") == {"thesis.txt"}


@pytest.mark.parametrize("suffix", ["", ".csv"])
def test_cancelled_or_failed_it_leaves_nothing(make_project, tmp_path, snapshot, suffix):
    project = open_project(make_project(3))
    known = format_of("areas") if suffix else PNG
    target = tmp_path / f"out{suffix}"
    seen: list[int] = []
    before = snapshot(tmp_path)
    cancelled = export(
        project,
        project.names,
        known,
        target,
        WriteOptions(),
        lambda done, total: seen.append(done),
        lambda: bool(seen),
    )
    assert cancelled is None
    assert seen == [1]
    assert snapshot(tmp_path).keys() == before.keys()

    def failing(*arguments: object) -> Iterator[str]:
        assert known.write is not None
        yield next(known.write(*arguments))
        raise OSError(28, "No space left on device")

    with pytest.raises(Exception, match="No space left"):
        export(project, project.names, replace(known, write=failing), target, WriteOptions())
    assert snapshot(tmp_path).keys() == before.keys()


def test_photos_come_along_under_the_names_of_their_masks(make_project, tmp_path):
    root = make_project(2)
    exif = Image.Exif()
    exif[0x0112] = 3
    photo = root / "images" / "animal-0.png"
    Image.open(photo).save(root / "images" / "animal-0.jpg", exif=exif)
    photo.unlink()
    result = exported(open_project(root), tmp_path / "out", "voc", photos=True)
    copied = tmp_path / "out" / "JPEGImages" / "animal-0.jpg"
    assert copied.read_bytes() == (root / "images" / "animal-0.jpg").read_bytes()
    assert any("EXIF data: 1." in note for note in result.notes)
    assert not exported(open_project(root), tmp_path / "bare", "voc").notes
    assert not any("JPEGImages" in name for name in files(tmp_path / "bare"))


def test_binary_folders_export_what_they_mean(make_project, tmp_path):
    root = make_project(1, encoding=MaskEncoding.BINARY255)
    project = open_project(root)
    exported(project, tmp_path / "out")
    mask = np.asarray(Image.open(tmp_path / "out" / "animal-0.png"))
    np.testing.assert_array_equal(mask, project.read_mask("animal-0.png"))
