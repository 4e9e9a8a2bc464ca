"""``petseg reproduce``: every preset whole, in a project of its own, scored once."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli import follow as cli_follow
from core.cli.reproduce import reproduce_command
from core.data.decoding import with_border
from core.labels import TRIMAP
from core.masks import MaskEncoding
from core.project.project import open_project
from core.training.config import read_run_config

MakeProject = Callable[..., Path]
TINY = {"size": 32, "width": 4, "depth": 2, "batch": 4, "epochs": 1, "threads": 1, "device": "cpu"}


@pytest.fixture
def pets(make_project: MakeProject) -> Path:
    """Eight drawn animals with a border, arranged as Oxford-IIIT Pet; by their names all dogs."""
    root = make_project(
        8, scheme=TRIMAP, encoding=MaskEncoding.TRIMAP, change=lambda mask: with_border(mask, 2)
    )
    (root / "annotations").mkdir()
    (root / "masks").rename(root / "annotations" / "trimaps")
    return root


def test_each_preset_has_its_own_split_and_is_scored_by_what_it_knows(
    pets: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    snapshot,
):
    before = snapshot(pets)
    out, results = tmp_path / "out", tmp_path / "results.json"
    presets = ["trimap", "custom"]
    real = cli_follow._follow

    def follow(*args: Any) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(cli_follow, "_follow", follow)
        assert reproduce_command(pets, presets, out, TINY, results) == 1
    assert not (out / "custom").exists(), "Ctrl+C ends all of it"
    # The same command goes on.
    assert reproduce_command(pets, presets, out, TINY, results) == 0
    assert snapshot(pets) == before

    said = json.loads(results.read_text())
    assert [r["preset"] for r in said] == presets
    assert [[s["border"] for s in r["scores"]] for r in said] == [
        ["foreground", "class"],
        ["foreground"],
    ]
    for result, share in zip(said, (0.75, 0.8), strict=True):
        store = out / result["preset"]
        project = open_project(pets, store)
        assert project.settings.train_share == share
        config = read_run_config(store / "runs" / "whole")
        assert result["train"] == len(config.train_samples)
        assert result["val"] == len(config.val_samples)
        assert result["train"] + result["val"] == len(project.names)
        assert all(s["images"] == result["val"] for s in result["scores"])
        assert result["minutes"] > 0
    assert said[0]["published"] == "accuracy 0.918"
    assert "0.877" in said[0]["meaning"]

    printed = capsys.readouterr().out
    table = printed[printed.index("On the validation photos") :].splitlines()
    assert "dogs IoU" in table[1]
    assert [line.split()[0] for line in table[2:5]] == ["trimap", "trimap", "custom"]
    for row, scores in zip(table[2:4], said[0]["scores"], strict=True):
        assert scores["border"] in row
        assert f"{scores['per_image']['iou']:.4f}" in row
    assert "custom: none published" in printed

    # What is done is only read: the same table again, and no worker.
    def start(_run: Path) -> None:
        raise AssertionError("a worker was started")

    monkeypatch.setattr(cli_follow, "start_worker", start)
    assert reproduce_command(pets, presets, out, TINY, results) == 0
    assert json.loads(results.read_text()) == said
    assert "\n".join(table) in capsys.readouterr().out


def test_an_unknown_preset_is_refused_before_anything_is_trained(petseg, pets: Path, tmp_path):
    out = tmp_path / "out"
    outcome = petseg("reproduce", pets, "--presets", "baseline,best", "--out", out)
    assert outcome.code == 2
    assert "no preset 'best'" in outcome.err
    assert not out.exists()
