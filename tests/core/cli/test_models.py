"""``petseg models``: list, card, import, export, calibrate."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from core.modelfile import onnx_path, read_description
from core.project.project import open_project

from .conftest import Petseg


def test_what_is_exported_comes_back_and_is_listed(
    petseg: Petseg, make_project: Callable[..., Path], tmp_path: Path
):
    folder = make_project(2)
    out = tmp_path / "net.onnx"
    assert petseg("models", "export", "bundled", out).out.split() == [str(out)]
    done = petseg("models", "import", out, "--folder", folder, "--name", "Shared one")
    assert done.code == 0
    assert "not be trained further" in done.out
    model = open_project(folder).store / "models" / "shared-one.safetensors"
    assert str(model) in done.out
    assert read_description(model).name == "Shared one"
    listed = petseg("models", folder).out.splitlines()
    assert [line.split("  ")[0] for line in listed] == ["model", "Tiny", "Shared one"]
    assert petseg("models", "list", folder).out.splitlines() == listed


def test_the_card_tells_what_a_model_is(petseg: Petseg, tiny_model: Path):
    lines = petseg("models", "card", tiny_model).out.splitlines()
    rows = {line[:12].strip(): line for line in lines}
    assert "background, pet" in rows["Classes"]
    assert str(tiny_model) in rows["File"]
    assert petseg("models", "card").out.splitlines() == lines  # the bundled one


def test_what_is_assumed_of_foreign_weights_is_told_and_can_be_said(
    petseg: Petseg, tmp_path: Path, monkeypatch
):
    import torch

    from core.models.network import build_network

    monkeypatch.chdir(tmp_path)
    net = build_network({"outputs": 1, "width": 4, "depth": 1})
    torch.save(net.body.state_dict(), tmp_path / "net.pt")
    words = ("--classes", "ground, hen", "--input", "-1-1", "--size", "96", "--name", "Hens")
    done = petseg("models", "import", "net.pt", *words)
    assert "It is given -1-1 (--input)" in done.out
    about = read_description(tmp_path / "hens.safetensors")
    assert (about.scheme.names, about.size) == (["ground", "hen"], 96)


def test_refusals_are_one_line_on_stderr(petseg: Petseg, tmp_path: Path, tiny_model: Path):
    (tmp_path / "notes.pt").write_text("no model")
    (tmp_path / "net.onnx").write_text("mine")
    for words in (
        ("import", tmp_path / "notes.pt"),
        ("import", tiny_model, "--size", "64"),
        ("export", "bundled", tmp_path / "net.onnx"),
        ("export", "bundled", tmp_path / "x.txt"),
        ("card", tmp_path / "gone.safetensors"),
        ("card", "Tiny"),  # as it is listed
    ):
        done = petseg("models", *words)
        assert done.code == 2
        assert len(done.err.splitlines()) == 1
        assert not done.out


def test_a_model_file_is_calibrated_by_a_folders_validation_images(
    petseg: Petseg, make_project: Callable[..., Path], make_model: Callable[..., Path], tmp_path
):
    path = tmp_path / "mine.safetensors"
    for file in (make_model(), onnx_path(make_model())):
        shutil.copy(file, path.with_suffix(file.suffix))
    folder, before = make_project(6), read_description(path)
    done = petseg("models", "calibrate", path, folder)
    after = read_description(path)
    assert done.code == 0, done.err
    assert done.out.startswith(f"Temperature 1 -> {after.temperature:g}, by ")
    assert after.temperature != 1
    assert after == before.model_copy(update={"temperature": after.temperature})
    assert f"{after.temperature:g}" in petseg("models", "card", path).out
    left = path.read_bytes()
    refused = petseg("models", "calibrate", path, make_project(2, 0, folder="unlabelled"))
    assert refused.code == 2
    assert "approve some" in refused.err
    assert path.read_bytes() == left


def test_a_mean_of_models_is_a_model(petseg: Petseg, make_model, tmp_path: Path):
    models, out = (make_model(seed=1), make_model(seed=2)), tmp_path / "mean.safetensors"
    done = petseg("models", "average", *models, "--out", out, "--shares", "1,3", "--name", "Both")
    assert done.code == 0, done.err
    assert read_description(out).name == "Both"
    assert f"petseg models calibrate {out} DATA" in done.out
    again = tmp_path / "again.safetensors"
    assert petseg("models", "average", "bundled", "bundled", "--out", again).code == 0
    kept = out.read_bytes()
    for words, reason in (
        ((*models, "--out", out), "exists already"),
        ((*models, "--out", tmp_path / "mean.onnx"), "ends in .safetensors"),
        ((*models, "--out", tmp_path / "m.safetensors", "--shares", "1;2"), "commas between"),
        ((models[0], "--out", tmp_path / "m.safetensors"), "two models at least"),
        ((models[0], "gone.safetensors", "--out", tmp_path / "m.safetensors"), "No model at gone"),
    ):
        refused = petseg("models", "average", *words)
        assert refused.code == 2
        assert reason in refused.err.replace("\n", " ")
    assert out.read_bytes() == kept


def test_the_card_shows_what_was_written_about_a_model(petseg: Petseg, tiny_model, tmp_path: Path):
    path = tmp_path / "mine.safetensors"
    shutil.copy(tiny_model, path)
    path.with_suffix(".md").write_text("# Mine\n\nFor hens.\n", "utf-8")
    assert petseg("models", "card", path).out.endswith("\n\n# Mine\n\nFor hens.\n")
    path.with_suffix(".md").write_bytes(b"\xff" * 9)  # no text: none of it is shown
    assert petseg("models", "card", path).out.count("\n\n") == 0
