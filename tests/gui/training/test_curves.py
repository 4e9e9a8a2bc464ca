"""The curves of a run: what they draw, what they say, what is saved of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog

from core.training import events
from core.training.progress import RunState
from petseg_gui.training.curves import Curves, Measure


@pytest.fixture
def state_of():
    def make(*said: events.Event) -> RunState:
        state = RunState(Path("run"))
        for event in said:
            state.take(event)
        return state

    return make


@pytest.fixture
def curves(qtbot) -> Curves:
    made = Curves()
    qtbot.addWidget(made)
    made.resize(320, 300)
    made.show()
    return made


def _drawn(curves: Curves, subset: str) -> list[tuple[float, float]]:
    x, y = curves.lines[subset].getData()
    return list(zip(map(float, x), map(float, y), strict=True)) if x is not None else []


@pytest.mark.parametrize("measure", list(Measure))
def test_each_tab_draws_its_measure_of_val(curves, state_of, say, measure):
    curves.tabs.setCurrentIndex(list(Measure).index(measure))
    curves.show_run(state_of(say.started(), say.epoch(1, 0.4), say.epoch(2, 0.7)))
    last = {Measure.IOU: 0.7, Measure.DICE: 0.7, Measure.LOSS: 0.3}[measure]
    assert _drawn(curves, "val")[-1] == pytest.approx((2, last))


def test_the_train_loss_follows_the_steps(curves, state_of, say):
    curves.tabs.setCurrentIndex(2)
    curves.show_run(state_of(say.started(), say.step(1), say.step(4), say.step(5)))
    assert _drawn(curves, "train") == [(0.25, 1.0), (1.0, 0.25), (1.25, 0.2)]


def test_a_run_that_went_back_is_drawn_anew(curves, state_of, say):
    state = state_of(say.started(3), say.step(4), say.epoch(1, 0.4, 3), say.epoch(2, 0.9, 3))
    curves.show_run(state)
    state.take(events.Resumed(step=4))
    state.take(say.epoch(2, 0.5, 3))
    curves.show_run(state)
    assert _drawn(curves, "val") == [(1, 0.4), (2, 0.5)]


def test_a_long_run_is_thinned_to_means(curves, state_of, say):
    epochs = 2000
    said = [say.epoch(n, n / epochs, epochs) for n in range(1, epochs + 1)]
    curves.show_run(state_of(say.started(epochs), *said))
    points = np.array(_drawn(curves, "val"))
    assert len(points) == 400
    assert points.mean(0) == pytest.approx([(epochs + 1) / 2, (epochs + 1) / 2 / epochs])


def test_the_starting_model_is_a_line_in_the_scores_only(curves, state_of, say):
    curves.show_run(state_of(say.started(start_val=say.scores(0.62)), say.epoch(1, 0.4)))
    assert curves.before.isVisible()
    assert curves.before.value() == 0.62
    assert curves.readout.text() == "Epoch 1: train 0.400, val 0.400, before 0.620"
    curves.tabs.setCurrentIndex(2)
    assert not curves.before.isVisible()


def test_left_and_right_go_through_the_epochs_and_end_follows_the_newest(
    curves, state_of, say, qtbot
):
    state = state_of(say.started(4), *(say.epoch(n, n / 10, 4) for n in (1, 2, 3)))
    curves.show_run(state)
    for key, epoch in [
        (Qt.Key.Key_Left, 2),
        (Qt.Key.Key_Left, 1),
        (Qt.Key.Key_Left, 1),
        (Qt.Key.Key_Right, 2),
    ]:
        qtbot.keyClick(curves.chart, key)
        assert curves.readout.text().startswith(f"Epoch {epoch}: train 0.{epoch}00")
        assert curves.marker.value() == epoch
    state.take(say.epoch(4, 0.4, 4))
    curves.show_run(state)
    assert curves.readout.text().startswith("Epoch 2:")
    qtbot.keyClick(curves.chart, Qt.Key.Key_End)
    assert curves.readout.text().startswith("Epoch 4:")
    assert "Epoch 4: train 0.400, val 0.400" in curves.chart.accessibleName()


def test_the_mouse_shows_the_values_under_it(curves, state_of, say, qtbot):
    curves.show_run(state_of(say.started(4), *(say.epoch(n, n / 10, 4) for n in (1, 2, 3, 4))))
    qtbot.waitExposed(curves)
    box = curves.chart.getPlotItem().vb
    there = box.mapViewToScene(box.viewRect().center()).toPoint()  # the middle of 0 to 4
    qtbot.mouseMove(curves.chart.viewport(), there - QPoint(3, 0))
    qtbot.mouseMove(curves.chart.viewport(), there)
    qtbot.waitUntil(lambda: curves.readout.text().startswith("Epoch 2:"))


def test_a_logarithmic_loss_draws_logarithms_and_survives_a_loss_of_zero(curves, state_of, say):
    curves.tabs.setCurrentIndex(2)
    curves.show_run(state_of(say.started(), say.epoch(1, 0.9), say.epoch(2, 1.0)))
    curves.log_box.setChecked(True)
    assert [y for _, y in _drawn(curves, "val")] == pytest.approx([-1, -6])


@pytest.mark.parametrize("what", ["picture", "table"])
def test_curves_are_saved_as_picture_and_as_table(make_run, say, watching, qtbot, tmp_path, what):
    run = make_run(say.started(), say.epoch(1, 0.4), say.epoch(2, 0.75))
    parts, _ = watching(run)
    panel = parts.training_panel
    qtbot.waitUntil(lambda: panel.curves is not None and panel.save_button.isVisible())
    action = panel.save_button.menu().actions()[("picture", "table").index(what)]
    action.trigger()
    dialog = panel.findChild(QFileDialog)
    path = tmp_path / ("curves.png" if what == "picture" else "curves.csv")
    dialog.fileSelected.emit(str(path))
    dialog.reject()
    qtbot.waitUntil(path.exists)
    qtbot.waitUntil(lambda: "Saved as" in parts.window.statusBar().currentMessage())
    if what == "picture":
        pixels = np.asarray(Image.open(path).convert("RGB"))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10
    else:
        header, first, second = path.read_text().splitlines()
        row = dict(zip(header.split(","), second.split(","), strict=True))
        assert first.startswith("1,")
        assert (row["epoch"], row["val_iou"], row["val_loss"]) == ("2", "0.75", "0.25")
