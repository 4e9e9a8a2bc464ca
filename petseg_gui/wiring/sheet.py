"""The contact sheet: where its images come from, and what it opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from petseg_gui.beside import show_beside
from petseg_gui.parts import Parts
from petseg_gui.wiring.training import show_image

if TYPE_CHECKING:
    from petseg_gui.browser.model import ImageListModel
    from petseg_gui.sheet.window import SheetWindow


def wire_sheet(parts: Parts) -> None:
    """Connect the command that shows the contact sheet."""
    action, session = parts.actions["contact_sheet"], parts.session
    action.triggered.connect(lambda: open_sheet(parts))
    action.setEnabled(False)
    session.project_changed.connect(lambda: action.setEnabled(session.project is not None))


def open_sheet(parts: Parts) -> SheetWindow:
    """The contact sheet; one that is open already is shown again."""
    from petseg_gui.sheet.window import SheetWindow

    sheet = parts.window.findChild(SheetWindow)
    if sheet is None:
        sheet = SheetWindow(
            parts.tasks,
            parts.session,
            parts.judge,
            lambda: _listed(parts),
            lambda: parts.canvas.appearance,
            parts.actions,
            parts.window,
        )
        sheet.image_wanted.connect(lambda name: show_image(parts, name))
        parts.browser.list.model().modelReset.connect(sheet.list_changed)
        parts.session.spoken.connect(lambda name: sheet.pictures.renew([name]))
        parts.window.closed.connect(sheet.close)
        parts.window.closed.connect(sheet.pictures.stop)
    parts.session.save()
    show_beside(sheet)
    sheet.go_to(parts.session.name)
    return sheet


def _listed(parts: Parts) -> Sequence[str]:
    return cast("ImageListModel", parts.browser.list.model()).names
