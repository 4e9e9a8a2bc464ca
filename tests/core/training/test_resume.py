"""Runs that are interrupted go on to the same numbers, or end as they were told to."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import PetSegError
from core.inference.predictor import Predictor
from core.labels import PET
from core.masks import write_mask
from core.modelfile import onnx_path, read_description
from core.training import control, events, worker
from core.training import run as run_module
from core.training.config import read_run_config
from core.training.control import AlreadyRunning, Wanted
from core.training.keeping import last_checkpoint
from core.training.runs import read_run

from ..hostile import deflate
from .conftest import (
    FULL,
    MODEL,
    Work,
    approve_at,
    ask_at,
    at_step,
    draw_easy,
    epochs_of,
    finished,
    joined,
    new_run,
    notices,
    numbers,
    poisoned,
    reason_of,
    same_weights,
    scarce_from,
    story,
    wait_for,
    worker_here,
    working,
)

# --- Paused, killed, stopped -------------------------------------------------------------------


def test_killed_in_the_middle_a_run_goes_on_to_the_same_numbers(
    uninterrupted: Path, easy: Path, work: Work
):
    run = new_run(easy, **FULL)
    with working(run) as process:
        wait_for(lambda: epochs_of(run), process)
        os.kill(process.pid, signal.SIGSTOP)  # frozen, so that it is surely in the middle
        assert len(epochs_of(run)) < 4
        assert control.worker_alive(run)
        with pytest.raises(AlreadyRunning, match="another process"):
            work(run)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not control.worker_alive(run)
    assert work(run)
    assert any(isinstance(e, events.Resumed) for e in story(run))
    assert numbers(run) == numbers(uninterrupted)
    assert same_weights(run, uninterrupted)
    assert finished(run).val == finished(uninterrupted).val
    fitted = [read_description(r / MODEL).temperature for r in (run, uninterrupted)]
    assert fitted[0] == fitted[1] != 1


def test_paused_a_run_gives_the_machine_back_and_goes_on_to_the_same_numbers(
    uninterrupted: Path, easy: Path, work: Work
):
    run = new_run(easy, **FULL)
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


class Killed(BaseException):
    """Nothing that would come after it is done any more."""


def die() -> None:
    raise Killed


def meet_everything(patch: pytest.MonkeyPatch, root: Path, memory: int = 2) -> None:
    """Masks join epochs 2 and 3, a loss of epoch 3 is no number, memory runs out in epoch 4.

    memory: for so many images at once. An epoch of FULL has four steps.
    """
    approve_at(patch, root, 2, range(4))
    approve_at(patch, root, 6, range(4, 9))
    poisoned(patch, 10, times=1)
    scarce_from(patch, 13, memory)


@pytest.fixture(scope="module")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that met everything and was not interrupted."""
    root = draw_easy(tmp_path_factory.mktemp("eventful") / "easy")
    run = new_run(root, **FULL)
    with pytest.MonkeyPatch.context() as patch, worker_here() as work:
        meet_everything(patch, root)
        assert work(run)
    assert [epoch for epoch, _ in joined(run)] == [2, 3]
    assert len(notices(run)) == 2
    return run


@pytest.mark.parametrize("step", [3, 4, 6, 10, 14])  # 4: the pause comes as it is validated
@pytest.mark.parametrize("wanted", [Wanted.PAUSE, None], ids=["paused", "killed"])
def test_interrupted_at_any_step_a_run_goes_on_to_the_same_numbers(
    eventful: Path,
    easy: Path,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    wanted: Wanted | None,
    step: int,
):
    """Before and after masks joined, the run went back, and memory ran out."""
    run = new_run(easy, **FULL)
    with monkeypatch.context() as patch:
        meet_everything(patch, easy)
        if wanted is not None:
            ask_at(patch, run, step, wanted)
            assert work(run)
        else:
            at_step(patch, step, die)
            with pytest.raises(Killed):
                work(run)
    assert len(epochs_of(run)) == (step - 1) // 4
    with monkeypatch.context() as patch:
        # A later worker has memory again, but keeps the parts that it finds.
        meet_everything(patch, easy, memory=99 if step > 13 else 2)
        assert work(run), "a pause that was obeyed holds no later worker"
    assert finished(run).reason == "done"
    assert joined(run) == joined(eventful)
    assert numbers(run) == numbers(eventful)
    assert same_weights(run, eventful)


def test_an_epoch_that_is_told_twice_counts_once(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    """Killed between an epoch's end and its checkpoint, where a pause had left one before."""
    run = new_run(easy, min_steps=2, epochs=2)
    with monkeypatch.context() as patch:
        ask_at(patch, run, 2, Wanted.PAUSE)
        assert work(run)
    with monkeypatch.context() as patch:
        patch.setattr(worker, "save_epoch", lambda *_: die())
        with pytest.raises(Killed):
            work(run)
    assert work(run)
    assert [e.epoch for e in epochs_of(run)] == [1, 1, 2]
    told = read_run(run).progress
    assert [e.epoch for e in told.epochs] == [1, 2]
    assert [p.epoch for p in told.previews] == [0, 1, 2]


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


@pytest.mark.parametrize(
    ("more", "packed"),
    [
        ({"net": torch.zeros(1 << 16)}, True),
        ({"weights": torch.zeros(1).expand(1 << 20, 1 << 20)}, False),
        ({"tally_counts": [[[0] * 300] * 300]}, False),
    ],
    ids=["packed", "a view of any size", "the same list many times"],
)
def test_a_checkpoint_that_grows_as_it_is_read_is_refused(
    tmp_path: Path, more: dict[str, Any], packed: bool
):
    path = tmp_path / "last.ckpt"
    torch.save({"threads": 1, "joined": []} | more, path)
    if packed:
        deflate(path)
    with pytest.raises(PetSegError, match=r"cannot be used to go on .*more .*than it holds"):
        last_checkpoint(tmp_path)


def test_a_checkpoint_that_names_a_network_beyond_memory_is_refused(half_done: Path, work: Work):
    path = half_done / "paused.ckpt"
    values = torch.load(path, weights_only=True)
    values["network"]["outputs"] = 1 << 40
    torch.save(values, path)
    control.request(half_done, Wanted.RUN)
    assert not work(half_done)
    assert "the weights are of another network" in reason_of(half_done)


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
    run = new_run(easy, size=256, depth=1, memory=1, epochs=1)
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


def test_a_mask_that_was_changed_meanwhile_is_noticed_and_used(half_done: Path, work: Work):
    root = half_done.parents[2]
    name = read_run_config(half_done).train_samples[0].image
    write_mask(root / "masks" / name, np.ones((48, 48), np.uint8), PET)
    assert work(half_done)
    assert notices(half_done) == [
        "1 mask was changed since this run was made, and trains as it is now: " + name
    ]
