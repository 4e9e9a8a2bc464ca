"""The canvas: an image view that hands pointer and keys to a tool, and zooms and pans."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QInputEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPointingDevice,
    QTabletEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from petseg_gui.canvas.gestures import ARROWS, WHEEL_NOTCH, zoom_factor
from petseg_gui.canvas.image_view import ImageView
from petseg_gui.canvas.view import Point
from petseg_gui.document import Document
from petseg_gui.tools.drawing import Shade, shade_of_selection
from petseg_gui.tools.tool import TAKING_KEYS, PointerEvent, Tool

_REST_MS = 120  # a pointer that stays for so long has come to rest
_NO_BUTTON = Qt.MouseButton.NoButton
_TOOL_BUTTONS = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)
_TOOL_KEYS = (*TAKING_KEYS, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)
"""Keys that are a tool's while it has begun something, whatever else they mean."""


class Canvas(ImageView):
    """Where a document is edited with the mouse, a pen, a touchpad and the keyboard."""

    hovered = Signal(object)
    """What is under the pointer: (x, y, class id), or None."""
    option_step = Signal(int)
    """Ctrl and the wheel: how many steps larger the brush (or the tolerance) should be."""
    overlay_changed = Signal()
    """What the tool paints over the image has changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Canvas")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._tool: Tool | None = None
        self._at: Point | None = None  # the pointer, in device pixels
        self._pointer: PointerEvent | None = None  # the same, as tools are told
        self._overlay = QRect()  # where the tool last painted
        self._pressed = _NO_BUTTON  # held by the tool's stroke in progress
        self._pan_button = _NO_BUTTON
        self._pan_anchor = (0.0, 0.0)  # the image point that stays under the pointer
        self._space = False
        self._size_rest = 0  # of the wheel, less than a notch
        self._selection: Shade | None = None
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self._rested)

    # --- the tool

    @property
    def tool(self) -> Tool | None:
        return self._tool

    def set_tool(self, tool: Tool | None) -> None:
        """Work with another tool; what is under way with the one before is finished first."""
        if tool is self._tool:
            return
        self.put_down()
        self._tool = tool
        self._show_cursor()
        self.update()

    def set_document(self, document: Document | None) -> None:
        """Edit another document, fitted; what is under way on the old one is finished first."""
        if document is not self._document:
            self.put_down()
            if self._document is not None:
                if self._tool is not None:
                    self._tool.cancel(self._document)
                self._document.selection_changed.disconnect(self._show_selection)
            if document is not None:
                document.selection_changed.connect(self._show_selection)
        super().set_document(document)
        self._show_selection()
        self.view_moved()
        self._show_cursor()

    def finish_stroke(self) -> None:
        """Commit the stroke in progress, if there is one, as if the button were let go."""
        if self._pressed:
            self._release(self._seen_pointer())

    def put_down(self) -> None:
        """Finish what is under way: the stroke is committed, what is proposed is taken."""
        self.finish_stroke()
        self._rest.stop()
        self._pan_button = _NO_BUTTON
        if self._tool is not None and self._document is not None:
            self._tool.put_down(self._document)

    def repaint_overlay(self) -> None:
        """What the tool shows over the image has changed."""
        if self._tool is not None:
            self._move_overlay()
        self.overlay_changed.emit()

    def _move_overlay(self) -> None:
        """Repaint where the tool painted and where it will."""
        before, self._overlay = self._overlay, self._tool_area()
        # In one rectangle: what is clipped to several, Qt paints ten times more slowly.
        self.update(before.united(self._overlay))

    def _press(self, event: PointerEvent) -> None:
        if self._tool is not None and self._document is not None:
            self._pressed = event.button
            self._tool.press(self._document, event)

    def _release(self, event: PointerEvent) -> None:
        self._pressed = _NO_BUTTON
        if self._tool is not None and self._document is not None:
            self._tool.release(self._document, event)

    def paint_over(self, painter: QPainter) -> None:
        if self._selection is not None:
            self._selection.paint(painter, self._view)
        if self._tool is not None and self._document is not None:
            # The tool's size may have changed since the pointer last moved.
            self._overlay = self._overlay.united(self._tool_area())
            self._tool.paint(painter, self._view, self._seen_pointer())

    def _tool_area(self) -> QRect:
        if self._tool is None or self._document is None:
            return QRect()
        return self.widget_rect(self._tool.bounds(self._seen_pointer()))

    def _seen_pointer(self) -> PointerEvent:
        """Where the pointer is; away where it is not over the canvas."""
        if self._pointer is not None:
            return self._pointer
        return PointerEvent(0, 0, zoom=self.zoom, away=True)

    def _show_selection(self) -> None:
        selection = self._document.selection if self._document is not None else None
        self._selection = None if selection is None else shade_of_selection(selection)
        self.update()

    def _rested(self) -> None:
        if self._tool is not None and self._document is not None and self._pointer is not None:
            self._tool.rest(self._document, self._pointer)

    # --- mouse, pen, wheel, touchpad

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, button = self.device_point(event.position()), event.button()
        by_space = button == Qt.MouseButton.LeftButton and self._space and not self._pressed
        if button == Qt.MouseButton.MiddleButton or by_space:
            self._pan_button = button
            self._pan_anchor = self._view.to_image(*at)
            self._show_cursor()
        else:
            double = event.type() == QEvent.Type.MouseButtonDblClick
            self._press_at(at, event, button, double=double)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not event.buttons() & self._pressed:
            self.finish_stroke()  # the release went to another window
        self._move_to(self.device_point(event.position()), event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == self._pan_button:
            self._pan_button = _NO_BUTTON
            self._show_cursor()
        elif event.button() == self._pressed:
            self._release_at(self.device_point(event.position()), event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)  # for the brush two quick dabs

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen draws; whatever else it does comes again as mouse events."""
        at, kind = self.device_point(event.position()), event.type()
        pressure = event.pressure()
        if kind == QEvent.Type.TabletPress and not self._space:
            rubber = event.pointerType() == QPointingDevice.PointerType.Eraser
            button = Qt.MouseButton.RightButton if rubber else event.button()
            self._press_at(at, event, button, pressure)
        elif kind == QEvent.Type.TabletMove and self._pressed:
            self._move_to(at, event, pressure)
        elif kind == QEvent.Type.TabletRelease and self._pressed:
            self._release_at(at, event)
        else:
            event.ignore()
            return
        event.setAccepted(True)

    def leaveEvent(self, event: QEvent) -> None:
        self._at = None
        self._rest.stop()
        self.view_moved()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._size_rest += event.angleDelta().y()
            steps = int(self._size_rest / WHEEL_NOTCH)
            self._size_rest -= steps * WHEEL_NOTCH
            if steps:
                self.option_step.emit(steps)
        else:
            self.zoom_to(self.zoom * zoom_factor(event), self.device_point(event.position()))
        event.accept()

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() in _TOOL_KEYS
            and not _held(event)
            and self._tool is not None
            and self._tool.pending
        ):
            event.accept()
            return True
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            at = self.device_point(event.position())
            self.zoom_to(self.zoom * max(0.1, 1 + event.value()), at)
            return True
        return super().event(event)

    def _press_at(
        self,
        at: Point,
        event: QInputEvent,
        button: Qt.MouseButton,
        pressure: float = 1.0,
        double: bool = False,
    ) -> None:
        if button in _TOOL_BUTTONS and not self._pressed and not self._pan_button:
            self._at = at
            self._rest.stop()
            told = self._told(at, button, event.modifiers(), pressure)
            self._press(replace(told, double=double))
            self._track(event.modifiers())

    def _move_to(self, at: Point, event: QInputEvent, pressure: float = 1.0) -> None:
        self._at = at
        if self._pan_button or (self._space and self._pressed):
            x, y = self._view.to_device(*self._pan_anchor)
            self.pan(at[0] - x, at[1] - y)
        elif self._tool is not None and self._document is not None:
            self._tool.move(
                self._document, self._told(at, self._pressed, event.modifiers(), pressure)
            )
            if self._tool.wants_rest and not self._pressed:
                self._rest.start()
        self._track(event.modifiers())

    def _release_at(self, at: Point, event: QInputEvent) -> None:
        self._at = at
        self._release(self._told(at, self._pressed, event.modifiers()))
        self._track(event.modifiers())

    def _told(
        self,
        at: Point,
        button: Qt.MouseButton,
        modifiers: Qt.KeyboardModifier,
        pressure: float = 1.0,
    ) -> PointerEvent:
        x, y = self._view.to_image(*at)
        return PointerEvent(x, y, button, modifiers, pressure, zoom=self.zoom)

    def view_moved(self) -> None:
        held = Qt.KeyboardModifier.NoModifier
        self._track(held if self._pointer is None else self._pointer.modifiers)

    def _track(self, modifiers: Qt.KeyboardModifier) -> None:
        """Work out anew what the pointer is over, say it, and let the tool paint there."""
        if self._at is None or self._document is None:
            self.update(self._overlay)
            self._pointer, self._overlay = None, QRect()
            self.hovered.emit(None)
            return
        self._pointer = self._told(self._at, self._pressed, modifiers)
        self._move_overlay()
        x, y = int(self._pointer.x // 1), int(self._pointer.y // 1)
        class_id = self._document.class_at(x, y)
        self.hovered.emit(None if class_id is None else (x, y, class_id))

    # --- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._hold_space(True)
        elif key == Qt.Key.Key_Escape and self._tool is not None and self._document is not None:
            idle = not self._pressed and not self._tool.pending
            self._pressed = _NO_BUTTON
            self._tool.cancel(self._document)
            event.setAccepted(not idle)  # then it leaves what is around the canvas
        elif not self._tool_uses(key) and not self._pans(event):
            super().keyPressEvent(event)
        self._track(event.modifiers())

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            self._hold_space(False)
        self._track(event.modifiers())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._hold_space(False)
        super().focusOutEvent(event)

    def _tool_uses(self, key: int) -> bool:
        return (
            self._tool is not None
            and self._document is not None
            and self._tool.key(self._document, Qt.Key(key))
        )

    def _pans(self, event: QKeyEvent) -> bool:
        if self._document is None or _held(event) or event.key() not in ARROWS:
            return False
        self.pan(*ARROWS[Qt.Key(event.key())])
        return True

    def _hold_space(self, held: bool) -> None:
        self._space = held
        if self._at is not None:
            self._pan_anchor = self._view.to_image(*self._at)
        self._show_cursor()

    def _show_cursor(self) -> None:
        if self._pan_button:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._space:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        elif self._tool is not None and self._document is not None:
            self.setCursor(Qt.CursorShape.CrossCursor)
        else:
            self.unsetCursor()


def _held(event: QKeyEvent) -> bool:
    """Whether Shift, Ctrl, Alt or Meta is held with the key."""
    return bool(event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier)
