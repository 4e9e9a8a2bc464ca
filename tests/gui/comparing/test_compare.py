"""Comparing mask and prediction in the window: every way, kept up to date, left again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication

from core.inference.options import PredictOptions
from core.labels import PET, TRIMAP, scheme_of
from core.masks import MaskEncoding, write_mask
from core.project.predictions import PredictionRecord
from core.project.project import open_project
from petseg_gui.canvas.difference import DifferenceLayer
from petseg_gui.comparing.caption import Caption, two_lines
from petseg_gui.comparing.pictures import Picture
from petseg_gui.comparing.stage import best_columns
from petseg_gui.comparing.views import CompareViews
from petseg_gui.wiring.corrections import open_corrections

NAME = "animal-0.png"


def store_prediction(folder: Path, mask: np.ndarray, model: str = "tiny-0", title="Tiny") -> None:
    open_project(folder).save_prediction(NAME, mask, PredictionRecord(NAME, model, title))


def left_half(value: int = 1) -> np.ndarray:
    mask = np.zeros((48, 48), np.uint8)
    mask[:, :24] = value
    return mask


def wait(qtbot, parts) -> None:
    qtbot.waitUntil(lambda: not parts.compare.busy)


def compare(qtbot, parts, mode: str) -> CompareViews:
    parts.actions[mode].trigger()
    assert parts.actions[mode].isChecked()
    wait(qtbot, parts)
    views = parts.stage.findChild(CompareViews)
    assert views.bar.isVisible()
    return views


def pixels(widget) -> np.ndarray:
    """RGB, height x width x 3."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    shape = image.height(), image.width(), 4
    return np.frombuffer(image.constBits(), np.uint8).reshape(shape)[..., 2::-1].astype(int)


@pytest.fixture
def folder(make_project) -> Path:
    """Two images with masks; the model says of the first that its left half is a pet."""
    made = make_project(images=2)
    store_prediction(made, left_half())
    return made


def test_pictures_stand_side_by_side_in_step(open_window, folder, qtbot):
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_side")
    shown = [views.view(p) for p in Picture if p is not Picture.PREVIOUS]
    assert all(view.isVisible() for view in shown)
    assert parts.canvas in shown
    widths = [view.width() for view in shown]
    assert max(widths) - min(widths) <= 1  # whatever stands above them
    photo, prediction = views.view(Picture.PHOTO), views.view(Picture.PREDICTION)
    photo.zoom_to(6.0)
    photo.pan(-30, -20)
    assert all(v.view_state() == pytest.approx(photo.view_state(), abs=0.3) for v in shown)
    parts.canvas.fit()
    assert prediction.view_state() is None
    titles = [parts.stage.cell(view).title.text() for view in shown]
    assert titles == ["Photo", "Approved mask", "Prediction by Tiny", "Difference"]
    qtbot.waitUntil(lambda: views.bar.figures.text().startswith("Dice "))
    mask = parts.session.document.mask
    dice = 2 * (mask & left_half()).sum() / (mask.sum() + left_half().sum())
    assert views.bar.figures.text().startswith(f"Dice {dice:.3f} ")


def test_windows_say_in_the_same_words_what_a_border_counts_as(open_window, make_project, qtbot):
    def bordered(mask: np.ndarray) -> np.ndarray:
        return np.vstack([np.full_like(mask[:1], TRIMAP.border_id), mask[1:]])

    trimap = {"scheme": TRIMAP, "encoding": MaskEncoding.TRIMAP}
    folder = make_project(images=1, change=bordered, **trimap)
    store_prediction(folder, left_half())
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_side")
    words = "the border counts as object"
    qtbot.waitUntil(lambda: views.bar.figures.text().endswith(f" · {words}"))
    corrections = open_corrections(parts)
    qtbot.waitUntil(lambda: f"approved mask, {words}." in corrections.summary.text())


def test_two_to_four_pictures_are_chosen(open_window, folder, qtbot):
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_side")
    buttons = views.bar.pictures.buttons
    assert not buttons[Picture.PREVIOUS].isEnabled()  # there is none
    buttons[Picture.MASK].click()
    buttons[Picture.PHOTO].click()
    assert not parts.canvas.isEnabled()
    assert views.view(Picture.PREDICTION).isVisible()
    assert not views.view(Picture.PHOTO).isVisible()
    assert not buttons[Picture.PREDICTION].isEnabled()  # two at least
    buttons[Picture.MASK].setFocus()
    qtbot.keyClick(buttons[Picture.MASK], Qt.Key.Key_Space)
    assert parts.canvas.isEnabled()
    assert buttons[Picture.MASK].hasFocus()  # who works with keys goes on here


def test_the_previous_models_prediction_can_be_shown(open_window, folder, qtbot):
    store_prediction(folder, 1 - left_half(), "tiny-1", "Newer")
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_side")
    buttons = views.bar.pictures.buttons
    buttons[Picture.PREVIOUS].click()
    assert not buttons[Picture.PHOTO].isChecked()  # four at most: it takes the first one's place
    assert sum(button.isChecked() for button in buttons.values()) == 4
    previous = views.view(Picture.PREVIOUS)
    assert parts.stage.cell(previous).title.text() == "Previous prediction by Tiny"
    assert parts.compare.material.previous.tolist() == left_half().tolist()
    assert not np.array_equal(pixels(previous), pixels(views.view(Picture.PREDICTION)))
    assert views.bar.note.text() == "Not by the model that is chosen."
    with qtbot.waitSignal(parts.desk.segmented):
        parts.actions["segment"].trigger()
    wait(qtbot, parts)
    assert parts.stage.cell(previous).title.text() == "Previous prediction by Newer"
    assert views.bar.note.text() == ""


def test_a_previous_prediction_of_another_photo_is_left_out(open_window, folder, qtbot):
    store_prediction(folder, 1 - left_half(), "tiny-1")
    write_mask(open_project(folder)._previous_path(NAME), np.ones((9, 9), np.uint8), PET)
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_side")
    assert parts.compare.material.prediction.tolist() == (1 - left_half()).tolist()
    assert not views.bar.pictures.buttons[Picture.PREVIOUS].isEnabled()


def test_painting_goes_on_beside_the_prediction(open_window, folder, qtbot, paint):
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_side")
    difference = views.view(Picture.DIFFERENCE)
    qtbot.waitUntil(lambda: views.bar.figures.text() != "")
    before, figures = pixels(difference), views.bar.figures.text()
    parts.actions["eraser"].trigger()
    paint(parts)
    assert parts.session.document.history.can_undo
    assert not np.array_equal(pixels(difference), before)
    qtbot.waitUntil(lambda: views.bar.figures.text() != figures)
    qtbot.waitUntil(lambda: parts.stage.cell(parts.canvas).title.text() == "Approved mask")
    parts.session.save()
    qtbot.waitUntil(lambda: parts.stage.cell(parts.canvas).title.text() == "Your mask")


def test_the_line_is_dragged_and_moved_with_keys(open_window, folder, qtbot):
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_slider")
    slider, divider = views.slider, views.slider.divider
    qtbot.waitExposed(parts.window)
    assert slider.isVisible()
    assert divider.accessibleName()
    qtbot.waitUntil(divider.hasFocus)
    middle = pixels(slider)
    qtbot.keyClick(divider, Qt.Key.Key_Home)
    assert divider.share == 0
    prediction = pixels(slider)
    qtbot.keyClick(divider, Qt.Key.Key_Right)
    assert 0 < divider.share < 0.1
    qtbot.keyClick(divider, Qt.Key.Key_End)
    mask = pixels(slider)
    rest = np.s_[:, : slider.width() // 2 - 20], np.s_[:, slider.width() // 2 + 20 : -30]
    assert np.array_equal(middle[rest[0]][:, 30:], mask[rest[0]][:, 30:])
    assert np.array_equal(middle[rest[1]], prediction[rest[1]])
    assert not np.array_equal(mask, prediction)
    centre = divider.rect().center()
    qtbot.mousePress(divider, Qt.MouseButton.LeftButton, pos=centre)
    to = divider.mapFrom(slider, QPoint(slider.width() // 4, centre.y()))
    qtbot.mouseMove(divider, to)
    qtbot.mouseRelease(divider, Qt.MouseButton.LeftButton, pos=divider.rect().center())
    assert divider.share == pytest.approx(0.25, abs=0.02)
    wheel = QWheelEvent(
        QPointF(centre),
        QPointF(divider.mapToGlobal(centre)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(divider, wheel)
    assert not wheel.isAccepted()  # the view below zooms
    assert divider.share == pytest.approx(0.25, abs=0.02)
    views.bar.pair.swap.click()
    assert views.pair == (Picture.PREDICTION, Picture.MASK)


def test_the_canvas_keeps_the_zoom_of_what_covers_it(open_window, folder, qtbot):
    parts = open_window(folder)
    slider = compare(qtbot, parts, "compare_slider").slider
    parts.actions["actual"].trigger()
    assert slider.zoom == parts.canvas.zoom == 1.0
    parts.actions["fit"].trigger()
    assert slider.zoom == parts.canvas.zoom != 1.0


def test_the_difference_is_painted_under(open_window, folder, qtbot, paint):
    parts = open_window(folder)
    plain = pixels(parts.canvas)
    compare(qtbot, parts, "compare_difference")
    qtbot.waitUntil(lambda: isinstance(parts.canvas._over, DifferenceLayer))
    before = pixels(parts.canvas)
    assert not np.array_equal(before, plain)
    parts.actions["eraser"].trigger()
    paint(parts)
    assert parts.session.document.history.can_undo
    assert not np.array_equal(pixels(parts.canvas), before)
    parts.actions["undo"].trigger()
    parts.actions["brush"].trigger()
    parts.actions["compare_difference"].trigger()  # once more: no more
    assert parts.actions["compare_off"].isChecked()
    qtbot.mouseMove(parts.window, QPoint(1, 1))
    assert np.array_equal(pixels(parts.canvas)[:, :40], plain[:, :40])


def test_classes_are_looked_at_one_by_one(open_window, make_project, qtbot):
    scheme = scheme_of("animals", ["background", "cat", "dog"])
    folder = make_project(images=1, scheme=scheme, change=lambda mask: mask * 2)
    store_prediction(folder, left_half(1))
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_difference")
    qtbot.waitUntil(lambda: views.bar.figures.text() != "")
    classes, every = views.bar.classes, views.bar.figures.text()
    assert [classes.itemText(i) for i in range(classes.count())] == [
        "All classes",
        "Class 1",
        "Class 2",
    ]
    both = pixels(parts.canvas)
    classes.setCurrentIndex(1)
    classes.activated.emit(1)
    qtbot.waitUntil(lambda: views.bar.figures.text() != every)
    assert not np.array_equal(pixels(parts.canvas), both)
    assert classes.currentText() == "Class 1"


@pytest.mark.parametrize("mode", ["heat_probability", "heat_uncertainty"])
def test_heat_maps_follow_image_class_and_opacity(open_window, folder, qtbot, go_to, mode):
    parts = open_window(folder)
    plain = pixels(parts.canvas)
    views = compare(qtbot, parts, mode)
    first = parts.compare.heat
    assert first.values.std() > 0
    assert views.bar.ramp.isVisible()
    assert views.bar.ramp.high.text().startswith("100 %")
    assert not np.array_equal(pixels(parts.canvas)[40:-40, 40:-40], plain[40:-40, 40:-40])
    strong = pixels(parts.canvas)
    parts.strip.opacity_slider.setValue(10)
    assert not np.array_equal(pixels(parts.canvas), strong)
    if mode == "heat_probability":
        parts.class_panel.class_set.emit(0)
        wait(qtbot, parts)
        assert parts.compare.heat.title == "Probability of background"
        assert np.abs(parts.compare.heat.values.astype(int) + first.values - 255).max() <= 1
    else:
        parts.predict_options.set(PredictOptions(flip=True))
        wait(qtbot, parts)
        assert not np.array_equal(parts.compare.heat.values, first.values)
    go_to(parts, "animal-1.png")
    qtbot.waitUntil(lambda: parts.compare.heat not in (None, first))
    assert not np.array_equal(parts.compare.heat.values, first.values)


def test_a_model_of_other_classes_is_told(open_window, folder, qtbot, make_model, monkeypatch):
    other = make_model(scheme_of("three", ["background", "cat", "dog"]))
    parts = open_window(folder)
    monkeypatch.setattr("petseg_gui.prediction.models.bundled_model", lambda: other)
    views = compare(qtbot, parts, "heat_probability")
    assert "the project has background, object" in views.bar.note.text()
    assert parts.compare.heat is None


def test_a_class_that_the_model_does_not_know_has_no_probability(open_window, folder, qtbot):
    project = open_project(folder)
    project.change_settings(scheme=TRIMAP)
    parts = open_window(folder)
    views = compare(qtbot, parts, "heat_probability")
    assert parts.compare.heat is not None
    parts.class_panel.class_set.emit(2)
    wait(qtbot, parts)
    assert parts.compare.heat is None
    assert views.bar.note.text() == "This model does not know border: choose another class."


def test_without_a_prediction_segmenting_is_offered(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1, masked=0))
    views = compare(qtbot, parts, "compare_side")
    qtbot.waitUntil(lambda: "no prediction" in views.bar.note.text())
    assert views.bar.segment.isVisible()
    views.bar.segment.click()
    qtbot.waitUntil(lambda: views.bar.figures.isVisible())
    assert views.bar.figures.text().startswith("Dice 1.000")
    assert not views.bar.segment.isVisible()
    assert "is the prediction itself" in views.bar.note.text()


def test_another_image_is_compared_as_the_one_before(open_window, folder, qtbot, go_to):
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_side")
    go_to(parts, "animal-1.png")
    wait(qtbot, parts)
    document = parts.session.document
    assert all(views.view(p).document is document for p in Picture if p is not Picture.PREVIOUS)
    assert "no prediction" in views.bar.note.text()
    assert not views.bar.figures.isVisible()


@pytest.mark.parametrize("mode", ["compare_side", "compare_slider", "heat_uncertainty"])
def test_esc_goes_back_to_the_mask_alone(open_window, folder, qtbot, mode):
    parts = open_window(folder)
    plain = pixels(parts.stage)
    views = compare(qtbot, parts, mode)
    focused = views.slider.divider if mode == "compare_slider" else parts.canvas
    qtbot.keyClick(focused, Qt.Key.Key_Escape)
    assert parts.actions["compare_off"].isChecked()
    assert not views.bar.isVisible()
    assert parts.canvas.isEnabled()
    qtbot.waitUntil(lambda: np.array_equal(pixels(parts.stage), plain))


def test_esc_first_drops_what_a_tool_has_begun(open_window, folder, qtbot):
    parts = open_window(folder)
    compare(qtbot, parts, "compare_difference")
    parts.actions["polygon"].trigger()
    qtbot.mouseClick(parts.canvas, Qt.MouseButton.LeftButton, pos=parts.canvas.rect().center())
    assert parts.canvas.tool.pending
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Escape)
    assert not parts.canvas.tool.pending
    assert parts.actions["compare_difference"].isChecked()
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Escape)
    assert parts.actions["compare_off"].isChecked()


def test_views_for_looking_share_the_photo(open_window, folder, qtbot):
    """A photo of 100 megapixels is not kept once a view."""
    parts = open_window(folder)
    views = compare(qtbot, parts, "compare_side")
    looking = [views.view(p) for p in (Picture.PHOTO, Picture.PREDICTION, Picture.DIFFERENCE)]
    assert {id(view._photo) for view in looking} == {id(parts.canvas._photo)}
    parts.actions["compare_off"].trigger()
    assert all(view.document is None for view in looking)


@pytest.mark.parametrize(
    ("number", "image", "area", "columns"),
    [
        (2, (300, 200), (900, 700), 1),
        (2, (200, 300), (900, 700), 2),
        (4, (300, 200), (900, 700), 2),
        (4, (100, 900), (900, 700), 4),
        (3, (300, 200), (1900, 500), 3),
        (1, (1, 1), (10, 10), 1),
    ],
)
def test_views_stand_so_that_the_image_is_largest(number, image, area, columns):
    assert best_columns(number, QSize(*image), QSize(*area)) == columns


@pytest.mark.parametrize(
    ("characters", "lines"),
    [
        (40, ["The mask is the prediction itself."]),
        (24, ["The mask is the", "prediction itself."]),
        (9, ["The mask", "is the…"]),
        (2, ["…"]),
    ],
)
def test_words_take_two_lines_and_lose_their_end_at_most(qtbot, characters, lines):
    caption = Caption()
    qtbot.addWidget(caption)
    caption.setText("The mask is the prediction itself.")
    metrics = caption.fontMetrics()
    width = metrics.horizontalAdvance("e" * characters)
    found = two_lines(caption.text(), metrics, width)
    assert all(metrics.horizontalAdvance(line) <= width for line in found)
    assert len(found) == len(lines)
    assert found[-1].endswith("…") == lines[-1].endswith("…")
    assert caption.sizeHint().height() == 2 * metrics.lineSpacing()
