"""A person before a real screen: an X server of the test's own, xdotool's mouse and keys.

What is checked is what a person would have afterwards: files on the disk and pixels on the screen.
The screenshots are kept in artifacts/e2e.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageGrab

from core.demo import draw_demo

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "artifacts" / "e2e"
WIDTH, HEIGHT = 1280, 800


@pytest.fixture(autouse=True)
def real_screen() -> None:
    """Without an X server to start there is nothing to test with."""
    if not (shutil.which("Xvfb") and shutil.which("xdotool")):
        pytest.skip("a real window needs Xvfb and xdotool (apt install xvfb xdotool)")


class Person:
    """Someone who sits before the screen: keys, mouse, eyes. The screen's size: width, height."""

    width, height = WIDTH, HEIGHT

    def __init__(self, display: str) -> None:
        self.display = display

    def do(self, *words: str) -> str:
        """An xdotool command; returns what it prints."""
        done = subprocess.run(
            ["xdotool", *words],
            env=os.environ | {"DISPLAY": self.display},
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout.strip()

    def window(self, title: str) -> str:
        """Wait for a visible window of this title and give it the keyboard."""
        found: list[str] = []

        def look() -> bool:
            found[:] = self.do("search", "--onlyvisible", "--name", title).split()
            return bool(found)

        self.wait_for(look, f"a window named {title}")
        self.do("windowfocus", "--sync", found[-1])
        return found[-1]

    def press(self, *keys: str) -> None:
        self.do("key", "--delay", "60", *keys)

    def drag(self, *points: tuple[int, int]) -> None:
        self.do("mousemove", *map(str, points[0]), "mousedown", "1")
        for x, y in points[1:]:
            self.do("mousemove", "--sync", str(x), str(y))
        self.do("mouseup", "1")

    def look(self, name: str) -> np.ndarray:
        """A screenshot, kept under this name: uint8 RGB."""
        image = ImageGrab.grab(xdisplay=self.display)
        SHOTS.mkdir(parents=True, exist_ok=True)
        image.save(SHOTS / f"{name}.png")
        return np.asarray(image.convert("RGB"))

    def click(self, x: int, y: int, button: int = 1) -> None:
        self.do("mousemove", "--sync", str(x), str(y), "click", str(button))

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
            time.sleep(0.1)


@pytest.fixture
def person() -> Iterator[Person]:
    reader, writer = os.pipe()
    screen = f"{WIDTH}x{HEIGHT}x24"
    # -noreset: a server that starts anew when a killed program was its last would refuse the next.
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as pipe:
        number = pipe.readline().strip()
    yield Person(f":{number}")
    server.terminate()
    server.wait(30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve drawn animals, ten of them with masks; the first two images have none."""
    folder = tmp_path / "animals"
    for _ in draw_demo(folder, images=12, masked=12, first_seed=500):
        pass
    for mask in sorted((folder / "masks").iterdir())[:2]:
        mask.unlink()
    return folder


@pytest.fixture
def start(
    person: Person, folder: Path, tmp_path: Path
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """start(): the program on the folder, as a process of its own; ended after the test."""
    environ = os.environ | {
        "DISPLAY": person.display,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    environ.pop("QT_QPA_PLATFORM", None)
    environ.pop("WAYLAND_DISPLAY", None)
    started: list[subprocess.Popen[bytes]] = []
    log = tmp_path / "program.log"

    def start_program() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            command = [str(Path(sys.executable).with_name("petseg-gui")), str(folder)]
            started.append(subprocess.Popen(command, env=environ, stdout=output, stderr=output))
        return started[-1]

    yield start_program
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(30)
    if log.exists():
        sys.stdout.write(log.read_text())
