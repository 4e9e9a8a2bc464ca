"""Segmenting: the open image, all images, with which model."""

from __future__ import annotations

from petseg_gui.banner import Choice, Level
from petseg_gui.parts import Parts
from petseg_gui.prediction.batch import BatchReport
from petseg_gui.prediction.desk import batch_result, batch_words
from petseg_gui.words import count


def wire_prediction(parts: Parts) -> None:
    """Connect the Model menu."""
    desk, batch, actions, window = parts.desk, parts.batch, parts.actions, parts.window
    actions["segment"].triggered.connect(desk.segment)
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
    desk.segmented.connect(lambda _: window.banners.remove("segment"))
    batch.progressed.connect(lambda report: _show_progress(parts, report))
    batch.finished.connect(lambda report: _show_result(parts, report))
    window.progress.cancelled.connect(batch.cancel)
    parts.models.told.connect(window.tell)
    parts.session.document_changed.connect(lambda: _refresh(parts))
    parts.session.project_changed.connect(lambda: _refresh(parts))
    _refresh(parts)


def _refresh(parts: Parts) -> None:
    project = parts.session.project
    parts.actions["segment"].setEnabled(parts.session.document is not None)
    parts.actions["segment_all"].setEnabled(
        project is not None and project.writable and not parts.batch.running
    )


def _show_progress(parts: Parts, report: BatchReport) -> None:
    parts.window.progress.show_progress(batch_words(report), report.done, report.total)
    parts.actions["segment_all"].setEnabled(False)


def _show_result(parts: Parts, report: BatchReport) -> None:
    window = parts.window
    window.progress.hide()
    window.tell(batch_result(report))
    _refresh(parts)
    if not report.problems:
        window.banners.remove("batch")
        return
    name, reason = next(iter(report.problems.items()))
    number = len(report.problems)
    text = (
        f"{name} could not be segmented: {reason}"
        if number == 1
        else f"{count(number, 'image')} could not be segmented; the rest is done."
    )
    lines = [f"{name}: {reason}" for name, reason in report.problems.items()]

    def show_problems() -> None:
        from petseg_gui.dialogs import show_list  # as every dialog, when it is asked for

        show_list(window, "Images that were left out", lines)

    show = Choice("Show list", show_problems)
    window.banners.show_message("batch", Level.WARNING, text, [show] if number > 1 else [])
