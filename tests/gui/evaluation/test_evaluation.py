"""The Evaluate window: from the command to the figures, and what can go wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QDialog

from core.evaluation.__main__ import work
from core.evaluation.kept import FOLDER
from core.evaluation.result import FILE_NAME, read_evaluation
from core.evaluation.terms import SEEN
from core.labels import scheme_of
from core.masks import MaskEncoding
from core.project.project import open_project
from core.project.reviews import Status
from petseg_gui.evaluation.desk import Shown, Wish
from petseg_gui.wiring.evaluation import open_evaluation
from petseg_gui.wiring.folder import open_folder


@pytest.fixture
def opened(open_window, qtbot):
    """opened(folder) -> the program's parts and its Evaluate window, its images counted."""

    def open_(folder: Path):
        parts = open_window(folder)
        parts.actions["evaluate"].trigger()
        qtbot.waitUntil(lambda: len(parts.window.findChildren(QDialog)) == 1)
        window = open_evaluation(parts)  # the same one again
        assert parts.window.findChildren(QDialog) == [window]
        qtbot.waitUntil(lambda: "(" in window.form.subset_box.itemText(0))
        qtbot.waitUntil(lambda: window.form.model_box.count() > 0)
        return parts, window

    return open_


@pytest.fixture
def evaluated(make_project, default_model):
    """A folder with six masks and one evaluation of all of them."""
    folder = make_project(images=6)
    store = folder / ".petseg"
    request = {"folder": str(folder), "model": str(default_model), "subset": "all"}
    work({**request, "out": str(store / FOLDER / "20260101-000000")}, lambda *_: None)
    return folder


@pytest.fixture
def shown(opened, evaluated, qtbot):
    """The program's parts and its Evaluate window, which shows the evaluation there is."""
    parts, window = opened(evaluated)
    qtbot.waitUntil(lambda: window.list.count() == 1)
    window.list.setCurrentRow(0)
    qtbot.waitUntil(lambda: window.results.shown is not None)
    return parts, window


def _choose(window, subset: str) -> None:
    window.form.subset_box.setCurrentIndex(window.form.subset_box.findData(subset))


def _evaluate(window, qtbot) -> None:
    window.form.button.click()
    qtbot.waitUntil(lambda: not window.desk.running, timeout=60_000)


def _tab(window, title: str) -> None:
    tabs = window.results.tabs
    titles = [tabs.tabText(i) for i in range(tabs.count())]
    tabs.setCurrentIndex(titles.index(title))


def test_a_model_that_may_have_learnt_from_the_masks_is_said_to(shown):
    parts, window = shown
    assert SEEN not in window.results.note.text()
    evaluation = window.results.shown.evaluation.model_copy(update={"seen": True})
    window.results.show_evaluation(
        Shown(window.results.shown.folder, evaluation), parts.session.project
    )
    assert SEEN in window.results.note.text()


def test_a_model_is_evaluated_and_kept(opened, make_project, qtbot):
    folder = make_project(images=6)
    parts, window = opened(folder)
    _choose(window, "all")
    assert window.form.subset_box.currentText() == "All images (6)"
    told = []
    window.desk.progressed.connect(lambda done, total, words: told.append((done, total)))
    _evaluate(window, qtbot)
    qtbot.waitUntil(lambda: window.results.shown is not None and window.list.count() == 1)
    assert (6, 6) in told
    kept = folder / ".petseg" / FOLDER
    (made,) = kept.iterdir()
    assert {"evaluation.json", "images.csv", "report.html", "about.json"} <= {
        path.name for path in made.iterdir()
    }
    evaluation = read_evaluation(made / FILE_NAME)
    results = window.results
    assert results.iou.value.text() == f"{evaluation.per_image.iou:.3f}"
    assert results.floor.value.text() == f"{evaluation.floor.iou:.3f}"
    assert "border" not in results.heading.text()  # there is none
    assert "may have been trained" in results.note.text()
    names = [row.image for row in evaluation.worst]
    listed = results.worst.list
    assert [listed.item(i).data(Qt.ItemDataRole.UserRole) for i in range(6)] == names
    qtbot.waitUntil(lambda: not any(listed.item(i).icon().isNull() for i in range(6)))
    _tab(window, "Worst images")
    place = listed.visualItemRect(listed.item(1)).center()
    qtbot.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: parts.session.name == names[1])


def test_a_cancelled_evaluation_leaves_nothing(opened, make_project, qtbot):
    folder = make_project(images=6)
    _, window = opened(folder)
    _choose(window, "all")
    window.form.button.click()
    assert window.form.button.text() == "Cancel"
    window.form.button.click()
    assert not window.desk.running
    assert "nothing of it is kept" in window.message.text()
    assert window.form.button.text() == "Evaluate"
    assert not list((folder / ".petseg").glob(f"{FOLDER}/*"))


def test_enter_outside_of_the_button_starts_nothing(opened, make_project, qtbot):
    _, window = opened(make_project(images=3))
    _choose(window, "all")
    for widget in (window.list, window.form.subset_box):
        qtbot.keyClick(widget, Qt.Key.Key_Return)
    assert not window.desk.running
    window.form.button.setFocus()
    qtbot.keyClick(window.form.button, Qt.Key.Key_Return)
    assert window.desk.running


def test_an_evaluation_goes_on_without_its_window_and_is_told(opened, make_project, qtbot):
    parts, window = opened(make_project(images=3))
    _choose(window, "all")
    window.form.button.click()
    window.close()
    bar = parts.window.statusBar()
    qtbot.waitUntil(lambda: "evaluation is done" in bar.currentMessage(), timeout=60_000)


def test_a_failure_is_told_without_the_window_too(opened, make_project, qtbot):
    parts, window = opened(make_project(images=3))
    window.close()
    window.desk.start(Wish(Path("gone.safetensors"), "all", "foreground", False, 0.5))
    bar = parts.window.statusBar()
    qtbot.waitUntil(lambda: "gone.safetensors" in bar.currentMessage(), timeout=60_000)


def test_an_older_evaluation_is_looked_at_while_another_is_made(shown, evaluated, qtbot):
    _, window = shown
    (made,) = (evaluated / ".petseg" / FOLDER).iterdir()
    window.form.button.click()
    shutil.copytree(made, made.with_name("20260102-000000"))
    (made / FILE_NAME).write_text("{}")
    window.desk.show(made)
    qtbot.waitUntil(lambda: "is no evaluation" in window.message.text())
    assert window.form.button.text() == "Cancel"
    qtbot.waitUntil(lambda: window.list.count() == 3, timeout=60_000)
    assert window.form.button.text() == "Evaluate"


def test_closing_the_main_window_ends_an_evaluation(opened, make_project):
    folder = make_project(images=6)
    parts, window = opened(folder)
    _choose(window, "all")
    window.form.button.click()
    parts.window.close()
    assert not window.desk.running
    assert not list((folder / ".petseg").glob(f"{FOLDER}/*"))


def test_without_an_approved_mask_it_says_what_to_do(opened, make_project, qtbot):
    folder = make_project(images=3, masked=0)
    parts, window = opened(folder)
    assert "Approve some masks first" in window.form.problem.text()
    assert not window.form.button.isEnabled()
    parts.session.approve()
    qtbot.waitUntil(lambda: window.form.subset_box.itemText(3) == "All images (1)")
    _choose(window, "all")
    assert window.form.button.isEnabled()


def test_an_empty_subset_names_those_that_are_not(opened, make_project):
    _, window = opened(make_project(images=4))
    _choose(window, "test")
    assert "training images (" in window.form.problem.text()
    assert not window.form.button.isEnabled()


def _other_classes(folder: Path, make_model) -> Path:
    return make_model(scheme_of("custom", ["background", "a", "b", "c"]))


def _damaged(folder: Path, make_model) -> Path:
    source = make_model(seed=3)
    broken = folder / "broken.safetensors"
    shutil.copy(source, broken)
    data = source.with_suffix(".onnx").read_bytes()
    middle = len(data) // 2
    broken.with_suffix(".onnx").write_bytes(data[:middle] + b"damage" + data[middle + 6 :])
    return broken


@pytest.mark.parametrize(
    ("make", "told"), [(_other_classes, "This model knows"), (_damaged, "broken")]
)
def test_a_model_that_cannot_be_evaluated_is_told(
    opened, make_project, make_model, monkeypatch, tmp_path, qtbot, make, told
):
    path = make(tmp_path, make_model)
    for module in ("core.inference.catalogue", "petseg_gui.prediction.models"):
        monkeypatch.setattr(f"{module}.bundled_model", lambda: path)
    _, window = opened(make_project(images=3))
    _choose(window, "all")
    _evaluate(window, qtbot)
    qtbot.waitUntil(lambda: told in window.form.problem.text())
    assert window.form.button.isEnabled()
    assert window.results.shown is None


def test_an_evaluation_is_deleted_when_the_question_is_answered(shown, evaluated, qtbot):
    _, window = shown
    window._buttons["Delete…"].click()
    window.question.dismiss()
    assert len(list((evaluated / ".petseg" / FOLDER).iterdir())) == 1
    window._buttons["Delete…"].click()
    window.question.yes_button.click()
    qtbot.waitUntil(lambda: window.list.count() == 0)
    assert list((evaluated / ".petseg" / FOLDER).iterdir()) == []
    assert window.results.shown is None


def test_the_marked_threshold_is_used_from_now_on(shown, evaluated, qtbot):
    parts, window = shown
    _tab(window, "Threshold")
    plot = window.results.threshold
    evaluation = window.results.shown.evaluation
    known = [point.threshold for point in evaluation.thresholds]
    best = known.index(evaluation.best_threshold.threshold)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right):
        qtbot.keyClick(plot.chart, key)
    plot.button.click()
    wanted = parts.predict_options.options.threshold
    assert wanted == known[min(best + 2, len(known) - 1)] != 0.5
    qtbot.waitUntil(lambda: open_project(evaluated).settings.prediction.threshold == wanted)


@pytest.fixture
def each_image(shown):
    """The plot of all images, in sight, and its rows from the worst on."""
    _, window = shown
    _tab(window, "Each image")
    rows = sorted(window.results.shown.evaluation.rows, key=lambda row: row.iou)
    return window.results.images, rows


def test_each_image_is_reached_by_keys(shown, each_image, qtbot):
    plot, rows = each_image
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right):
        qtbot.keyClick(plot.chart, key)
    assert plot.readout.text().startswith(f"{rows[1].image}: IoU {rows[1].iou:.3f}")
    assert rows[1].image in plot.chart.accessibleName()
    qtbot.keyClick(plot.chart, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown[0].session.name == rows[1].image)


def test_images_are_counted_in_whole_numbers(each_image):
    plot, _ = each_image
    axis, (low, high) = plot.chart.getAxis("left"), plot.chart.viewRange()[1]
    ticks = [value for _, values in axis.tickValues(low, high, axis.height()) for value in values]
    assert len(ticks) > 1
    assert all(value == int(value) for value in ticks)


def test_a_click_on_a_dot_opens_its_image(shown, each_image, qtbot):
    plot, rows = each_image
    x, y = (float(values[0]) for values in plot.dots.getData())  # the worst image's
    place = plot.chart.getPlotItem().vb.mapViewToScene(QPointF(x, y)).toPoint()
    viewport = plot.chart.viewport()
    moved = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        QPointF(viewport.mapToGlobal(place)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(viewport, moved)
    assert plot.readout.text().startswith(f"{rows[0].image}: ")
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: shown[0].session.name == rows[0].image)


def test_calibration_is_told_in_words(shown, qtbot):
    _, window = shown
    _tab(window, "Calibration")
    plot = window.results.calibration
    assert "calibration error" in plot.readout.text()
    qtbot.keyClick(plot.chart, Qt.Key.Key_Right)
    assert plot.readout.text().startswith("Where the model says")


def test_every_figure_is_explained(shown):
    _, window = shown
    table = window.results.figures
    for row in range(table.rowCount()):
        assert len(table.item(row, 0).toolTip()) > 20


@pytest.fixture
def read_only(make_project):
    """A folder of three masks in which nothing may be written."""
    folder = make_project(images=3)
    places = (folder, folder / "masks")
    for place in places:
        place.chmod(0o555)
    yield folder
    for place in places:
        place.chmod(0o755)


def test_a_read_only_folder_is_evaluated_and_nothing_written(opened, read_only, qtbot, snapshot):
    before = snapshot(read_only)
    parts, window = opened(read_only)
    _choose(window, "all")
    _evaluate(window, qtbot)
    qtbot.waitUntil(lambda: window.results.shown is not None)
    assert window.list.count() == 0
    assert not window._buttons["Delete…"].isEnabled()
    place = window.results.shown.folder
    assert place.is_dir()
    parts.window.close()
    assert not place.exists()
    assert snapshot(read_only) == before


def test_a_damaged_evaluation_is_told(opened, evaluated, qtbot):
    _, window = opened(evaluated)
    qtbot.waitUntil(lambda: window.list.count() == 1)
    (made,) = (evaluated / ".petseg" / FOLDER).iterdir()
    (made / FILE_NAME).write_text("{}")
    window.list.setCurrentRow(0)
    qtbot.waitUntil(lambda: "is no evaluation" in window.message.text())


def test_masks_are_read_as_the_person_said_they_are(opened, make_project, qtbot):
    trimaps = make_project(images=3, folder="trimaps", change=lambda m: np.uint8(2) - m)
    parts, window = opened(make_project(images=2))
    open_folder(parts, trimaps, None, MaskEncoding.TRIMAP)
    qtbot.waitUntil(lambda: window.form.subset_box.itemText(3) == "All images (3)")
    _choose(window, "all")
    _evaluate(window, qtbot)
    qtbot.waitUntil(lambda: window.results.shown is not None)
    assert [c.name for c in window.results.shown.evaluation.per_class] == ["background", "pet"]
    assert "the border counts as object" in window.results.heading.text()


def test_another_folder_shows_its_own_evaluations(shown, make_project, qtbot):
    parts, window = shown
    other = make_project(images=2, folder="other")
    open_folder(parts, other)
    qtbot.waitUntil(lambda: window.list.count() == 0)
    qtbot.waitUntil(lambda: window.form.subset_box.itemText(3) == "All images (2)")
    assert window.results.shown is None
    assert parts.session.counts[Status.APPROVED] == 2
