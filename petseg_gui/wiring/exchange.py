"""Import and export: their windows, and what the rest of the window learns of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QDesktopServices

from petseg_gui.banner import Choice, Level
from petseg_gui.beside import show_beside
from petseg_gui.heavy import HEAVY
from petseg_gui.opening import Opened
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane
from petseg_gui.words import count

if TYPE_CHECKING:
    from core.formats.exporting import Exported
    from core.formats.importing import Imported, TakenBack
    from petseg_gui.exchange.export_window import ExportWindow
    from petseg_gui.exchange.import_desk import ImportDesk, Made
    from petseg_gui.exchange.import_window import ImportWindow

ANNOTATION_SUFFIXES = (".json", ".xml", ".yaml", ".yml")
_KEY = "import"
_EXPORTED = "export"
_IMPORT = "petseg_gui.exchange.import_window"
_EXPORT = "petseg_gui.exchange.export_window"
_AT_ONCE_S = 0.005  # spent on taking note of new masks between two turns of the event loop


def wire_exchange(parts: Parts) -> None:
    """Connect the commands that import and export."""
    actions, session = parts.actions, parts.session
    for id_, module, act in (
        ("import", _IMPORT, open_import),
        ("export", _EXPORT, open_export),
    ):
        actions[id_].triggered.connect(
            lambda _=False, module=module, act=act: _load(parts, module, act)
        )
        actions[id_].setEnabled(False)
    session.project_changed.connect(lambda: _project_changed(parts))
    parts.opener.opened.connect(lambda opened: _tell_finished(parts, opened))


def open_import(parts: Parts) -> ImportWindow:
    """The import window; one that is open already is shown again."""
    from petseg_gui.exchange.import_desk import ImportDesk
    from petseg_gui.exchange.import_window import ImportWindow

    window = parts.window.findChild(ImportWindow)
    if window is None:
        desk = ImportDesk(parts.tasks, lambda then: _when_saved(parts, then), parts.window)
        window = ImportWindow(desk, parts.window)
        made = window
        window.list_wanted.connect(lambda title, lines: _show_list(parts, title, lines))
        desk.progressed.connect(lambda *step: _show_undoing(parts, *step))
        desk.imported.connect(lambda done: _imported(parts, desk, made, done))
        desk.taken_back.connect(lambda back: _taken_back(parts, back))
        desk.ids_needed.connect(lambda: _convert(parts, made))
        desk.failed.connect(lambda reason: _failed(parts, made, reason))

        def follow() -> None:
            desk.set_project(parts.session.project)
            made.set_project(parts.session.project)

        parts.session.project_changed.connect(follow)
        parts.window.closed.connect(desk.cancel)
        parts.window.closed.connect(window.close)
        follow()
    show_beside(window)
    return window


def open_export(parts: Parts) -> ExportWindow:
    """The export window; one that is open already is shown again."""
    from petseg_gui.exchange.export_desk import ExportDesk
    from petseg_gui.exchange.export_window import ExportWindow

    window = parts.window.findChild(ExportWindow)
    if window is None:
        desk = ExportDesk(parts.tasks, parts.window)
        window = ExportWindow(
            desk, lambda: parts.session.counts, lambda: parts.browser.selected, parts.window
        )
        made = window
        desk.exported.connect(lambda exported: _exported(parts, exported))
        desk.exported.connect(lambda _: made.close())

        def follow() -> None:
            desk.set_project(parts.session.project)
            made.set_project(parts.session.project)

        parts.session.project_changed.connect(follow)
        parts.session.status_changed.connect(lambda _: made.count_again())
        selection = parts.browser.list.selectionModel()
        selection.selectionChanged.connect(lambda *_: made.count_again())
        parts.window.closed.connect(window.end)
        follow()
    parts.session.save()
    show_beside(window)
    return window


def _load(parts: Parts, module: str, act: Callable[[Parts], object]) -> None:
    def load(job: Job) -> None:
        with HEAVY:
            import_module(module)

    def show() -> None:
        act(parts)

    parts.tasks.run(Lane.LOAD, load, lambda _: show(), parts.window.tell)


def _project_changed(parts: Parts) -> None:
    there = parts.session.project is not None
    for id_ in ("import", "export"):
        parts.actions[id_].setEnabled(there)
    for key in (_KEY, _EXPORTED):
        parts.window.banners.remove(key)


def _tell_finished(parts: Parts, opened: Opened) -> None:
    if opened.finished:
        parts.window.banners.show_message(_KEY, Level.INFO, opened.finished)


def _when_saved(parts: Parts, then: Callable[[], None]) -> None:
    parts.session.save()
    parts.session.saver.when_idle(then)


def _convert(parts: Parts, window: ImportWindow) -> None:
    from petseg_gui.wiring.conversion import offer_conversion

    offer_conversion(parts, window.import_again, lambda: None, window)


def _imported(parts: Parts, desk: ImportDesk, window: ImportWindow, made: Made) -> None:
    imported = made.imported
    if made.project is not parts.session.project:
        return
    window.end()
    _take(parts, imported.masks, imported.scheme)
    choices = [Choice("Undo", lambda: _undo(parts, desk, imported))]
    text = f"{count(len(imported.masks), 'mask')} imported from “{made.title}”."
    if imported.problems:
        text += f" {count(len(imported.problems), 'image')} could not be used."
        choices.append(
            Choice("Show list", lambda: _show_problems(parts, "Left out", imported.problems))
        )
    parts.window.banners.show_message(_KEY, Level.INFO, text, choices)


def _undo(parts: Parts, desk: ImportDesk, imported: Imported) -> None:
    parts.window.banners.show_message(_KEY, Level.INFO, "The import is being undone…")
    desk.undo(imported.id)


def _show_undoing(parts: Parts, words: str, done: int, total: int) -> None:
    """How far undoing is, where the banner's button began it and no window shows it."""
    from petseg_gui.exchange.import_desk import UNDOING

    banner = parts.window.banners.banner(_KEY)
    if banner is not None and total and words == UNDOING:
        banner.label.setText(f"{words}: {done:,} of {total:,}")


def _taken_back(parts: Parts, back: TakenBack) -> None:
    _take(parts, back.masks, back.scheme)
    if back.problems:
        parts.window.banners.show_message(
            _KEY,
            Level.INFO,
            f"The import is undone, but for {count(len(back.problems), 'mask')} that changed "
            "since.",
            [Choice("Show list", lambda: _show_problems(parts, "Left as it is", back.problems))],
        )
    else:
        parts.window.banners.remove(_KEY)
        parts.window.tell("The import is undone.")


def _failed(parts: Parts, window: ImportWindow, reason: str) -> None:
    if not window.isVisible():
        parts.window.banners.show_message(_KEY, Level.WARNING, reason)


def _take(parts: Parts, masks: Mapping[str, str], scheme: bool) -> None:
    """Mask files were written for these images (SHA-256, "" for none): show what they say.

    Some at a time: of a hundred thousand the window would else stand still.
    """
    from petseg_gui.wiring.classes import follow_scheme

    session = parts.session
    project = session.project
    if project is None:
        return
    if scheme:
        session.forget_edits()  # undoing one could bring back a class that is no more
        follow_scheme(parts, project.settings.scheme)
    session.loader.read_ahead(())
    waiting = deque(sorted(masks.items(), key=lambda pair: pair[0] != session.name))
    timer = QTimer(parts.window, interval=0)

    def some() -> None:
        begun = time.monotonic()
        while waiting and session.project is project and time.monotonic() - begun < _AT_ONCE_S:
            session.take_judgement(*waiting.popleft())
        if not waiting or session.project is not project:
            timer.stop()
            timer.deleteLater()

    timer.timeout.connect(some)
    parts.window.closed.connect(timer.stop)
    timer.start()
    some()


def _exported(parts: Parts, exported: Exported) -> None:
    target = exported.target
    folder = target if target.is_dir() else target.parent
    choices = [
        Choice("Open folder", lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
    ]
    text = f"{count(exported.images, 'image')} exported to {target}."
    if exported.problems:
        text += f" {count(len(exported.problems), 'image')} could not be read."
        choices.append(
            Choice("Show list", lambda: _show_problems(parts, "Left out", exported.problems))
        )
    text = " ".join((text, *exported.notes))
    parts.window.banners.show_message(_EXPORTED, Level.INFO, text, choices)


def _show_problems(parts: Parts, title: str, problems: Mapping[str, str]) -> None:
    _show_list(parts, title, [f"{name}: {why}" for name, why in problems.items()])


def _show_list(parts: Parts, title: str, lines: list[str]) -> None:
    from petseg_gui.dialogs import show_list

    show_list(parts.window, title, lines)


def import_from(parts: Parts, path: Path) -> None:
    """Show what importing these annotations would do."""
    _load(parts, _IMPORT, lambda parts: open_import(parts).open_path(path))
