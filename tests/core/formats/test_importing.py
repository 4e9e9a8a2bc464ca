"""Importing: a preview that writes nothing, then all of it or nothing, and undone whole."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInput
from core.files import WriteError, sha256
from core.formats.importing import (
    Imported,
    NeedsIds,
    commit_import,
    finish_imports,
    import_masks,
    last_import,
    stage_import,
    undo_import,
)
from core.formats.planning import ImportPlan, plan_import
from core.formats.source import Entry, FormatError, Source, SourceClass
from core.labels import PET, TRIMAP, VOID, BorderRule, scheme_of
from core.masks import MaskEncoding
from core.project.project import Project, open_project
from core.project.reviews import Review, Status

from ..killing import Killed, killed_at

CAT, DOG = SourceClass("cat", (250, 10, 10)), SourceClass("dog")
BACKGROUND = SourceClass("background")
PET_CLASS = SourceClass("Pet")


def drawn(seed: int, classes: int, void: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.kron(rng.integers(0, classes, (6, 6)), np.ones((8, 8))).astype(np.uint8)
    mask[:8, :8] = classes - 1  # it is in each of them
    if void:
        mask[-2:] = VOID
    return mask


def source_of(
    masks: dict[str, np.ndarray | Exception], *classes: SourceClass, size: bool = True
) -> Source:
    def reading(found: np.ndarray | Exception) -> Callable[[tuple[int, int]], np.ndarray]:
        def read(wanted: tuple[int, int]) -> np.ndarray:
            if isinstance(found, Exception):
                raise found
            return found

        return read

    entries = [
        Entry(
            name,
            reading(found),
            found.shape[::-1] if size and isinstance(found, np.ndarray) else None,
            frozenset({1}),
        )
        for name, found in masks.items()
    ]
    return Source("coco", Path("theirs.json"), (BACKGROUND, *classes), entries)


def planned(project: Project, source: Source, **targets: str) -> ImportPlan:
    plan = plan_import(project, source)
    assert plan is not None
    return plan.mapped(targets)


def done(project: Project, plan: ImportPlan) -> Imported:
    imported = import_masks(project, plan)
    assert imported is not None
    return imported


def state(root: Path) -> tuple[dict[str, bytes], dict[str, Status], list[str]]:
    """The mask files, and what an opened folder makes of it."""
    project = open_project(root)
    masks = root / "masks"
    files = {str(p.relative_to(masks)): p.read_bytes() for p in masks.rglob("*.png")}
    return files, {n: project.status(n) for n in project.names}, project.settings.scheme.names


@pytest.fixture
def folder(make_project) -> Path:
    """Four images of 48 x 48, a mask for the first, which is edited and not yet approved."""
    root = make_project(4, 1)
    project = open_project(root)
    project.change_settings(scheme=PET)
    project.save_mask("animal-0.png", drawn(9, 2), Review("animal-0.png", Status.EDITED))
    return root


THREE = {f"animal-{i}.jpg": drawn(i, 2) for i in range(3)}


def test_a_preview_tells_what_would_happen_and_writes_nothing(folder: Path, snapshot):
    before = snapshot(folder)
    wrong = {"animal-3.jpg": drawn(0, 2)[:20], "gone.jpg": drawn(0, 2), "../x.jpg": drawn(0, 2)}
    plan = planned(open_project(folder), source_of(THREE | wrong, PET_CLASS))
    assert set(plan.matches) == {f"animal-{i}.png" for i in range(4)}
    assert plan.existing == {"animal-0.png"}
    assert plan.missing == ("gone.jpg",)
    assert list(plan.refused) == ["../x.jpg"]
    assert "48 x 20" in plan.differing["animal-3.png"]
    assert plan.chosen == ["animal-1.png", "animal-2.png"]
    assert replace(plan, replacing=True).chosen == [f"animal-{i}.png" for i in range(3)]
    assert plan.appearing == {1: 4}
    assert plan.targets == (0, 1)
    assert snapshot(folder) == before


def test_imported_masks_are_approved_and_say_where_they_are_from(folder: Path):
    project = open_project(folder)
    imported = done(project, planned(project, source_of(THREE, PET_CLASS)))
    assert list(imported.masks) == ["animal-1.png", "animal-2.png"]
    assert not imported.problems
    for opened in (project, open_project(folder)):
        for i in (1, 2):
            name = f"animal-{i}.png"
            np.testing.assert_array_equal(opened.read_mask(name), drawn(i, 2))
            assert opened.status(name) is Status.APPROVED
            assert opened.review(name).source == "coco: theirs.json"
            assert opened.review(name).mask == opened.mask_digest(name)
        assert opened.status("animal-0.png") is Status.EDITED
        np.testing.assert_array_equal(opened.read_mask("animal-0.png"), drawn(9, 2))
        assert opened.status("animal-3.png") is Status.UNLABELLED


@pytest.mark.parametrize("replacing", [False, True])
def test_undo_brings_everything_back(folder: Path, replacing: bool):
    before = state(folder)
    project = open_project(folder)
    plan = planned(project, source_of(THREE, CAT), cat="lynx")
    imported = done(project, replace(plan, replacing=replacing))
    assert len(imported.masks) == (3 if replacing else 2)
    assert project.settings.scheme.names == ["background", "pet", "lynx"]
    assert project.settings.scheme.classes[2].colour == CAT.colour
    for opened in (project, open_project(folder)):
        assert last_import(opened) == imported.id
    back = undo_import(project, imported.id)
    assert set(back.masks) == set(imported.masks)
    assert back.scheme
    assert state(folder) == before
    assert last_import(project) == ""
    assert project.status("animal-0.png") is Status.EDITED
    with pytest.raises(BadInput, match="no import"):
        undo_import(project, imported.id)
    assert project.status("animal-3.png") is Status.UNLABELLED
    shutil.copy(project.mask_target("animal-0.png"), project.mask_target("animal-3.png"))
    assert open_project(folder).status("animal-3.png") is Status.APPROVED


def test_what_was_drawn_since_is_not_undone(folder: Path):
    project = open_project(folder)
    imported = done(project, replace(planned(project, source_of(THREE, CAT)), replacing=True))
    mine = drawn(77, 2)
    project.save_mask("animal-2.png", mine, Review("animal-2.png", Status.EDITED))
    back = undo_import(project, imported.id)
    assert list(back.problems) == ["animal-2.png"]
    again = open_project(folder)
    np.testing.assert_array_equal(again.read_mask("animal-2.png"), mine)
    assert again.status("animal-2.png") is Status.EDITED
    assert again.read_mask("animal-1.png") is None
    np.testing.assert_array_equal(again.read_mask("animal-0.png"), drawn(9, 2))


def test_a_class_that_another_mask_took_up_stays(folder: Path):
    project = open_project(folder)
    imported = done(project, planned(project, source_of(THREE, CAT, DOG)))
    third = np.full((48, 48), 3, np.uint8)
    project.save_mask("animal-3.png", third, Review("animal-3.png", Status.EDITED))
    back = undo_import(project, imported.id)
    assert not back.scheme
    again = open_project(folder)
    np.testing.assert_array_equal(again.read_mask("animal-3.png"), third)


def test_official_annotations_stand_again_after_an_undo(make_project):
    root = make_project(2, scheme=TRIMAP, encoding=MaskEncoding.TRIMAP)
    (root / "annotations").mkdir()
    (root / "masks").rename(root / "annotations" / "trimaps")
    project = open_project(root)
    official = project.read_mask("animal-0.png")
    plan = planned(project, source_of({"animal-0.png": drawn(1, 2)}, PET_CLASS))
    assert not plan.chosen
    imported = done(project, replace(plan, replacing=True))
    np.testing.assert_array_equal(project.read_mask("animal-0.png"), drawn(1, 2))
    undo_import(project, imported.id)
    for opened in (project, open_project(root)):
        np.testing.assert_array_equal(opened.read_mask("animal-0.png"), official)


def test_masks_drawn_since_the_preview_are_left_alone(folder: Path):
    project = open_project(folder)
    plan = planned(project, source_of(THREE, PET_CLASS))
    one, two = drawn(55, 2), drawn(56, 2)
    project.save_mask("animal-1.png", one, Review("animal-1.png", Status.EDITED))
    staged = stage_import(project, plan)
    assert staged is not None
    project.save_mask("animal-2.png", two, Review("animal-2.png", Status.EDITED))
    imported = commit_import(project, staged)
    assert not imported.masks
    assert imported.problems.keys() == {"animal-1.png", "animal-2.png"}
    np.testing.assert_array_equal(project.read_mask("animal-1.png"), one)
    np.testing.assert_array_equal(project.read_mask("animal-2.png"), two)
    assert project.status("animal-2.png") is Status.EDITED


def _add_a_class(project: Project) -> None:
    names = [*project.settings.scheme.names, "tail"]
    project.change_settings(scheme=scheme_of("custom", names))
    project.save_mask("animal-3.png", drawn(1, 3), Review("animal-3.png", Status.EDITED))


def _draw_the_first_mask(project: Project) -> None:
    project.save_mask("animal-3.png", drawn(1, 2), Review("animal-3.png", Status.EDITED))


@pytest.mark.parametrize("staged_before", [False, True], ids=["preview", "staging"])
@pytest.mark.parametrize("change", [_add_a_class, _draw_the_first_mask])
def test_classes_that_came_since_the_preview_keep_their_numbers(
    make_project, change: Callable[[Project], None], staged_before: bool
):
    """Else what was painted as pet, or as a new class, would be called cat."""
    project = open_project(make_project(4, 0))
    plan = planned(project, source_of({"animal-0.png": drawn(0, 3)}, CAT, DOG))
    staged = stage_import(project, plan) if staged_before else None
    change(project)
    before = state(project.folder)
    with pytest.raises(BadInput, match="changed since the preview"):
        import_masks(project, plan) if staged is None else commit_import(project, staged)
    assert state(project.folder) == before
    imports = project.store / "imports"
    assert not imports.exists() or not list(imports.iterdir())
    again = planned(project, source_of({"animal-0.png": drawn(0, 3)}, CAT, DOG))
    done(project, again)
    assert project.settings.scheme.names[: len(before[2])] == before[2]


def test_cancelled_while_masks_are_made_nothing_has_changed(folder: Path):
    before = state(folder)
    project = open_project(folder)
    seen: list[int] = []
    plan = planned(project, source_of(THREE, PET_CLASS))
    result = import_masks(project, plan, lambda n, total: seen.append(n), lambda: bool(seen))
    assert result is None
    assert seen == [1]
    assert state(folder) == before
    assert not list((folder / ".petseg" / "imports").iterdir())


def test_one_bad_annotation_is_named_and_the_rest_goes_on(folder: Path):
    project = open_project(folder)
    bad = FormatError("theirs.json, annotation 7: NaN coordinates")
    source = source_of(THREE | {"animal-1.jpg": bad}, PET_CLASS)
    imported = done(project, planned(project, source))
    assert list(imported.masks) == ["animal-2.png"]
    assert imported.problems == {"animal-1.png": str(bad)}


@pytest.mark.parametrize(
    "masks",
    [{"animal-1.jpg": FormatError("theirs.json: no polygon")}, {"gone.jpg": drawn(0, 2)}],
    ids=["unusable", "of other images"],
)
def test_where_nothing_can_be_imported_it_says_so_and_leaves_nothing(folder: Path, masks):
    before = state(folder)
    project = open_project(folder)
    with pytest.raises(BadInput, match=r"no polygon|nothing to import"):
        import_masks(project, planned(project, source_of(masks, PET_CLASS)))
    assert state(folder) == before
    imports = folder / ".petseg" / "imports"
    assert not imports.exists() or not list(imports.iterdir())


@pytest.mark.parametrize(
    ("classes", "void"), [((CAT, DOG), False), ((PET_CLASS,), True)], ids=["third class", "void"]
)
def test_binary_folders_must_become_ids_first(make_project, classes, void):
    root = make_project(3, 1, encoding=MaskEncoding.BINARY255)
    before = state(root)
    project = open_project(root)
    masks = {"animal-1.jpg": drawn(1, 2), "animal-2.jpg": drawn(2, len(classes) + 1, void)}
    with pytest.raises(NeedsIds, match="binary255"):
        import_masks(project, planned(project, source_of(masks, *classes)))
    assert state(root) == before
    assert not list((root / ".petseg" / "imports").glob("*"))


def test_a_full_disk_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch):
    before = state(folder)
    project = open_project(folder)
    real, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        import_masks(project, planned(project, source_of(THREE, PET_CLASS)))
    assert state(folder) == before
    assert not list((folder / ".petseg" / "imports").iterdir())


def _copy(folder: Path, number: object) -> Path:
    return shutil.copytree(folder, folder.with_name(f"copy-{number}"))


def _import_all(root: Path) -> Imported:
    project = open_project(root)
    return done(project, replace(planned(project, source_of(THREE, CAT, DOG)), replacing=True))


def test_killed_at_any_moment_it_is_all_there_or_nothing_is(folder: Path):
    before = state(folder)
    whole = _copy(folder, "whole")
    with killed_at(0, True) as calls:
        _import_all(whole)
    wanted = state(whole)
    assert wanted != before
    assert len(calls) > 10
    ends = []
    for number in range(1, len(calls) + 1):
        root = _copy(folder, number)
        with killed_at(number, True), pytest.raises(Killed):
            _import_all(root)
        finish_imports(open_project(root))
        found = state(root)
        assert found in (before, wanted), number
        ends.append(found == wanted)
    assert True in ends
    assert False in ends
    assert ends == sorted(ends)
    project = open_project(root)
    undo_import(project, last_import(project))
    assert state(root) == before


def test_what_a_full_disk_left_half_written_is_said_and_finished_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = _copy(folder, "whole")
    _import_all(whole)
    project = open_project(folder)
    plan = replace(planned(project, source_of(THREE, CAT, DOG)), replacing=True)
    staged = stage_import(project, plan)
    assert staged is not None
    real = os.replace

    def full(source: object, target: object) -> None:
        if str(target).endswith("animal-1.png"):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(WriteError, match=r"No space.*when the folder is opened again"):
            commit_import(project, staged)
    assert "3 masks" in finish_imports(open_project(folder))
    assert state(folder) == state(whole)


@pytest.mark.parametrize(
    "row",
    [
        {"image": "../../mine.png", "mask": "", "before": "", "review": {"status": "approved"}},
        {"image": "/etc/mine.png", "mask": "", "before": "", "review": {"status": "approved"}},
        {"image": "animal-1.png", "mask": "", "before": "", "review": {"status": "great"}},
        {"image": 5, "mask": "", "before": "", "review": {"status": "approved"}},
        {"picture": "animal-1.png"},
    ],
)
@pytest.mark.parametrize("suffix", [".writing", ".undoing"])
def test_an_import_from_a_stranger_reaches_no_other_files(
    folder: Path, tmp_path: Path, snapshot, row: dict[str, object], suffix: str
):
    import_id = _import_all(folder).id
    mine = tmp_path / "mine.png"
    mine.write_bytes(b"mine")
    part = folder / ".petseg" / "imports" / import_id
    (part / "masks.jsonl").write_text(
        json.dumps(row | {"mask": sha256(b"mine")} if "mask" in row else row) + "\n"
    )
    part.rename(part.with_suffix(suffix))
    before = snapshot(tmp_path)
    with pytest.raises(BadInput, match=r"masks\.jsonl is damaged. To go on"):
        finish_imports(open_project(folder))
    assert snapshot(tmp_path) == before


def test_an_undo_that_is_killed_is_finished(folder: Path):
    before = state(folder)
    _import_all(folder)

    def undo(root: Path) -> None:
        project = open_project(root)
        undo_import(project, last_import(project))

    whole = _copy(folder, "whole")
    with killed_at(0, True) as calls:
        undo(whole)
    for number in range(1, len(calls) + 1):
        root = _copy(folder, number)
        with killed_at(number, True), pytest.raises(Killed):
            undo(root)
        finish_imports(open_project(root))
        assert state(root) == before, number


# What classes become


def scheme_names(plan: ImportPlan) -> list[str]:
    return plan.scheme.names


def test_a_new_folder_takes_the_classes_of_the_annotations(make_project):
    project = open_project(make_project(4, 0))
    assert project.settings.scheme == PET
    plan = planned(project, source_of({"animal-0.png": drawn(0, 3)}, CAT, DOG))
    assert scheme_names(plan) == ["background", "cat", "dog"]
    assert plan.scheme.classes[1].colour == CAT.colour
    imported = done(project, plan)
    assert open_project(project.folder).settings.scheme.names == ["background", "cat", "dog"]
    undo_import(project, imported.id)
    assert open_project(project.folder).settings.scheme == PET


@pytest.mark.parametrize(
    ("classes", "targets", "names"),
    [
        ((PET_CLASS,), (0, 1), ["background", "pet"]),
        ((CAT,), (0, 1), ["background", "pet"]),
        ((SourceClass("object"),), (0, 1), ["background", "pet"]),
        ((CAT, PET_CLASS), (0, "cat", 1), ["background", "pet", "cat"]),
        (
            (SourceClass("class 1"), SourceClass("class 2")),
            (0, 1, "class 2"),
            ["background", "pet", "class 2"],
        ),
        ((PET_CLASS, SourceClass("border")), (0, 1, "border"), ["background", "pet", "border"]),
    ],
)
def test_classes_become_what_they_are_called_here(make_project, classes, targets, names):
    plan = planned(open_project(make_project(2, 0)), source_of(THREE, *classes))
    assert plan.targets == targets
    assert scheme_names(plan) == names


@pytest.mark.parametrize(
    ("rule", "target"),
    [
        (BorderRule.FOREGROUND, 1),
        (BorderRule.IGNORE, VOID),
        (BorderRule.BACKGROUND, 0),
        (BorderRule.CLASS, "border"),
    ],
)
def test_a_border_becomes_what_the_folders_rule_says(folder: Path, rule, target):
    project = open_project(folder)
    project.change_settings(border_rule=rule)
    plan = planned(project, source_of(THREE, PET_CLASS, SourceClass("border")))
    assert plan.targets[2] == target


def test_classes_are_left_out_made_void_or_joined_where_a_person_says_so(folder: Path):
    project = open_project(folder)
    source = source_of({"animal-1.png": drawn(3, 5)}, CAT, DOG, SourceClass("cow"), PET_CLASS)
    plan = planned(project, source, cat="background", dog="void", Cow="PET")
    assert plan.targets == (0, 0, VOID, 1, 1)
    assert scheme_names(plan) == project.settings.scheme.names
    done(project, plan)
    table = np.array([0, 0, VOID, 1, 1])
    np.testing.assert_array_equal(project.read_mask("animal-1.png"), table[drawn(3, 5)])
    with pytest.raises(BadInput, match="no class bird; they have background, cat"):
        plan.mapped({"bird": "pet"})


def test_masks_of_another_size_are_never_scaled(folder: Path):
    small = {"animal-1.jpg": drawn(0, 2)[:24, :24], "animal-2.jpg": drawn(2, 2)}
    plan = planned(open_project(folder), source_of(small, PET_CLASS))
    assert "never scaled" in plan.differing["animal-1.png"]
    assert plan.chosen == ["animal-2.png"]


def test_the_size_is_that_of_the_upright_photo(make_project):
    root = make_project(1, 0, width=40, height=24)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    path = root / "images" / "animal-0.png"
    Image.open(path).save(root / "images" / "turned.jpg", exif=exif)
    path.unlink()
    project = open_project(root)
    masks = {"turned.jpg": np.ones((24, 40), np.uint8)}
    plan = planned(project, source_of(masks, PET_CLASS))
    assert "40 x 24 pixels, the photo has 24 x 40" in plan.differing["turned.jpg"]
    upright = {"turned.jpg": np.ones((40, 24), np.uint8)}
    assert list(done(project, planned(project, source_of(upright, PET_CLASS))).masks)
