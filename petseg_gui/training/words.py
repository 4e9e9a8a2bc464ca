"""What the training panel says of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from petseg_gui.training.watcher import Phase
from petseg_gui.words import count, duration, size

if TYPE_CHECKING:
    from core.training.control import Wanted
    from core.training.progress import RunState

_NOTICES = 2
_LONGEST = 300  # characters of a log's last line
_ASKED = {"pause": "Pausing…", "stop": "Stopping…", "discard": "Discarding…"}


def headline(phase: Phase, state: RunState | None, asked: Wanted | None) -> str:
    """Where the run is."""
    if state is None:
        return "No training under way"
    if phase is Phase.FINISHED:
        return _ending(state)
    if phase is Phase.FAILED:
        return "Training failed"
    if phase is Phase.DIED:
        return "Training broke off"
    if phase is Phase.SILENT:
        return "The training is silent"
    if phase is Phase.ENDING:
        return _ASKED.get(str(asked), "Pausing…")
    if state.started is None:
        return "Paused before it began" if phase is Phase.PAUSED else "Starting…"
    where = f"{_epoch(state)} of {state.started.epochs}"
    return f"Paused in epoch {where}" if phase is Phase.PAUSED else f"Epoch {where}"


def details(phase: Phase, state: RunState, name: str) -> str:
    """How it goes, a line each: which run, on what, how fast, what it takes."""
    lines = [name or state.run.name]
    started, step, epochs = state.started, state.step, state.epochs
    if started is not None:
        train = next((e.train_images for e in reversed(epochs) if e.train_images), 0)
        ranks = f" × {started.ranks}" if started.ranks > 1 else ""
        images = f"{train or started.train_images} train, {started.val_images} val images"
        lines.append(f"{images} on {started.device}{ranks}")
    if step is not None and phase is Phase.TRAINING:
        lines.append(
            f"{step.images_per_second:.1f} images/s  ·  {duration(step.seconds_left)} left"
        )
    if epochs and epochs[-1].memory and phase is Phase.TRAINING:
        rate = epochs[-1].learning_rate
        lines.append(f"{size(epochs[-1].memory)} memory  ·  learning rate {rate:.2g}")
    return "\n".join(lines)


def joined(state: RunState) -> str:
    """Which masks came while it ran, "" where none did."""
    if not state.joined:
        return ""
    last = state.joined[-1]
    return f"{count(len(last.images), 'new mask')} joined in epoch {last.epoch}."


def notices(state: RunState) -> str:
    """The last that the run had to say; its log has the rest."""
    more = len(state.notices) - _NOTICES
    told = state.notices[-_NOTICES:]
    return "\n".join([f"{count(more, 'more notice')} in the log."] * (more > 0) + told)


def problem(phase: Phase, state: RunState | None, last_words: str) -> str:
    """Why it does not go on and what to do, "" where it does."""
    if state is None:
        return ""
    lines = last_words.strip().splitlines()
    said = f"\nIts last words: {lines[-1][:_LONGEST]}" if lines else ""
    if phase is Phase.FAILED and state.failed is not None:
        kept = "\nIts best model so far is kept." if any(e.best for e in state.epochs) else ""
        return f"{state.failed.reason}{kept}"
    if phase is Phase.DIED:
        return f"Its process ended too early. Resume goes on where it was saved last.{said}"
    if phase is Phase.SILENT:
        return (
            "Its process lives, but has said nothing for a while: the machine may be very busy. "
            f"Wait, or restart it from where it was saved last.{said}"
        )
    return ""


def _ending(state: RunState) -> str:
    finished = state.finished
    if finished is None or finished.reason == "discarded":
        return "Training discarded"
    words = {"done": "finished", "early": "finished early", "stopped": "stopped"}
    told = f": val IoU {finished.val.iou:.3f}" if finished.val and finished.model else ""
    return f"Training {words[finished.reason]}{told}"


def _epoch(state: RunState) -> int:
    """The epoch in hand."""
    total = state.started.epochs if state.started is not None else 1
    done = state.epochs[-1].epoch if state.epochs else 0
    step = state.step.epoch if state.step is not None else 1
    return min(max(done + 1, step), total)
