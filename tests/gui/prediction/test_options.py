"""How a folder is segmented: the panel, the open image that follows it, what is written down."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from core.inference.options import PredictOptions
from core.inference.predictor import Predictor
from core.labels import TRIMAP, BorderRule
from core.project.project import open_project
from core.project.reviews import Status
from petseg_gui.prediction.panel import PredictionPanel

NAME = "animal-0.png"
SIZE = 48, 48


@pytest.fixture
def wanted(default_model):
    """wanted(folder, name, **options): the mask that the model gives under these options."""

    def of(folder, name=NAME, **options) -> np.ndarray:
        project = open_project(folder)
        chosen = PredictOptions(**options)
        pixels = project.read_image(name).pixels
        said = Predictor(default_model).predict(pixels, chosen.flip, chosen.tiles).quantised()
        return said.mask(project.settings.scheme, BorderRule.FOREGROUND, chosen)

    return of


@pytest.fixture
def show_panel(qtbot):
    """show_panel(parts) -> the Prediction panel, opened as the View menu does."""

    def show(parts) -> PredictionPanel:
        parts.prediction_dock.toggleViewAction().trigger()
        qtbot.waitUntil(lambda: isinstance(parts.prediction_dock.widget(), PredictionPanel))
        return parts.prediction_dock.widget()

    return show


@pytest.fixture
def segmented(qtbot):
    """segmented(parts): the open image has its prediction."""

    def segment(parts) -> None:
        with qtbot.waitSignal(parts.desk.segmented):
            parts.actions["segment"].trigger()

    return segment


def stored(folder, name=NAME):
    return open_project(folder).read_prediction(name, SIZE)


def test_the_open_images_mask_follows_the_slider_and_is_stored(
    open_window, make_project, qtbot, show_panel, segmented, wanted
):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    segmented(parts)
    panel = show_panel(parts)
    document = parts.session.document
    for value in (20, 80, 35):
        panel.threshold.setValue(value)
    expected = wanted(folder, threshold=0.35)
    assert not np.array_equal(expected, wanted(folder))
    qtbot.waitUntil(lambda: np.array_equal(document.mask, expected))
    assert panel.number.value() == 0.35
    assert not document.history.can_undo
    assert not parts.session.dirty
    qtbot.waitUntil(lambda: np.array_equal(stored(folder), expected))
    qtbot.waitUntil(lambda: open_project(folder).prediction(NAME).threshold == 0.35)
    qtbot.waitUntil(lambda: open_project(folder).settings.prediction.threshold == 0.35)


def test_what_is_set_holds_for_later_predictions_and_the_next_start(
    open_window, make_project, qtbot, show_panel, segmented, wanted
):
    folder = make_project(images=2, masked=0)
    parts = open_window(folder)
    panel = show_panel(parts)
    panel.flip.click()
    panel.fill_holes.setValue(5000)
    panel.keep_largest.click()
    segmented(parts)
    options = {"flip": True, "fill_holes": 5000, "keep_largest": True}
    assert np.array_equal(parts.session.document.mask, wanted(folder, **options))
    parts.window.close()
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    parts = open_window(folder)
    panel = show_panel(parts)
    assert panel.flip.isChecked()
    assert panel.fill_holes.value() == 5000
    parts.actions["next"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    segmented(parts)
    assert np.array_equal(parts.session.document.mask, wanted(folder, "animal-1.png", **options))
    panel.reset.click()
    assert parts.predict_options.options == PredictOptions()


def test_a_mask_of_a_person_stays_and_the_panel_says_so(
    open_window, make_project, qtbot, show_panel, segmented, wanted
):
    folder = make_project(images=1)
    parts = open_window(folder)
    segmented(parts)
    panel = show_panel(parts)
    before = parts.session.document.mask.copy()
    panel.number.setValue(0.3)
    qtbot.waitUntil(lambda: "yours and stays" in panel.state.text())
    assert np.array_equal(parts.session.document.mask, before)
    assert panel.replace_button.isVisible()
    expected = wanted(folder, threshold=0.3)
    qtbot.waitUntil(lambda: np.array_equal(stored(folder), expected))
    panel.replace_button.click()
    qtbot.waitUntil(lambda: parts.canvas.tool is not None and parts.canvas.tool.pending)
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: np.array_equal(parts.session.document.mask, expected))


def test_apply_to_all_makes_the_stored_predictions_anew_and_no_others(
    open_window, make_project, qtbot, show_panel, wanted, default_model, monkeypatch
):
    folder = make_project(images=4, masked=1)
    parts = open_window(folder)
    with qtbot.waitSignal(parts.batch.finished):
        parts.actions["segment_all"].trigger()
    panel = show_panel(parts)
    assert panel.apply.text() == "Apply to 3 predictions"
    panel.number.setValue(0.7)
    # From what is stored: a model that is gone cannot be asked again.
    asked = []
    monkeypatch.setattr(Predictor, "predict", lambda *_, **__: asked.append(1))
    with qtbot.waitSignal(parts.batch.finished) as caught:
        panel.apply.click()
    monkeypatch.undo()
    assert not asked
    assert (caught.args[0].done, caught.args[0].problems) == (3, {})
    for number in (1, 2, 3):
        name = f"animal-{number}.png"
        assert np.array_equal(stored(folder, name), wanted(folder, name, threshold=0.7))
    assert stored(folder) is None


def test_probabilities_that_are_gone_are_asked_of_the_model_again(
    open_window, make_project, qtbot, show_panel, wanted
):
    folder = make_project(images=3, masked=0)
    parts = open_window(folder)
    with qtbot.waitSignal(parts.batch.finished):
        parts.actions["segment_all"].trigger()
    kept = [path for path in (folder / ".petseg" / "probabilities").rglob("*") if path.is_file()]
    assert len(kept) == 3
    kept[0].unlink()
    kept[1].write_bytes(b"damaged")
    panel = show_panel(parts)
    panel.number.setValue(0.6)
    with qtbot.waitSignal(parts.batch.finished):
        panel.apply.click()
        assert panel.apply.isEnabled()  # else the keyboard would lose it
    for number in range(3):
        name = f"animal-{number}.png"
        assert np.array_equal(stored(folder, name), wanted(folder, name, threshold=0.6))


def test_a_read_only_folder_can_be_looked_at_with_other_options(
    open_window, make_project, qtbot, show_panel, segmented, wanted, snapshot
):
    folder = make_project(images=1, masked=0)
    (folder / "images").chmod(0o555)
    folder.chmod(0o555)
    before = snapshot(folder)
    parts = open_window(folder)
    segmented(parts)
    panel = show_panel(parts)
    assert "read-only" in panel.state.text()
    assert not panel.apply.isEnabled()
    panel.number.setValue(0.3)
    expected = wanted(folder, threshold=0.3)
    qtbot.waitUntil(lambda: np.array_equal(parts.session.document.mask, expected))
    parts.window.close()
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    assert snapshot(folder) == before
    folder.chmod(0o755)
    (folder / "images").chmod(0o755)


def test_of_three_classes_some_may_be_left_out_and_there_is_no_threshold(
    open_window, make_project, make_model, qtbot, show_panel, monkeypatch
):
    model = make_model(TRIMAP)
    for module in ("core.inference.catalogue", "petseg_gui.prediction.models"):
        monkeypatch.setattr(f"{module}.bundled_model", lambda: model)
    folder = make_project(images=1, masked=0, scheme=TRIMAP)
    project = open_project(folder)
    project.change_settings(scheme=TRIMAP)
    parts = open_window(folder)
    panel = show_panel(parts)
    with qtbot.waitSignal(parts.desk.segmented):
        parts.actions["segment"].trigger()
    mask = parts.session.document.mask
    assert (mask == 2).any()
    assert not panel.threshold.isEnabled()
    assert "Of 3 classes" in panel.threshold_note.text()
    names = [panel.classes.item(row).text() for row in range(panel.classes.count())]
    assert names == ["Pet", "Border"]
    panel.classes.item(1).setCheckState(Qt.CheckState.Unchecked)
    qtbot.waitUntil(lambda: not (mask == 2).any())
    assert (mask == 1).any()
    panel.classes.item(1).setCheckState(Qt.CheckState.Checked)
    assert parts.predict_options.options.classes is None
    qtbot.waitUntil(lambda: bool((mask == 2).any()))


def test_what_is_set_before_leaving_an_image_is_stored_with_it(
    open_window, make_project, qtbot, show_panel, segmented, wanted
):
    folder = make_project(images=2, masked=0)
    parts = open_window(folder)
    segmented(parts)
    panel = show_panel(parts)
    panel.number.setValue(0.25)
    parts.actions["next"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-1.png")
    expected = wanted(folder, threshold=0.25)
    qtbot.waitUntil(lambda: np.array_equal(stored(folder), expected))
    parts.actions["previous"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == NAME)
    qtbot.waitUntil(lambda: np.array_equal(parts.session.document.mask, expected))
    assert parts.session.status(NAME) is Status.PREDICTED


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(
    open_window, make_project, show_panel
):
    panel = show_panel(open_window(make_project(images=1, masked=0)))
    controls = [
        panel.threshold,
        panel.number,
        panel.flip,
        panel.tiles,
        panel.fill_holes,
        panel.remove_islands,
        panel.keep_largest,
        panel.reset,
        panel.apply,
    ]
    for control in controls:
        assert control.accessibleName()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_what_is_set_while_the_options_are_being_written_stays(open_window, make_project, qtbot):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    options = parts.predict_options
    for threshold in (0.2, 0.3, 0.4, 0.6):
        options.set(PredictOptions(threshold=threshold))
        options.write()
    options.set(PredictOptions(threshold=0.7))
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert parts.session.project.settings.prediction.threshold == 0.7
    qtbot.waitUntil(lambda: open_project(folder).settings.prediction.threshold == 0.7)
