"""The list of runs: how each stands, whatever its folder holds."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.modelfile import onnx_path
from core.project.project import open_project
from core.training import control, events
from core.training.control import Wanted
from core.training.housekeeping import delete_run, rename_run
from core.training.runs import (
    RunShelf,
    State,
    UsedMask,
    list_runs,
    masks_of,
    read_run,
)

from .told import (
    BEST,
    GOING,
    WHOLE,
    epoch,
    finished,
    idle_worker,
    made_run,
    started,
    step,
    tell,
    with_model,
)
from .told import control as told_control

MakeProject = Callable[..., Path]


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    return make_project(6)


# --- How a run stands --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "wanted", "state"),
    [
        ((), None, State.INTERRUPTED),
        ((), Wanted.QUEUE, State.QUEUED),
        (GOING, None, State.INTERRUPTED),
        (GOING, Wanted.QUEUE, State.QUEUED),
        ((*GOING, told_control("pause")), Wanted.PAUSE, State.PAUSED),
        ((*GOING, told_control("pause")), None, State.PAUSED),
        (GOING, Wanted.PAUSE, State.PAUSED),  # killed before it could answer
        ((*GOING, events.Failed(reason="no memory")), None, State.FAILED),
        ((*GOING, events.Failed(reason="no memory")), Wanted.QUEUE, State.QUEUED),
        (WHOLE, None, State.DONE),
        ((*GOING, finished(reason="early")), None, State.DONE),
        ((*GOING, finished(reason="stopped")), Wanted.STOP, State.STOPPED),
        ((*GOING, finished(reason="discarded", model="")), Wanted.DISCARD, State.DISCARDED),
    ],
)
def test_a_runs_state(root: Path, told, wanted: Wanted | None, state: State):
    run = made_run(root, told)
    if wanted is not None:
        control.request(run, wanted)
    info = read_run(run)
    assert info.state is state
    assert not info.live
    assert info.resumable == (
        state in (State.INTERRUPTED, State.QUEUED, State.PAUSED, State.FAILED)
    )
    assert (info.queued > 0) == (state is State.QUEUED)
    assert info.problem == {
        State.FAILED: "no memory",
        State.INTERRUPTED: "Its process ended before it was done: resume the training.",
    }.get(state, "")


def test_a_run_with_a_worker_trains_until_the_worker_is_silent(root: Path):
    run = made_run(root, GOING)
    with idle_worker(run):
        assert read_run(run).state is State.TRAINING
        os.utime(run / "worker.json", (0, 0))
        info = read_run(run)
        assert info.state is State.SILENT
        assert info.live
    assert read_run(run).state is State.INTERRUPTED


def test_what_is_known_of_a_run(root: Path, tiny_model: Path):
    run = with_model(made_run(root, WHOLE, name="First\nof\x1ball"), tiny_model)
    info = read_run(run)
    assert info.name == "First of all"
    assert info.seconds == 25
    assert info.best is not None
    assert info.best.epoch == 2
    assert info.model == run / BEST
    sizes = [p.stat().st_size for p in (run / BEST, onnx_path(run / BEST))]
    assert info.model_bytes == sum(sizes)
    assert info.config is not None
    assert info.config.train.threads >= 1, "the number of threads is part of the numbers"


def test_a_discarded_run_or_one_without_a_best_epoch_has_no_model(root: Path, tiny_model: Path):
    for told in ((started(), epoch(1)), (*GOING, finished(reason="discarded", model=""))):
        assert read_run(with_model(made_run(root, told), tiny_model)).model is None


def test_runs_are_listed_newest_first(root: Path):
    runs = [made_run(root) for _ in range(3)]
    for run, created in zip(runs, ("2026-03-01", "2026-01-01", "2026-02-01"), strict=True):
        text = (run / "config.json").read_text()
        made = json.loads(text)["created"]
        (run / "config.json").write_text(text.replace(made, f"{created}T10:00:00+00:00"))
    assert [i.folder for i in list_runs(runs[0].parent)] == [runs[0], runs[2], runs[1]]
    assert list_runs(root / "nowhere") == []


def test_masks_that_joined_are_among_those_a_run_learnt_from(root: Path):
    joined = events.Joined(epoch=2, step=2, images=("new.png", "new.png"))
    info = read_run(made_run(root, [*GOING, joined]))
    masks = masks_of(info)
    folder = str(root)
    assert masks.train[-1] == UsedMask(folder, "new.png")
    assert len(masks.train) + len(masks.val) == 6 + 1
    assert not set(masks.train) & set(masks.val)


# --- Reading again and again -------------------------------------------------------------------


def test_a_shelf_learns_what_is_new_and_what_it_told_stays(root: Path):
    run = made_run(root, GOING)
    shelf = RunShelf(run.parent)
    first = shelf.read()[0]
    tell(run, [step(3, 11), epoch(2, 20)])
    with open(run / events.FILE_NAME, "a") as file:
        file.write('{"type":"fail')  # torn
    second = shelf.read()[0]
    assert [len(i.progress.epochs) for i in (first, second)] == [1, 2]
    with open(run / events.FILE_NAME, "a") as file:
        file.write('ed","reason":"full disk"}\n')
    assert shelf.read()[0].problem == "full disk"
    rename_run(run, "Other")
    other = made_run(root)
    assert {i.name for i in shelf.read()} == {"Other", read_run(other).name}
    shutil.rmtree(run)
    assert [i.folder for i in shelf.read()] == [other]


def test_a_shelf_tells_what_a_whole_reading_tells(root: Path):
    """Its shortcut over the steps loses nothing that the table shows."""
    run = made_run(root)
    shelf = RunShelf(run.parent)
    for part in (
        [started(0), *(step(i, i) for i in range(1, 5))],
        [started(50), events.Resumed(time=50, step=2), *(step(i, 50 + i) for i in range(3, 6))],
        [epoch(1, 60, best=True), step(6, 61), finished(65)],
    ):
        tell(run, part)
        known = shelf.read()[0]
    fresh = read_run(run)
    whole = events.read_events(run)[0]
    assert known.progress == fresh.progress
    assert fresh.seconds == 4 + 15
    assert len(fresh.progress.epochs) == sum(isinstance(e, events.Epoch) for e in whole)


# --- Damage ------------------------------------------------------------------------------------


def no_config(run: Path) -> None:
    (run / "config.json").unlink()


def deep_config(run: Path) -> None:
    (run / "config.json").write_text("[" * 100_000)


def newer_config(run: Path) -> None:
    (run / "config.json").write_text('{"format": 99}')


def rewrite_config(run: Path, **changes: object) -> None:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | changes))


def odd_time(run: Path) -> None:
    rewrite_config(run, created="yesterday")


def time_of_nowhere(run: Path) -> None:
    rewrite_config(run, created="2026-03-01T10:00:00")


def no_folder(run: Path) -> None:
    rewrite_config(run, sources=[])


def unknown_folder(run: Path) -> None:
    rewrite_config(run, train_samples=[{"source": 1, "image": "a.png"}])


def huge_config(run: Path) -> None:
    os.truncate(run / "config.json", 1 << 40)


def huge_events(run: Path) -> None:
    os.truncate(run / events.FILE_NAME, 1 << 40)


def endless_line(run: Path) -> None:
    (run / events.FILE_NAME).write_bytes(b" " * (17 << 20))


def anothers_events(run: Path) -> None:
    tell(run, WHOLE, name="20200101-another")


def pipe_for_events(run: Path) -> None:
    (run / events.FILE_NAME).unlink()
    os.mkfifo(run / events.FILE_NAME)


def linked_events(run: Path) -> None:
    (run / events.FILE_NAME).unlink()
    (run / events.FILE_NAME).symlink_to("/dev/zero")


def linked_run(run: Path) -> None:
    elsewhere = run.parents[2] / "elsewhere"
    run.rename(elsewhere)
    run.symlink_to(elsewhere)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (no_config, "has no config.json"),
        (deep_config, "is damaged"),
        (newer_config, "newer PetSeg"),
        (odd_time, "is damaged"),
        (time_of_nowhere, "without a time zone"),
        (no_folder, "is damaged (sources"),
        (unknown_folder, "unknown source"),
        (huge_config, "larger than 64 MB"),
        (huge_events, "larger than 256 MB"),
        (endless_line, "no event"),
        (anothers_events, "another run"),
        (pipe_for_events, "no plain file"),
        (linked_events, "no plain file"),
        (linked_run, "a link"),
    ],
)
def test_a_damaged_run_is_listed_with_its_reason_hurts_no_other_and_can_be_deleted(
    root: Path, damage: Callable[[Path], None], reason: str
):
    runs = [made_run(root, GOING) for _ in range(3)]
    before = {i.folder: i for i in list_runs(runs[0].parent)}
    shelf = RunShelf(runs[0].parent)
    shelf.read()
    damage(runs[1])
    for found in (list_runs(runs[0].parent), shelf.read(), shelf.read()):
        by_folder = {i.folder: i for i in found}
        assert by_folder[runs[1]].state is State.DAMAGED
        assert reason in by_folder[runs[1]].problem
        assert by_folder[runs[0]] == before[runs[0]]
        assert by_folder[runs[2]] == before[runs[2]]
    kept = (root / "elsewhere").exists()
    delete_run(open_project(root), runs[1])
    assert {i.folder for i in shelf.read()} == {runs[0], runs[2]}
    assert (root / "elsewhere").exists() == kept, "what a link leads to is not deleted"


def test_a_run_that_was_mended_is_read_again(root: Path):
    run = made_run(root, GOING)
    shelf = RunShelf(run.parent)
    config = (run / "config.json").read_bytes()
    no_config(run)
    assert shelf.read()[0].state is State.DAMAGED
    (run / "config.json").write_bytes(config)
    info = shelf.read()[0]
    assert info.state is State.INTERRUPTED
    assert len(info.progress.epochs) == 1


@pytest.mark.parametrize(
    "text",
    ['{"pid": 1e999}', '{"pid": ' + "9" * 400 + "}", "[" * 100_000, '{"wanted": "fly"}', "\xff"],
)
def test_odd_small_files_do_not_hide_a_run(root: Path, text: str):
    run = made_run(root, WHOLE)
    for name in ("worker.json", "control.json"):
        (run / name).write_text(text)
    (run / BEST).mkdir()
    info = read_run(run)
    assert info.state is State.DONE
    assert info.model is None
