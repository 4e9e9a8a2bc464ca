"""The Evaluate window: opened without a wait, and what is done with what it finds."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from petseg_gui.beside import show_beside
from petseg_gui.heavy import HEAVY
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane
from petseg_gui.wiring.training import show_image

if TYPE_CHECKING:
    from petseg_gui.evaluation.desk import Shown
    from petseg_gui.evaluation.window import EvaluationWindow

_NAME = "evaluation-window"


def wire_evaluation(parts: Parts) -> None:
    """Connect the command that evaluates."""
    action, session = parts.actions["evaluate"], parts.session
    action.triggered.connect(lambda: load_and_open(parts))
    action.setEnabled(False)
    session.project_changed.connect(lambda: action.setEnabled(session.project is not None))


def load_and_open(parts: Parts) -> None:
    """Open the window once pyqtgraph and pydantic are imported, without a wait."""

    def load(job: Job) -> object:
        with HEAVY:
            return import_module("petseg_gui.evaluation.window")

    def loaded(_: object) -> None:
        open_evaluation(parts)

    parts.tasks.run(Lane.LOAD, load, loaded, parts.window.tell)


def open_evaluation(parts: Parts) -> EvaluationWindow:
    """The Evaluate window; one that is open already is shown again."""
    from petseg_gui.evaluation.window import EvaluationWindow

    window = parts.window.findChild(EvaluationWindow, _NAME)
    if window is None:
        window = EvaluationWindow(
            parts.tasks, parts.models, lambda: parts.predict_options.options.threshold, parts.window
        )
        window.setObjectName(_NAME)
        window.image_wanted.connect(lambda name: show_image(parts, name))
        window.threshold_wanted.connect(lambda threshold: _use_threshold(parts, threshold))
        made = window
        window.desk.arrived.connect(lambda shown: _tell_arrived(parts, made, shown))
        window.desk.failed.connect(lambda reason: _tell_failed(parts, made, reason))
        parts.session.project_changed.connect(lambda: made.set_project(parts.session.project))
        parts.session.saver.saved.connect(lambda _: made.masks_changed())
        parts.judge.ended.connect(lambda _: made.masks_changed())
        parts.window.closed.connect(window.end)
        window.set_project(parts.session.project)
    parts.session.save()
    show_beside(window)
    return window


def _tell_arrived(parts: Parts, window: EvaluationWindow, shown: Shown) -> None:
    if not window.isVisible():
        iou = shown.evaluation.per_image.iou
        parts.window.tell(f"The evaluation is done: IoU {iou:.3f}. Model > Evaluate shows it.")


def _tell_failed(parts: Parts, window: EvaluationWindow, reason: str) -> None:
    if not window.isVisible():
        parts.window.tell(f"The evaluation failed: {reason}")


def _use_threshold(parts: Parts, threshold: float) -> None:
    options = parts.predict_options
    options.set(replace(options.options, threshold=threshold))
    parts.window.tell(f"The threshold is {threshold:.2f} from now on.")
