"""Model > Why this mask: what spoke for a class, as a heat map on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDockWidget

from petseg_gui.comparing.desk import EXPLANATION, OFF
from petseg_gui.comparing.heat_maps import HeatMap
from petseg_gui.parts import Parts
from petseg_gui.wiring.compare import make_views

if TYPE_CHECKING:
    from core.explanation.answer import Explanation
    from petseg_gui.explanation.desk import ExplanationDesk
    from petseg_gui.explanation.panel import ExplanationPanel
    from petseg_gui.explanation.place import PlacePicker

_TITLE = "Why this mask"
_WIDTH = 300


def wire_explanation(parts: Parts) -> None:
    """Connect the command that opens the panel."""
    parts.actions["explain"].triggered.connect(lambda: open_panel(parts))


def open_panel(parts: Parts) -> None:
    """The panel that asks why; made when it is first asked for."""
    dock = parts.window.findChild(QDockWidget, _TITLE)
    if dock is None:
        dock = parts.window.add_side_dock(_TITLE, _make_panel(parts), _WIDTH)
    dock.show()
    dock.raise_()
    dock.widget().setFocus()


def _make_panel(parts: Parts) -> ExplanationPanel:
    from petseg_gui.explanation.desk import ExplanationDesk
    from petseg_gui.explanation.panel import ExplanationPanel
    from petseg_gui.explanation.place import PlacePicker

    session = parts.session
    panel = ExplanationPanel(parts.window)
    panel.setFocusProxy(panel.start)
    desk = ExplanationDesk(parts.tasks, parts.shelf, panel)
    picker = PlacePicker(parts.toolbox, panel)
    panel.wanted.connect(lambda: _explain(parts, panel, desk))
    panel.cancelled.connect(desk.cancel)
    panel.box_wanted.connect(lambda: _draw_box(parts, picker))
    panel.everywhere_wanted.connect(parts.actions["select_none"].trigger)
    desk.changed.connect(lambda: panel.set_busy(desk.busy))
    desk.progressed.connect(panel.set_progress)
    desk.explained.connect(lambda found, finished: _show(parts, panel, desk, found, finished))
    desk.failed.connect(panel.result.setText)
    session.document_changed.connect(lambda: _show_document(parts, panel, desk, picker))
    parts.models.changed.connect(lambda: _model_changed(parts, desk))
    parts.class_panel.class_set.connect(panel.set_class)
    parts.compare.mode_changed.connect(lambda: _show_mode(parts, panel, desk))
    parts.window.closed.connect(desk.close)
    _show_document(parts, panel, desk, picker)
    return panel


def _show_document(
    parts: Parts, panel: ExplanationPanel, desk: ExplanationDesk, picker: PlacePicker
) -> None:
    """Another image is open: what is under way was of the one before."""
    document = parts.session.document
    desk.cancel()
    panel.result.clear()
    panel.set_enabled(document is not None, parts.session.can_edit)
    if document is not None:
        panel.set_classes(document.scheme.names, parts.toolbox.value)
        # What holds the document would keep its pixels for ever.
        document.selection_changed.connect(lambda: _show_place(parts, panel))
        document.selection_changed.connect(picker.put_down)
        _show_place(parts, panel)


def _model_changed(parts: Parts, desk: ExplanationDesk) -> None:
    if desk.wish is not None and desk.wish.model != parts.models.path:
        desk.cancel()


def _show_place(parts: Parts, panel: ExplanationPanel) -> None:
    document = parts.session.document
    selection = None if document is None else document.selection
    panel.set_place(None if selection is None else selection.count)


def _show_mode(parts: Parts, panel: ExplanationPanel, desk: ExplanationDesk) -> None:
    """Who looks at something else is not brought back by what is still worked out."""
    if parts.compare.mode != EXPLANATION:
        desk.cancel()
        panel.result.clear()


def _explain(parts: Parts, panel: ExplanationPanel, desk: ExplanationDesk) -> None:
    from petseg_gui.explanation.desk import Wish

    project, document = parts.session.project, parts.session.document
    if project is None or document is None:
        return
    if parts.compare.mode == EXPLANATION:
        parts.compare.set_mode(OFF)  # the map before is not the answer to this
    method, value, detail = panel.chosen
    desk.start(
        Wish(project, document, parts.models.path, method, value, detail, document.selection)
    )


def _show(
    parts: Parts,
    panel: ExplanationPanel,
    desk: ExplanationDesk,
    found: Explanation,
    finished: bool,
) -> None:
    from petseg_gui.explanation.desk import Method

    wish, document = desk.wish, parts.session.document
    if wish is None or document is not wish.document:
        return
    name = document.scheme.classes[wish.value].name
    covers = wish.method is Method.OCCLUSION
    make_views(parts)
    heat = HeatMap(
        found.over_image((document.width, document.height)),
        f"Why {name}",
        "0",
        f"−{100 * found.peak:.1f} points" if covers else "1 (the most)",
        f"{found.about[:1].upper()}{found.about[1:]}.",
    )
    parts.compare.show_explanation(heat)
    if finished and covers:
        panel.result.setText(
            f"At the lightest place, covering costs {100 * found.peak:.1f} points of {name}'s "
            f"mean probability ({found.about}). One patch is {found.grain:.0f} px wide."
            if found.peak
            else f"Nothing that was covered made the model less sure of {name}."
        )
    elif finished:
        panel.result.setText(
            f"Asked about {found.about}. One spot is some {found.grain:.0f} px wide."
            if found.peak
            else f"Nothing at this layer spoke for {name}."
        )


def _draw_box(parts: Parts, picker: PlacePicker) -> None:
    picker.take_up()
    parts.window.tell("Drag a box around the place to ask about.")
    parts.canvas.setFocus()
