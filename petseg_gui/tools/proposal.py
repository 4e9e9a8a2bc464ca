"""What a tool proposes: worked out off the window's thread, shown, then taken or dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from core.editing.change import UNCHANGED, changes
from core.editing.history import Edit
from petseg_gui.canvas.view import View
from petseg_gui.document import Document
from petseg_gui.tools.drawing import Shade, shade_of_changes
from petseg_gui.tools.tool import Workbench

Work = Callable[[], Edit | None]
"""Works an edit out for the document's mask as it is; None where nothing would change."""


@dataclass(frozen=True, eq=False)
class _Shown:
    wish: int
    edit: Edit
    state: object  # of the document that it was worked out for
    shade: Shade
    count: int


class Proposal:
    """One tool's proposal. ``take`` makes it an edit of the document, ``drop`` forgets it."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._work: Work | None = None
        self._shown: _Shown | None = None
        self._wish = 0  # a result of an older wish is not shown any more
        self._taken: set[int] = set()  # wishes that are made edits as soon as they are worked out

    @property
    def pending(self) -> bool:
        """Whether something is proposed, or being worked out."""
        return self._work is not None

    @property
    def count(self) -> int | None:
        """How many pixels would change; None while that is being worked out."""
        shown = self._shown
        return shown.count if shown is not None and shown.wish == self._wish else None

    def ask(self, document: Document, work: Work) -> None:
        """Work out a proposal and show it; it replaces the one before."""
        self._wish += 1
        wish, state = self._wish, document.state
        self._work = work

        def work_out() -> _Shown | None:
            # Of many wishes in a row, as of a slider that is drawn, only the last counts.
            edit = work() if wish == self._wish or wish in self._taken else None
            if edit is None:
                return None
            pixels = changes(edit)
            count = int(np.count_nonzero(pixels != UNCHANGED))
            shade = shade_of_changes(edit.box, pixels, document.scheme)
            return _Shown(wish, edit, state, shade, count)

        def arrived(shown: _Shown | None) -> None:
            if wish in self._taken:
                self._taken.remove(wish)
                self._bench.owed -= 1
                if shown is not None:
                    _apply(self._bench, document, shown, work)
            elif wish == self._wish:
                self._shown = shown
                if shown is None:
                    self._work = None
                self._bench.repaint()

        self._bench.run(work_out, arrived)

    def take(self, document: Document) -> bool:
        """Make the edit that is proposed, or as soon as it is known; whether there was one."""
        shown, work, wish = self._shown, self._work, self._wish
        if work is None:
            return False
        ready = shown is not None and shown.wish == wish
        if not ready:
            self._taken.add(wish)  # before it is dropped: its work may begin at any moment
            self._bench.owed += 1
        self.drop()
        if shown is not None and ready:
            _apply(self._bench, document, shown, work)
        return True

    def drop(self) -> None:
        """Forget it."""
        self._wish += 1
        if self.pending:
            self._work = self._shown = None
            self._bench.repaint()

    def bounds(self) -> QRectF:
        """What ``paint`` draws in, in image coordinates."""
        return QRectF() if self._shown is None else self._shown.shade.rect

    def paint(self, painter: QPainter, view: View) -> None:
        if self._shown is not None:
            self._shown.shade.paint(painter, view)


def _apply(bench: Workbench, document: Document, shown: _Shown, work: Work) -> None:
    if shown.state == document.state:
        document.apply(shown.edit)
    else:
        apply_soon(bench, document, work)


def apply_soon(
    bench: Workbench, document: Document, work: Work, nothing: Callable[[], None] = lambda: None
) -> None:
    """Make an edit as soon as it is worked out, whatever is painted meanwhile.

    nothing: called where nothing changes.
    """
    state = document.state
    bench.owed += 1

    def arrived(edit: Edit | None) -> None:
        bench.owed -= 1
        if document.state != state:
            apply_soon(bench, document, work, nothing)
        elif edit is not None:
            document.apply(edit)
        else:
            nothing()

    bench.run(work, arrived)
