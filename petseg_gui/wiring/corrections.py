"""The corrective record: what is noticed of a person's work, and the window that plots it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from core.project.reviews import Status
from petseg_gui.beside import show_beside
from petseg_gui.corrections.presses import Presses
from petseg_gui.parts import Parts
from petseg_gui.wiring.training import show_image

if TYPE_CHECKING:
    from petseg_gui.corrections.window import CorrectionsWindow


def wire_corrections(parts: Parts) -> None:
    """Count work on the canvas, and connect the command that opens the window."""
    session, action = parts.session, parts.actions["corrections"]
    Presses(parts.canvas, session.worked)
    action.triggered.connect(lambda: open_corrections(parts))
    action.setEnabled(False)
    session.project_changed.connect(lambda: action.setEnabled(session.project is not None))


def open_corrections(parts: Parts) -> CorrectionsWindow:
    """The window; one that is open already is shown again."""
    from petseg_gui.corrections.window import CorrectionsWindow

    window, session = parts.window.findChild(CorrectionsWindow), parts.session
    if window is None:
        window = CorrectionsWindow(parts.tasks, parts.window)
        window.image_wanted.connect(partial(show_image, parts))
        window.told.connect(parts.window.tell)
        session.project_changed.connect(lambda: _show_project(parts, window))
        session.status_changed.connect(lambda name: _status_changed(parts, window, name))
        parts.window.closed.connect(window.close)
    window.set_project(session.project)
    show_beside(window)
    return window


def _show_project(parts: Parts, window: CorrectionsWindow) -> None:
    window.set_project(parts.session.project)


def _status_changed(parts: Parts, window: CorrectionsWindow, name: str) -> None:
    if window.isVisible() and parts.session.status(name) is Status.APPROVED:
        window.look()
