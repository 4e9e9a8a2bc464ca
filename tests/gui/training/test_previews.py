"""The pictures of the validation images after each epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QDialog, QPushButton

from core.training import events
from core.training.progress import RunState
from petseg_gui.tasks import Tasks
from petseg_gui.training.preview_pictures import load_pictures
from petseg_gui.training.previews import Previews

_RED = (255, 0, 0)
_GREY = 128


def _square(first: int, last: int) -> np.ndarray:
    mask = np.zeros((40, 40), np.uint8)
    mask[first:last, first:last] = 1
    return mask


@pytest.fixture
def give_preview():
    """give_preview(run, number, truth, {epoch: mask}): an image's files, over a grey photo."""

    def give(run: Path, number: int, truth: np.ndarray, predicted: dict[int, np.ndarray]) -> Path:
        folder = run / "previews" / str(number)
        folder.mkdir(parents=True)
        photo = np.full((*truth.shape, 3), _GREY, np.uint8)
        Image.fromarray(photo).save(folder / "photo.png")
        Image.fromarray(truth).save(folder / "truth.png")
        for epoch, mask in predicted.items():
            Image.fromarray(mask).save(folder / f"epoch-{epoch:04d}.png")
        return folder

    return give


def _rgb(image: QImage, x: int, y: int) -> tuple[int, int, int]:
    colour: QColor = image.pixelColor(x, y)
    return colour.red(), colour.green(), colour.blue()


def test_truth_is_outlined_prediction_tinted_and_what_is_wrong_striped(tmp_path, give_preview):
    truth, predicted = _square(10, 30), _square(10, 20)
    truth[:, :2] = 255
    give_preview(tmp_path, 0, truth, {3: predicted})
    (picture,) = load_pictures(tmp_path, ["a.jpg"], 3, [(0, 0, 0), _RED])
    pair, right = picture.pair, picture.pair.width() - 40
    assert _rgb(pair, 10, 15) == _RED  # the truth's outline
    assert _rgb(pair, 20, 20) == (_GREY,) * 3  # inside of it
    assert _rgb(pair, right + 15, 15) == (191, 64, 64)  # predicted rightly
    wrong = {_rgb(pair, right + x, 25) for x in range(20, 30)}
    assert wrong == {(0, 0, 0), (255, 255, 255)}
    assert _rgb(pair, right + 35, 35) == (_GREY,) * 3
    labelled = 40 * 38
    assert picture.right == pytest.approx(1 - 300 / labelled)
    assert picture.words == "a.jpg, epoch 3: 80.3% of its pixels are right"


@pytest.mark.parametrize("harm", ["missing", "damaged", "other size", "huge"])
def test_a_picture_that_cannot_be_shown_says_why_and_harms_no_other(tmp_path, give_preview, harm):
    for number in range(2):
        give_preview(tmp_path, number, _square(10, 30), {1: _square(10, 20)})
    folder = tmp_path / "previews" / "0"
    target = folder / "epoch-0001.png"
    if harm == "missing":
        target.unlink()
    elif harm == "damaged":
        target.write_bytes(b"no picture")
    elif harm == "other size":
        Image.fromarray(np.zeros((5, 5), np.uint8)).save(target)
    else:
        Image.new("1", (9000, 9000)).save(folder / "photo.png")
    bad, good = load_pictures(tmp_path, ["a.jpg", "b.jpg"], 1, [(0, 0, 0), _RED])
    assert bad.pair is None
    assert bad.problem
    assert good.pair is not None


def test_pictures_that_were_given_up_are_loaded_the_next_time(tmp_path, give_preview, qtbot):
    give_preview(tmp_path, 0, _square(10, 30), {1: _square(10, 20)})
    state = RunState(tmp_path)
    state.take(events.Preview(epoch=1, step=4, images=("a.jpg",)))
    tasks = Tasks()
    previews = Previews(tasks)
    qtbot.addWidget(previews)
    previews.show_run(state)
    previews.stop()  # another folder is opened
    previews.show_run(state)
    qtbot.waitUntil(lambda: [picture.name for picture in previews.pictures] == ["a.jpg"])
    tasks.close()


@pytest.fixture
def shown(make_run, say, watching, give_preview, qtbot):
    """A window that shows the previews of two epochs and of before: (parts, run, the names)."""
    run = make_run(say.started())
    names = ("animal-3.png", "gone.png")
    masks = {0: _square(0, 1), 1: _square(10, 20), 2: _square(10, 30)}
    for number in range(2):
        give_preview(run, number, _square(10, 30), masks)
    for epoch in (0, 1):
        events.write_event(run, events.Preview(epoch=epoch, step=4 * epoch, images=names))
    parts, _ = watching(run)
    previews = parts.training_panel.previews
    qtbot.waitUntil(lambda: len(previews.pictures) == 2)
    return parts, run, names


def test_the_newest_epoch_is_followed_unless_the_slider_was_moved(shown, qtbot):
    parts, run, names = shown
    previews = parts.training_panel.previews
    qtbot.waitUntil(lambda: previews.pictures[0].epoch == 1)
    events.write_event(run, events.Preview(epoch=2, step=8, images=names))
    qtbot.waitUntil(lambda: previews.pictures[0].epoch == 2)
    assert previews.grid.buttons[0].accessibleName().endswith("100.0% of its pixels are right")
    qtbot.keyClick(previews.slider, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: previews.pictures[0].epoch == 0)
    assert previews.caption.text() == "Before"
    events.write_event(run, events.Preview(epoch=3, step=12, images=names))
    qtbot.waitUntil(lambda: previews.slider.maximum() == 3)
    assert previews.pictures[0].epoch == 0


def test_a_picture_is_enlarged_and_its_image_opened_by_keyboard(shown, qtbot):
    parts, _, names = shown
    previews = parts.training_panel.previews
    qtbot.keyClick(previews.grid.buttons[0], Qt.Key.Key_Space)
    dialog = previews.findChild(QDialog)
    next(b for b in dialog.findChildren(QPushButton) if b.text() == "Open image").click()
    qtbot.waitUntil(lambda: parts.session.name == names[0])


def test_an_image_that_is_gone_is_told(shown, qtbot):
    parts, _, names = shown
    before = parts.session.name
    parts.training_panel.image_wanted.emit(names[1])
    assert "not in this folder" in parts.window.statusBar().currentMessage()
    assert parts.session.name == before
