"""Segmenting: the open image, the selected ones, all; with which model, and how."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from core.project.reviews import Status
from petseg_gui.after import after_painting
from petseg_gui.banner import Choice, Level
from petseg_gui.parts import Parts
from petseg_gui.prediction.batch import BatchReport
from petseg_gui.prediction.desk import batch_result, batch_words
from petseg_gui.words import count

if TYPE_CHECKING:
    from petseg_gui.prediction.panel import PredictionPanel

_SLOW_MS = 300
_SLOW_WORDS = "Segmenting this image…"
_SOON_MS = 500  # an image that takes longer is shown to be under way, and can be cancelled


def wire_prediction(parts: Parts) -> None:
    """Connect the Model menu's commands that segment."""
    desk, batch, actions, window = parts.desk, parts.batch, parts.actions, parts.window
    actions["segment"].triggered.connect(desk.segment)
    actions["segment_selected"].triggered.connect(lambda: _segment_selected(parts))
    actions["segment_all"].triggered.connect(desk.segment_all)
    on_opening = actions["segment_on_opening"]
    on_opening.setChecked(desk.on_opening)
    on_opening.toggled.connect(lambda on: setattr(desk, "on_opening", on))
    desk.told.connect(window.tell)
    desk.failed.connect(lambda _: window.statusBar().clearMessage())
    desk.failed.connect(
        lambda reason: window.banners.show_message(
            "segment", Level.WARNING, f"The image cannot be segmented. {reason}"
        )
    )
    desk.segmented.connect(lambda name: _segmented(parts, name))
    for other in (parts.neighbours, parts.anew, parts.live):
        other.segmented.connect(desk.segmented)
    batch.progressed.connect(lambda report: _show_progress(parts, report))
    batch.finished.connect(lambda report: _show_result(parts, report))
    window.progress.cancelled.connect(desk.stop)
    slow = QTimer(window, singleShot=True, interval=_SOON_MS)
    slow.timeout.connect(lambda: _show_slow(parts))
    desk.asked.connect(slow.start)
    desk.ended.connect(lambda: _hide_slow(parts, slow))
    window.closed.connect(slow.stop)
    parts.models.told.connect(window.tell)
    parts.canvas.hovered.connect(lambda _: parts.shelf.hand_moved())
    parts.session.document_changed.connect(lambda: _refresh(parts))
    parts.session.document_changed.connect(lambda: _make_neighbours_ready(parts))
    parts.session.project_changed.connect(lambda: _refresh(parts))
    _wire_options(parts)
    _refresh(parts)


def _wire_options(parts: Parts) -> None:
    session, options, live = parts.session, parts.predict_options, parts.live
    session.project_changed.connect(lambda: options.set_project(session.project))
    session.leaving.connect(options.write)
    for problem in (options.failed, live.failed):
        problem.connect(parts.window.tell)
    parts.prediction_dock.visibilityChanged.connect(
        lambda visible: _make_panel(parts) if visible else None
    )


def _make_panel(parts: Parts) -> None:
    # Imported when it is asked for: the window's first photo does not wait for it.
    from petseg_gui.prediction.panel import PredictionPanel

    if isinstance(parts.prediction_dock.widget(), PredictionPanel):
        return
    session, options = parts.session, parts.predict_options
    panel = PredictionPanel(parts.window)
    place_holder = parts.prediction_dock.widget()
    parts.prediction_dock.setWidget(panel)
    place_holder.deleteLater()
    panel.options_set.connect(options.set)
    panel.apply_wanted.connect(parts.desk.segment_anew)
    panel.replace_wanted.connect(parts.actions["replace"].trigger)
    options.changed.connect(lambda: panel.show_options(options.options))
    for change in (session.project_changed, parts.models.changed, options.classes_changed):
        change.connect(lambda: _show_model(parts, panel))
    slow = QTimer(panel, singleShot=True, interval=_SLOW_MS)
    slow.timeout.connect(lambda: panel.set_state("Working it out…"))
    parts.window.closed.connect(slow.stop)
    for change in (parts.live.changed, session.document_changed, session.project_changed):
        change.connect(lambda: _show_state(parts, panel, slow))
    for change in (session.project_changed, parts.batch.finished, parts.batch.progressed):
        change.connect(lambda *_: _show_predictions(parts, panel))
    session.status_changed.connect(lambda _: _show_predictions(parts, panel))
    panel.show_options(options.options)
    _show_model(parts, panel)
    _show_state(parts, panel, slow)
    _show_predictions(parts, panel)


def _show_model(parts: Parts, panel: PredictionPanel) -> None:
    project, models = parts.session.project, parts.models
    panel.setEnabled(project is not None)
    if project is None:
        return
    scheme = project.settings.scheme
    chosen = [entry.description for entry in models.entries if entry.path == models.path]
    two = len(scheme.classes) == 2 or any(len(d.scheme.classes) == 2 for d in chosen)
    panel.set_model(scheme, two, any(d.view == "crops" for d in chosen))


def _show_state(parts: Parts, panel: PredictionPanel, slow: QTimer) -> None:
    live, project = parts.live, parts.session.project
    if not live.working:
        slow.stop()
    elif not slow.isActive():
        slow.start()
        return
    if live.differs:
        panel.set_state("This mask is yours and stays. Its prediction has changed.", True)
    elif project is not None and not project.writable:
        panel.set_state("This folder is read-only: what is set here counts until it is closed.")
    else:
        panel.set_state("")


def _show_predictions(parts: Parts, panel: PredictionPanel) -> None:
    session = parts.session
    # Also while it is being done: the keyboard would lose a button that is switched off.
    may = session.project is not None and session.project.writable
    panel.set_predictions(session.counts[Status.PREDICTED], may)


def _segment_selected(parts: Parts) -> None:
    parts.desk.segment_these(parts.browser.selected)


def _segmented(parts: Parts, name: str) -> None:
    if name == parts.session.name:
        parts.window.banners.remove("segment")


def _make_neighbours_ready(parts: Parts) -> None:
    session = parts.session
    parts.neighbours.make_ready(())
    if session.document is None:
        return
    names = [parts.browser.neighbour(session.name, step) for step in (1, -1)]
    # The open image's own turn comes first, and it begins after the photo is painted.
    after_painting(parts.window, lambda: parts.neighbours.make_ready(names))


def _show_slow(parts: Parts) -> None:
    if not parts.batch.running:
        parts.window.progress.show_progress(_SLOW_WORDS)


def _hide_slow(parts: Parts, slow: QTimer) -> None:
    slow.stop()
    progress = parts.window.progress
    if not parts.batch.running and progress.label.text() == _SLOW_WORDS:  # it may show other work
        progress.hide()


def _refresh(parts: Parts) -> None:
    project, actions = parts.session.project, parts.actions
    free = project is not None and project.writable and not parts.batch.running
    actions["segment"].setEnabled(parts.session.document is not None)
    for command in ("segment_all", "segment_selected"):
        actions[command].setEnabled(free)


def _show_progress(parts: Parts, report: BatchReport) -> None:
    parts.window.progress.show_progress(batch_words(report), report.done, report.total)
    if not report.done:
        parts.window.statusBar().clearMessage()  # it may tell of the batch before
        _refresh(parts)


def _show_result(parts: Parts, report: BatchReport) -> None:
    window = parts.window
    window.progress.hide()
    window.tell(batch_result(report))
    _refresh(parts)
    if not report.problems:
        window.banners.remove("batch")
        return
    # A reason that names its file says so without the folder.
    problems = {
        name: reason.removeprefix(f"{PurePosixPath(name).name}: ")
        for name, reason in report.problems.items()
    }
    name, reason = next(iter(problems.items()))
    number = len(problems)
    text = (
        f"{name} could not be segmented: {reason}"
        if number == 1
        else f"{count(number, 'image')} could not be segmented; the rest is done."
    )
    lines = [f"{name}: {reason}" for name, reason in problems.items()]

    def show_problems() -> None:
        from petseg_gui.dialogs import show_list  # as every dialog, when it is asked for

        show_list(window, "Images that were left out", lines)

    show = Choice("Show list", show_problems)
    window.banners.show_message("batch", Level.WARNING, text, [show] if number > 1 else [])
