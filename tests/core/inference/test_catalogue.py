"""The models there are to choose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.inference import catalogue
from core.inference.catalogue import RUN_MODEL, list_models
from core.modelfile import onnx_path


@pytest.fixture
def runs(tmp_path: Path, make_model, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs with a model, one without, one whose model is damaged."""
    monkeypatch.setattr(catalogue, "bundled_model", lambda: make_model(name="Bundled"))
    folder = tmp_path / "runs"
    for name, title in (("20260101-a", "First"), ("20260102-b", "Second")):
        (folder / name).mkdir(parents=True)
        shutil.copy(make_model(name=title), folder / name / RUN_MODEL)
        shutil.copy(onnx_path(make_model(name=title)), onnx_path(folder / name / RUN_MODEL))
    (folder / "20260103-empty").mkdir()
    (folder / "20260104-damaged").mkdir()
    (folder / "20260104-damaged" / RUN_MODEL).write_bytes(b"half a model")
    return folder


def test_the_bundled_model_comes_first_then_the_newest_run(runs: Path):
    assert [m.title for m in list_models(runs)] == ["Bundled", "Second", "First"]


def test_without_runs_there_is_the_bundled_model(runs: Path):
    assert [m.title for m in list_models()] == ["Bundled"]
    assert [m.title for m in list_models(runs / "gone")] == ["Bundled"]


def test_without_a_bundled_model_the_runs_remain(runs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalogue, "bundled_model", lambda: runs / "gone.safetensors")
    assert [m.title for m in list_models(runs)] == ["Second", "First"]
