"""Training: the dialog, the panel, and the new model."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from core.project.reviews import Status
from petseg_gui.banner import Choice, Level
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane

if TYPE_CHECKING:
    from core.training.config import TrainConfig
    from core.training.plan import Plan
    from petseg_gui.training.dialog import TrainingDialog

_DIALOG = "training-dialog"


def wire_training(parts: Parts) -> None:
    """Connect the Train menu."""
    actions, window = parts.actions, parts.window
    actions["train"].triggered.connect(lambda: open_dialog(parts))
    actions["stop_training"].triggered.connect(lambda: parts.training.stop())
    actions["discard_training"].triggered.connect(lambda: parts.training.discard())
    parts.training.started.connect(window.training_dock.show)
    parts.training.started.connect(lambda: window.banners.remove("training"))
    parts.training.failed.connect(
        lambda reason: window.banners.show_message("training", Level.WARNING, reason)
    )
    parts.watcher.progressed.connect(lambda: _refresh(parts))
    parts.watcher.ended.connect(lambda: _ended(parts))
    parts.session.project_changed.connect(lambda: _refresh(parts))
    _refresh(parts)


def open_dialog(parts: Parts) -> TrainingDialog:
    """The dialog that starts a training; one that is open already is shown again."""
    # What only a training needs is imported when it is asked for.
    from petseg_gui.training.dialog import TrainingDialog

    window, session = parts.window, parts.session
    dialog = _dialog(parts)
    if dialog is None:
        dialog = TrainingDialog(
            lambda edited, preset, take: _make_plan(parts, edited, preset, take), window
        )
        dialog.setObjectName(_DIALOG)
        dialog.start_wanted.connect(lambda config, plan: _start(parts, config, plan))
        session.status_changed.connect(lambda _: _refresh_dialog(parts))
        session.project_changed.connect(lambda: _refresh_dialog(parts))
        parts.models.changed.connect(lambda: _refresh_dialog(parts))
        parts.watcher.progressed.connect(lambda: _refresh_dialog(parts, plan=False))
    session.save()
    dialog.show()
    dialog.raise_()
    _refresh_dialog(parts)
    return dialog


def _refresh_dialog(parts: Parts, plan: bool = True) -> None:
    dialog = _dialog(parts)
    if dialog is None or not dialog.isVisible():
        return
    dialog.set_busy(parts.training.busy)
    if plan:
        dialog.set_models(parts.models.entries)
        edited = [n for n in parts.session.named(Status.EDITED) if n not in _open_image(parts)]
        dialog.set_edited(len(edited))
        dialog.plan_again()


def _dialog(parts: Parts) -> TrainingDialog | None:
    found = [w for w in parts.window.children() if w.objectName() == _DIALOG]
    return cast("TrainingDialog", found[0]) if found else None


def _open_image(parts: Parts) -> set[str]:
    """The open image trains only once it is approved: it is still being worked on."""
    session = parts.session
    return set() if session.status(session.name) is Status.APPROVED else {session.name}


def _make_plan(
    parts: Parts, include_edited: bool, preset: str, take: Callable[[Plan], None]
) -> None:
    from core.training.plan import Plan, plan_training
    from core.training.presets import PRESETS

    project = parts.session.project
    if project is None:
        take(Plan((), (), "Open a folder first."))
        return
    if not project.writable:
        take(Plan((), (), "This folder is read-only: choose File > Keep masks elsewhere first."))
        return
    exclude = _open_image(parts)

    def work(job: Job) -> Plan:
        project.suggest_train_share(PRESETS[preset].train_share)
        return plan_training(project, include_edited, exclude)

    def failed(reason: str) -> None:
        take(Plan((), (), reason))

    # What was asked for last is told last: both run in one lane, one after the other.
    parts.tasks.run(Lane.TRAIN, work, take, failed)


def _start(parts: Parts, config: TrainConfig, plan: Plan) -> None:
    project = parts.session.project
    if project is not None:
        parts.training.start(project, config, plan)


def _refresh(parts: Parts) -> None:
    parts.guard.is_training = parts.watcher.training
    for command in ("stop_training", "discard_training"):
        parts.actions[command].setEnabled(parts.watcher.training)
    parts.actions["train"].setEnabled(parts.session.project is not None)


def _ended(parts: Parts) -> None:
    _refresh(parts)
    state, banners = parts.watcher.state, parts.window.banners
    if state is None:
        return
    if state.problem:
        kept = " Its best model so far is kept." if any(e.best for e in state.epochs) else ""
        reason = state.problem.splitlines()[0]
        banners.show_message("training", Level.WARNING, f"The training failed. {reason}{kept}")
        parts.models.refresh()
        return
    project = parts.session.project
    if state.model is None or project is None or not state.model.is_relative_to(project.store):
        return
    parts.models.choose_new(state.model)
    score = state.finished.val if state.finished is not None else None
    told = f" (val IoU {score.iou:.3f})" if score is not None else ""
    banners.show_message(
        "training",
        Level.INFO,
        f"The new model{told} is ready and chosen: the next Segment uses it.",
        [
            Choice("Segment image", parts.actions["segment"].trigger),
            Choice("Segment all", parts.actions["segment_all"].trigger),
        ],
    )
