"""The tools: which one is in hand, and what is set for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup

from petseg_gui.actions import CLEAN_UPS
from petseg_gui.canvas.canvas import Canvas
from petseg_gui.session import Session
from petseg_gui.strip import ToolStrip
from petseg_gui.tools.brush import size_steps
from petseg_gui.tools.catalogue import TOOLS, make_tool
from petseg_gui.tools.tool import Operation, Options, Tool, Workbench

if TYPE_CHECKING:
    from petseg_gui.tools.cleaning import CleaningTool, Recipe

_CLEAN_UPS = [command for command in CLEAN_UPS if command != "-"]
_MASK_COMMANDS = ("smaller", "larger", "switch_operation", "select_none", "copy_previous")
_TOLERANCE_STEP = 4


class Toolbox(QObject):
    """Keeps canvas, strip and actions in step; the tools live as long as the window."""

    tool_changed = Signal(str)
    """The id of the tool that is in hand now."""

    def __init__(
        self,
        session: Session,
        canvas: Canvas,
        strip: ToolStrip,
        actions: Mapping[str, QAction],
        bench: Workbench,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._canvas = canvas
        self._strip = strip
        self._actions = actions
        self._bench = bench
        self._tools: dict[str, Tool] = {}
        self._cleaning: CleaningTool | None = None
        self.tool_id = "brush"
        """The tool in hand; a clean-up comes in between."""
        group = QActionGroup(self)
        for id_ in TOOLS:
            group.addAction(actions[id_])
            actions[id_].triggered.connect(lambda _, id_=id_: self.take(id_))
        for id_ in _CLEAN_UPS:
            actions[id_].triggered.connect(lambda _, id_=id_: self._clean(id_))
        actions["brush"].setChecked(True)
        actions["smaller"].triggered.connect(lambda: self._step(-1))
        actions["larger"].triggered.connect(lambda: self._step(1))
        actions["switch_operation"].triggered.connect(self._switch_operation)
        actions["select_none"].triggered.connect(self._select_none)
        strip.options_set.connect(self._set_options)
        strip.cleaning_set.connect(self._set_cleaning)
        strip.taken.connect(self._take_proposal)
        strip.dropped.connect(self._drop_proposal)
        strip.confirmed.connect(canvas.setFocus)
        canvas.option_step.connect(self._step)
        canvas.overlay_changed.connect(self._show_proposal)
        canvas.hovered.connect(self._warm_up)
        session.project_changed.connect(self._project_changed)
        strip.set_options(bench.options)
        self.refresh()

    @property
    def value(self) -> int:
        """The class that is painted."""
        return self._bench.options.value

    @value.setter
    def value(self, value: int) -> None:
        self._set_options(replace(self._bench.options, value=value))

    def take(self, id_: str) -> None:
        """Take a tool in hand; an unknown id (of a newer version) changes nothing."""
        if id_ in TOOLS:
            self.tool_id = id_
            self._cleaning = None
            self._actions[id_].setChecked(True)
            self.refresh()
            self.tool_changed.emit(id_)

    @property
    def operation(self) -> Operation:
        """What happens to the pixels that a tool chooses."""
        return self._bench.options.operation

    @operation.setter
    def operation(self, operation: Operation) -> None:
        self._set_options(replace(self._bench.options, operation=operation))

    def propose(self, recipe: Recipe) -> None:
        """Show what a recipe would do to the mask, to be taken or dropped."""
        from petseg_gui.tools.cleaning import CleaningTool  # as the tools, when it is taken

        document = self._session.document
        if document is None or not self._session.can_edit:
            return
        self._canvas.set_tool(None)  # what the tool in hand proposes is taken first
        self._cleaning = CleaningTool(self._bench, recipe, self._end_cleaning)
        self.refresh()
        self._cleaning.refresh(document)
        self._canvas.setFocus()

    def take_back(self) -> bool:
        """Undo what the tool in hand has begun or proposes; whether there was anything."""
        tool, document = self._canvas.tool, self._session.document
        if tool is None or document is None or not tool.pending:
            return False
        tool.take_back(document)
        self._canvas.update()
        return True

    def follow(self) -> None:
        """What a proposal depends on has changed: the mask, locks, options."""
        if self._session.document is not None and self._session.can_edit:
            self._in_hand.refresh(self._session.document)

    def forget(self) -> None:
        """Another image is shown: what was begun on the one before is gone."""
        document = self._session.document
        if document is not None:
            for tool in self._tools.values():
                tool.cancel(document)
            document.edited.connect(self.follow)
            document.selection_changed.connect(self._selection_changed)
        self._cleaning = None
        self.refresh()

    def refresh(self) -> None:
        """Whether there is anything to paint on may have changed."""
        editable = self._session.can_edit
        for command in (*TOOLS, *_CLEAN_UPS, *_MASK_COMMANDS):
            self._actions[command].setEnabled(editable)
        self._strip.set_editable(editable)
        self._strip.set_tool(self._in_hand, self._cleaning)
        self._canvas.set_tool(self._in_hand if editable else None)

    @property
    def _in_hand(self) -> Tool:
        if self._cleaning is not None:
            return self._cleaning
        if self.tool_id not in self._tools:
            self._tools[self.tool_id] = make_tool(self.tool_id, self._bench)
        return self._tools[self.tool_id]

    def _warm_up(self, found: object) -> None:
        """The pointer is over the image: have OpenCV imported before a tool needs it."""
        if found is None:
            return
        self._canvas.hovered.disconnect(self._warm_up)
        self._bench.run(lambda: import_module("core.editing.cleanup"), lambda _: None)

    def _clean(self, id_: str) -> None:
        from petseg_gui.tools.recipes import recipe  # imports OpenCV: not before the first photo

        self.propose(recipe(id_))

    def _end_cleaning(self) -> None:
        if self._cleaning is not None:
            self._cleaning = None
            self.refresh()

    def _take_proposal(self) -> None:
        if self._session.document is not None:
            self._in_hand.key(self._session.document, Qt.Key.Key_Return)
            self._canvas.setFocus()

    def _drop_proposal(self) -> None:
        if self._session.document is not None:
            self._in_hand.cancel(self._session.document)
            self._canvas.setFocus()

    def _step(self, steps: int) -> None:
        if self._cleaning is not None:
            low, high = self._cleaning.recipe.range
            amount = min(max(size_steps(self._cleaning.amount, steps), low), high)
            self._strip.cleaning.set_amount(amount)
            return
        options, uses = self._bench.options, self._in_hand.uses
        if "size" in uses:
            self._set_options(replace(options, size=size_steps(options.size, steps)))
        elif "tolerance" in uses:
            tolerance = min(max(options.tolerance + _TOLERANCE_STEP * steps, 0), 255)
            self._set_options(replace(options, tolerance=tolerance))

    def _switch_operation(self) -> None:
        adds = self._bench.options.operation is Operation.ADD
        self.operation = Operation.REMOVE if adds else Operation.ADD

    def _select_none(self) -> None:
        if self._session.document is not None:
            self._session.document.select(None)

    def _selection_changed(self) -> None:
        if self._cleaning is not None:  # other tools make selections, and would do it again
            self.follow()

    def _set_options(self, options: Options) -> None:
        self._bench.options = options
        self._strip.set_options(options)
        self._refresh_tool()

    def _set_cleaning(self, amount: int, every_class: bool) -> None:
        if self._cleaning is not None:
            self._cleaning.amount, self._cleaning.every_class = amount, every_class
            self._refresh_tool()

    def _refresh_tool(self) -> None:
        self.follow()
        self._canvas.update()

    def _show_proposal(self) -> None:
        if self._cleaning is not None:
            self._strip.set_count(self._cleaning.count)

    def _project_changed(self) -> None:
        self.value = 1
