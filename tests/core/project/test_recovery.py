"""After a crash: edits come back, nobody else's mask is overwritten, bad journals do no harm."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.editing.history import Step, compare
from core.files import WriteError
from core.labels import PET
from core.masks import MaskError, write_mask
from core.project import recovery
from core.project.journal import Journal, Start, replay
from core.project.project import MaskChanged, Project, open_project
from core.project.recovery import recover
from core.project.reviews import Review, Status, read_reviews

MakeProject = Callable[..., Path]
NAME = "animal-0.png"


def edit(project: Project, mask: np.ndarray, name: str = NAME) -> np.ndarray:
    """Leave an edit of ``mask`` (what the files say) in a journal; gives the mask it leads to."""
    after = mask.copy()
    after[5:20, 8:30] = 1 - after[5:20, 8:30]
    change = compare(mask, after, "Brush")
    assert change is not None
    height, width = mask.shape
    digest = project.mask_digest(name)
    start = Start(name, width, height, digest, None if digest else mask)
    journal = Journal(project.journal_path(name), project.layout.images)
    journal.append(Step(change).packed(), start)
    return after


def disk(project: Project, name: str = NAME) -> np.ndarray:
    mask = open_project(project.folder).read_mask(name)
    assert mask is not None
    return mask


def journals(project: Project) -> list[str]:
    return sorted(p.name for p in project.journals.rglob("*") if p.is_file())


@pytest.mark.parametrize("masked", [0, 1])
def test_edits_come_back_with_and_without_a_mask_file(make_project: MakeProject, masked: int):
    project = open_project(make_project(1, masked))
    before = disk(project) if masked else np.zeros((48, 48), np.uint8)
    wanted = edit(project, before)
    assert recover(open_project(project.folder)).images == (NAME,)
    assert np.array_equal(disk(project), wanted)
    assert open_project(project.folder).status(NAME) is Status.EDITED
    assert journals(project) == []
    assert recover(open_project(project.folder)).images == ()


def test_what_was_counted_of_an_image_stays(make_project: MakeProject):
    project = open_project(make_project(1))
    project.add_review(Review(NAME, Status.APPROVED, seconds=4.0, strokes=7))
    edit(project, disk(project))
    recover(open_project(project.folder))
    review = read_reviews(project.store / "reviews.jsonl")[NAME]
    assert (review.status, review.seconds, review.strokes) == (Status.EDITED, 4.0, 7)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_crash_while_a_mask_is_saved_loses_nothing(make_project: MakeProject, replaced: bool):
    """The journal knows the file that was on its way, whether it came into its place or not."""
    project = open_project(make_project(1))
    before = disk(project)
    wanted = edit(project, before)
    aside = project.folder / "saved.png"
    digest = write_mask(aside, wanted, PET)
    data = project.journal_path(NAME).read_bytes()
    journal = Journal(project.journal_path(NAME).with_suffix(".other"), project.layout.images)
    change = compare(before, wanted, "Brush")
    assert change is not None
    journal.append(Step(change).packed(), Start(NAME, 48, 48, project.mask_digest(NAME)))
    assert (project.journal_path(NAME).with_suffix(".other")).read_bytes() == data
    journal.saving(digest)
    os.replace(project.journal_path(NAME).with_suffix(".other"), project.journal_path(NAME))
    if replaced:
        os.replace(aside, project.mask_target(NAME))
    assert recover(open_project(project.folder)).images == (() if replaced else (NAME,))
    assert np.array_equal(disk(project), wanted)
    assert journals(project) == []


@pytest.mark.parametrize("change", ["other mask", "no mask", "mask where there was none"])
def test_somebody_elses_mask_is_not_overwritten(make_project: MakeProject, change: str):
    project = open_project(make_project(2, 1 if change != "mask where there was none" else 0))
    masked = project.mask_source(NAME) is not None
    edit(project, disk(project) if masked else np.zeros((48, 48), np.uint8))
    target = project.mask_target(NAME)
    if change == "no mask":
        target.unlink()
    else:
        write_mask(target, np.ones((48, 48), np.uint8), PET)
    data = target.read_bytes() if target.exists() else None
    recovered = recover(open_project(project.folder))
    assert recovered.images == ()
    (kept,) = recovered.kept
    assert kept.image == NAME
    assert "changed by another program" in kept.reason
    assert kept.path.exists()
    assert journals(project) == [f"{NAME}.journal.kept"]
    assert (target.read_bytes() if target.exists() else None) == data


def test_an_image_that_is_gone(make_project: MakeProject):
    project = open_project(make_project(2))
    edit(project, disk(project))
    project.image_path(NAME).unlink()
    (kept,) = recover(open_project(project.folder)).kept
    assert "no image of this folder" in kept.reason


def test_an_image_that_has_another_size_now(make_project: MakeProject):
    project = open_project(make_project(2))
    edit(project, disk(project))
    Image.new("RGB", (50, 48)).save(project.image_path(NAME))
    (kept,) = recover(open_project(project.folder)).kept
    assert "another size" in kept.reason


@pytest.mark.parametrize("name", ["../../outside.png", "animal-1.png", "/etc/passwd"])
def test_a_journal_may_speak_of_its_own_image_only(make_project: MakeProject, name: str):
    project = open_project(make_project(2))
    before = disk(project, "animal-1.png")
    path = project.journal_path(NAME)
    change = compare(before, 1 - before, "Brush")
    assert change is not None
    start = Start(name, 48, 48, project.mask_digest("animal-1.png"))
    Journal(path, project.layout.images).append(Step(change).packed(), start)
    outside = set(project.folder.parent.iterdir())
    (kept,) = recover(open_project(project.folder)).kept
    assert kept.path.parent == project.journals
    assert np.array_equal(disk(project, "animal-1.png"), before)
    assert {
        p for p in project.folder.parent.rglob("*") if project.folder not in p.parents
    } == outside


def test_a_damaged_journal_does_not_keep_the_others_back(make_project: MakeProject):
    project = open_project(make_project(3))
    wanted = edit(project, disk(project, "animal-1.png"), "animal-1.png")
    project.journal_path(NAME).write_bytes(b"\0" * 300)
    torn = edit(project, disk(project, "animal-2.png"), "animal-2.png")
    with project.journal_path("animal-2.png").open("ab") as file:
        file.write(b"E\xff\xff")  # the next edit was never written whole
    recovered = recover(open_project(project.folder))
    assert recovered.images == ("animal-1.png", "animal-2.png")
    assert [kept.image for kept in recovered.kept] == [NAME]
    assert np.array_equal(disk(project, "animal-1.png"), wanted)
    assert np.array_equal(disk(project, "animal-2.png"), torn)


def test_classes_that_the_project_does_not_know_are_not_written(make_project: MakeProject):
    project = open_project(make_project(1))
    before = disk(project)
    change = compare(before, np.full_like(before, 77), "Brush")
    assert change is not None
    start = Start(NAME, 48, 48, project.mask_digest(NAME))
    Journal(project.journal_path(NAME), project.layout.images).append(Step(change).packed(), start)
    (kept,) = recover(open_project(project.folder)).kept
    assert "classes" in kept.reason
    assert np.array_equal(disk(project), before)


def test_a_full_disk_leaves_the_journal_for_the_next_time(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    project = open_project(make_project(1))
    before = disk(project)
    wanted = edit(project, before)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(WriteError):
            recover(open_project(project.folder))
    assert np.array_equal(disk(project), before)
    assert recover(open_project(project.folder)).images == (NAME,)
    assert np.array_equal(disk(project), wanted)


def test_a_mask_that_changes_while_edits_are_brought_back_does_not_keep_the_others_back(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
):
    project = open_project(make_project(2))
    edit(project, disk(project))
    wanted = edit(project, disk(project, "animal-1.png"), "animal-1.png")
    theirs = np.eye(48, dtype=np.uint8)

    def replayed(path: Path, mask: np.ndarray) -> None:
        replay(path, mask)
        if path == project.journal_path(NAME):
            write_mask(project.mask_target(NAME), theirs, PET)

    monkeypatch.setattr(recovery, "replay", replayed)
    recovered = recover(open_project(project.folder))
    assert recovered.images == ("animal-1.png",)
    assert [kept.image for kept in recovered.kept] == [NAME]
    assert np.array_equal(disk(project), theirs)
    assert np.array_equal(disk(project, "animal-1.png"), wanted)


# --- Saving over what somebody else wrote


def test_a_mask_that_is_a_link_to_nowhere_is_an_error_and_stays(make_project: MakeProject):
    project = open_project(make_project(1))
    project.mask_target(NAME).unlink()
    project.mask_target(NAME).symlink_to(project.folder / "unplugged.png")
    with pytest.raises(MaskError, match="not there"):
        open_project(project.folder).mask_digest(NAME)
    with pytest.raises(MaskError, match="not there"):
        project.save_mask(
            NAME, np.eye(48, dtype=np.uint8), Review(NAME, Status.EDITED), expected=""
        )
    assert project.mask_target(NAME).is_symlink()


def test_a_mask_file_that_changed_meanwhile_is_not_overwritten(make_project: MakeProject):
    project = open_project(make_project(2))
    digest = project.mask_digest(NAME)
    shutil.copy(project.mask_target("animal-1.png"), project.mask_target(NAME))
    theirs, mine = project.mask_target(NAME).read_bytes(), np.eye(48, dtype=np.uint8)
    with pytest.raises(MaskChanged, match="changed by another program") as caught:
        project.save_mask(
            NAME, np.eye(48, dtype=np.uint8), Review(NAME, Status.EDITED), expected=digest
        )
    assert project.mask_target(NAME).read_bytes() == theirs
    assert project.status(NAME) is Status.APPROVED
    found = caught.value.digest
    written = project.save_mask(NAME, mine, Review(NAME, Status.EDITED), expected=found)
    assert written == project.mask_digest(NAME)


def test_a_mask_file_that_appeared_or_vanished_is_noticed(make_project: MakeProject):
    project = open_project(make_project(2, 1))
    mask = np.eye(48, dtype=np.uint8)
    write_mask(project.mask_target("animal-1.png"), mask, PET)
    with pytest.raises(MaskChanged):
        project.save_mask("animal-1.png", 1 - mask, Review("", Status.EDITED), expected="")
    assert project.status("animal-1.png") is Status.APPROVED
    digest = project.mask_digest(NAME)
    project.mask_target(NAME).unlink()
    with pytest.raises(MaskChanged):
        project.save_mask(NAME, mask, Review(NAME, Status.EDITED), expected=digest)
    assert project.status(NAME) is Status.UNLABELLED


def test_official_annotations_stand_behind_a_correction_that_is_gone(tmp_path: Path):
    (tmp_path / "images").mkdir()
    (tmp_path / "annotations" / "trimaps").mkdir(parents=True)
    Image.new("RGB", (6, 4)).save(tmp_path / "images" / "pug_1.jpg")
    Image.fromarray(np.full((4, 6), 2, np.uint8)).save(tmp_path / "annotations/trimaps/pug_1.png")
    project = open_project(tmp_path)
    official = project.mask_digest("pug_1.jpg")
    project.save_mask("pug_1.jpg", np.ones((4, 6), np.uint8), Review("", Status.EDITED))
    assert project.mask_digest("pug_1.jpg") != official
    project.mask_target("pug_1.jpg").unlink()
    assert project.mask_digest("pug_1.jpg") == official


def test_a_folder_that_was_renamed_is_not_made_anew(make_project: MakeProject):
    project = open_project(make_project(1))
    away = project.folder.with_name("elsewhere")
    project.folder.rename(away)
    mask = np.eye(48, dtype=np.uint8)
    with pytest.raises(WriteError, match="not there any more"):
        project.save_mask(NAME, mask, Review(NAME, Status.EDITED))
    with pytest.raises(WriteError, match="not there any more"):
        project.add_review(Review(NAME, Status.REJECTED))
    assert not project.folder.exists()
    away.rename(project.folder)
    project.save_mask(NAME, mask, Review(NAME, Status.EDITED))
    assert np.array_equal(disk(project), mask)
