"""Following a run on the command line: one line an epoch, and a verdict at the end."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from core.cli.output import BAD_INPUT, DONE, FAILED, say, warn
from core.training import control, events
from core.training.config import read_run_config
from core.training.control import Wanted
from core.training.launch import last_words, start_worker
from core.training.progress import RunState
from core.training.verdict import verdict

_POLL_SECONDS = 0.2
_SILENT_SECONDS = 60.0


class Ending(NamedTuple):
    """The exit code, and whether the person wants the machine free now: no other run."""

    code: int
    enough: bool


def follow_run(run: Path, on_interrupt: Wanted = Wanted.STOP) -> int:
    """Start the run's worker and print a line an epoch; Ctrl+C stops it, keeping the best model.

    A run that is over is only told of. on_interrupt: with PAUSE, Ctrl+C leaves it so that it can
    go on.
    """
    told = RunState(run)
    offset = read_on(told, 0)
    if told.finished is not None:
        _say_finished(told, told.finished)
        return DONE
    return follow(told, start_worker(run), offset, on_interrupt).code


def read_on(told: RunState, offset: int) -> int:
    """Let ``told`` learn what its run says after byte ``offset``; the offset to go on from."""
    new, offset = events.read_events(told.run, offset)
    for event in new:
        told.take(event)
    return offset


def follow(
    told: RunState,
    worker: subprocess.Popen[bytes],
    offset: int,
    on_interrupt: Wanted = Wanted.STOP,
) -> Ending:
    """Follow a worker from where ``told`` ends; Ctrl+C asks ``on_interrupt`` of it."""
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        what = "Pausing" if on_interrupt is Wanted.PAUSE else "Stopping"
        warn(f"{what}; the best model so far is kept (Ctrl+C again to leave it running).")
        signal.signal(signal.SIGINT, usual)
        control.request(told.run, on_interrupt)

    usual = signal.signal(signal.SIGINT, stop)
    try:
        code = _follow(told, worker, offset)
    finally:
        signal.signal(signal.SIGINT, usual)
    return Ending(code, stopped or told.paused)


def _follow(told: RunState, worker: subprocess.Popen[bytes], offset: int) -> int:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("loading images", total=None, left="")
        for event in _events(told.run, worker, offset):
            told.take(event)
            match event:
                case events.Started():
                    say(_started(event))
                    bar.update(task, description="training", completed=0, total=event.steps)
                case events.Loading():
                    count = f"{event.done:,} of {event.images:,}"
                    bar.update(task, completed=event.done, total=event.images, left=count)
                case events.Step():
                    left = f"{event.images_per_second:.0f} images/s, {_minutes(event.seconds_left)}"
                    bar.update(task, completed=event.step, left=left)
                case events.Epoch():
                    say(_epoch(event))
                case events.Joined():
                    say(_joined(event))
                case events.Notice():
                    warn(event.text)
    return _end(told, worker)


def _events(run: Path, worker: subprocess.Popen[bytes], offset: int) -> Iterator[events.Event]:
    """What a worker says until it ends; that it is silent is said once each time."""
    silent = False
    while True:
        dead = worker.poll() is not None
        new, offset = events.read_events(run, offset)
        yield from new
        if dead:
            return
        was_silent, silent = silent, control.worker_silent(run, _SILENT_SECONDS)
        if silent and not was_silent:
            words = last_words(run)
            log = f" Its log ends with:\n{words}" if words else ""
            warn(f"The worker has said nothing for a minute; it may hang.{log}")
        time.sleep(_POLL_SECONDS)


def _end(told: RunState, worker: subprocess.Popen[bytes]) -> int:
    if told.failed is not None:
        warn(told.failed.reason)
        return FAILED
    if told.finished is not None:
        _say_finished(told, told.finished)
        return DONE
    if told.paused:
        say(f"Paused. To go on: petseg train DATA --run {told.run}")
        return DONE
    if worker.returncode == BAD_INPUT:
        warn(last_words(told.run, 1))
        return BAD_INPUT
    warn(f"The training process died (exit code {worker.returncode}). Its last words:")
    warn(last_words(told.run))
    return FAILED


def _say_finished(told: RunState, event: events.Finished) -> None:
    if not event.model or event.val is None:
        say("No model was kept.")
        return
    judged = verdict(told, read_run_config(told.run).train)
    say(
        f"Best epoch {event.best_epoch}: val IoU {event.val.iou:.4f} per image, "
        f"{event.val.dataset_iou:.4f} over the data set, Dice {event.val.dice:.4f}, "
        f"pixel accuracy {event.val.pixel_accuracy:.4f} (native size)"
    )
    say(f"{judged.text} {judged.advice}".strip())
    say(f"Model {told.run / event.model}")


def _started(event: events.Started) -> str:
    return (
        f"{event.train_images} train, {event.val_images} val; "
        f"{event.parameters / 1e6:.1f} M parameters; {event.device}, {event.threads} threads; "
        f"scores with border = {event.score_border}, train / val"
    )


def _epoch(event: events.Epoch) -> str:
    train, val = event.train, event.val
    pairs = [
        ("loss", train.loss, val.loss),
        ("IoU", train.scores.iou, val.scores.iou),
        ("Dice", train.scores.dice, val.scores.dice),
        ("accuracy", train.scores.pixel_accuracy, val.scores.pixel_accuracy),
    ]
    scores = "  ".join(f"{title} {a:.4f} / {b:.4f}" for title, a, b in pairs)
    best = "  best" if event.best else ""
    width = len(str(event.epochs))
    speed = f"{event.images_per_second:.0f} images/s"
    return f"epoch {event.epoch:{width}d}/{event.epochs}  {scores}  {speed}{best}"


def _joined(event: events.Joined) -> str:
    count = len(event.images)
    return f"{count} new {'mask joins' if count == 1 else 'masks join'} at epoch {event.epoch}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"
