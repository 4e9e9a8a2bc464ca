"""Choosing the place that is asked about with a tool that comes in between."""

from __future__ import annotations

from PySide6.QtCore import QObject

from petseg_gui.toolbox import Toolbox
from petseg_gui.tools.tool import Operation

_TOOL = "rectangle"


class PlacePicker(QObject):
    """Has a rectangle select the place, and gives the tool of before back then."""

    def __init__(self, toolbox: Toolbox, parent: QObject) -> None:
        super().__init__(parent)
        self._toolbox = toolbox
        self._before: tuple[str, Operation] | None = None
        toolbox.tool_changed.connect(self._tool_changed)

    def take_up(self) -> None:
        """The next box selects."""
        toolbox = self._toolbox
        if self._before is None:
            self._before = toolbox.tool_id, toolbox.operation
        toolbox.take(_TOOL)
        toolbox.operation = Operation.SELECT

    def put_down(self) -> None:
        """A place is selected, or none any more."""
        before, self._before = self._before, None
        if before is not None:
            tool, self._toolbox.operation = before
            self._toolbox.take(tool)

    def _tool_changed(self, tool: str) -> None:
        """Another tool was taken in hand meanwhile: it stays there, and works as before."""
        if self._before is not None and tool != _TOOL:
            self._toolbox.operation = self._before[1]
            self._before = None
