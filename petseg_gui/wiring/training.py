"""Training: the commands that steer it, the panel, and the new model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from petseg_gui.actions import STEER_TRAINING
from petseg_gui.banner import Choice, Level
from petseg_gui.beside import bring_forward
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane
from petseg_gui.training.watcher import Phase
from petseg_gui.wiring.training_dialog import load_and_open_dialog
from petseg_gui.words import count

if TYPE_CHECKING:
    from core.evaluation.metrics import Scores
    from petseg_gui.training.arrival import Arrival

_LOG_LINES = 500


def wire_training(parts: Parts) -> None:
    """Connect the Train menu."""
    actions, window, desk = parts.actions, parts.window, parts.training
    for command, short in zip(STEER_TRAINING, ("Pause", "Stop", "Discard"), strict=True):
        actions[command].setIconText(short)
    actions["train"].triggered.connect(lambda: load_and_open_dialog(parts))
    actions["pause_training"].triggered.connect(lambda: _pause_or_resume(parts))
    actions["stop_training"].triggered.connect(lambda: desk.stop())
    actions["discard_training"].triggered.connect(lambda: _ask_discard(parts))
    desk.started.connect(lambda: window.banners.remove("training"))
    desk.queued.connect(lambda n: window.tell(f"Queued: {count(n, 'training')} waiting."))
    desk.changed.connect(lambda: _refresh(parts))
    desk.arrived.connect(lambda arrival: _arrived(parts, arrival))
    desk.failed.connect(
        lambda reason: window.banners.show_message("training", Level.WARNING, reason)
    )
    parts.watcher.progressed.connect(lambda: _refresh(parts))
    parts.watcher.met.connect(lambda: _met(parts))
    parts.watcher.ended.connect(lambda: _ended(parts))
    parts.session.project_changed.connect(lambda: _project_changed(parts))
    parts.training_panel.image_wanted.connect(lambda name: show_image(parts, name))
    parts.training_panel.log_wanted.connect(lambda: _show_log(parts))
    parts.training_panel.told.connect(window.tell)
    _refresh(parts)


def _project_changed(parts: Parts) -> None:
    for told in ("training", "new model"):
        parts.window.banners.remove(told)
    project = parts.session.project
    if project is not None:
        parts.training_panel.set_colours([c.colour for c in project.settings.scheme.classes])
    _refresh(parts)


def _refresh(parts: Parts) -> None:
    watcher, actions = parts.watcher, parts.actions
    parts.guard.is_training = watcher.training
    project = parts.session.project
    writable = project is not None and project.writable
    free = watcher.phase in (Phase.TRAINING, Phase.SILENT)
    pause = actions["pause_training"]
    standing = watcher.resumable
    pause.setEnabled(writable and (free or standing))
    pause.setChecked(standing)
    pause.setText("Resume training" if standing else "Pause training")
    pause.setIconText("Resume" if standing else "Pause")
    stoppable = watcher.phase in (Phase.PAUSED, Phase.DIED)
    actions["stop_training"].setEnabled(writable and (free or stoppable))
    actions["discard_training"].setEnabled(writable and (watcher.training or standing))
    actions["train"].setEnabled(project is not None)


def _met(parts: Parts) -> None:
    """Show the panel, unless the window began the run by itself."""
    config = parts.watcher.config
    if config is None or config.purpose != "learn":
        parts.window.training_dock.show()


def _pause_or_resume(parts: Parts) -> None:
    if parts.watcher.resumable:
        parts.training.resume()
    else:
        parts.training.pause()
    _refresh(parts)  # Qt has ticked it already


def _ask_discard(parts: Parts) -> None:
    from petseg_gui.dialogs import ask

    ask(
        parts.window,
        "Discard this training?",
        "Nothing of it is kept, its best model neither.",
        {"Discard": parts.training.discard, "Cancel": lambda: None},
    )


def show_image(parts: Parts, name: str) -> None:
    """Bring up an image that a training used."""
    project = parts.session.project
    if project is not None and name in project.names:
        parts.browser.select(name)
        parts.session.open_image(name)
        bring_forward(parts.window)
        parts.canvas.setFocus()
    else:
        parts.window.tell(f"{name} is not in this folder any more.")


def _show_log(parts: Parts) -> None:
    state, config = parts.watcher.state, parts.watcher.config
    if state is not None:
        title = config.name if config is not None else state.run.name
        show_run_log(parts, state.run, title, state.notices)


def show_run_log(parts: Parts, run: Path, title: str, notices: list[str]) -> None:
    """Show what a run had to say and the end of what its process wrote, to be read and copied."""

    def work(job: Job) -> str:
        from core.training.launch import last_words

        return last_words(run, _LOG_LINES)

    def show(words: str) -> None:
        from petseg_gui.dialogs import show_list

        lines = [*notices, *words.splitlines()]
        show_list(parts.window, f"Log of {title}", lines or ["Nothing was written down."])

    parts.tasks.run(Lane.LOAD, work, show, parts.window.tell)


def _ended(parts: Parts) -> None:
    watcher, banners = parts.watcher, parts.window.banners
    state, config, project = watcher.state, watcher.config, parts.session.project
    # What the window began by itself is judged elsewhere.
    if state is None or (config is not None and config.purpose == "learn"):
        return
    parts.models.refresh()
    if state.finished is None:
        # The panel says why, where it is seen and goes on showing this run.
        if not parts.window.training_dock.isVisible() or parts.training.waiting:
            reason = state.failed.reason if state.failed is not None else "Its process ended."
            show = Choice("Show trainings", parts.actions["runs"].trigger)
            text = f"The training failed. {reason}"
            banners.show_message("training", Level.WARNING, text, [show])
        return
    model = state.model
    if model is None or project is None or not model.is_relative_to(project.store):
        return
    told, gain, present = _told(state.finished.val), state.gain, _present_iou(parts)
    if gain is not None and not gain.better:
        text = f"{told} is no better than the one it started from ({gain.before:.3f})"
        _offer(parts, model, f"The new model{text}: the present model stays.")
    elif present is not None and state.finished.val and state.finished.val.iou <= present:
        text = f"{told} is no better than the present one ({present:.3f}), which stays."
        _offer(parts, model, f"The new model{text}")
    else:
        parts.models.choose_new(model)
        text = f"The new model{told} is ready and chosen: the next Segment uses it."
        banners.show_message("new model", Level.INFO, text, _segment(parts))


def _arrived(parts: Parts, arrival: Arrival) -> None:
    """Tell once of a training that ended while no window was open."""
    ended = arrival.ended
    if ended is None or ended.model is None or ended.model == parts.models.path:
        return
    finished = ended.progress.finished
    told = _told(finished.val) if finished is not None else ""
    text = f"The training {ended.name} ended while the window was closed{told}. Use its model?"
    _offer(parts, ended.model, text)


def _offer(parts: Parts, model: Path, text: str) -> None:
    """Leave it to the person whether a model is used."""

    def use() -> None:
        parts.window.banners.remove("new model")
        parts.models.choose_new(model)
        parts.window.tell("The new model is chosen: the next Segment uses it.")

    parts.window.banners.show_message("new model", Level.INFO, text, [Choice("Use it", use)])


def _present_iou(parts: Parts) -> float | None:
    """What the chosen model scored where it is of this folder, and so comparable; else None."""
    project, path = parts.session.project, parts.models.path
    if project is None or not path.is_relative_to(project.runs):
        return None
    chosen = [e.description for e in parts.models.entries if e.path == path]
    return chosen[0].metrics.get("val_iou") if chosen else None


def _told(val: Scores | None) -> str:
    return f" (val IoU {val.iou:.3f})" if val is not None else ""


def _segment(parts: Parts) -> list[Choice]:
    return [
        Choice("Segment image", parts.actions["segment"].trigger),
        Choice("Segment all", parts.actions["segment_all"].trigger),
    ]
