"""The open image: the list, the canvas, editing, judging and saving."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer

from core.labels import VOID
from core.project.reviews import Status
from petseg_gui.after import after_painting
from petseg_gui.banner import Choice, Level
from petseg_gui.parts import Parts

_SOON_MS = 300  # an image that takes longer is said to be on its way
_NEEDS_IMAGE = ("fit", "actual", "zoom_in", "zoom_out")
_NEEDS_EDITABLE = ("approve", "approve_next", "replace")


def wire_image(parts: Parts) -> None:
    """Connect list, canvas and session."""
    session, canvas, actions, window = parts.session, parts.canvas, parts.actions, parts.window
    parts.browser.chosen.connect(session.open_image)
    actions["next"].triggered.connect(lambda: _go(parts, 1))
    actions["previous"].triggered.connect(lambda: _go(parts, -1))
    actions["search"].triggered.connect(parts.browser.focus_search)
    actions["fit"].triggered.connect(canvas.fit)
    actions["actual"].triggered.connect(lambda: canvas.zoom_to(1.0))
    actions["zoom_in"].triggered.connect(canvas.zoom_in)
    actions["zoom_out"].triggered.connect(canvas.zoom_out)
    actions["undo"].triggered.connect(lambda: _undo(parts))
    actions["redo"].triggered.connect(lambda: _redo(parts))
    actions["approve"].triggered.connect(lambda: _approve_or_not(parts))
    window.banners.acted.connect(canvas.setFocus)
    actions["approve_next"].triggered.connect(lambda: _approve_and_go(parts))
    window.mask_hidden.connect(lambda hidden: canvas.set_mask_visible(not hidden))
    canvas.hovered.connect(lambda found: _show_hovered(parts, found))
    session.leaving.connect(canvas.put_down)
    canvas.zoom_changed.connect(parts.strip.set_zoom)
    slow = QTimer(window, singleShot=True, interval=_SOON_MS)
    slow.timeout.connect(lambda: window.tell(f"Opening {session.wanted}…"))
    session.opening.connect(slow.start)
    session.document_changed.connect(slow.stop)
    window.closed.connect(slow.stop)
    session.document_changed.connect(lambda: _show_document(parts))
    session.status_changed.connect(lambda name: _show_status(parts, name))
    session.project_changed.connect(lambda: _show_counts(parts))
    session.save_state_changed.connect(lambda: _show_save_state(parts))
    session.saver.failed.connect(lambda name, reason: _show_save_problem(parts, name, reason))
    session.told.connect(window.tell)
    _refresh_actions(parts)


def _go(parts: Parts, step: int) -> None:
    name = parts.browser.neighbour(parts.session.wanted, step)
    if name:
        parts.browser.select(name)
        parts.session.open_image(name)


def _undo(parts: Parts) -> None:
    parts.canvas.finish_stroke()
    # What is only proposed is the first that is taken back.
    session = parts.session
    if parts.toolbox.take_back() or session.document is None:
        return
    if _undoes_rejecting(parts):
        parts.judge.accept([session.name])
    else:
        session.document.undo()


def _undoes_rejecting(parts: Parts) -> bool:
    """Whether rejecting the open image's prediction is what was done last."""
    session = parts.session
    return (
        session.status(session.name) is Status.REJECTED
        and session.document is not None
        and not session.document.history.can_undo
    )


def _redo(parts: Parts) -> None:
    parts.canvas.finish_stroke()
    if parts.session.document is not None:
        parts.session.document.redo()


def _approve(parts: Parts, then: Callable[[], None] = lambda: None) -> None:
    def approved() -> None:
        parts.window.tell(f"{parts.session.name} is approved.")
        then()

    parts.session.approve(approved)


def _approve_or_not(parts: Parts) -> None:
    """Approve; what is approved and unchanged is not any more."""
    session = parts.session
    if session.status(session.name) is Status.APPROVED and session.can_edit and not session.dirty:
        session.take_approval_back()
        parts.window.tell(f"{session.name} is not approved any more.")
    else:
        _approve(parts)


def _approve_and_go(parts: Parts) -> None:
    _approve(parts, lambda: _go(parts, 1))


def _show_document(parts: Parts) -> None:
    session, window = parts.session, parts.window
    document, project = session.document, session.project
    if document is None:
        parts.canvas.set_message(session.problem)
    parts.canvas.set_document(document)
    window.show_work(bool(session.name))
    window.set_place(session.name, project.folder.name if project is not None else "")
    window.statusBar().clearMessage()
    window.banners.remove("segment")
    window.banners.remove("mask")
    window.banners.remove("notes")
    if session.notes:
        window.banners.show_message("notes", Level.INFO, f"This image: {'; '.join(session.notes)}.")
    if document is not None and session.problem:
        window.banners.show_message(
            "mask",
            Level.WARNING,
            "This image's mask file cannot be used and is left as it is. Repair or remove it, then "
            f"open the folder again. {session.problem}",
        )
    if document is not None:
        document.edited.connect(lambda: _refresh_actions(parts))
    _refresh_actions(parts)
    parts.toolbox.forget()
    if not session.name:
        return
    parts.browser.select(session.name)
    # The photo comes first: ONNX Runtime's import would hold up its painting.
    after_painting(window, lambda: _after_shown(parts))


def _after_shown(parts: Parts) -> None:
    session = parts.session
    parts.desk.segment_if_new()
    session.loader.read_ahead(parts.browser.neighbour(session.name, step) for step in (1, -1))


def _refresh_actions(parts: Parts) -> None:
    session, actions = parts.session, parts.actions
    document = session.document
    for command in _NEEDS_IMAGE:
        actions[command].setEnabled(document is not None)
    for command in _NEEDS_EDITABLE:
        actions[command].setEnabled(session.can_edit)
    for command in ("next", "previous", "search"):
        actions[command].setEnabled(session.project is not None)
    history = document.history if document is not None else None
    undo, redo = actions["undo"], actions["redo"]
    rejected = _undoes_rejecting(parts)
    can_undo = rejected or (history is not None and history.can_undo)
    undo.setEnabled(can_undo and session.can_edit)
    redo.setEnabled(history is not None and history.can_redo and session.can_edit)
    title = "rejecting" if rejected else history.undo_title.lower() if history else ""
    undo.setText(f"Undo {title}".strip())
    redo.setText(f"Redo {history.redo_title.lower()}".strip() if history else "Redo")


def _show_status(parts: Parts, name: str) -> None:
    parts.browser.refresh(name)
    _show_counts(parts)
    if name == parts.session.name:
        _refresh_actions(parts)


def _show_counts(parts: Parts) -> None:
    parts.browser.set_approved(parts.session.counts[Status.APPROVED])


def _show_hovered(parts: Parts, found: tuple[int, int, int | None] | None) -> None:
    project = parts.session.project
    if found is None or project is None:
        parts.window.hovered.set_text("")
        return
    x, y, class_id = found
    names, document = project.settings.scheme.names, parts.session.document
    predicted = None if document is None else document.prediction
    source = ""
    if class_id == VOID and predicted is not None:
        class_id, source = int(predicted[y, x]), " (predicted)"
    known = class_id is not None and class_id < len(names)
    word = names[class_id] + source if known and class_id is not None else "unlabelled"
    parts.window.hovered.set_text(f"{x}, {y}  {word}")


def _show_save_state(parts: Parts) -> None:
    parts.window.save_state.setText(parts.session.save_state)
    if not parts.session.saver.problems and not parts.session.saver.busy:
        parts.window.banners.remove("save")


def _show_save_problem(parts: Parts, name: str, reason: str) -> None:
    number = len(parts.session.saver.problems)
    masks = f"The mask of {name} is" if number == 1 else f"{number} masks are"
    text = f"{masks} not saved yet. {reason}"
    if parts.window.banners.text("save") != text:
        again = Choice("Try again", parts.session.saver.try_again)
        parts.window.banners.show_message("save", Level.WARNING, text, [again])
