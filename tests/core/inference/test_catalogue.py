"""The models there are to choose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.errors import BadInput
from core.inference import catalogue
from core.inference.catalogue import (
    RUN_MODEL,
    Origin,
    delete_imported,
    free_path,
    list_models,
    rename_imported,
)
from core.modelfile import onnx_path, read_description, renamed
from core.models.export import describe_anew


@pytest.fixture
def runs(tmp_path: Path, make_model, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs with a model, one without, one whose model is damaged."""
    monkeypatch.setattr(catalogue, "bundled_model", lambda: make_model(name="Bundled"))
    monkeypatch.setattr(catalogue, "fast_model", lambda: tmp_path / "gone.safetensors")
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


def test_the_fast_model_comes_second_with_its_card(
    runs: Path, make_model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fast = copied(make_model(name="Fast"), tmp_path / "own" / "fast.safetensors")
    fast.with_suffix(".md").write_text("# Fast\n\nFor old\nmachines.\n\nMore.\n", "utf-8")
    (runs / "20260101-a" / "best.md").write_text("# A run's\n\nNot ours.\n", "utf-8")
    monkeypatch.setattr(catalogue, "fast_model", lambda: fast)
    listed = list_models(runs)
    assert [m.title for m in listed] == ["Bundled", "Fast", "Second", "First"]
    assert [m.summary for m in listed] == ["", "For old machines.", "", ""]


def copied(model: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(model, target)
    shutil.copy(onnx_path(model), onnx_path(target))
    return target


def test_imported_models_come_last(runs: Path, make_model, tmp_path: Path):
    path = copied(make_model(name="Mine"), tmp_path / "models" / "mine.safetensors")
    (tmp_path / "models" / "notes.safetensors").write_text("none")
    *rest, last = list_models(runs, tmp_path / "models")
    assert [m.origin for m in rest] == [Origin.BUNDLED, Origin.RUN, Origin.RUN]
    assert (last.path, last.title, last.origin) == (path, "Mine", Origin.IMPORTED)
    assert last.bytes == path.stat().st_size + onnx_path(path).stat().st_size


def test_models_of_one_name_are_told_apart(runs: Path, make_model):
    for number, created in enumerate(["2026-01-02T10:00:00", "2026-01-02T10:00:30", ""]):
        path = copied(make_model(name="Same"), runs / f"20260105-{number}" / RUN_MODEL)
        about = read_description(path)
        describe_anew(path, about.model_copy(update={"created": created}))
    titles = [m.title for m in list_models(runs)]
    assert len(set(titles)) == len(titles)
    assert "Same · 20260105-1" in titles
    assert "Same" in titles  # nothing is known of it, and no other is called so


def test_a_copy_of_the_bundled_model_is_told_from_it(runs: Path, tmp_path: Path):
    copied(catalogue.bundled_model(), tmp_path / "models" / "copy.safetensors")
    titles = [m.title for m in list_models(None, tmp_path / "models")]
    assert titles[0] == "Bundled"
    assert titles[1].startswith("Bundled · ")


@pytest.mark.parametrize(
    ("name", "title"), [("Two\nlines ", "Two lines"), (" ", "mine"), ("x" * 999, "x" * 200)]
)
def test_a_title_is_one_line_whatever_the_file_says(
    name: str, title: str, make_model, tmp_path: Path
):
    path = copied(make_model(), tmp_path / "mine.safetensors")
    path.write_bytes(renamed(path, name))
    assert list_models(None, tmp_path)[-1].title == title


def test_an_imported_model_is_renamed_and_deleted(make_model, tmp_path: Path):
    path = copied(make_model(), tmp_path / "models" / "mine.safetensors")
    rename_imported(tmp_path, path, "  Other ")
    assert read_description(path).name == "Other"
    with pytest.raises(BadInput, match="1 to 200"):
        rename_imported(tmp_path, path, "\n")
    delete_imported(tmp_path, path)
    assert not list((tmp_path / "models").iterdir())


@pytest.mark.parametrize("change", [delete_imported, lambda s, p: rename_imported(s, p, "x")])
def test_what_is_not_imported_is_neither_renamed_nor_deleted(change, make_model, tmp_path: Path):
    path = copied(make_model(), tmp_path / "runs" / "a" / RUN_MODEL)
    with pytest.raises(BadInput, match="nothing was changed"):
        change(tmp_path, path)
    with pytest.raises(BadInput, match="nothing was changed"):
        change(tmp_path, tmp_path / "models" / ".." / "runs" / "a" / RUN_MODEL)
    assert path.exists()


@pytest.mark.parametrize(
    ("name", "file"),
    [("Quick 21 Nov 19:03", "quick-21-nov-19-03"), ("Ünïcode/../x", "unicode-x"), ("猫", "model")],
)
def test_a_models_file_has_a_plain_name(name: str, file: str, tmp_path: Path):
    assert free_path(tmp_path, name) == tmp_path / f"{file}.safetensors"
    (tmp_path / f"{file}.onnx").touch()
    assert free_path(tmp_path, name) == tmp_path / f"{file}-2.safetensors"
