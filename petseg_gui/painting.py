"""Brush and eraser on the canvas: which is in hand, how large, which class."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup

from petseg_gui.canvas.canvas import Canvas
from petseg_gui.session import Session
from petseg_gui.strip import ToolStrip
from petseg_gui.tools.brush import BrushTool, size_steps


class Painting(QObject):
    """Keeps canvas, strip and actions in step; the tools live as long as the window."""

    def __init__(
        self,
        session: Session,
        canvas: Canvas,
        strip: ToolStrip,
        actions: Mapping[str, QAction],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._canvas = canvas
        self._strip = strip
        self._actions = actions
        self._brush = BrushTool(1)
        self._eraser = BrushTool(0, title="Eraser")
        self._in_hand = self._brush
        group = QActionGroup(self)
        for command, tool in (("brush", self._brush), ("eraser", self._eraser)):
            group.addAction(actions[command])
            actions[command].triggered.connect(lambda _, tool=tool: self._take(tool))
        actions["brush"].setChecked(True)
        actions["smaller"].triggered.connect(lambda: self._step(-1))
        actions["larger"].triggered.connect(lambda: self._step(1))
        strip.size_set.connect(self._set_size)
        strip.size_typed.connect(canvas.setFocus)
        strip.class_set.connect(self._set_class)
        strip.opacity_set.connect(canvas.set_opacity)
        strip.set_opacity(canvas.opacity)
        strip.set_size(self._brush.size)
        canvas.brush_size_step.connect(self._step)
        canvas.zoom_changed.connect(strip.set_zoom)
        session.project_changed.connect(self._project_changed)
        self.refresh()

    def refresh(self) -> None:
        """Whether there is anything to paint on may have changed."""
        editable = self._session.can_edit
        for command in ("brush", "eraser", "smaller", "larger"):
            self._actions[command].setEnabled(editable)
        self._strip.set_editable(editable)
        self._canvas.set_tool(self._in_hand if editable else None)

    def _take(self, tool: BrushTool) -> None:
        self._in_hand = tool
        self.refresh()

    def _step(self, steps: int) -> None:
        self._set_size(size_steps(self._brush.size, steps))

    def _set_size(self, size: int) -> None:
        # One size for both: an eraser is a brush turned round.
        self._brush.size = self._eraser.size = size
        self._strip.set_size(self._brush.size)
        self._canvas.update()

    def _set_class(self, value: int) -> None:
        self._brush.value = value
        self._canvas.update()

    def _project_changed(self) -> None:
        project = self._session.project
        self._brush.value = 1
        self._strip.set_scheme(project.settings.scheme if project is not None else None)
