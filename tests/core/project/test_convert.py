"""Converting a folder's masks to class ids: nothing is lost, whenever it is stopped."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.files import WriteError, sha256
from core.labels import TRIMAP, VOID
from core.masks import MaskEncoding, read_values
from core.project.convert import Converted, convert_to_ids, resume_conversion
from core.project.project import Project, open_project
from core.project.reviews import Review, Status, read_reviews

from ..killing import Killed, killed_at


def convert(folder: Path, cancel_after: int | None = None) -> Converted | None:
    steps: list[int] = []

    def cancelled() -> bool:
        return cancel_after is not None and len(steps) > cancel_after

    project = open_project(folder)
    return convert_to_ids(project, lambda done, total: steps.append(done), cancelled)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def shown(project: Project) -> dict[str, bytes]:
    """What each image's mask says, in class ids."""
    masks = {name: project.read_mask(name) for name in project.names}
    return {name: m.tobytes() for name, m in masks.items() if m is not None}


@pytest.fixture
def folder(make_project) -> Path:
    """0/255 masks of all kinds: by the usual name, by another, and one whose image is away."""
    root = make_project(3, 2, encoding=MaskEncoding.BINARY255)
    shutil.copy(root / "masks" / "animal-0.png", root / "masks" / "animal-2_mask.png")
    shutil.copy(root / "masks" / "animal-1.png", root / "masks" / "away.png")
    return root


@pytest.mark.parametrize("encoding", [MaskEncoding.BINARY255, MaskEncoding.BINARY1])
def test_masks_say_the_same_and_can_hold_void_and_more_classes(make_project, encoding):
    root = make_project(2, encoding=encoding)
    before, originals = shown(open_project(root)), contents(root / "masks")
    assert convert(root) == Converted(2, {})
    project = open_project(root)
    assert project.settings.mask_encoding is MaskEncoding.IDS
    assert shown(project) == before
    assert contents(root / ".petseg" / "originals" / "masks") == originals
    void = np.full((48, 48), VOID, np.uint8)
    project.save_mask("animal-0.png", void, Review("animal-0.png", Status.EDITED))
    assert (open_project(root).read_mask("animal-0.png") == VOID).all()


def test_masks_under_other_names_and_of_images_that_are_away_are_converted_too(folder: Path):
    before, originals = shown(open_project(folder)), contents(folder / "masks")
    convert(folder)
    assert shown(open_project(folder)) == before
    assert set(read_values(folder / "masks" / "away.png")[0].ravel().tolist()) == {0, 1}
    for name, data in originals.items():
        kept = folder / ".petseg" / "originals" / "masks" / name
        assert (kept if kept.exists() else folder / "masks" / name).read_bytes() == data


def test_trimaps_in_the_mask_folder_become_ids(make_project):
    root = make_project(1, 0)
    (root / "masks").mkdir()
    Image.fromarray(np.tile(np.uint8([1, 2, 3]), (48, 16))).save(root / "masks" / "animal-0.png")
    before = shown(open_project(root))
    convert(root)
    assert shown(open_project(root)) == before
    assert open_project(root).settings.scheme == TRIMAP


def test_official_trimaps_are_left_alone(make_project):
    root = make_project(1, 0)
    trimaps = root / "annotations" / "trimaps"
    trimaps.mkdir(parents=True)
    Image.fromarray(np.tile(np.uint8([1, 2, 3]), (48, 16))).save(trimaps / "animal-0.png")
    official = contents(trimaps)
    before = shown(open_project(root))
    assert convert(root) == Converted(0, {})
    assert contents(trimaps) == official
    assert shown(open_project(root)) == before


def test_masks_of_a_read_only_folder_are_converted_into_its_store(make_project, tmp_path):
    root = make_project(2, encoding=MaskEncoding.BINARY255)
    store = tmp_path / "store"
    project = open_project(root, store)
    edited = np.zeros((48, 48), np.uint8)
    edited[3, 4] = 1
    project.save_mask("animal-1.png", edited, Review("animal-1.png", Status.EDITED))
    before, official = shown(project), contents(root)
    assert convert_to_ids(project, lambda done, total: None, lambda: False) == Converted(2, {})
    assert shown(project) == shown(open_project(root, store)) == before
    assert contents(root) == official


def test_masks_that_cannot_be_read_are_named_and_left_as_they_are(make_project):
    root = make_project(2, encoding=MaskEncoding.BINARY255)
    project = open_project(root)
    odd, away = root / "masks" / "animal-0.png", root / "masks" / "away" / "animal-0.png"
    Image.fromarray(np.full((48, 48), 77, np.uint8)).save(odd)
    away.parent.mkdir()
    shutil.copy(odd, away)
    data = odd.read_bytes()
    converted = convert_to_ids(project, lambda done, total: None, lambda: False)
    assert converted is not None
    assert list(converted.problems) == ["animal-0.png", str(away)]
    assert converted.masks == 1
    assert odd.read_bytes() == away.read_bytes() == data


def test_judgements_name_the_new_files(make_project):
    root = make_project(1, encoding=MaskEncoding.BINARY255)
    mask_file = root / "masks" / "animal-0.png"
    judged = Review("animal-0.png", Status.APPROVED, mask=sha256(mask_file.read_bytes()), strokes=7)
    open_project(root).add_review(judged)
    convert(root)
    review = read_reviews(root / ".petseg" / "reviews.jsonl")["animal-0.png"]
    assert review.mask == sha256(mask_file.read_bytes())
    assert (review.status, review.strokes) == (Status.APPROVED, 7)


@pytest.mark.parametrize("cancel_after", range(7))
def test_cancelled_it_leaves_every_mask_as_it_was(folder: Path, cancel_after: int):
    before, originals = shown(open_project(folder)), contents(folder / "masks")
    assert convert(folder, cancel_after) is None
    assert contents(folder / "masks") == originals
    project = open_project(folder)
    assert project.settings.mask_encoding is MaskEncoding.BINARY255
    assert shown(project) == before
    assert not list((folder / ".petseg").glob("*ing*"))
    assert convert(folder) is not None  # and it can be begun again
    assert shown(open_project(folder)) == before


def test_what_is_overwritten_is_kept_though_it_goes_by_another_name(make_project, monkeypatch):
    """As on a disk that does not tell a.PNG from a.png."""
    root = make_project(1, encoding=MaskEncoding.BINARY255)
    written = root / "masks" / "animal-0.png"
    listed = written.with_suffix(".PNG")
    os.link(written, listed)
    original = written.read_bytes()
    monkeypatch.setattr(Project, "mask_source", lambda self, name: listed)
    convert(root)
    assert written.read_bytes() != original
    kept = root / ".petseg" / "originals" / "masks" / written.name
    assert kept.read_bytes() == original


def test_a_second_conversion_keeps_the_originals_of_the_first(make_project):
    root = make_project(1, encoding=MaskEncoding.BINARY255)
    first = contents(root / "masks")
    convert(root)
    (root / ".petseg" / "project.json").unlink()
    Image.fromarray(np.full((48, 48), 255, np.uint8)).save(root / "masks" / "animal-0.png")
    second = contents(root / "masks")
    convert(root)
    assert contents(root / ".petseg" / "originals" / "masks") == first
    assert contents(root / ".petseg" / "originals-2" / "masks") == second


def test_a_full_disk_leaves_every_mask_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch):
    before, originals = shown(open_project(folder)), contents(folder / "masks")
    real, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        convert(folder)
    assert len(calls) > 8, "masks that were rewritten already must be put back"
    assert contents(folder / "masks") == originals
    assert shown(open_project(folder)) == before


def copy_of(folder: Path, number: int) -> Path:
    return shutil.copytree(folder, folder.with_name(f"copy-{number}"))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("cancel_after", [None, 6], ids=["converting", "putting back"])
def test_stopped_at_any_moment_it_goes_on_when_the_folder_is_opened(folder, after, cancel_after):
    before, originals = shown(open_project(folder)), contents(folder / "masks")
    whole = copy_of(folder, 0)
    with killed_at(0, after) as calls:
        convert(whole, cancel_after)
    assert len(calls) > 15
    for number in range(1, len(calls) + 1):
        root = copy_of(folder, number)
        with killed_at(number, after), pytest.raises(Killed):
            convert(root, cancel_after)
        project = open_project(root, half_converted=True)
        resume_conversion(project)
        assert not project.half_converted
        again = open_project(root)
        assert shown(again) == before, number
        if again.settings.mask_encoding is MaskEncoding.IDS:
            kept = contents(root / ".petseg" / "originals" / "masks")
            assert {name: kept.get(name, data) for name, data in originals.items()} == originals
        else:
            assert contents(root / "masks") == originals


def test_stopped_twice_it_still_goes_on(folder: Path):
    before = shown(open_project(folder))
    with killed_at(14, True), pytest.raises(Killed):
        convert(folder)
    assert (folder / ".petseg" / "converting").is_dir()
    for number in range(1, 3):
        with killed_at(number, True), pytest.raises(Killed):
            resume_conversion(open_project(folder, half_converted=True))
    resume_conversion(open_project(folder, half_converted=True))
    assert shown(open_project(folder)) == before
    assert open_project(folder).settings.mask_encoding is MaskEncoding.IDS


def test_a_half_converted_folder_is_opened_for_finishing_it_only(folder: Path):
    project = open_project(folder)
    (folder / ".petseg" / "converting" / "masks").mkdir(parents=True)
    with pytest.raises(BadInput, match="finishes the conversion"):
        open_project(folder)
    with pytest.raises(BadInput, match="interrupted"):
        project.save_mask(
            "animal-0.png", np.zeros((48, 48), np.uint8), Review("animal-0.png", Status.EDITED)
        )


def test_a_folder_of_ids_has_nothing_to_convert_or_to_resume(make_project, snapshot):
    root = make_project(1)
    assert convert(root) == Converted(0, {})
    before = snapshot(root)
    assert resume_conversion(open_project(root)) is None
    assert snapshot(root) == before
