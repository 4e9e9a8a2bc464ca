"""Comparing mask and prediction on the canvas: the View > Compare menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QWidget

from petseg_gui.actions import COMMANDS, COMPARE
from petseg_gui.comparing.desk import OFF
from petseg_gui.parts import Parts

if TYPE_CHECKING:
    from petseg_gui.comparing.views import CompareViews

_COMMANDS = [command for command in COMPARE if command != "-"]


def wire_compare(parts: Parts) -> None:
    """Connect the ways to compare."""
    desk, actions = parts.compare, parts.actions
    group = QActionGroup(parts.window)
    group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
    for command in _COMMANDS:
        group.addAction(actions[command])
        actions[command].triggered.connect(lambda on, mode=command: compare(parts, mode, on))
    desk.mode_changed.connect(lambda: _show_mode(parts))
    # After the canvas, whose photo the other views share.
    parts.session.document_changed.connect(desk.take_document)
    parts.session.document_changed.connect(lambda: _refresh(parts))
    parts.desk.segmented.connect(desk.take_stored)
    parts.predict_options.changed.connect(desk.follow_options)
    parts.class_panel.class_set.connect(desk.set_heat_value)
    parts.window.closed.connect(desk.stop)
    _show_mode(parts)
    _refresh(parts)


def compare(parts: Parts, mode: str, on: bool = True) -> None:
    """Compare in this way; the command that holds, once more, ends it."""
    make_views(parts)
    parts.compare.set_heat_value(parts.toolbox.value)
    parts.compare.set_mode(mode if on else OFF)
    _show_mode(parts)


def make_views(parts: Parts) -> CompareViews:
    """What shows a comparison; made when there is first one."""
    from petseg_gui.comparing.views import CompareViews

    views = parts.stage.findChild(CompareViews)
    if views is None:
        segment = parts.actions["segment"]
        views = CompareViews(parts.compare, parts.session, parts.stage, parts.canvas, segment)
        views.made.connect(lambda view: _give_keys(parts, view))
    return views


def _give_keys(parts: Parts, view: QWidget) -> None:
    """The keys of the image act here, too."""
    for command in COMMANDS:
        if command.at_image:
            for widget in (view, view.focusProxy() or view):
                widget.addAction(parts.actions[command.id])


def _show_mode(parts: Parts) -> None:
    for command in _COMMANDS:
        parts.actions[command].setChecked(command == parts.compare.mode)


def _refresh(parts: Parts) -> None:
    for command in _COMMANDS:
        parts.actions[command].setEnabled(parts.session.document is not None)
