"""``petseg fetch`` against a small mirror on loopback."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from core.cli.fetch import fetch_command
from core.fetching.oxford_pet import ARCHIVES, is_complete
from tests.core.fetching.conftest import Mirror, archives, mirror, small_pets

__all__ = ["archives", "mirror", "small_pets"]  # fixtures


def test_what_came_the_licence_and_the_next_command_are_said(
    mirror: Mirror, archives, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "pets"
    assert fetch_command(folder, mirror.url, archives) == 0
    out = capsys.readouterr().out
    for title in ("Downloading", "Checking", "Unpacking"):
        assert out.count(f"{title} images.tar.gz (0 MB)\n") == 1
    assert "5 photos, 5 with masks; official lists: 3 to train and validate, 2 to test" in out
    assert "CC BY-SA 4.0" in out
    assert f"petseg train {folder} --preset quick" in out
    mirror.asked.clear()
    assert fetch_command(folder, mirror.url, archives) == 0
    assert "holds the whole of Oxford-IIIT Pet already" in capsys.readouterr().out
    assert mirror.asked == []


def test_ctrl_c_keeps_what_came_and_says_so(
    mirror: Mirror, archives, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    mirror.cut_after = [archives[0].size, 1000]
    mirror.interrupt = tmp_path / ".fetching" / "images.tar.gz"
    with pytest.raises(KeyboardInterrupt):
        fetch_command(tmp_path, mirror.url, archives)
    assert "the same command goes on" in capsys.readouterr().err
    assert not is_complete(tmp_path)
    assert fetch_command(tmp_path, mirror.url, archives) == 0
    asked = [path for path, _ in mirror.asked]
    assert asked == ["/annotations.tar.gz", "/images.tar.gz", "/images.tar.gz"]
    assert is_complete(tmp_path)


def test_the_whole_command_without_a_network(petseg, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as unused:  # bound, but nobody listens
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        outcome = petseg("fetch", "oxford-pet", tmp_path / "pets", "--mirror", url)
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert "Check the connection" in outcome.err


def test_the_whole_command_meets_other_archives(petseg, mirror: Mirror, archives, tmp_path: Path):
    outcome = petseg("fetch", "oxford-pet", tmp_path / "pets", "--mirror", mirror.url + "/")
    assert outcome.code == 1
    assert f"not the file that was expected ({ARCHIVES[0].size:,} bytes)" in outcome.err
    assert mirror.asked == [("/annotations.tar.gz", "")]


def test_wrong_usage(petseg, tmp_path: Path):
    assert petseg("fetch", "cars", tmp_path / "new").code == 2
    (tmp_path / "mine.txt").touch()
    for words in ([], ["--mirror", "pets"]):
        assert petseg("fetch", "oxford-pet", tmp_path, *words).code == 2
