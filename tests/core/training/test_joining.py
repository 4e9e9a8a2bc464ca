"""Masks that are approved while a run trains: which of them join it, and when."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.labels import PET
from core.masks import write_mask
from core.project.project import open_project
from core.project.reviews import Review, Status
from core.training.config import read_run_config
from core.training.launch import create_run
from core.training.plan import plan_training

from .conftest import (
    FULL,
    Work,
    approve_at,
    approve_more,
    at_step,
    draw_easy,
    epochs_of,
    finished,
    joined,
    new_run,
    numbers,
    same_weights,
    story,
    tiny_config,
    wait_for,
    working,
)


def settled(run: Path) -> bool:
    """Whether masks have joined for good: the checkpoint holds them."""
    kinds = [e.type for e in story(run)]
    return "joined" in kinds and "checkpoint" in kinds[kinds.index("joined") :]


def test_masks_approved_meanwhile_train_from_the_next_epoch_and_never_those_for_validation(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, **FULL)
    at_step(monkeypatch, 6, lambda: approve_more(easy, range(12)))  # in the second epoch
    assert work(run)
    assert finished(run).reason == "done"
    ((epoch, names),) = joined(run)
    split = open_project(easy).known_split()
    new = {n for n in split if n.startswith("new-")}
    assert len(new) == 12, "they have their place for good"
    assert set(names) == {n for n in new if split[n] == "train"}
    assert 0 < len(names) < 12, "some are for validation"
    assert epoch == 3
    before = len(read_run_config(run).train_samples)
    assert [e.train_images for e in epochs_of(run)] == [before] * 2 + [before + len(names)] * 2
    assert [e.step for e in epochs_of(run)] == [4, 8, 12, 16], "the schedule stays"


def judge(root: Path, status: Status) -> None:
    approve_more(root, range(3))
    project = open_project(root)
    for i in range(3):
        project.add_review(Review(f"new-{i}.png", status))


def repaint_new(root: Path) -> None:
    approve_more(root, range(3))
    for i in range(3):  # by another program: nobody has approved this
        write_mask(root / "masks" / f"new-{i}.png", np.ones((48, 48), np.uint8), PET)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: approve_more(root, range(3), Status.EDITED),
        lambda root: judge(root, Status.EDITED),
        lambda root: judge(root, Status.REJECTED),
        repaint_new,
    ],
    ids=["edited", "approved, then edited", "approved, then rejected", "changed since"],
)
def test_what_is_not_approved_as_it_is_does_not_join(easy: Path, work: Work, change: Any):
    run = new_run(easy, epochs=1)
    change(easy)
    assert work(run)
    assert joined(run) == []


def test_no_mask_joins_where_it_was_not_wanted(easy: Path, work: Work):
    run = new_run(easy, epochs=1, join=False)
    approve_more(easy, range(3))
    assert work(run)
    assert joined(run) == []


def test_what_was_left_out_when_the_run_was_made_does_not_join(easy: Path, work: Work):
    project = open_project(easy)
    plan = plan_training(project, exclude=["easy-0.png"])  # it is open in the window
    run = create_run(project, tiny_config(epochs=1), plan)
    assert work(run)
    assert joined(run) == []


def test_killed_after_masks_joined_a_run_goes_on_with_the_same_ones(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    root, again = draw_easy(tmp_path / "killed"), draw_easy(tmp_path / "whole")
    run = new_run(root, **FULL)
    with working(run) as process:
        wait_for(lambda: epochs_of(run), process)
        os.kill(process.pid, signal.SIGSTOP)  # so that all of them join together
        approve_more(root, range(4))
        os.kill(process.pid, signal.SIGCONT)
        wait_for(lambda: settled(run), process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (first,) = joined(run)
    approve_more(root, range(4, 9))  # these came too late for that epoch
    assert work(run)
    assert joined(run)[0] == first
    # The reference: a run in which the same masks came at the same epochs.
    whole = new_run(again, **FULL)
    shutil.copy(root / ".petseg" / "split.json", again / ".petseg")
    for epoch, names in joined(run):
        numbered = [int(name.removeprefix("new-").removesuffix(".png")) for name in names]
        approve_at(monkeypatch, again, 4 * (epoch - 1) - 1, numbered)
    assert work(whole)
    assert joined(whole) == joined(run)
    assert numbers(whole) == numbers(run)
    assert same_weights(whole, run)
