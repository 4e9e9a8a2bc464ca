"""Find bad masks: the check, its window, and what is done with a mask that is suspected."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from core.editing.history import Edit
from petseg_gui.beside import show_beside
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane
from petseg_gui.wiring.training import show_image

if TYPE_CHECKING:
    from petseg_gui.label_check.desk import CheckDesk, Entry
    from petseg_gui.label_check.pictures import DifferencePictures
    from petseg_gui.label_check.window import CheckWindow

_TITLE = "Take the model's mask"


def wire_label_check(parts: Parts) -> None:
    """Connect the command that opens the window."""
    action = parts.actions["check_labels"]
    action.triggered.connect(lambda: open_check(parts))
    action.setEnabled(False)
    parts.session.project_changed.connect(
        lambda: action.setEnabled(parts.session.project is not None)
    )


def open_check(parts: Parts) -> CheckWindow:
    """The window; one that is open already is shown again."""
    from petseg_gui.label_check.desk import CheckDesk
    from petseg_gui.label_check.pictures import DifferencePictures
    from petseg_gui.label_check.window import CheckWindow

    window = parts.window.findChild(CheckWindow)
    if window is None:
        desk = CheckDesk(parts.tasks, parts.window)
        pictures = DifferencePictures(parts.tasks, parts.window)
        window = CheckWindow(desk, pictures, parts.window)
        window.image_wanted.connect(partial(show_image, parts))
        window.model_mask_wanted.connect(lambda entry: _take_models(parts, desk, entry))
        session, made = parts.session, window
        session.project_changed.connect(lambda: desk.set_project(session.project))
        session.saver.saved.connect(lambda name: _mask_saved(parts, desk, pictures, name))
        desk.ended.connect(lambda problem: _tell_ended(parts, made, problem))
        parts.window.closed.connect(window.close)
        parts.window.closed.connect(desk.close)
        desk.set_project(session.project)
    show_beside(window)
    window.queue.setFocus()
    return window


def _mask_saved(parts: Parts, desk: CheckDesk, pictures: DifferencePictures, name: str) -> None:
    pictures.forget(name)
    digest = parts.session.saver.digests.get(name)
    if digest is not None:  # else it is of the folder that was open before
        desk.mask_saved(name, digest)


def _tell_ended(parts: Parts, window: CheckWindow, problem: str) -> None:
    if not window.isVisible():
        told = problem or "Model > Find bad masks shows what it has found."
        parts.window.tell(f"The check of the masks has ended. {told}")


def _take_models(parts: Parts, desk: CheckDesk, entry: Entry) -> None:
    """Open the image, then make what the check's network says of it one edit of its mask."""
    session = parts.session
    if session.name == entry.image and session.document is not None:
        _apply(parts, desk, entry)
        return

    def shown() -> None:
        if session.wanted != entry.image or session.name == entry.image:
            session.document_changed.disconnect(shown)
        if session.name == entry.image:
            _apply(parts, desk, entry)

    session.document_changed.connect(shown)
    show_image(parts, entry.image)


def _apply(parts: Parts, desk: CheckDesk, entry: Entry) -> None:
    session, project, looked = parts.session, parts.session.project, desk.looked
    document = session.document
    if project is None or document is None or looked is None or looked.check is None:
        return
    check = looked.check
    if not session.can_edit:
        parts.window.tell("This mask cannot be edited.")
        return
    parts.canvas.finish_stroke()
    revision, mine = document.revision, document.snapshot()

    def work(job: Job) -> Edit | None:
        from core.editing.history import compare
        from core.errors import BadInput
        from core.label_check.findings import read_model_mask

        pixels = mine.pixels()
        said = read_model_mask(check, project, entry.image, (pixels.shape[1], pixels.shape[0]))
        if said is None:
            raise BadInput("What the model said of this image was not kept: check again.")
        return compare(pixels, said, _TITLE)

    def landed(edit: Edit | None) -> None:
        if document is not session.document:
            return
        if document.revision != revision or document.stroking:
            parts.window.tell("The mask was edited meanwhile: please choose again.")
        elif edit is None:
            parts.window.tell("The mask is the model's already.")
        else:
            document.apply(edit)
            parts.window.tell("This is what the model says: undo, correct or approve it.")

    parts.tasks.run(Lane.EDIT, work, landed, parts.window.tell)
