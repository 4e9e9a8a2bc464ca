"""``petseg train``."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from core.cli.output import BAD_INPUT, DONE, FAILED, open_for_cli, say, warn
from core.errors import BadInput
from core.masks import MaskEncoding
from core.project.project import Project
from core.training import control, events
from core.training.config import Start, start_model
from core.training.launch import create_run, last_words, start_worker
from core.training.plan import plan_training
from core.training.presets import PRESETS, make_config

_POLL_SECONDS = 0.2


def train_command(
    data: Path,
    preset: str,
    changes: dict[str, Any],
    run: Path | None,
    also: list[Path],
    name: str,
    edited: bool,
    store: Path | None,
    encoding: MaskEncoding | None,
) -> int:
    """Train and follow the run to its end; a folder that holds a run goes on with it."""
    if run is not None and (run / "config.json").exists():
        say(f"Going on with {run}")
    else:
        project = open_for_cli(data, store, encoding)
        others = [open_for_cli(folder) for folder in also]
        run = new_run(project, preset, changes, run, others, name, edited)
    return follow_run(run)


def new_run(
    project: Project,
    preset: str,
    changes: dict[str, Any],
    folder: Path | None = None,
    also: Sequence[Project] = (),
    name: str = "",
    edited: bool = False,
) -> Path:
    """Plan a training and make its run folder. Raises BadInput, WriteError."""
    if start_model(changes.get("start", Start.SCRATCH)) is not None:
        changes = changes | {"start": _absolute(changes["start"])}
    # No window to leave a core for.
    config = make_config(preset, **({"threads": os.cpu_count() or 1} | changes))
    project.suggest_train_share(PRESETS[preset].train_share)
    plan = plan_training(project, edited)
    run = create_run(project, config, plan, folder=folder, name=name, also=also)
    say(f"{plan.sentence}; run folder {run}")
    return run


def follow_run(run: Path) -> int:
    """Start the run's worker and print a line an epoch; Ctrl+C stops it, keeping the best model."""
    offset = events.read_events(run)[1]
    worker = start_worker(run)

    def stop(_number: int, _frame: FrameType | None) -> None:
        warn("Stopping; the best model so far is kept (Ctrl+C again to leave it running).")
        signal.signal(signal.SIGINT, usual)
        control.request(run, control.Wanted.STOP)

    usual = signal.signal(signal.SIGINT, stop)
    try:
        return _follow(run, worker, offset)
    finally:
        signal.signal(signal.SIGINT, usual)


def _follow(run: Path, worker: subprocess.Popen[bytes], offset: int) -> int:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("loading images", total=None, left="")
        for event in _events(run, worker, offset):
            match event:
                case events.Started():
                    say(_started(event))
                    bar.update(task, description="training", total=event.steps)
                case events.Step():
                    left = f"{event.images_per_second:.0f} images/s, {_minutes(event.seconds_left)}"
                    bar.update(task, completed=event.step, left=left)
                case events.Epoch():
                    say(_epoch(event))
                case events.Notice():
                    warn(event.text)
                case events.Failed():
                    warn(event.reason)
                    worker.wait()
                    return FAILED
                case events.Finished():
                    worker.wait()
                    return _finished(run, event)
    if worker.returncode == BAD_INPUT:
        warn(last_words(run, 1))
        return BAD_INPUT
    warn(f"The training process died (exit code {worker.returncode}). Its last words:")
    warn(last_words(run))
    return FAILED


def _events(run: Path, worker: subprocess.Popen[bytes], offset: int) -> Iterator[events.Event]:
    while True:
        dead = worker.poll() is not None
        new, offset = events.read_events(run, offset)
        yield from new
        if dead:
            return
        time.sleep(_POLL_SECONDS)


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


def _finished(run: Path, event: events.Finished) -> int:
    if not event.model or event.val is None:
        say("No model was kept.")
        return DONE
    say(
        f"Best epoch {event.best_epoch}: val IoU {event.val.iou:.4f} per image, "
        f"{event.val.dataset_iou:.4f} over the data set, Dice {event.val.dice:.4f}, "
        f"pixel accuracy {event.val.pixel_accuracy:.4f} (native size)"
    )
    say(f"Model {run / event.model}")
    return DONE


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"


def _absolute(start: str) -> str:
    if start == Start.BUNDLED:
        return start
    path = Path(start)
    if not path.is_file():
        raise BadInput(f"--from {start}: no such model file (or bundled, imagenet, scratch).")
    return str(path.resolve())
