"""``petseg`` in this process, with a tiny model in place of the bundled one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.cli import doctor, main, models
from core.inference import catalogue


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code, its lines on stdout and on stderr."""

    code: int
    out: str
    err: str


Petseg = Callable[..., Outcome]


@pytest.fixture
def petseg(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tiny_model: Path,
    user_data: Path,
) -> Petseg:
    """petseg("predict", ...) -> Outcome."""
    for module in (models, catalogue, doctor):
        monkeypatch.setattr(module, "bundled_model", lambda: tiny_model)
        monkeypatch.setattr(module, "fast_model", lambda: user_data / "gone.safetensors")

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["petseg", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, said.out, said.err)

    return run
