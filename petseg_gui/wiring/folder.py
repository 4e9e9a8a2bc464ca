"""Opening a folder: from the menu, by a drop, at the start; what can go wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.files import user_data_dir
from core.images import EXTENSIONS
from core.masks import MaskEncoding
from core.models.answers import SUFFIXES as MODEL_SUFFIXES
from core.project.reviews import Status
from petseg_gui.after import after_painting
from petseg_gui.banner import Choice, Level
from petseg_gui.opening import Listed, Opened, Question
from petseg_gui.parts import Parts
from petseg_gui.settings.whereabouts import folder_of, name_of
from petseg_gui.wiring.exchange import ANNOTATION_SUFFIXES, import_from
from petseg_gui.wiring.following import begin_following
from petseg_gui.wiring.models import import_file


def wire_folder(parts: Parts) -> None:
    """Connect everything that opens a folder."""
    opener, actions, window = parts.opener, parts.actions, parts.window
    actions["open"].triggered.connect(lambda: _choose_folder(parts))
    actions["open_demo"].triggered.connect(lambda: open_demo(parts))
    actions["keep_elsewhere"].triggered.connect(lambda: _choose_store(parts))
    actions["keep_elsewhere"].setEnabled(False)
    window.folder_dropped.connect(lambda folder: open_folder(parts, folder))
    window.file_dropped.connect(lambda file: open_file(parts, file))
    opener.opened.connect(lambda opened: _show(parts, opened))
    opener.unclear.connect(lambda question: _ask_encoding(parts, question))
    opener.failed.connect(lambda reason: _failed(parts, reason))
    opener.slow.connect(lambda: _slow(parts))
    opener.listed.connect(lambda listed: _list(parts, listed))
    opener.counted.connect(lambda found: _count(parts, found))
    opener.drawing.connect(lambda done, total: _drawing(parts, done, total))


def open_at_start(parts: Parts, folder: Path | None, store: Path | None) -> None:
    """Open what the command line says, or else the folder that was open last, or the demo."""
    last = parts.whereabouts.last
    if folder is not None:
        open_folder(parts, folder, store)
    elif last is None or Path(last.folder) == _demo_folder():
        open_demo(parts)
    elif Path(last.folder).is_dir():
        open_folder(parts, Path(last.folder), Path(last.store) if last.store else None)
    else:
        open_demo(parts)
        parts.window.banners.show_message(
            "gone",
            Level.INFO,
            f"{last.folder}, which was open last, is not there any more.",
        )


def open_demo(parts: Parts) -> None:
    """Open the demo, and segment what nobody drew a mask for."""

    def segment(opened: Opened) -> None:
        parts.opener.opened.disconnect(segment)
        if opened.project.folder == folder and parts.session.named(Status.UNLABELLED):
            parts.desk.segment_all()

    folder = _demo_folder()
    parts.whereabouts.ask_for(None)
    parts.opener.opened.connect(segment)
    _open_when_saved(parts, lambda: parts.opener.open_demo(folder))


def open_file(parts: Parts, file: Path) -> None:
    """Open the folder of an image file, at that image; a model file is imported."""
    project = parts.session.project
    if file.suffix.lower() in MODEL_SUFFIXES:
        import_file(parts, file)
    elif file.suffix.lower() in ANNOTATION_SUFFIXES and project is not None:
        import_from(parts, file)
    elif file.suffix.lower() not in EXTENSIONS:
        parts.window.tell(f"{file.name} is neither a folder, nor an image, nor a model.")
    elif project is not None and (name := name_of(project, file)):
        parts.browser.select(name)
        parts.session.open_image(name)
    else:
        open_folder(parts, folder_of(file), file=file)


def open_folder(
    parts: Parts,
    folder: Path,
    store: Path | None = None,
    encoding: MaskEncoding | None = None,
    file: Path | None = None,
) -> None:
    """Open a folder in place of the one that is open, once that one's masks are saved.

    file: the image to begin with; without it the one that was left there, or the first.
    """
    parts.whereabouts.ask_for(file)
    _open_when_saved(parts, lambda: parts.opener.open(folder, store, encoding))


def _open_when_saved(parts: Parts, act: Callable[[], None]) -> None:
    parts.session.save()

    def start() -> None:
        if parts.session.saver.problems:
            parts.window.tell("Some masks are not saved yet: see the message above the image.")
            return
        parts.window.banners.remove("open")
        act()

    parts.session.saver.when_idle(start)


def _show(parts: Parts, opened: Opened) -> None:
    project, window = opened.project, parts.window

    def first_shown() -> None:
        if parts.session.name or parts.session.project is not project:
            parts.session.document_changed.disconnect(first_shown)
            after_painting(window, look_around)

    def look_around() -> None:
        if parts.session.project is project:
            parts.thumbnails.begin()
            parts.facts.begin()
            parts.models.refresh()
            parts.training.join(project)
            parts.learning.begin()
            begin_following(parts)

    window.progress.hide()
    for cause in ("open", "batch", "training", "segment", "mask"):
        window.banners.remove(cause)
    parts.thumbnails.set_folder(project.layout.images, window.devicePixelRatioF())
    parts.session.set_project(project, opened.statuses)
    parts.session.saver.when_idle(parts.opener.release_left)
    parts.browser.set_images(opened.images)
    parts.models.set_project(project)
    parts.actions["keep_elsewhere"].setEnabled(True)
    if project.writable or opened.locked_out:
        window.banners.remove("read-only")  # who has the folder is said elsewhere
    else:
        window.banners.show_message(
            "read-only",
            Level.INFO,
            f"{project.folder.name} is read-only: you can look at it, but no mask can be saved.",
            [Choice("Keep masks elsewhere…", parts.actions["keep_elsewhere"].trigger)],
        )
    # The keys are the canvas's from the start, not the search box's.
    parts.canvas.setFocus()
    parts.session.document_changed.connect(first_shown)
    first = parts.whereabouts.first_image(project)
    parts.session.open_image(parts.browser.picked or first)


def _demo_folder() -> Path:
    return (user_data_dir() / "demo").resolve()


def stop_opening(parts: Parts) -> None:
    """No folder is being opened any more: show the one that is open, or how to open one."""
    project = parts.session.project
    parts.window.progress.hide()
    parts.start_page.show_welcome()
    parts.browser.end_listing()
    if project is not None:
        parts.thumbnails.set_folder(project.layout.images, parts.window.devicePixelRatioF())
        parts.thumbnails.begin()


def _list(parts: Parts, listed: Listed) -> None:
    parts.thumbnails.set_folder(listed.images, parts.window.devicePixelRatioF())
    parts.browser.show_listing(listed.names)


def _count(parts: Parts, found: int) -> None:
    parts.browser.count_listed(found)
    if parts.window.progress.isVisible():
        parts.window.progress.show_progress(f"Opening the folder… {found:,} images")


def _failed(parts: Parts, reason: str) -> None:
    stop_opening(parts)
    parts.window.banners.show_message("open", Level.WARNING, reason)


def _slow(parts: Parts) -> None:
    if not parts.window.progress.isVisible():
        parts.window.progress.show_progress("Opening the folder…")
        parts.start_page.set_text("Opening the folder…", "")


def _drawing(parts: Parts, done: int, total: int) -> None:
    parts.window.progress.show_progress(f"Drawing the demo: {done} of {total}", done, total)
    parts.start_page.set_text(
        "Drawing the demo", "Animals to try PetSeg on. This is done once and takes a moment."
    )


def _ask_encoding(parts: Parts, question: Question) -> None:
    from petseg_gui.dialogs import ask

    stop_opening(parts)

    def again(encoding: MaskEncoding) -> None:
        open_folder(parts, question.folder, question.store, encoding)

    ask(
        parts.window,
        "What do the masks' numbers mean?",
        question.text.split(" Say which with ")[0],
        {
            "Class ids": lambda: again(MaskEncoding.IDS),
            "Trimap: 1 pet, 2 background": lambda: again(MaskEncoding.TRIMAP),
            "Cancel": lambda: None,
        },
    )


def _choose_folder(parts: Parts) -> None:
    from PySide6.QtWidgets import QFileDialog  # as every dialog, when it is asked for

    project = parts.session.project
    start = project.folder.parent if project is not None else Path.home()
    dialog = QFileDialog(parts.window, "Open folder", str(start))
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.fileSelected.connect(lambda chosen: open_folder(parts, Path(chosen)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def _choose_store(parts: Parts) -> None:
    from PySide6.QtWidgets import QFileDialog

    project = parts.session.project
    if project is None:
        return
    folder = project.folder
    dialog = QFileDialog(parts.window, "Keep masks elsewhere", str(Path.home()))
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Keep them here")
    dialog.fileSelected.connect(lambda chosen: open_folder(parts, folder, Path(chosen)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
