from __future__ import annotations

import operator
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QInputDevice,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPaintEvent,
    QPointingDevice,
    QPointingDeviceUniqueId,
    QTabletEvent,
    QWheelEvent,
)
from pytestqt.qtbot import QtBot

from core.labels import PET
from petseg_gui.canvas.appearance import Appearance, Mode
from petseg_gui.canvas.canvas import Canvas
from petseg_gui.document import Document
from petseg_gui.tools.brush import BrushTool
from petseg_gui.tools.tool import Options, Workbench

LEFT, MIDDLE, RIGHT = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.MiddleButton,
    Qt.MouseButton.RightButton,
)
NONE = Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier
WIDTH, HEIGHT = 160, 120


def make_document(width: int = WIDTH, height: int = HEIGHT) -> Document:
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x % 256, y % 256, (x + y) % 256], axis=2).astype(np.uint8)
    return Document("a.jpg", pixels, np.zeros((height, width), np.uint8), PET)


def brush(size: int) -> BrushTool:
    return BrushTool(Workbench(Options(size=size)))


@pytest.fixture
def document() -> Document:
    return make_document()


@pytest.fixture
def canvas(qtbot: QtBot, document: Document) -> Canvas:
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(424, 324)
    canvas.show()
    qtbot.waitExposed(canvas)
    canvas.set_document(document)
    canvas.set_tool(brush(8))
    return canvas


def at(canvas: Canvas, x: float, y: float) -> QPointF:
    """Where an image point lies in the widget (the tests run at a pixel ratio of 1)."""
    return QPointF(*canvas._view.to_device(x, y))


def mouse(
    canvas: Canvas,
    kind: QEvent.Type,
    position: QPointF,
    button: Qt.MouseButton = NONE,
    held: Qt.MouseButton = NONE,
    modifiers: Qt.KeyboardModifier = PLAIN,
) -> None:
    event = QMouseEvent(kind, position, canvas.mapToGlobal(position), button, held, modifiers)
    QCoreApplication.sendEvent(canvas, event)


def press(canvas: Canvas, position: QPointF, button: Qt.MouseButton = LEFT) -> None:
    mouse(canvas, QEvent.Type.MouseButtonPress, position, button, button)


def move(canvas: Canvas, position: QPointF, held: Qt.MouseButton = LEFT) -> None:
    mouse(canvas, QEvent.Type.MouseMove, position, NONE, held)


def release(canvas: Canvas, position: QPointF, button: Qt.MouseButton = LEFT) -> None:
    mouse(canvas, QEvent.Type.MouseButtonRelease, position, button)


def drag(canvas: Canvas, *points: QPointF, button: Qt.MouseButton = LEFT) -> None:
    press(canvas, points[0], button)
    for point in points[1:]:
        move(canvas, point, button)
    release(canvas, points[-1], button)


def wheel(
    canvas: Canvas,
    position: QPointF,
    angle: int,
    modifiers: Qt.KeyboardModifier = PLAIN,
    pixels: int = 0,
) -> None:
    event = QWheelEvent(
        position,
        canvas.mapToGlobal(position),
        QPoint(0, pixels),
        QPoint(0, angle),
        NONE,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QCoreApplication.sendEvent(canvas, event)


def colour(canvas: Canvas, x: float, y: float) -> QColor:
    return canvas.grab().toImage().pixelColor(at(canvas, x, y).toPoint())


def on_screen(canvas: Canvas) -> QImage:
    """What the partial repaints have left in the window."""
    QCoreApplication.processEvents()
    image = canvas.screen().grabWindow(canvas.winId()).toImage()
    return image.convertToFormat(QImage.Format.Format_RGB32)


def numbers(image: QImage) -> np.ndarray:
    """RGB, height x width x 3."""
    values = np.frombuffer(image.constBits(), np.uint8)
    return values.reshape(image.height(), image.width(), 4)[..., :3].astype(int)


class PaintRecorder(QObject):
    """Adds up the area that paint events cover."""

    area = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.area += event.rect().width() * event.rect().height()
        return False


def test_the_photo_is_fitted_and_stays_so_until_somebody_zooms(
    canvas: Canvas, qtbot: QtBot
) -> None:
    assert canvas.fitted
    assert canvas.zoom == pytest.approx(2.5)
    canvas.resize(264, 324)
    assert canvas.zoom == pytest.approx(1.5)
    canvas.zoom_to(3.0)
    assert not canvas.fitted
    canvas.resize(424, 324)
    assert canvas.zoom == 3.0
    with qtbot.waitSignal(canvas.zoom_changed) as told:
        canvas.fit()
    assert told.args == [canvas.zoom]
    assert canvas.zoom == pytest.approx(2.5)


def test_the_middle_stays_in_the_middle_when_the_window_changes_its_size(canvas: Canvas) -> None:
    canvas.zoom_to(6.0)
    before = canvas._view.to_image(212, 162)
    canvas.resize(300, 200)
    assert canvas._view.to_image(150, 100) == pytest.approx(before, abs=0.2)


def test_a_drag_of_the_mouse_paints_where_the_pointer_is(
    canvas: Canvas, document: Document
) -> None:
    drag(canvas, at(canvas, 30, 40), at(canvas, 60, 40), at(canvas, 60, 80))
    assert document.mask[40, 45] == 1
    assert document.mask[60, 60] == 1
    assert document.mask[60, 45] == 0
    assert document.strokes == 1


def test_the_mask_is_painted_over_the_photo_with_its_opacity(
    canvas: Canvas, document: Document
) -> None:
    drag(canvas, at(canvas, 30, 40), at(canvas, 60, 40))
    photo, label = QColor(45, 40, 85), QColor(*PET.classes[1].colour)
    for opacity in (0.5, 1.0, 0.0):
        canvas.set_opacity(opacity)
        assert canvas.opacity == opacity
        shown = colour(canvas, 45.5, 40.5)
        for got, below, above in zip(
            shown.getRgb()[:3], photo.getRgb()[:3], label.getRgb()[:3], strict=True
        ):
            assert got == pytest.approx(below + (above - below) * opacity, abs=3)
    canvas.set_opacity(1.0)
    canvas.set_mask_visible(False)
    assert colour(canvas, 45.5, 40.5) == photo
    canvas.set_mask_visible(True)
    assert colour(canvas, 45.5, 40.5) == label


@pytest.mark.parametrize("zoom", [None, 0.4, 0.73, 1.0, 2.13, 9.0])
@pytest.mark.parametrize("mode", list(Mode))
def test_repainting_only_what_changed_leaves_the_screen_as_a_full_repaint_would(
    canvas: Canvas, qtbot: QtBot, mode: Mode, zoom: float | None
) -> None:
    document = make_document(900, 700)
    canvas.set_document(document)
    canvas.set_appearance(Appearance(mode=mode, outline_width=10, brightness=0.2, grid=True))
    if zoom is not None:
        canvas.zoom_to(zoom)
    on_screen(canvas)
    qtbot.waitUntil(lambda: not canvas._builder.isActive())
    for n in range(3):
        start, end = QPointF(60 + 70 * n, 40), QPointF(140 + 60 * n, 220)
        press(canvas, start)
        on_screen(canvas)
        for step in range(1, 6):
            move(canvas, start + (end - start) * (step / 5))
            on_screen(canvas)
        release(canvas, end)
        on_screen(canvas)
    assert document.strokes == 3
    document.undo()
    shown = on_screen(canvas)
    canvas.repaint()
    # Smoothing may round the other way, and so may what is laid over it.
    assert np.abs(numbers(shown) - numbers(on_screen(canvas))).max() <= 2


def test_the_pixel_grid_is_shown_from_800_percent_on(canvas: Canvas) -> None:
    def with_and_without(zoom: float) -> tuple[QImage, QImage]:
        canvas.zoom_to(zoom)
        images = []
        for grid in (True, False):
            canvas.set_appearance(Appearance(grid=grid))
            images.append(canvas.grab().toImage())
        return images[0], images[1]

    assert operator.eq(*with_and_without(7.9))
    shown, plain = (numbers(image) for image in with_and_without(8.0))
    left, top = at(canvas, 80, 60).toTuple()
    column, row = int(left), int(top)
    changed = (shown != plain).any(axis=2)
    assert changed[row : row + 8, column].all()
    assert changed[row, column : column + 8].all()
    assert not changed[row + 1 : row + 8, column + 1 : column + 8].any()


def test_an_appearance_is_told_once_and_kept_for_the_next_image(
    canvas: Canvas, qtbot: QtBot
) -> None:
    told: list[None] = []
    canvas.appearance_changed.connect(lambda: told.append(None))
    canvas.set_appearance(Appearance(mode=Mode.CUTOUT))
    canvas.set_appearance(Appearance(mode=Mode.CUTOUT))
    assert len(told) == 1
    canvas.set_document(make_document())
    assert colour(canvas, 50.5, 50.5) in (QColor(204, 204, 204), QColor(255, 255, 255))


def test_a_view_is_centred_on_a_point_and_says_what_it_shows(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.zoom_to(6.0)
    with qtbot.waitSignal(canvas.view_changed):
        canvas.centre_on(60, 50)
    assert canvas.shown.center().toTuple() == pytest.approx((60, 50), abs=0.2)
    assert canvas.shown.width() == pytest.approx(canvas.width() / 6)
    canvas.fit()
    assert canvas.shown.getRect() == (0, 0, WIDTH, HEIGHT)


def test_a_brush_move_repaints_a_small_part_of_the_window(canvas: Canvas) -> None:
    recorder = PaintRecorder()
    press(canvas, QPointF(100, 100))
    QCoreApplication.processEvents()
    canvas.installEventFilter(recorder)
    move(canvas, QPointF(110, 100))
    QCoreApplication.processEvents()
    assert 0 < recorder.area < canvas.width() * canvas.height() / 10


def test_the_wheel_zooms_at_the_pointer(canvas: Canvas) -> None:
    position = at(canvas, 60, 40)
    wheel(canvas, position, 120)
    assert canvas.zoom == pytest.approx(3.0)
    assert canvas._view.to_image(position.x(), position.y()) == pytest.approx((60, 40), abs=0.3)
    wheel(canvas, position, -240)
    assert canvas.zoom == pytest.approx(2.5 / 1.2)


def test_a_touchpad_zooms_by_pixels_and_a_pinch_by_its_factor(canvas: Canvas) -> None:
    position = at(canvas, 60, 40)
    wheel(canvas, position, 15, pixels=60)
    assert canvas.zoom == pytest.approx(3.0)
    pinch = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        QPointingDevice.primaryPointingDevice(),
        2,
        position,
        position,
        position,
        0.5,
        QPointF(),
    )
    QCoreApplication.sendEvent(canvas, pinch)
    assert canvas.zoom == pytest.approx(4.5)


def test_ctrl_and_the_wheel_change_the_tools_option_by_whole_notches(canvas: Canvas) -> None:
    steps: list[int] = []
    canvas.option_step.connect(steps.append)
    zoom = canvas.zoom
    for angle in (120, -240, 60, 60):
        wheel(canvas, QPointF(50, 50), angle, Qt.KeyboardModifier.ControlModifier)
    assert steps == [1, -2, 1]
    assert canvas.zoom == zoom


def test_the_middle_button_pans_also_during_a_stroke(canvas: Canvas, document: Document) -> None:
    canvas.zoom_to(6.0)
    start = QPointF(200, 150)
    grabbed = canvas._view.to_image(200, 150)
    press(canvas, start)
    mouse(canvas, QEvent.Type.MouseButtonPress, start, MIDDLE, LEFT | MIDDLE)
    move(canvas, QPointF(260, 110), LEFT | MIDDLE)
    assert canvas._view.to_image(260, 110) == pytest.approx(grabbed, abs=0.2)
    mouse(canvas, QEvent.Type.MouseButtonRelease, QPointF(260, 110), MIDDLE, LEFT)
    move(canvas, QPointF(300, 110))
    release(canvas, QPointF(300, 110))
    assert document.strokes == 1
    ys, xs = np.nonzero(document.mask)
    # From where it began to 40 / 6 pixels right of it: the pan itself painted nothing.
    assert xs.max() - xs.min() == pytest.approx(8 + 40 / 6, abs=2)
    assert ys.max() - ys.min() == pytest.approx(8, abs=2)


def test_space_and_a_drag_pan_and_paint_nothing(
    canvas: Canvas, document: Document, qtbot: QtBot
) -> None:
    canvas.zoom_to(6.0)
    grabbed = canvas._view.to_image(200, 150)
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    assert canvas.cursor().shape() == Qt.CursorShape.OpenHandCursor
    press(canvas, QPointF(200, 150))
    move(canvas, QPointF(230, 170))
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    move(canvas, QPointF(240, 170))
    release(canvas, QPointF(240, 170))
    assert canvas._view.to_image(240, 170) == pytest.approx(grabbed, abs=0.2)
    assert not document.mask.any()
    assert canvas.cursor().shape() == Qt.CursorShape.CrossCursor


def test_space_during_a_stroke_pans_and_the_stroke_goes_on(
    canvas: Canvas, document: Document, qtbot: QtBot
) -> None:
    canvas.zoom_to(6.0)
    press(canvas, QPointF(200, 150))
    grabbed = canvas._view.to_image(200, 150)
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    move(canvas, QPointF(260, 110))
    assert canvas._view.to_image(260, 110) == pytest.approx(grabbed, abs=0.2)
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    assert document.mask.sum() < 70  # only the first dab yet
    move(canvas, QPointF(320, 110))
    release(canvas, QPointF(320, 110))
    assert document.strokes == 1
    assert np.ptp(np.nonzero(document.mask)[1]) == pytest.approx(8 + 10, abs=2)


def test_escape_takes_the_stroke_back(canvas: Canvas, document: Document, qtbot: QtBot) -> None:
    press(canvas, at(canvas, 30, 40))
    move(canvas, at(canvas, 60, 40))
    assert document.mask.any()
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    move(canvas, at(canvas, 90, 90))
    release(canvas, at(canvas, 90, 90))
    assert not document.mask.any()
    assert document.strokes == 0


def test_a_lost_release_ends_the_stroke(canvas: Canvas, document: Document) -> None:
    press(canvas, at(canvas, 30, 40))
    move(canvas, at(canvas, 40, 40))
    move(canvas, at(canvas, 100, 90), NONE)
    assert document.strokes == 1
    assert document.mask[90, 100] == 0


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("leave", ["document", "tool"])
def test_leaving_during_a_stroke_commits_it(
    canvas: Canvas, document: Document, leave: str, away: bool
) -> None:
    press(canvas, at(canvas, 30, 40))
    move(canvas, at(canvas, 60, 40))
    if away:  # as where a dialog opens under the pointer
        QCoreApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    if leave == "document":
        canvas.set_document(make_document())
    else:
        canvas.set_tool(brush(8))
    assert document.strokes == 1
    assert not document.stroking
    move(canvas, at(canvas, 90, 90))
    release(canvas, at(canvas, 90, 90))
    assert document.mask[90, 90] == 0
    assert canvas.document is not None
    assert not canvas.document.stroking


def test_taking_the_same_tool_again_does_not_disturb_the_stroke(
    canvas: Canvas, document: Document
) -> None:
    press(canvas, at(canvas, 30, 40))
    canvas.set_tool(canvas.tool)
    move(canvas, at(canvas, 60, 40))
    release(canvas, at(canvas, 60, 40))
    assert document.strokes == 1
    assert document.mask[40, 59] == 1


def test_a_document_that_is_gone_no_longer_repaints_the_canvas(
    canvas: Canvas, document: Document
) -> None:
    canvas.set_document(make_document())
    QCoreApplication.processEvents()
    recorder = PaintRecorder()
    canvas.installEventFilter(recorder)
    document.paint_segment((5, 5), (90, 90), 30, 1)
    QCoreApplication.processEvents()
    assert recorder.area == 0
    assert canvas.document is not None
    canvas.document.paint_segment((5, 5), (90, 90), 30, 1)
    QCoreApplication.processEvents()
    assert recorder.area > 0


def test_hovering_tells_the_pixel_and_its_class(canvas: Canvas, document: Document) -> None:
    told: list[object] = []
    canvas.hovered.connect(told.append)
    move(canvas, at(canvas, 30.5, 40.5), NONE)
    assert told[-1] == (30, 40, 0)
    document.mask[40, 31] = 1
    move(canvas, at(canvas, 31.5, 40.5), NONE)
    assert told[-1] == (31, 40, 1)
    move(canvas, at(canvas, -3, 10), NONE)
    assert told[-1] is None
    move(canvas, at(canvas, 5.5, 5.5), NONE)
    QCoreApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert told[-1] is None


def test_the_right_button_erases(canvas: Canvas, document: Document) -> None:
    document.mask[:] = 1
    drag(canvas, at(canvas, 30, 40), at(canvas, 60, 40), button=RIGHT)
    assert document.mask[40, 45] == 0


def test_a_pen_paints_by_its_pressure_and_its_rubber_erases(
    canvas: Canvas, document: Document
) -> None:
    canvas.set_tool(brush(40))
    kinds = (QEvent.Type.TabletPress, QEvent.Type.TabletMove, QEvent.Type.TabletRelease)

    def pen(pointer: QPointingDevice.PointerType, x: float, pressure: float) -> None:
        device = QPointingDevice(
            "pen",
            1,
            QInputDevice.DeviceType.Stylus,
            pointer,
            QInputDevice.Capability.Pressure,
            1,
            2,
            "",
            QPointingDeviceUniqueId(),
        )
        for kind in kinds:
            place = at(canvas, x, 60)
            force = 0.0 if kind == QEvent.Type.TabletRelease else pressure
            event = QTabletEvent(
                kind, device, place, canvas.mapToGlobal(place), force, 0, 0, 0, 0, 0, PLAIN, LEFT,
                LEFT,
            )  # fmt: skip
            QCoreApplication.sendEvent(canvas, event)
            assert event.isAccepted()

    pen(QPointingDevice.PointerType.Pen, 40, 0.25)
    assert document.mask[60].sum() == 10
    pen(QPointingDevice.PointerType.Pen, 100, 1.0)
    assert document.mask[60].sum() == 50
    pen(QPointingDevice.PointerType.Eraser, 100, 1.0)
    assert document.mask[60].sum() == 10
    assert document.strokes == 3


def test_arrow_keys_pan_and_other_keys_reach_the_window(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.zoom_to(8.0)
    left = canvas._view.left
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert canvas._view.left == left - 64
    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_N, PLAIN)
    QCoreApplication.sendEvent(canvas, event)
    assert not event.isAccepted()  # so the window gets it


def test_an_empty_canvas_says_what_to_do_and_survives_every_input(qtbot: QtBot) -> None:
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.show()
    blank = canvas.grab().toImage()
    canvas.set_message("Open a folder of photos to begin")
    assert canvas.grab().toImage() != blank
    assert canvas.accessibleDescription() == "Open a folder of photos to begin"
    assert canvas.accessibleName() == "Canvas"
    canvas.set_tool(brush(8))
    drag(canvas, QPointF(10, 10), QPointF(40, 40))
    drag(canvas, QPointF(10, 10), QPointF(40, 40), button=MIDDLE)
    wheel(canvas, QPointF(10, 10), 120)
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Space, Qt.Key.Key_Left):
        qtbot.keyClick(canvas, key)
    canvas.zoom_in()
    canvas.fit()
    canvas.set_opacity(0.3)
    assert canvas.grab().toImage().size() == blank.size()


def test_a_large_photo_gets_its_smaller_levels_while_idle(canvas: Canvas, qtbot: QtBot) -> None:
    document = make_document(2400, 1800)
    document.pixels[:] = 0
    document.pixels[:, ::2] = 200  # single columns would flicker unless they are averaged
    canvas.set_document(document)
    canvas.set_tool(None)
    on_screen(canvas)
    qtbot.waitUntil(lambda: not canvas._builder.isActive())
    for x in (301.0, 777.0, 1204.0):
        assert colour(canvas, x, 900).red() == pytest.approx(100, abs=4)


SCALED = """
import sys
import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from core.labels import PET
from petseg_gui.canvas.canvas import Canvas
from petseg_gui.document import Document
from petseg_gui.tools.brush import BrushTool
from petseg_gui.tools.tool import Options, Workbench

app = QApplication([])
canvas = Canvas()
canvas.resize(200, 150)
canvas.show()
pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
document = Document("a", pixels, np.zeros((60, 80), np.uint8), PET)
canvas.set_document(document)
ratio = canvas.devicePixelRatioF()
assert ratio == float(sys.argv[1]), ratio

# Fitted into device pixels: less the margin of 12 at each side.
assert abs(canvas.zoom - min((200 * ratio - 24) / 80, (150 * ratio - 24) / 60)) < 1e-6

# At 100 % the photo stands on the screen pixel for pixel.
canvas.zoom_to(1.0)
shown = canvas.grab().toImage()
for x, y in ((0, 0), (79, 59), (33, 21)):
    left, top = (int(v) for v in canvas._view.to_device(x, y))
    assert shown.pixelColor(left, top).getRgb()[:3] == tuple(pixels[y, x]), (x, y)

# The pointer paints what is under it.
canvas.zoom_to(4.0)
canvas.set_tool(BrushTool(Workbench(Options(size=1))))
QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(101, 76))
x, y = canvas._view.to_image(101 * ratio, 76 * ratio)
assert document.mask.sum() == 1
assert document.mask[int(y), int(x)] == 1
canvas.set_tool(None)
canvas.set_opacity(1.0)
image = canvas.grab().toImage()
at = [int(v) for v in canvas._view.to_device(int(x) + 0.5, int(y) + 0.5)]
assert image.pixelColor(*at).getRgb()[:3] == PET.classes[1].colour
"""


@pytest.mark.parametrize("ratio", ["2", "1.5"])
def test_on_a_screen_with_dense_pixels_all_is_where_it_should_be(ratio: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCALED, ratio],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": ratio},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
