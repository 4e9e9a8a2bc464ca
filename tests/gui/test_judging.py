"""Rejecting in the main window, and many judgements one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from core.labels import PET
from core.masks import write_mask
from core.project.predictions import PredictionRecord
from core.project.project import open_project
from core.project.reviews import Status
from core.training.plan import plan_training


@pytest.fixture
def make_predicted(make_project):
    """make_predicted(images=3, masked=0, model="tiny-0") -> a folder: the rest is predicted."""

    def make(images: int = 3, masked: int = 0, model: str = "tiny-0"):
        folder = make_project(images=images, masked=masked)
        project = open_project(folder)
        mask = np.zeros((48, 48), np.uint8)
        mask[10:30, 12:40] = 1
        for name in project.named([Status.UNLABELLED]):
            project.save_prediction(name, mask, PredictionRecord(name, model))
        return folder

    return make


def _wait_status(qtbot, parts, name, status):
    qtbot.waitUntil(lambda: parts.session.status(name) is status)


def _banner(parts):
    return parts.window.banners.banner("rejected")


def test_a_rejected_prediction_is_empty_and_asks_to_be_drawn(
    open_window, make_predicted, qtbot, paint
):
    folder = make_predicted()
    parts = open_window(folder)
    assert parts.session.document.mask.any()
    qtbot.keyClick(parts.canvas, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: not parts.session.document.mask.any())
    assert parts.session.status("animal-0.png") is Status.REJECTED
    assert "draw the mask" in parts.window.banners.text("rejected")
    review = open_project(folder).review("animal-0.png")
    assert (review.status, review.model) == (Status.REJECTED, "tiny-0")
    _banner(parts).buttons[0].click()
    paint(parts)
    parts.session.save()
    _wait_status(qtbot, parts, "animal-0.png", Status.EDITED)
    assert not parts.window.banners.text("rejected")
    assert open_project(folder).read_mask("animal-0.png").any()


def test_the_question_comes_again_when_a_rejected_image_is_opened(
    open_window, make_predicted, qtbot, go_to
):
    parts = open_window(make_predicted())
    parts.actions["reject"].trigger()
    qtbot.waitUntil(lambda: _banner(parts) is not None)
    go_to(parts, "animal-1.png")
    assert _banner(parts) is None
    go_to(parts, "animal-0.png")
    assert _banner(parts) is not None
    assert not parts.session.document.mask.any()


@pytest.mark.parametrize("how", ["banner", "undo"])
def test_the_prediction_can_be_taken_after_all(open_window, make_predicted, qtbot, how):
    parts = open_window(make_predicted())
    shown = parts.session.document.mask.copy()
    parts.actions["reject"].trigger()
    qtbot.waitUntil(lambda: not parts.session.document.mask.any())
    if how == "undo":
        assert parts.actions["undo"].text() == "Undo rejecting"
        parts.actions["undo"].trigger()
    else:
        _banner(parts).buttons[1].click()
    qtbot.waitUntil(lambda: bool((parts.session.document.mask == shown).all()))
    assert not parts.actions["undo"].isEnabled()
    assert parts.session.status("animal-0.png") is Status.PREDICTED
    assert _banner(parts) is None


def test_skipping_goes_on_to_the_next_that_waits_and_passes_over_rejected_ones(
    open_window, make_predicted, qtbot
):
    parts = open_window(make_predicted())
    parts.judge.reject(["animal-0.png", "animal-1.png"])
    qtbot.waitUntil(lambda: parts.session.counts[Status.REJECTED] == 2)
    _banner(parts).buttons[2].click()
    qtbot.waitUntil(lambda: parts.session.name == "animal-2.png")


def test_next_unlabelled_finds_what_is_rejected_and_waits_to_be_drawn(
    open_window, make_predicted, qtbot
):
    parts = open_window(make_predicted())
    parts.judge.reject(["animal-2.png"])
    qtbot.waitUntil(lambda: parts.session.counts[Status.REJECTED] == 1)
    parts.actions["next_unlabelled"].trigger()
    qtbot.waitUntil(lambda: parts.session.name == "animal-2.png")


@pytest.mark.parametrize("approved", [True, False])
def test_a_mask_of_a_persons_is_not_rejected(open_window, make_predicted, qtbot, paint, approved):
    parts = open_window(make_predicted(masked=int(approved)))
    if not approved:
        paint(parts)
    shown = parts.session.document.mask.copy()
    parts.actions["reject"].trigger()
    assert "only a prediction" in parts.window.statusBar().currentMessage()
    qtbot.waitUntil(lambda: not parts.session.saver.busy)
    assert parts.session.status("animal-0.png") is not Status.REJECTED
    assert (parts.session.document.mask == shown).all()


def test_a_stroke_right_after_rejecting_is_kept(open_window, make_predicted, qtbot, paint):
    parts = open_window(make_predicted())
    parts.actions["reject"].trigger()
    paint(parts)
    painted = parts.session.document.mask.copy()
    _wait_status(qtbot, parts, "animal-0.png", Status.REJECTED)
    qtbot.waitUntil(lambda: not parts.judge.busy)
    parts.session.save()
    _wait_status(qtbot, parts, "animal-0.png", Status.EDITED)
    assert (parts.session.document.mask == painted).all()


def test_another_models_prediction_takes_the_rejected_ones_place(
    open_window, make_predicted, qtbot
):
    parts = open_window(make_predicted(model="older"))
    parts.actions["reject"].trigger()
    qtbot.waitUntil(lambda: not parts.session.document.mask.any())
    parts.actions["segment"].trigger()
    _wait_status(qtbot, parts, "animal-0.png", Status.PREDICTED)
    assert parts.session.document.mask.any()
    assert _banner(parts) is None


def test_the_same_models_prediction_stays_rejected(open_window, make_predicted, qtbot):
    parts = open_window(make_predicted())
    parts.actions["reject"].trigger()
    qtbot.waitUntil(lambda: not parts.session.document.mask.any())
    with qtbot.waitSignal(parts.desk.segmented):
        parts.actions["segment"].trigger()
    assert parts.session.status("animal-0.png") is Status.REJECTED
    assert not parts.session.document.mask.any()


def test_where_unpainted_means_unlabelled_nothing_is_shown_of_a_rejected_one(
    open_window, make_predicted, qtbot
):
    folder = make_predicted()
    project = open_project(folder)
    project.change_settings(unpainted="unlabelled")
    parts = open_window(folder)
    assert parts.session.document.prediction is not None
    parts.actions["reject"].trigger()
    qtbot.waitUntil(lambda: parts.session.document.prediction is None)
    _banner(parts).buttons[1].click()
    qtbot.waitUntil(lambda: parts.session.document.prediction is not None)


def test_rejected_images_never_train(open_window, make_predicted, qtbot):
    folder = make_predicted(images=6, masked=3)
    parts = open_window(folder)
    parts.judge.reject(parts.session.named(Status.PREDICTED))
    qtbot.waitUntil(lambda: parts.session.counts[Status.REJECTED] == 3)
    plan = plan_training(open_project(folder), include_edited=True)
    assert len(plan.train) + len(plan.val) == 3


def test_many_are_judged_and_taken_back_with_one_command(open_window, make_predicted, qtbot):
    folder = make_predicted(images=5, masked=1)
    parts = open_window(folder)
    with qtbot.waitSignal(parts.judge.ended) as caught:
        parts.judge.approve(parts.session.named(Status.PREDICTED, Status.APPROVED))
    assert len(caught.args[0].done) == 4
    assert "animal-0.png was left out: it is approved already" in caught.args[0].words
    assert parts.session.counts[Status.APPROVED] == 5
    with qtbot.waitSignal(parts.judge.ended):
        parts.judge.take_back()
    assert parts.session.counts[Status.PREDICTED] == 4
    assert sorted(p.name for p in (folder / "masks").glob("*.png")) == ["animal-0.png"]
    assert not parts.judge.can_take_back


def test_taking_back_at_once_takes_back_what_is_still_being_written(
    open_window, make_predicted, qtbot
):
    parts = open_window(make_predicted(images=2))
    parts.judge.approve(["animal-0.png"])
    parts.judge.reject(["animal-1.png"])
    parts.judge.take_back()
    qtbot.waitUntil(lambda: not parts.judge.busy)
    assert parts.session.status("animal-0.png") is Status.APPROVED
    assert parts.session.status("animal-1.png") is Status.PREDICTED
    parts.judge.take_back()
    parts.judge.take_back()
    qtbot.waitUntil(lambda: not parts.judge.busy)
    assert parts.session.counts[Status.PREDICTED] == 2


def test_a_cancelled_judgement_takes_back_what_it_did(open_window, make_predicted, qtbot):
    parts = open_window(make_predicted(images=5))
    parts.judge.progressed.connect(
        lambda verdicts: parts.judge.cancel() if len(verdicts.done) == 2 else None
    )
    with qtbot.waitSignal(parts.judge.ended):
        parts.judge.approve(parts.session.named(Status.PREDICTED))
    assert 2 <= parts.session.counts[Status.APPROVED] < 5
    with qtbot.waitSignal(parts.judge.ended):
        parts.judge.take_back()
    qtbot.waitUntil(lambda: parts.session.counts[Status.PREDICTED] == 5)


def test_closing_waits_until_all_that_was_judged_is_written(open_window, make_predicted, qtbot):
    folder = make_predicted(images=5)
    parts = open_window(folder)
    parts.judge.approve(parts.session.named(Status.PREDICTED))
    parts.window.close()
    qtbot.waitUntil(lambda: not parts.window.isVisible())
    assert len(open_project(folder).named([Status.APPROVED])) == 5


def test_an_image_whose_mask_waits_to_be_saved_is_left_out(
    open_window, make_predicted, qtbot, paint
):
    folder = make_predicted(images=2)
    parts = open_window(folder)
    theirs = np.ones((48, 48), np.uint8)
    paint(parts)
    write_mask(folder / "masks" / "animal-0.png", theirs, PET)  # so that saving finds a conflict
    with qtbot.waitSignal(parts.judge.ended) as caught:
        parts.judge.approve(["animal-0.png", "animal-1.png"])
    assert caught.args[0].done == ["animal-1.png"]
    assert "not saved yet" in caught.args[0].problems["animal-0.png"]
    assert (open_project(folder).read_mask("animal-0.png") == theirs).all()
