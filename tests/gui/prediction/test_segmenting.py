"""Many images, neighbours, cancelling, folders that change meanwhile."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt

from core.inference.options import PredictOptions
from core.project.project import open_project
from core.project.reviews import Status
from petseg_gui.prediction.shelf import PredictorShelf
from petseg_gui.tools.segment_box import SegmentBoxTool


def add_run(folder, model):
    """The model as that of a run of the folder."""
    run = folder / ".petseg" / "runs" / "run-1"
    run.mkdir(parents=True)
    for suffix in (".safetensors", ".onnx"):
        shutil.copy(model.with_suffix(suffix), run / f"best{suffix}")
    return run / "best.safetensors"


def predicted(folder):
    project = open_project(folder)
    return [name for name in project.names if project.prediction(name) is not None]


def test_the_neighbours_of_an_image_are_segmented_ahead(open_window, make_project, qtbot):
    folder = make_project(images=5, masked=0)
    parts = open_window(folder, segment=True)
    qtbot.waitUntil(lambda: parts.session.counts[Status.PREDICTED] == 2)
    qtbot.waitUntil(lambda: "animal-1.png" in parts.session.loader._ahead)
    assert predicted(folder) == ["animal-0.png", "animal-1.png"]
    parts.actions["next"].trigger()
    assert parts.session.name == "animal-1.png"
    mask = open_project(folder).read_prediction("animal-1.png", (48, 48))
    assert mask.any()
    assert np.array_equal(parts.session.document.mask, mask)
    qtbot.waitUntil(lambda: len(predicted(folder)) == 3)
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert predicted(folder) == ["animal-0.png", "animal-1.png", "animal-2.png"]


def test_nothing_is_segmented_ahead_where_images_are_not_segmented_on_opening(
    open_window, make_project, qtbot
):
    folder = make_project(images=3, masked=0)
    parts = open_window(folder)
    with qtbot.waitSignal(parts.desk.segmented):
        parts.actions["segment"].trigger()
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert predicted(folder) == ["animal-0.png"]


def test_neighbours_with_a_mask_of_a_person_are_left_alone(open_window, make_project, qtbot):
    folder = make_project(images=2, masked=0)
    shutil.copy(folder / "images" / "animal-1.png", folder / "images" / "animal-2.png")
    (folder / "masks").mkdir()
    Image.fromarray(np.ones((48, 48), np.uint8)).save(folder / "masks" / "animal-1.png")
    parts = open_window(folder, segment=True)
    qtbot.waitUntil(lambda: predicted(folder) == ["animal-0.png"])
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert predicted(folder) == ["animal-0.png"]
    assert parts.session.status("animal-1.png") is Status.APPROVED


def test_only_the_selected_images_are_segmented(open_window, make_project, qtbot):
    folder = make_project(images=5, masked=0)
    parts = open_window(folder)
    view = parts.browser.list
    for row in (1, 3):
        rectangle = view.visualRect(view.model().index(row, 0))
        qtbot.mouseClick(
            view.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.ControlModifier if row == 3 else Qt.KeyboardModifier.NoModifier,
            rectangle.center(),
        )
    with qtbot.waitSignal(parts.batch.finished):
        parts.actions["segment_selected"].trigger()
    assert predicted(folder) == ["animal-1.png", "animal-3.png"]
    told = parts.window.statusBar().currentMessage
    assert told().startswith("2 images segmented")
    with qtbot.waitSignal(parts.batch.finished):
        parts.actions["segment_all"].trigger()
        assert told() == ""  # that was the batch before
    assert told().startswith("5 images segmented")


def test_a_folder_that_changes_while_it_is_segmented(open_window, make_project, qtbot):
    folder = make_project(images=6, masked=0)
    parts = open_window(folder)
    images = folder / "images"

    def change(report) -> None:
        if report.done == 1:
            (images / "animal-4.png").unlink()
            wide = Image.open(images / "animal-5.png").resize((80, 30))
            wide.save(images / "animal-5.png")

    parts.batch.progressed.connect(change)
    with qtbot.waitSignal(parts.batch.finished) as caught:
        parts.actions["segment_all"].trigger()
    report = caught.args[0]
    assert list(report.problems) == ["animal-4.png"]
    assert report.done == 6
    project = open_project(folder)
    assert project.read_prediction("animal-5.png", (80, 30)).shape == (30, 80)
    assert "animal-4.png" in parts.window.banners.text("batch")


def test_a_photo_that_was_replaced_while_it_is_open_keeps_nothing_wrong(
    open_window, make_project, qtbot
):
    folder = make_project(images=2, masked=0)
    parts = open_window(folder)
    first = folder / "images" / "animal-0.png"
    shutil.copy(folder / "images" / "animal-1.png", first)
    with qtbot.waitSignal(parts.desk.segmented):
        parts.actions["segment"].trigger()
    shown = parts.session.document.mask.copy()  # of the pixels that are shown
    with qtbot.waitSignal(parts.batch.finished):
        parts.actions["segment_all"].trigger()
    project = open_project(folder)
    same = [project.read_prediction(f"animal-{n}.png", (48, 48)) for n in (0, 1)]
    assert np.array_equal(*same)
    assert not np.array_equal(shown, same[0])


def test_cancelling_ends_a_prediction_that_would_take_long(
    open_window, make_project, make_model, qtbot, monkeypatch
):
    slow = make_model(size=512)
    monkeypatch.setattr("petseg_gui.prediction.models.bundled_model", lambda: slow)
    folder = make_project(images=1, masked=0, width=1100, height=800)
    parts = open_window(folder)
    parts.predict_options.set(PredictOptions(flip=True, tiles=8))
    parts.actions["segment"].trigger()
    qtbot.waitUntil(lambda: parts.window.progress.isVisible(), timeout=20_000)
    parts.window.progress.button.click()
    qtbot.waitUntil(lambda: not parts.tasks.busy, timeout=20_000)
    assert predicted(folder) == []
    assert not parts.window.progress.isVisible()
    assert "cancelled" in parts.window.statusBar().currentMessage()


@pytest.mark.parametrize(("chosen", "again"), [("same", False), ("another", True)])
def test_a_rejected_image_is_segmented_again_by_another_model_only(
    open_window, make_project, make_model, qtbot, chosen, again
):
    folder = make_project(images=2, masked=0)
    other = add_run(folder, make_model(seed=7, name="Mine"))
    parts = open_window(folder)
    qtbot.waitUntil(lambda: len(parts.models.entries) == 2)
    with qtbot.waitSignal(parts.batch.finished):
        parts.actions["segment_all"].trigger()
    parts.actions["reject"].trigger()
    qtbot.waitUntil(lambda: parts.session.status("animal-0.png") is Status.REJECTED)
    if chosen == "another":
        parts.models.choose(other)
    with qtbot.waitSignal(parts.batch.finished) as caught:
        parts.actions["segment_all"].trigger()
    assert caught.args[0].total == (2 if again else 1)
    status = parts.session.status("animal-0.png")
    assert status is (Status.PREDICTED if again else Status.REJECTED)


def test_a_box_drawn_on_the_image_is_segmented_by_itself(open_window, make_project, qtbot):
    folder = make_project(images=1, masked=0)
    parts = open_window(folder)
    parts.actions["segment_box"].trigger()
    assert isinstance(parts.canvas.tool, SegmentBoxTool)
    view = parts.canvas.view
    start, end = (QPoint(*(round(v) for v in view.to_device(*at))) for at in ((4, 4), (40, 40)))
    qtbot.mousePress(parts.canvas, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(parts.canvas, end)
    qtbot.mouseRelease(parts.canvas, Qt.MouseButton.LeftButton, pos=end)
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert not parts.session.document.mask.any()
    qtbot.keyClick(parts.canvas, Qt.Key.Key_Return)
    mask = parts.session.document.mask
    assert mask[5:39, 5:39].any()
    outside = mask.copy()
    outside[3:41, 3:41] = 0
    assert not outside.any()
    parts.actions["undo"].trigger()
    assert not mask.any()


def test_while_a_hand_works_a_core_is_left_to_the_window(monkeypatch, default_model):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    shelf = PredictorShelf()
    resting = shelf.take(default_model)
    shelf.hand_moved()
    working = shelf.take(default_model)
    assert working is not resting
    assert shelf.take(default_model) is working
    threads = [p._session.get_session_options().intra_op_num_threads for p in (resting, working)]
    assert threads == [0, 3]


def test_a_better_model_segments_what_was_rejected_too(
    open_window, make_project, make_model, qtbot
):
    folder = make_project(images=2, masked=0)
    other = add_run(folder, make_model(seed=7, name="Mine"))
    parts = open_window(folder)
    with qtbot.waitSignal(parts.batch.finished):
        parts.actions["segment_all"].trigger()
    parts.judge.reject(["animal-1.png"])
    qtbot.waitUntil(lambda: parts.session.status("animal-1.png") is Status.REJECTED)
    parts.models.choose(other)
    parts.anew.start()
    qtbot.waitUntil(lambda: parts.session.status("animal-1.png") is Status.PREDICTED)
    assert open_project(folder).prediction("animal-1.png").model == "tiny-7"


def test_who_cancels_may_ask_again_at_once(open_window, make_project, qtbot):
    parts = open_window(make_project(images=1, masked=0))
    told = []
    parts.desk.told.connect(told.append)
    parts.desk.segment()
    parts.desk.stop()
    assert not parts.desk.busy
    parts.desk.segment()
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    assert [words.split()[0] for words in told] == [
        *("Segmenting…", "Segmenting"),  # and was cancelled
        *("Segmenting…", "Segmented"),
    ]
    assert not parts.desk.busy
    assert parts.session.status("animal-0.png") is Status.PREDICTED


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_better_model_goes_on_after_some_images_were_segmented_by_hand(
    open_window, make_project, make_model, qtbot, cancelled
):
    folder = make_project(images=5, masked=0)
    other = add_run(folder, make_model(seed=7, name="Mine"))
    parts = open_window(folder)
    parts.models.choose(other)
    seen = []
    parts.anew.segmented.connect(seen.append)
    assert parts.anew.start() == 5
    parts.desk.segment_these(["animal-3.png"])
    if cancelled:
        parts.desk.stop()
    qtbot.waitUntil(lambda: not parts.tasks.busy)
    rest = ["animal-1.png", "animal-2.png", "animal-4.png"]
    assert seen == ([] if cancelled else rest)
    assert predicted(folder) == ([] if cancelled else sorted([*rest, "animal-3.png"]))
