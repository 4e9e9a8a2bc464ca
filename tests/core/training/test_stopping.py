"""Early stopping: epochs without a better IoU, counted."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from core.training.stopping import Stopping

ious = st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0, float("nan")]), max_size=12)


def run(patience: int, values: list[float]) -> Stopping:
    return reduce(Stopping.after, values, Stopping(patience))


@given(st.integers(0, 4), ious)
def test_it_stops_after_as_many_epochs_without_a_better_one_as_it_has_patience(
    patience: int, values: list[float]
):
    state = run(patience, values)
    best, best_epoch = -1.0, 0
    for epoch, value in enumerate(values, 1):
        if value > best:
            best, best_epoch = value, epoch
    assert (state.best_iou, state.best_epoch, state.epoch) == (best, best_epoch, len(values))
    tail = values[best_epoch:]
    assert state.should_stop == (patience > 0 and len(tail) >= patience)
    assert state.improved == (bool(values) and not tail)


@given(st.integers(1, 4), ious, ious)
def test_put_together_again_from_what_a_checkpoint_holds_it_goes_on_the_same(
    patience: int, before: list[float], after: list[float]
):
    state = run(patience, before)
    again = Stopping(patience, state.best_iou, state.best_epoch, state.epoch)
    assert reduce(Stopping.after, after, again) == reduce(Stopping.after, after, state)


@given(st.integers(1, 4), st.lists(st.floats(0, 1), min_size=1, max_size=12, unique=True))
def test_while_it_gets_better_it_never_stops(patience: int, values: list[float]):
    state = Stopping(patience)
    for value in sorted(values):
        state = state.after(value)
        assert state.improved
        assert not state.should_stop


def test_the_same_iou_again_is_no_better_one():
    assert run(2, [0.5, 0.5, 0.5]).should_stop
