"""The next most useful image: unsure, unlike what is done, standing for others."""

from __future__ import annotations

import numpy as np
import pytest

from core.evaluation.useful import Look, look_of, next_useful, would_train
from core.project.project import open_project
from core.project.split import Subset, position


def _look(shade: int, fingerprint: int | None = None) -> Look:
    return Look(np.full((8, 8, 3), shade, np.uint8), np.full((8, 8), shade, np.uint8), fingerprint)


LOOKS = {
    f"{kind}{i}": _look(shade + i)
    for kind, shade in (("dark", 10), ("mid", 120), ("light", 230))
    for i in range(4)
}


def _choose(waiting, done=(), looks=LOOKS):
    return next_useful(waiting, done, looks.get)


def test_it_is_among_those_the_model_is_less_sure_of():
    waiting = {name: 0.9 if name.startswith("mid") else 0.1 for name in LOOKS}
    choice = _choose(waiting)
    assert choice.name.startswith("mid")
    assert "least sure of" in choice.why


def test_twenty_of_the_same_are_not_served():
    waiting = dict.fromkeys(LOOKS, 0.5)
    served = []
    for _ in range(3):
        choice = _choose({n: u for n, u in waiting.items() if n not in served}, served)
        served.append(choice.name)
    assert {name.rstrip("0123") for name in served} == {"dark", "mid", "light"}


def test_why_tells_true_numbers():
    waiting = {name: 0.1 * i for i, name in enumerate(LOOKS)}
    del waiting["dark0"], waiting["mid0"]
    choice = _choose(waiting, ["dark0", "mid0"])
    above = sum(value >= waiting[choice.name] for value in waiting.values())
    assert f"Among the {-(-100 * above // len(waiting))} % the model" in choice.why
    assert "; 3 other photos are more like it than like any you have done." in choice.why


def test_a_near_duplicate_of_what_is_done_comes_last():
    looks = {"done": _look(0, 0b1111), "twin": _look(250, 0b1110), "other": _look(20, 2**64 - 1)}
    assert _choose({"twin": 0.9, "other": 0.9}, ["done"], looks).name == "other"
    assert _choose({"twin": 0.9}, ["done"], looks).name == "twin"


def test_without_predictions_variety_decides_and_says_so():
    waiting = dict.fromkeys(LOOKS)
    del waiting["mid0"]
    choice = _choose(waiting, ["mid0"])
    assert not choice.name.startswith("mid")
    assert "Segment all" in choice.why
    assert "typical" in _choose(waiting).why


def test_nothing_waits_or_nothing_can_be_read():
    assert _choose({}) is None
    assert _choose({"gone": 0.5}) is None
    assert _choose({"gone": 0.5, "mid1": 0.1}).name == "mid1"


def test_a_sure_model_and_equal_photos_are_no_stumbling_block():
    assert _choose(dict.fromkeys(LOOKS, 0.0), ["dark0"]) is not None
    looks = dict.fromkeys("abc", _look(7))
    assert _choose(dict.fromkeys("ab", 0.0), ["c"], looks).name in "ab"


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (300, 7, 3)])
def test_a_look_is_of_a_photo_of_any_size(shape):
    assert look_of(np.zeros(shape, np.uint8), None).photo.shape == (8, 8, 3)


def test_what_validates_is_not_served(make_project):
    project = open_project(make_project(images=8))
    split = project.fix_split(project.names[:4])
    trains = would_train(project)
    for name in project.names:
        known = split.get(name)
        wanted = known is Subset.TRAIN if known else position(name) < 0.8
        assert trains(name) is wanted
    assert {trains(name) for name in project.names} == {True, False}


@pytest.mark.parametrize("count", [401, 1000])
def test_only_some_photos_are_looked_at(count):
    asked = []

    def look(name: str) -> Look:
        asked.append(name)
        return _look(len(asked) % 200)

    assert next_useful({f"{i}": 0.5 for i in range(count)}, [], look) is not None
    assert len(asked) == 400
