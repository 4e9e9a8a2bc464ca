"""Core tests leave neither processes nor threads behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Networks of a few thousand weights only lose time to more threads. Read when torch is loaded.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def _children() -> set[str]:
    """The ids of this process's living children (none where there is no /proc)."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # it ended while we looked
        if int(parent) == os.getpid() and state != "Z":
            found.add(stat.parent.name)
    return found


@pytest.fixture(autouse=True)
def leaves_nothing_running() -> Iterator[None]:
    """Fails a test that leaves a child process or a thread behind."""
    processes, threads = _children(), set(threading.enumerate())
    yield
    assert _children() <= processes, "a child process was left behind"
    left = [t for t in threading.enumerate() if t not in threads and t.is_alive()]
    assert not left, f"threads were left behind: {left}"


@pytest.fixture
def ask_child() -> Callable[[str, object], tuple[int, list[dict[str, Any]]]]:
    """ask_child(module, request) -> the exit code and the answers of a process asked once."""

    def ask(module: str, request: object) -> tuple[int, list[dict[str, Any]]]:
        with subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps(request) + "\n")
            child.stdin.flush()
            lines = [json.loads(line) for line in child.stdout]  # it ends of itself
        return child.returncode, lines

    return ask


@pytest.fixture
def user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own PetSeg folder, a new one."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))
    return tmp_path / "user-data" / "petseg"


@pytest.fixture(scope="session")
def crops_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, described anew as one of the view ``crops`` (do not write to it)."""
    from core.modelfile import onnx_path, read_description
    from core.models.export import describe_anew

    path = tmp_path_factory.mktemp("crops") / tiny_model.name
    for file in (tiny_model, onnx_path(tiny_model)):
        shutil.copy(file, path.parent)
    describe_anew(path, read_description(path).model_copy(update={"view": "crops"}))
    return path
