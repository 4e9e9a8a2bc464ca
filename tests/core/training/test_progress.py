"""What the events of a run mean together."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.training import events

from .told import control, epoch, finished, scores, started, state_of, step


def test_time_counts_while_a_worker_trains_and_not_between_two():
    state = state_of(
        [
            started(100),
            step(1, 110),
            epoch(1, 120),
            control("pause", 121),
            # Hours later it goes on; at first it loads its images again.
            events.Notice(time=9000, text="Skipped a.jpg"),
            started(9010),
            events.Resumed(time=9010, step=2),
            epoch(2, 9030),
            # It is killed, and once more goes on.
            started(20000),
            events.Resumed(time=20001, step=4),
            epoch(3, 20010),
            finished(20015),
        ]
    )
    assert state.seconds == 20 + 20 + 15


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1e9])
def test_a_clock_that_is_wrong_adds_no_time(odd: float):
    assert state_of([started(100), step(1, odd), step(2, odd)]).seconds == 0


def test_what_a_run_started_from_is_known_after_it_went_on_too():
    first, later = started(start_val=scores(0.8)), started()
    state = state_of([first, epoch(1), later, events.Resumed(step=2)])
    assert state.started is not None
    assert state.started.start_val == scores(0.8)


def test_going_back_forgets_what_came_later():
    joined = [events.Joined(epoch=e, step=2 * e, images=("a",)) for e in (1, 2)]
    told = [started(), epoch(1, best=True), joined[0], epoch(2, best=True), joined[1], finished()]
    state = state_of([*told, events.Resumed(step=2)])
    assert [e.epoch for e in state.epochs] == [1]
    assert state.best is not None
    assert state.best.epoch == 1
    assert state.joined == joined[:1]
    assert not state.over


def test_what_is_told_once_more_takes_the_place_of_what_was_told():
    again = epoch(2, loss=(0.1, 0.1))
    joined = events.Joined(epoch=2, step=2, images=("a",))
    state = state_of([started(), epoch(1), joined, epoch(2), joined, again, epoch(3)])
    assert state.epochs == [epoch(1), again, epoch(3)]
    assert state.joined == [joined]


def test_with_an_epoch_all_is_told_anew_that_came_behind_it():
    joined = [events.Joined(epoch=e, step=2 * e, images=("a",)) for e in (2, 3)]
    shown = [events.Preview(epoch=e, step=2 * e, images=("b",)) for e in (1, 2)]
    told = [epoch(1), shown[0], joined[0], epoch(2), shown[1], joined[1]]
    state = state_of([started(), *told, epoch(2)])
    assert [e.epoch for e in state.epochs] == [1, 2]
    assert state.previews == shown[:1]
    assert state.joined == joined[:1], "who would have joined epoch 3 may not be approved any more"


def test_a_failure_is_over_when_a_worker_begins_anew():
    failed = events.Failed(reason="The folder is gone.")
    assert state_of([started(), failed]).over
    assert not state_of([failed, started()]).over


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [(0.8, 0.9, True), (0.8, 0.7, False), (0.8001, 0.8004, False), (0.8004, 0.8006, True)],
)
def test_a_gain_counts_from_three_decimals_on(before: float, after: float, better: bool):
    begun = started(start_val=scores(before))
    gain = state_of([begun, finished(iou=after)]).gain
    assert gain is not None
    assert gain.better is better
    assert str(gain) == f"{before:.3f} → {after:.3f}"


def test_without_a_model_before_or_after_there_is_no_gain():
    begun = started(start_val=scores(0.8))
    for told in ([started(), finished()], [begun], [begun, finished(model="")]):
        assert state_of(told).gain is None


def test_a_copy_stays_as_it_is():
    state = state_of([started(), epoch(1)])
    copy = state.copy()
    state.take(epoch(2))
    state.take(finished())
    assert len(copy.epochs) == 1
    assert not copy.over


@pytest.mark.parametrize("name", ["../other/best.safetensors", "/etc/passwd", "a/b", ".."])
def test_a_model_outside_of_the_run_is_none(name: str):
    assert state_of([started(), finished(model=name)]).model is None
    assert state_of([started(), finished()]).model == Path("run/best.safetensors")
