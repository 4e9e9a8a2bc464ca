"""The canvas: an image view that hands pointer and keys to a tool, and zooms and pans."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, Qt, Signal
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

from petseg_gui.canvas.image_view import ImageView
from petseg_gui.canvas.view import Point
from petseg_gui.document import Document
from petseg_gui.tools.tool import PointerEvent, Tool

_ZOOM_PER_NOTCH = 1.2
_WHEEL_NOTCH = 120
_TOUCHPAD_NOTCH = 60  # pixels of a two-finger stroke that count as a notch of a wheel
_PAN_STEP = 64
_ARROWS = {
    Qt.Key.Key_Left: (_PAN_STEP, 0),
    Qt.Key.Key_Right: (-_PAN_STEP, 0),
    Qt.Key.Key_Up: (0, _PAN_STEP),
    Qt.Key.Key_Down: (0, -_PAN_STEP),
}
_NO_BUTTON = Qt.MouseButton.NoButton
_TOOL_BUTTONS = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)


class Canvas(ImageView):
    """Where a document is edited with the mouse, a pen, a touchpad and the keyboard."""

    hovered = Signal(object)
    """What is under the pointer: (x, y, class id), or None."""
    brush_size_step = Signal(int)
    """Ctrl and the wheel: how many steps larger the brush should be."""

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

    # --- the tool

    @property
    def tool(self) -> Tool | None:
        return self._tool

    def set_tool(self, tool: Tool | None) -> None:
        """Work with another tool; a stroke in progress is committed first."""
        if tool is self._tool:
            return
        self._leave()
        self._tool = tool
        self._show_cursor()
        self.update()

    def set_document(self, document: Document | None) -> None:
        """Edit another document, fitted; a stroke in progress is committed to the old one."""
        if document is not self._document:
            self._leave()
        super().set_document(document)
        self.view_moved()
        self._show_cursor()

    def finish_stroke(self) -> None:
        """Commit the stroke in progress, if there is one, as if the button were let go."""
        if self._pressed and self._pointer is not None:
            self._release(self._pointer)

    def _leave(self) -> None:
        self.finish_stroke()
        self._pan_button = _NO_BUTTON
        if self._tool is not None and self._document is not None:
            self._tool.cancel(self._document)

    def _press(self, event: PointerEvent) -> None:
        if self._tool is not None and self._document is not None:
            self._pressed = event.button
            self._tool.press(self._document, event)

    def _release(self, event: PointerEvent) -> None:
        self._pressed = _NO_BUTTON
        if self._tool is not None and self._document is not None:
            self._tool.release(self._document, event)

    def paint_over(self, painter: QPainter) -> None:
        if self._tool is not None and self._pointer is not None:
            # The tool's size may have changed since the pointer last moved.
            self._overlay = self._overlay.united(self._tool_area())
            self._tool.paint(painter, self._view, self._pointer)

    def _tool_area(self) -> QRect:
        if self._tool is None or self._pointer is None:
            return QRect()
        return self.widget_rect(self._tool.bounds(self._pointer))

    # --- mouse, pen, wheel, touchpad

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, button = self.device_point(event.position()), event.button()
        by_space = button == Qt.MouseButton.LeftButton and self._space and not self._pressed
        if button == Qt.MouseButton.MiddleButton or by_space:
            self._pan_button = button
            self._pan_anchor = self._view.to_image(*at)
            self._show_cursor()
        else:
            self._press_at(at, event, button)

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
        self.mousePressEvent(event)  # two quick dabs of the brush

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
        self.view_moved()

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels, angle = event.pixelDelta().y(), event.angleDelta().y()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._size_rest += angle
            steps = int(self._size_rest / _WHEEL_NOTCH)
            self._size_rest -= steps * _WHEEL_NOTCH
            if steps:
                self.brush_size_step.emit(steps)
        else:
            notches = pixels / _TOUCHPAD_NOTCH if pixels else angle / _WHEEL_NOTCH
            at = self.device_point(event.position())
            self.zoom_to(self.zoom * _ZOOM_PER_NOTCH**notches, at)
        event.accept()

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            at = self.device_point(event.position())
            self.zoom_to(self.zoom * max(0.1, 1 + event.value()), at)
            return True
        return super().event(event)

    def _press_at(
        self, at: Point, event: QInputEvent, button: Qt.MouseButton, pressure: float = 1.0
    ) -> None:
        if button in _TOOL_BUTTONS and not self._pressed and not self._pan_button:
            self._at = at
            self._press(self._told(at, button, event.modifiers(), pressure))
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
        return PointerEvent(*self._view.to_image(*at), button, modifiers, pressure)

    def view_moved(self) -> None:
        held = Qt.KeyboardModifier.NoModifier
        self._track(held if self._pointer is None else self._pointer.modifiers)

    def _track(self, modifiers: Qt.KeyboardModifier) -> None:
        """Work out anew what the pointer is over, say it, and let the tool paint there."""
        self.update(self._overlay)
        if self._at is None or self._document is None:
            self._pointer, self._overlay = None, QRect()
            self.hovered.emit(None)
            return
        self._pointer = self._told(self._at, self._pressed, modifiers)
        self._overlay = self._tool_area()
        self.update(self._overlay)
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
            self._pressed = _NO_BUTTON
            self._tool.cancel(self._document)
            self._track(event.modifiers())
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
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if self._document is None or plain or event.key() not in _ARROWS:
            return False
        self.pan(*_ARROWS[Qt.Key(event.key())])
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
