"""Runs that are interrupted go on to the same numbers, or end as they were told to."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.inference.predictor import Predictor
from core.labels import PET
from core.masks import write_mask
from core.modelfile import onnx_path, read_description
from core.project.project import open_project
from core.project.reviews import Review, Status
from core.training import control, events, worker
from core.training import run as run_module
from core.training.config import read_run_config
from core.training.control import AlreadyRunning, Wanted
from core.training.launch import create_run
from core.training.plan import plan_training

from .conftest import (
    FULL,
    MODEL,
    Work,
    approve_more,
    ask_at,
    at_step,
    draw_easy,
    epochs_of,
    finished,
    new_run,
    notices,
    numbers,
    reason_of,
    same_weights,
    story,
    tiny_config,
    wait_for,
    working,
)

# --- Paused, killed, stopped -------------------------------------------------------------------


def test_killed_in_the_middle_a_run_goes_on_to_the_same_numbers(
    uninterrupted: Path, tmp_path: Path
):
    run = new_run(draw_easy(tmp_path / "easy"), **FULL)
    with working(run) as process:
        wait_for(lambda: epochs_of(run), process)
        os.kill(process.pid, signal.SIGSTOP)  # frozen, so that it is surely in the middle
        assert len(epochs_of(run)) < 4
        assert control.worker_alive(run)
        with pytest.raises(AlreadyRunning, match="another process"):
            worker.work(run)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not control.worker_alive(run)
    with working(run) as process:
        assert process.wait(timeout=180) == 0, (run / "worker.log").read_text()
    assert any(isinstance(e, events.Resumed) for e in story(run))
    assert numbers(run) == numbers(uninterrupted)
    assert same_weights(run, uninterrupted)
    assert finished(run).val == finished(uninterrupted).val


def test_paused_a_run_gives_the_machine_back_and_goes_on_to_the_same_numbers(
    uninterrupted: Path, tmp_path: Path, work: Work
):
    run = new_run(draw_easy(tmp_path / "easy"), **FULL)
    with working(run) as process:
        wait_for(lambda: epochs_of(run), process)
        counter = control.request(run, Wanted.PAUSE)
        assert process.wait(timeout=60) == 0
    answers = [e for e in story(run) if isinstance(e, events.Control)]
    assert [(a.counter, a.state) for a in answers] == [(counter, "pause")]
    assert not any(isinstance(e, events.Finished | events.Failed) for e in story(run))
    control.request(run, Wanted.RUN)
    assert work(run)
    assert numbers(run) == numbers(uninterrupted)
    assert same_weights(run, uninterrupted)


@pytest.mark.parametrize("step", [1, 4, 6])  # in the first epoch, as it is validated, in the second
def test_a_pause_at_any_step_changes_no_number(
    uninterrupted: Path, easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch, step: int
):
    run = new_run(easy, **FULL)
    ask_at(monkeypatch, run, step, Wanted.PAUSE)
    assert work(run)
    assert len(epochs_of(run)) == step // 5  # four steps each; the pause does not wait for a fourth
    assert work(run), "a pause that was obeyed holds no later worker"
    assert finished(run).reason == "done"
    assert numbers(run) == numbers(uninterrupted)
    assert same_weights(run, uninterrupted)


def test_stopped_a_run_keeps_its_best_model(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, epochs=50)
    ask_at(monkeypatch, run, 5, Wanted.STOP)
    assert work(run)
    end = finished(run)
    assert (end.reason, end.model) == ("stopped", MODEL)
    assert end.best_epoch in {e.epoch for e in epochs_of(run) if e.best}
    assert len(epochs_of(run)) < 5
    Predictor(run / MODEL)
    assert "val_iou" in read_description(run / MODEL).metrics


def test_stopped_before_the_first_epochs_end_there_is_no_model(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy)
    ask_at(monkeypatch, run, 1, Wanted.STOP)
    assert work(run)
    assert (finished(run).reason, finished(run).model) == ("stopped", "")
    assert not (run / MODEL).exists()


def test_discarded_a_run_leaves_no_model(easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch):
    run = new_run(easy, epochs=50)
    ask_at(monkeypatch, run, 5, Wanted.DISCARD)
    assert work(run)
    assert epochs_of(run)
    assert finished(run).reason == "discarded"
    left = {p.name for p in run.iterdir()} - {"worker.lock"}
    assert left == {"config.json", "control.json", "events.jsonl"}


def ask_when_called(
    monkeypatch: pytest.MonkeyPatch, run: Path, module: Any, name: str, wanted: Wanted
) -> None:
    real = getattr(module, name)

    def ask_and_call(*args: Any, **options: Any) -> Any:
        control.request(run, wanted)
        return real(*args, **options)

    monkeypatch.setattr(module, name, ask_and_call)


def test_paused_while_it_loads_a_run_can_still_go_on(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, epochs=1)
    with monkeypatch.context() as patch:
        ask_when_called(patch, run, run_module, "load_samples", Wanted.PAUSE)
        assert work(run)
    assert not any(isinstance(e, events.Finished) for e in story(run)), "a pause is no end"
    control.request(run, Wanted.RUN)
    assert work(run)
    assert finished(run).reason == "done"


@pytest.fixture
def half_done(easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was paused after its second epoch."""
    run = new_run(easy, epochs=4)
    with monkeypatch.context() as patch:
        ask_at(patch, run, 4, Wanted.PAUSE)
        work(run)
    assert (run / MODEL).exists()
    return run


def test_stopped_while_it_loads_again_a_run_keeps_its_best_model(
    half_done: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    control.request(half_done, Wanted.RUN)
    ask_when_called(monkeypatch, half_done, run_module, "load_samples", Wanted.STOP)
    assert work(half_done)
    assert (finished(half_done).reason, finished(half_done).model) == ("stopped", MODEL)


def test_discarded_while_it_loads_again_a_run_leaves_no_model(
    half_done: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    control.request(half_done, Wanted.RUN)
    ask_when_called(monkeypatch, half_done, run_module, "load_samples", Wanted.DISCARD)
    assert work(half_done)
    assert finished(half_done).reason == "discarded"
    assert not (half_done / MODEL).exists()
    assert not onnx_path(half_done / MODEL).exists()


def test_started_again_after_its_end_a_run_stays_what_it_was(easy: Path, work: Work):
    run = new_run(easy, epochs=1)
    assert work(run)
    first, before = finished(run), numbers(run)
    assert work(run)
    assert numbers(run) == before
    assert (finished(run).model, finished(run).val) == (first.model, first.val)


@pytest.mark.parametrize("data", [b"", b"half a check", b"PK\x03\x04" + bytes(100)])
@pytest.mark.parametrize("name", ["last.ckpt", "paused.ckpt"])
def test_a_damaged_checkpoint_is_named(half_done: Path, work: Work, data: bytes, name: str):
    (half_done / "paused.ckpt").unlink()
    (half_done / name).write_bytes(data)
    control.request(half_done, Wanted.RUN)
    assert not work(half_done)
    assert f"{name} cannot be used to go on" in reason_of(half_done)


def test_a_checkpoint_that_would_run_a_program_is_not_run(half_done: Path, work: Work):
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(half_done / "owned"),)

    torch.save({"net": Payload()}, half_done / "paused.ckpt")
    control.request(half_done, Wanted.RUN)
    assert not work(half_done)
    assert "paused.ckpt" in reason_of(half_done)
    assert not (half_done / "owned").exists()


def test_a_run_that_waits_in_the_queue_is_trained_by_who_starts_its_worker(easy: Path, work: Work):
    run = new_run(easy, epochs=1)
    control.request(run, Wanted.QUEUE)
    assert work(run)
    assert finished(run).reason == "done"
    assert control.read_request(run)[0] is Wanted.RUN


def test_put_back_into_the_queue_a_run_keeps_what_it_has(
    uninterrupted: Path, easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, **FULL)
    ask_at(monkeypatch, run, 6, Wanted.QUEUE)
    assert work(run)
    assert len(epochs_of(run)) == 1
    assert work(run)
    assert numbers(run) == numbers(uninterrupted)


def test_paused_while_its_model_is_scored_a_run_is_scored_later(
    uninterrupted: Path, easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, **FULL)
    with monkeypatch.context() as patch:
        ask_when_called(patch, run, worker, "Predictor", Wanted.PAUSE)
        assert work(run)
    assert len(epochs_of(run)) == 4
    assert not any(isinstance(e, events.Finished) for e in story(run))
    assert work(run)
    assert finished(run).val == finished(uninterrupted).val


def test_a_run_ends_when_nothing_gets_better_also_where_it_is_interrupted_then(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    # At this rate no weight moves: the first epoch stays the best.
    run = new_run(easy, epochs=9, learning_rate=1e-12, patience=2)
    with monkeypatch.context() as patch:
        patch.setattr(worker, "_finish", lambda *_: None)  # killed before it could
        assert work(run)
    assert work(run)
    assert (finished(run).reason, finished(run).best_epoch) == ("early", 1)
    assert len(epochs_of(run)) == 3


def test_images_that_do_not_fit_into_memory_wait_on_the_disk_while_the_run_needs_them(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, size=512, depth=1, memory=1, epochs=1)
    held = []
    with monkeypatch.context() as patch:
        at_step(patch, 1, lambda: held.append(list((run / "cache").iterdir())))
        ask_at(patch, run, 1, Wanted.PAUSE)
        assert work(run)
    assert held[0]
    assert (run / "cache").is_dir(), "a paused run finds them again"
    assert work(run)
    assert finished(run).reason == "done"
    left = {p.name for p in run.iterdir()}
    assert not left & {"cache", "last.ckpt", "paused.ckpt"}, "what no later run needs is gone"


# --- Masks that join ---------------------------------------------------------------------------


def joined(run: Path) -> list[tuple[int, tuple[str, ...]]]:
    return [(e.epoch, e.images) for e in story(run) if isinstance(e, events.Joined)]


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


def approve_at(patch: pytest.MonkeyPatch, root: Path, step: int, numbers: Sequence[int]) -> None:
    at_step(patch, step, lambda: approve_more(root, numbers))


@pytest.mark.parametrize("paused", [3, 4, 6, 9])
def test_a_run_that_masks_joined_goes_on_to_the_same_numbers(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch, paused: int
):
    """Whether it ends before the masks came, as they join, or after."""
    runs = []
    for name in ("whole", "paused"):
        root = draw_easy(tmp_path / name)
        run = new_run(root, **FULL)
        with monkeypatch.context() as patch:
            approve_at(patch, root, 2, range(4))
            approve_at(patch, root, 6, range(4, 9))
            if name == "paused":
                ask_at(patch, run, paused, Wanted.PAUSE)
            assert work(run)
            assert work(run)
        assert finished(run).reason == "done"
        runs.append(run)
    whole, other = runs
    assert [epoch for epoch, _ in joined(whole)] == [2, 3]
    assert joined(other) == joined(whole)
    assert numbers(other) == numbers(whole)
    assert same_weights(other, whole)


def test_killed_after_masks_joined_a_run_goes_on_with_the_same_ones(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    root, again = draw_easy(tmp_path / "killed"), draw_easy(tmp_path / "whole")
    run = new_run(root, **FULL)
    with working(run) as process:
        wait_for(lambda: epochs_of(run), process)
        approve_more(root, range(4))
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


def test_a_mask_that_was_changed_meanwhile_is_noticed_and_used(half_done: Path, work: Work):
    root = half_done.parents[2]
    name = read_run_config(half_done).train_samples[0].image
    write_mask(root / "masks" / name, np.ones((48, 48), np.uint8), PET)
    assert work(half_done)
    assert notices(half_done) == [
        "1 mask was changed since this run was made, and trains as it is now: " + name
    ]
