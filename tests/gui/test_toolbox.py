"""The tools in the real window: keys, buttons, the wheel, and what leaving does to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from core.labels import MAX_CLASSES, scheme_of
from core.project.project import open_project
from core.project.reviews import Status
from petseg_gui.tasks import Lane
from petseg_gui.tools.brush import BrushTool
from petseg_gui.tools.catalogue import TOOLS
from petseg_gui.tools.cleaning import CleaningTool
from petseg_gui.tools.tool import Operation

KEY = Qt.Key
LEFT, RIGHT, MIDDLE = (
    Qt.MouseButton.LeftButton,
    Qt.MouseButton.RightButton,
    Qt.MouseButton.MiddleButton,
)
PLAIN, ALT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier
SQUARE = (10, 10), (30, 10), (30, 30), (10, 30)


class Person:
    """Works the mouse and the keyboard; points are in image coordinates."""

    def __init__(self, qtbot, parts):
        self.qtbot, self.parts, self.canvas = qtbot, parts, parts.canvas

    def at(self, x, y):
        return QPointF(*self.canvas.view.to_device(x, y)).toPoint()

    def key(self, key, modifiers=PLAIN):
        self.qtbot.keyClick(self.canvas, key, modifiers)

    def move(self, x, y):
        self.qtbot.mouseMove(self.canvas, self.at(x, y))

    def click(self, x, y, button=LEFT, modifiers=PLAIN):
        self.qtbot.mouseClick(self.canvas, button, modifiers, self.at(x, y))

    def double_click(self, x, y):
        self.click(x, y)
        self.qtbot.mouseDClick(self.canvas, LEFT, PLAIN, self.at(x, y))
        self.qtbot.mouseRelease(self.canvas, LEFT, PLAIN, self.at(x, y))

    def drag(self, *points, button=LEFT, modifiers=PLAIN):
        self.qtbot.mousePress(self.canvas, button, modifiers, self.at(*points[0]))
        for point in points[1:]:
            self.move(*point)
        self.qtbot.mouseRelease(self.canvas, button, modifiers, self.at(*points[-1]))

    def wheel(self, notches, modifiers):
        place = QPointF(self.canvas.rect().center())
        event = QWheelEvent(
            place,
            self.canvas.mapToGlobal(place),
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self.canvas, event)

    def settle(self):
        """Wait for the tools' work."""
        self.parts.tasks.wait(Lane.EDIT)

    @property
    def mask(self):
        return self.parts.session.document.mask

    @property
    def options(self):
        return self.canvas.tool.options


@pytest.fixture
def person(open_window, make_project, qtbot):
    """At an unlabelled photo, the first of three."""
    return Person(qtbot, open_window(make_project(images=3, masked=0)))


def test_every_tool_is_taken_by_its_key_and_shown_as_the_one_in_hand(person):
    actions = person.parts.actions
    for id_ in reversed(TOOLS):
        person.qtbot.keySequence(person.canvas, actions[id_].shortcut())
        assert person.parts.toolbox.tool_id == id_
        assert [other for other in TOOLS if actions[other].isChecked()] == [id_]
    assert type(person.canvas.tool) is BrushTool


def test_the_strip_shows_what_can_be_set_for_the_tool(person):
    strip = person.parts.strip
    person.key(KEY.Key_B)
    assert strip.brush_size.isVisible()
    assert not strip.tolerance.isVisible()
    person.key(KEY.Key_W)
    assert not strip.brush_size.isVisible()
    assert strip.tolerance.isVisible()
    assert strip.operation.isVisible()


def test_brackets_and_ctrl_with_the_wheel_change_the_size(person):
    box = person.parts.strip.brush_size.box
    size = box.value()
    person.key(KEY.Key_BracketRight)
    larger = box.value()
    assert person.options.size == larger > size
    person.key(KEY.Key_BracketLeft)
    assert box.value() == size
    zoom = person.canvas.zoom
    person.wheel(1, Qt.KeyboardModifier.ControlModifier)
    assert (box.value(), person.canvas.zoom) == (larger, zoom)


def test_the_same_keys_change_the_wands_tolerance_and_its_proposal(person):
    person.key(KEY.Key_W)
    person.click(24, 24)
    person.settle()
    before = person.options.tolerance
    for _ in range(60):
        person.key(KEY.Key_BracketRight)
    assert person.options.tolerance == 255 > before
    person.key(KEY.Key_Return)
    person.settle()
    assert person.mask.all()


def test_the_size_slider_reaches_every_size_also_by_its_keys(person):
    slider, box = person.parts.strip.brush_size.slider, person.parts.strip.brush_size.box
    slider.setValue(slider.maximum())
    assert person.options.size == 2000
    slider.setValue(0)
    assert person.options.size == 1
    for _ in range(slider.maximum()):
        person.qtbot.keyClick(slider, KEY.Key_Right)
    assert box.value() == 2000


def test_x_switches_between_adding_and_removing(person):
    person.key(KEY.Key_X)
    assert person.options.operation is Operation.REMOVE
    assert person.parts.strip.operation.buttons[Operation.REMOVE].isChecked()
    person.key(KEY.Key_X)
    assert person.options.operation is Operation.ADD


def test_the_right_button_and_alt_take_away(person):
    person.key(KEY.Key_R)
    person.drag((5, 5), (40, 40))
    person.settle()
    person.drag((5, 5), (20, 20), button=RIGHT)
    person.drag((20, 20), (40, 40), modifiers=ALT)
    person.settle()
    assert not person.mask[6:19, 6:19].any()
    assert not person.mask[21:39, 21:39].any()
    assert person.mask[10, 30]


def polygon(person):
    person.key(KEY.Key_P)
    for corner in SQUARE:
        person.click(*corner)


def test_enter_closes_what_is_begun_and_else_approves_and_goes_on(person):
    polygon(person)
    person.key(KEY.Key_Return)
    person.settle()
    assert person.mask.sum() == pytest.approx(400, abs=60)
    assert person.parts.session.name == "animal-0.png"
    person.key(KEY.Key_Return)
    person.qtbot.waitUntil(lambda: person.parts.session.name == "animal-1.png")
    person.qtbot.waitUntil(lambda: not person.parts.session.saver.busy)
    assert person.parts.session.status("animal-0.png") is Status.APPROVED


def test_backspace_and_undo_remove_corners_and_escape_leaves_the_outline(person):
    polygon(person)
    tool = person.canvas.tool
    person.key(KEY.Key_Backspace)
    assert len(tool.corners) == 3
    person.key(KEY.Key_Escape)
    assert not tool.pending
    person.key(KEY.Key_Return)
    person.qtbot.waitUntil(lambda: person.parts.session.name == "animal-1.png")
    person.qtbot.waitUntil(lambda: not person.parts.session.saver.busy)


def test_enter_with_ctrl_approves_and_goes_on_whatever_is_begun(person):
    polygon(person)
    person.key(KEY.Key_Return, Qt.KeyboardModifier.ControlModifier)
    person.qtbot.waitUntil(lambda: person.parts.session.name == "animal-1.png")
    person.qtbot.waitUntil(lambda: not person.parts.session.saver.busy)
    assert person.parts.session.status("animal-0.png") is Status.APPROVED


def test_a_double_click_closes(person):
    person.key(KEY.Key_P)
    for corner in SQUARE[:3]:
        person.click(*corner)
    person.double_click(*SQUARE[3])
    person.settle()
    assert person.mask.sum() == pytest.approx(400, abs=60)


def test_panning_during_a_polygon_adds_no_corner(person):
    polygon(person)
    person.canvas.zoom_to(20)
    tool, canvas = person.canvas.tool, person.canvas
    corners = list(tool.corners)
    grabbed = canvas.view.to_image(200, 200)
    person.qtbot.mousePress(canvas, MIDDLE, PLAIN, QPoint(200, 200))
    person.qtbot.mouseMove(canvas, QPoint(240, 230))
    person.qtbot.mouseRelease(canvas, MIDDLE, PLAIN, QPoint(240, 230))
    assert canvas.view.to_image(240, 230) == pytest.approx(grabbed, abs=0.2)
    person.qtbot.keyPress(canvas, KEY.Key_Space)
    person.qtbot.mousePress(canvas, LEFT, PLAIN, QPoint(240, 230))
    person.qtbot.mouseMove(canvas, QPoint(200, 200))
    person.qtbot.mouseRelease(canvas, LEFT, PLAIN, QPoint(200, 200))
    person.qtbot.keyRelease(canvas, KEY.Key_Space)
    assert canvas.view.to_image(200, 200) == pytest.approx(grabbed, abs=0.2)
    assert tool.corners == corners


def test_a_polygon_waits_while_another_tool_is_in_hand(person):
    polygon(person)
    person.key(KEY.Key_B)
    person.drag((40, 40), (44, 40))
    person.key(KEY.Key_P)
    assert len(person.canvas.tool.corners) == 4
    person.key(KEY.Key_Return)
    person.settle()
    assert person.mask[20, 20]
    assert person.mask[40, 42]


@pytest.mark.parametrize("worked_out", [True, False])
def test_leaving_the_image_takes_what_is_proposed(person, go_to, worked_out):
    person.key(KEY.Key_W)
    person.click(24, 24)
    if worked_out:
        person.settle()
    go_to(person.parts, "animal-1.png")
    assert not person.mask.any()
    go_to(person.parts, "animal-0.png")
    assert person.mask[24, 24] == 1
    assert person.parts.actions["undo"].text() == "Undo magic wand"


def test_leaving_the_image_drops_an_outline_that_is_not_closed(person, go_to):
    polygon(person)
    go_to(person.parts, "animal-1.png")
    assert not person.canvas.tool.pending
    person.key(KEY.Key_P)
    go_to(person.parts, "animal-0.png")
    assert not person.canvas.tool.pending
    assert not person.mask.any()


def test_a_lasso_that_was_just_drawn_is_on_the_image_it_was_drawn_on(person, go_to):
    person.key(KEY.Key_L)
    person.drag(*SQUARE)
    go_to(person.parts, "animal-1.png")
    assert not person.mask.any()
    go_to(person.parts, "animal-0.png")
    assert person.mask[20, 20]


def test_undo_drops_a_proposal_first(person):
    person.drag((24, 24), (30, 24))
    painted = person.mask.copy()
    person.key(KEY.Key_W)
    person.click(3, 3)
    person.settle()
    person.parts.actions["undo"].trigger()
    assert not person.canvas.tool.pending
    assert np.array_equal(person.mask, painted)
    person.parts.actions["undo"].trigger()
    assert not person.mask.any()


def test_a_clean_up_is_shown_with_its_count_and_taken_by_enter(person):
    person.drag((24, 24), (30, 24))
    before = person.mask.copy()
    person.parts.actions["grow"].trigger()
    person.settle()
    cleaning = person.parts.strip.cleaning
    assert cleaning.isVisible()
    first = cleaning.count.text()
    cleaning.amount.box.setValue(6)
    person.settle()
    assert cleaning.count.text() != first
    said = int(cleaning.count.text().split()[0].replace(",", ""))
    assert np.array_equal(person.mask, before)
    person.key(KEY.Key_Return)
    assert (person.mask != before).sum() == said
    assert person.parts.toolbox.tool_id == "brush"
    assert not cleaning.isVisible()
    assert person.parts.session.name == "animal-0.png"


@pytest.mark.parametrize("how", ["key", "button", "undo"])
def test_a_clean_up_that_is_dropped_leaves_every_byte_and_the_tool(person, how):
    person.key(KEY.Key_E)
    person.parts.actions["eraser"].trigger()
    person.mask[:] = 1
    before = person.mask.copy()
    person.parts.actions["clear"].trigger()
    person.settle()
    if how == "key":
        person.key(KEY.Key_Escape)
    elif how == "button":
        person.qtbot.mouseClick(person.parts.strip.cleaning.drop, LEFT)
    else:
        person.parts.toolbox.take_back()
    assert np.array_equal(person.mask, before)
    assert person.parts.session.document.strokes == 0
    assert not isinstance(person.canvas.tool, CleaningTool)
    assert person.parts.toolbox.tool_id == "eraser"


def test_the_buttons_of_the_strip_take_a_clean_up(person):
    person.mask[:] = 1
    person.parts.actions["clear"].trigger()
    person.settle()
    person.qtbot.mouseClick(person.parts.strip.cleaning.take, LEFT)
    assert not person.mask.any()


def test_a_clean_up_follows_redo_and_the_selection(person):
    person.key(KEY.Key_R)
    person.drag((10, 10), (20, 20))
    person.settle()
    person.parts.actions["undo"].trigger()
    person.qtbot.mouseClick(person.parts.strip.operation.buttons[Operation.SELECT], LEFT)
    person.drag((-5, -5), (15, 60))
    person.settle()
    person.parts.actions["clear"].trigger()
    person.settle()
    count = person.parts.strip.cleaning.count
    assert count.text().startswith("0 ")
    person.parts.actions["redo"].trigger()
    person.settle()
    selected = person.parts.session.document.selection
    half = int(person.mask[:, : selected.box[2]].sum())
    assert count.text().startswith(f"{half} ")
    person.parts.actions["select_none"].trigger()
    person.settle()
    assert count.text().startswith(f"{int(person.mask.sum())} ")


def test_a_second_clean_up_begins_when_the_first_is_done(person):
    person.drag((24, 24), (30, 24))
    painted = int(person.mask.sum())
    person.parts.actions["grow"].trigger()
    person.parts.actions["invert"].trigger()
    person.settle()
    assert person.mask.sum() > painted
    assert person.parts.strip.cleaning.title.text() == "Swap with background"
    person.key(KEY.Key_Escape)
    assert person.parts.toolbox.tool_id == "brush"


def test_with_nothing_open_no_tool_can_be_taken_and_no_key_does_harm(open_window, tmp_path, qtbot):
    (tmp_path / "empty").mkdir()
    parts = open_window(tmp_path / "empty", wait=False)
    person = Person(qtbot, parts)
    for id_ in (*TOOLS, "grow", "refine_edge", "switch_operation"):
        assert not parts.actions[id_].isEnabled()
        parts.actions[id_].trigger()
    for key in (KEY.Key_Return, KEY.Key_Escape, KEY.Key_Backspace, KEY.Key_BracketLeft):
        person.key(key)
    parts.toolbox.take("polygon")
    parts.toolbox.take("no such tool")
    assert not parts.toolbox.take_back()
    assert parts.canvas.tool is None


def test_a_folder_that_is_read_only_is_not_painted_on(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1))
    person = Person(qtbot, parts)
    parts.session.project.writable = False
    parts.toolbox.refresh()
    before = person.mask.copy()
    for id_ in TOOLS:
        parts.toolbox.take(id_)
        person.drag((10, 10), (30, 30), (5, 40))
    parts.actions["clear"].trigger()
    person.key(KEY.Key_Return)
    assert np.array_equal(person.mask, before)


def test_an_image_of_one_pixel(open_window, tmp_path, qtbot):
    folder = tmp_path / "tiny"
    folder.mkdir()
    Image.new("RGB", (1, 1), (200, 100, 50)).save(folder / "dot.png")
    person = Person(qtbot, open_window(folder))
    for id_ in TOOLS:
        person.parts.toolbox.take(id_)
        person.click(0.5, 0.5)
        person.drag((-0.2, -0.2), (1.2, 1.2))
        person.settle()
        person.key(KEY.Key_Escape)
    person.parts.toolbox.take("brush")
    person.click(0.5, 0.5)
    assert person.mask.tolist() == [[1]]


def test_254_classes(open_window, make_project, qtbot):
    folder = make_project(images=1, masked=0)
    project = open_project(folder)
    scheme = scheme_of("custom", [f"class {i}" for i in range(MAX_CLASSES)])
    project.change_settings(scheme=scheme)
    person = Person(qtbot, open_window(folder))
    person.parts.toolbox.value = MAX_CLASSES - 1
    person.key(KEY.Key_R)
    person.drag((10, 10), (20, 20))
    person.key(KEY.Key_W)
    person.click(40, 40)
    person.settle()
    person.canvas.grab()
    person.key(KEY.Key_Return)
    assert person.mask[15, 15] == person.mask[40, 40] == MAX_CLASSES - 1


points = st.tuples(st.floats(-10, 58), st.floats(-10, 58))
deeds = st.lists(
    st.tuples(
        st.sampled_from(sorted(TOOLS)),
        st.lists(points, min_size=1, max_size=5),
        st.sampled_from([LEFT, RIGHT]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture
def three_classes(open_window, make_project, qtbot):
    def change(mask):
        striped = mask.copy()
        striped[::3] = 2
        return striped

    folder = make_project(images=1, scheme=scheme_of("custom", ["bg", "pet", "toy"]), change=change)
    return Person(qtbot, open_window(folder))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=deeds, locked=st.sets(st.integers(0, 2), min_size=1, max_size=2))
def test_no_tool_ever_changes_a_locked_class_and_undo_restores_every_byte(
    three_classes, deeds, locked
):
    person, document = three_classes, three_classes.parts.session.document
    document.locked = frozenset(locked)
    before = person.mask.copy()
    for id_, path, button, value in deeds:
        person.parts.toolbox.take(id_)
        person.parts.toolbox.value = value
        person.drag(*path, button=button)
        for point in path:
            person.click(*point, button=button)
        person.key(KEY.Key_Return) if person.canvas.tool.pending else None
        person.settle()
    person.parts.toolbox.take("brush")
    for value in locked:
        assert np.array_equal(person.mask == value, before == value)
    while document.undo():
        pass
    assert np.array_equal(person.mask, before)
