"""Files that other programs bring, take away or change while a folder is open."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.labels import PET
from core.masks import write_mask
from core.project.project import FolderGone, Project, open_project
from core.project.reviews import Review, Status


def _long_ago(folder: Path) -> None:
    """As if nothing in these folders had changed for a minute: they are not read again."""
    before = time.time() - 60
    for path in [folder, *(p for p in folder.rglob("*") if p.is_dir())]:
        os.utime(path, (before, before))


@pytest.fixture
def opened(make_project: Callable[..., Path]) -> Project:
    """A project of four images, the first two with masks, that has rested for a while."""
    folder = make_project(images=4, masked=2)
    _long_ago(folder)
    return open_project(folder)


def _look(project: Project, *kept: str) -> tuple[tuple[str, ...], ...] | None:
    """What has come and gone, and whose mask has; taken."""
    changes = project.look_around(kept)
    if changes is None:
        return None
    project.take(changes)
    return changes.come, changes.gone, changes.masked


def test_nothing_has_changed(opened: Project):
    assert _look(opened) is None
    assert opened.look_around(["animal-1.png"]) is None


def test_images_that_come_and_go_are_listed_in_their_places(opened: Project):
    images = opened.layout.images
    (images / "new").mkdir()
    for name in ("animal-10.png", "new/a.png", "animal-1b.png"):
        shutil.copy(images / "animal-0.png", images / name)
    (images / "animal-2.png").unlink()
    come = ("animal-1b.png", "animal-10.png", "new/a.png")
    assert _look(opened) == (come, ("animal-2.png",), ())
    assert opened.names == open_project(opened.folder).names
    assert [opened.status(n) for n in come] == [Status.UNLABELLED] * 3
    shutil.rmtree(images / "new")
    assert _look(opened) == ((), ("new/a.png",), ())
    assert _look(opened) is None


def test_a_renamed_folder_is_followed(opened: Project):
    images = opened.layout.images
    (images / "x").mkdir()
    shutil.copy(images / "animal-0.png", images / "x" / "a.png")
    assert _look(opened) == (("x/a.png",), (), ())
    (images / "x").rename(images / "y")
    assert _look(opened) == (("y/a.png",), ("x/a.png",), ())


def test_a_mask_that_another_program_brings_or_takes_changes_the_status(opened: Project):
    mask = opened.mask_target("animal-3.png")
    write_mask(mask, np.ones((48, 48), np.uint8), PET)
    assert _look(opened) == ((), (), ("animal-3.png",))
    assert opened.status("animal-3.png") is Status.APPROVED
    assert opened.read_mask("animal-3.png") is not None
    mask.unlink()
    opened.mask_target("animal-0.png").unlink()
    assert _look(opened) == ((), (), ("animal-0.png", "animal-3.png"))
    assert opened.status("animal-0.png") is Status.UNLABELLED
    assert opened.read_mask("animal-0.png") is None


def test_masks_that_were_saved_here_are_no_news(opened: Project):
    opened.save_mask("animal-3.png", np.ones((48, 48), np.uint8), Review("", Status.EDITED))
    assert _look(opened) is None
    assert opened.status("animal-3.png") is Status.EDITED


def test_an_image_that_is_gone_stays_listed_as_long_as_it_is_kept(opened: Project):
    for name in ("animal-1.png", "animal-3.png"):
        (opened.layout.images / name).unlink()
    changes = opened.look_around(["animal-1.png"])
    assert changes is not None
    assert (changes.gone, changes.strays) == (("animal-3.png",), {"animal-1.png"})
    opened.take(changes)
    assert opened.names == ["animal-0.png", "animal-1.png", "animal-2.png"]
    assert _look(opened, "animal-1.png") is None
    assert _look(opened) == ((), ("animal-1.png",), ())


def test_a_photo_that_shares_a_name_from_now_on_leaves_the_other_its_mask(opened: Project):
    images = opened.layout.images
    shutil.copy(images / "animal-0.png", images / "animal-0.jpg")
    assert _look(opened) == (("animal-0.jpg",), (), ())
    assert opened.mask_target("animal-0.png").name == "animal-0.png"
    assert opened.mask_target("animal-0.jpg").name == "animal-0.jpg.png"
    assert opened.status("animal-0.png") is Status.APPROVED
    assert opened.status("animal-0.jpg") is Status.UNLABELLED


@pytest.mark.parametrize("empty", [False, True])
def test_a_disk_that_is_unplugged_takes_nothing_from_the_list(opened: Project, empty: bool):
    names = list(opened.names)
    away = opened.folder.with_name("away")
    opened.folder.rename(away)
    if empty:  # the place where it was mounted stays
        opened.layout.images.mkdir(parents=True)
    for _ in range(2):
        with pytest.raises(FolderGone, match="bring it back"):
            opened.look_around()
    shutil.rmtree(opened.folder, ignore_errors=True)
    away.rename(opened.folder)
    (opened.layout.images / "animal-3.png").unlink()
    assert opened.names == names
    assert _look(opened) == ((), ("animal-3.png",), ())


def test_a_folder_that_may_not_be_read_any_more_keeps_its_images(opened: Project):
    sub = opened.layout.images / "sub"
    sub.mkdir()
    shutil.copy(opened.layout.images / "animal-0.png", sub / "a.png")
    assert _look(opened) == (("sub/a.png",), (), ())
    os.chmod(sub, 0o000)
    try:
        changes = opened.look_around()
        assert changes is not None
        assert (changes.come, changes.gone) == ((), ())
        assert changes.problems == ("sub: Permission denied",)
        assert opened.unreadable == changes.problems
        opened.take(changes)
        assert "sub/a.png" in opened.names
        assert _look(opened) is None  # said once
    finally:
        os.chmod(sub, 0o755)
    assert _look(opened) == ((), (), ())
    assert opened.unreadable == ()


def test_masks_kept_elsewhere_are_followed_there(make_project: Callable[..., Path], tmp_path: Path):
    folder = make_project(images=2, masked=0)
    project = open_project(folder, tmp_path / "mine")
    write_mask(tmp_path / "mine" / "masks" / "animal-1.png", np.ones((48, 48), np.uint8), PET)
    assert _look(project) == ((), (), ("animal-1.png",))
    assert project.status("animal-1.png") is Status.APPROVED


def test_a_look_can_be_ended(opened: Project):
    shutil.copy(opened.layout.images / "animal-0.png", opened.layout.images / "new.png")

    def alive() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        opened.look_around(alive=alive)
    assert _look(opened) == (("new.png",), (), ())
