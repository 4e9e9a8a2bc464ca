"""Nothing that ``make run`` starts wants a network: the default model, the demo, the window."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Python imports it first, in child processes too; an audit hook cannot be taken off again.
SITECUSTOMIZE = """
import os, sys

def refuse(event, args):
    asked = event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
    if asked or (event == "socket.connect" and not isinstance(args[1], (str, bytes))):
        with open(os.environ["ASKED"], "a") as file:
            file.write(f"{event} {args[1:]} of {sys.argv}\\n")
        raise OSError("there is no network")

sys.addaudithook(refuse)
"""

# What `make run` does where there is no screen, with fewer and smaller photos.
LOOP = """
import sys
from pathlib import Path
from core.cli import demo, loop

def small_run(project, preset, changes):
    small = {"epochs": 1, "min_steps": 1, "batch": 2, "size": 64}
    return real(project, preset, changes | small)

real, loop.new_run = loop.new_run, small_run
folder = Path("demo")
demo.demo_command(folder, 4, 4, 0, False)
sys.exit(demo.demo_command(folder, 4, 4, 0, True))
"""

WINDOW = """
import sys, time
from petseg_gui.app import build, make_application

def wait(condition):
    while not condition():
        application.processEvents()
        time.sleep(0.01)

application = make_application()
parts = build([])  # no folder: the demo
session = parts.session
parts.window.show()
wait(lambda: session.document is not None)
unmasked = session.project.names[-1]
parts.browser.select(unmasked)
wait(lambda: session.name == unmasked and session.document.mask.any())  # it is segmented
print(parts.models.current.title, len(session.project.names))
parts.window.close()
wait(lambda: not (parts.window.isVisible() or parts.tasks.busy))
"""

Alone = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def alone(tmp_path: Path) -> Alone:
    """alone("-c", code): a Python without a network; what asks for one fails, and is written
    down in tmp_path/asked."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITECUSTOMIZE)
    home = {
        f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("DATA", "CONFIG", "STATE", "CACHE")
    }
    environment = (
        os.environ
        | home
        | {
            "PYTHONPATH": str(tmp_path / "site"),
            "ASKED": str(tmp_path / "asked"),
            "HOME": str(tmp_path / "home"),
            "QT_QPA_PLATFORM": "offscreen",
            "OMP_NUM_THREADS": "1",
        }
    )

    def start(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, words)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return start


def nobody_asked(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    assert not asked.exists(), asked.read_text()
    # What ONNX Runtime keeps to send, no hook of Python's would see.
    assert not list(tmp_path.rglob("*onnxruntime*"))


def test_a_network_would_be_noticed(alone: Alone, tmp_path: Path):
    code = "import socket; socket.create_connection(('192.0.2.1', 80))"
    assert "there is no network" in alone("-c", code).stderr
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    assert "there is no network" in alone("-c", child).stderr
    assert (tmp_path / "asked").read_text().count("of ['-c']") == 2


def test_the_loop_runs_on_the_demo_without_a_network(alone: Alone, tmp_path: Path):
    done = alone("-c", LOOP)
    assert done.returncode == 0, done.stderr
    for step in ("before", "after"):
        assert len(list((tmp_path / "demo" / "segmented" / step).rglob("*.png"))) >= 4
    nobody_asked(tmp_path)


def test_the_window_opens_the_demo_without_a_network(alone: Alone, tmp_path: Path):
    done = alone("-c", WINDOW)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PetSeg default ")
    nobody_asked(tmp_path)
