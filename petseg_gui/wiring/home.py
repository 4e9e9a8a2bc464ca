"""Coming back: recent folders, the last image, zoom, tool and window."""

from __future__ import annotations

from pathlib import Path

from core.errors import PetSegError
from petseg_gui.banner import Level
from petseg_gui.log import LOG
from petseg_gui.parts import Parts
from petseg_gui.settings.state import Visit
from petseg_gui.wiring.folder import open_folder

_RECENT = "Open &recent"


def wire_home(parts: Parts) -> None:
    """Connect what is kept in mind; to be wired last, when all docks are there."""
    menu = parts.window.menu(_RECENT)
    menu.aboutToShow.connect(lambda: _fill(parts))
    parts.actions["clear_recent"].triggered.connect(parts.whereabouts.forget)
    parts.state.changed.connect(lambda: _refresh(parts))
    parts.session.leaving.connect(parts.whereabouts.note)
    # After the canvas has fitted the image: wired later, called later.
    parts.session.document_changed.connect(parts.whereabouts.arrive)
    parts.whereabouts.told.connect(
        lambda text: parts.window.banners.show_message("open", Level.INFO, text)
    )
    parts.window.closed.connect(lambda: _finish(parts))
    state = parts.state.state
    parts.window.restore_layout(state.geometry, state.docks)
    parts.toolbox.take(state.tool)
    _refresh(parts)


def _refresh(parts: Parts) -> None:
    parts.actions["clear_recent"].setEnabled(bool(parts.state.state.recent))


def _fill(parts: Parts) -> None:
    """List the folders as they are now; those that are gone cannot be chosen."""
    menu, clear = parts.window.menu(_RECENT), parts.actions["clear_recent"]
    for action in menu.actions():
        if action is not clear:
            menu.removeAction(action)
            action.deleteLater()
    for number, visit in enumerate(parts.state.state.recent, 1):
        mark = f"&{number}  " if number < 10 else ""
        action = menu.addAction(mark + _shown(visit).replace("&", "&&"))
        action.setEnabled(Path(visit.folder).is_dir())
        action.triggered.connect(lambda _, visit=visit: open_visit(parts, visit))
    menu.addSeparator()
    menu.removeAction(clear)
    menu.addAction(clear)


def open_visit(parts: Parts, visit: Visit) -> None:
    """Open a folder as it was open before."""
    open_folder(parts, Path(visit.folder), Path(visit.store) if visit.store else None)


def _shown(visit: Visit) -> str:
    folder, home = Path(visit.folder), Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)


def _finish(parts: Parts) -> None:
    try:
        parts.whereabouts.finish(parts.window, parts.toolbox.tool_id)
    except PetSegError as error:
        LOG.warning("State: %s", error)
