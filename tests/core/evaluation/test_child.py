"""``python -m core.evaluation``: the process that the window starts."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from core.evaluation.result import read_evaluation


@pytest.fixture
def ask(ask_child):
    """ask(request) -> the exit code and the answers of an evaluation's process."""
    return partial(ask_child, "core.evaluation")


def test_an_evaluation_s_folder_holds_all_there_is(
    make_project, tiny_model: Path, tmp_path: Path, ask
):
    root, out = make_project(5), tmp_path / "out"
    code, lines = ask(
        {
            "folder": str(root),
            "store": str(root / ".petseg"),
            "model": str(tiny_model),
            "subset": "all",
            "border": "foreground",
            "flip": True,
            "threshold": 0.4,
            "out": str(out),
        }
    )
    assert (code, lines[-1]) == (0, {"result": {"folder": str(out)}})
    steps = [line["progress"] for line in lines[:-1]]
    assert [step[:2] for step in steps if step[2].endswith(".png")] == [[i, 5] for i in range(5)]
    evaluation = read_evaluation(out / "evaluation.json")
    assert (evaluation.images, evaluation.threshold, evaluation.source.flip) == (5, 0.4, True)
    assert len((out / "images.csv").read_text().splitlines()) == 6
    assert "data:image/jpeg" in (out / "report.html").read_text()
    assert sorted(p.name for p in (out / "worst").iterdir()) == [f"0{i}.jpg" for i in range(5)]
    assert json.loads((out / "about.json").read_text())["iou"] == evaluation.per_image.iou


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"model": "gone.safetensors"}, "gone.safetensors"),
        ({"subset": "test"}, "no approved mask in the subset test"),
        ({"predictions": "elsewhere"}, "not both"),
        ({"border": "sideways"}, "border"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_nothing(
    make_project, tiny_model: Path, tmp_path: Path, change: dict[str, str], problem: str, ask
):
    out = tmp_path / "out"
    request = {"folder": str(make_project(2)), "model": str(tiny_model), "out": str(out)}
    code, lines = ask(request | change)
    assert code == 1
    assert problem in lines[-1]["problem"]
    assert not out.exists()
