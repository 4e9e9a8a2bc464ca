"""All tools, by the id of the command that takes them in hand."""

from __future__ import annotations

from importlib import import_module

from petseg_gui.tools.tool import Tool, Workbench

TOOLS = {
    "brush": "brush:BrushTool",
    "eraser": "brush:EraserTool",
    "edge_brush": "edge_brush:EdgeBrushTool",
    "click": "click:ClickTool",
    "grabcut": "grabcut:GrabCutTool",
    "segment_box": "segment_box:SegmentBoxTool",
    "wand": "wand:WandTool",
    "scissors": "scissors:ScissorsTool",
    "fill": "fill:FillTool",
    "polygon": "outlines:PolygonTool",
    "lasso": "outlines:LassoTool",
    "rectangle": "outlines:RectangleTool",
    "ellipse": "outlines:EllipseTool",
}
"""Module and class; a tool is imported when it is first taken, not at the window's start."""


def make_tool(id_: str, bench: Workbench) -> Tool:
    """The tool of this id."""
    module, name = TOOLS[id_].split(":")
    tool: Tool = getattr(import_module(f"petseg_gui.tools.{module}"), name)(bench)
    return tool
