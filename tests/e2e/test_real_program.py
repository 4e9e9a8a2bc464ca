"""The real program in a real window: open, segment, paint, approve, train, use the new model.

Mouse and keys come from xdotool into an X server of the test's own; what is checked is what a
person would have afterwards: files on the disk and pixels on the screen. The screenshots are kept
in artifacts/e2e.
"""

from __future__ import annotations

import json
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
from core.labels import PET
from core.masks import MaskEncoding, read_mask
from core.training import events
from core.training.control import worker_alive

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (shutil.which("Xvfb") and shutil.which("xdotool")),
        reason="a real window needs Xvfb and xdotool (apt install xvfb xdotool)",
    ),
]

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "artifacts" / "e2e"
WIDTH, HEIGHT = 1280, 800


class Person:
    """Someone who sits before the screen: keys, mouse, eyes."""

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

        wait_for(look, f"a window named {title}")
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


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.1)


@pytest.fixture
def person() -> Iterator[Person]:
    reader, writer = os.pipe()
    screen = f"{WIDTH}x{HEIGHT}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", screen, "-nolisten", "tcp"],
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
def program(person: Person, folder: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = tmp_path / "program.log"
    environ = os.environ | {
        "DISPLAY": person.display,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    environ.pop("QT_QPA_PLATFORM", None)
    environ.pop("WAYLAND_DISPLAY", None)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("petseg-gui")), str(folder)],
            env=environ,
            stdout=output,
            stderr=output,
        )
    yield process
    if process.poll() is None:
        process.kill()
    process.wait(30)
    sys.stdout.write(log.read_text())


def test_whole_loop_in_a_real_window(
    person: Person, program: subprocess.Popen[bytes], folder: Path
) -> None:
    store = folder / ".petseg"
    first, second = sorted(p.name for p in (folder / "images").iterdir())[:2]
    mask_file = folder / "masks" / Path(first).with_suffix(".png")
    prediction_file = store / "predictions" / Path(first).with_suffix(".png")

    def mask() -> np.ndarray:
        return read_mask(mask_file, MaskEncoding.IDS, PET)

    # Open: the first image has no mask, so it is segmented.
    person.window("PetSeg")
    wait_for(prediction_file.is_file, "the first image's prediction")
    predicted = read_mask(prediction_file, MaskEncoding.IDS, PET)
    assert 0 < predicted.mean() < 1
    assert not mask_file.exists()
    assert not loaded_torch(program.pid)
    person.look("1-segmented")

    # Paint: saved without being asked; undo is saved too.
    person.press("e")
    person.press(*["bracketright"] * 8)
    middle = (WIDTH // 2, HEIGHT // 2)
    person.drag((middle[0] - 150, middle[1]), middle, (middle[0] + 150, middle[1] + 20))
    wait_for(mask_file.is_file, "the corrected mask")
    corrected = mask()
    assert (corrected[predicted == 0] == 0).all()
    assert (corrected != predicted).sum() > 500
    person.look("2-corrected")
    person.press("ctrl+z")
    wait_for(lambda: bool((mask() == predicted).all()), "the undone stroke on the disk")
    person.press("ctrl+shift+z")
    wait_for(lambda: bool((mask() == corrected).all()), "the redone stroke on the disk")

    # Approve, and go on to the next image, which is segmented.
    person.press("ctrl+Return")
    wait_for(lambda: statuses(store).get(first) == "approved", "the approval")
    next_prediction = store / "predictions" / Path(second).with_suffix(".png")
    wait_for(next_prediction.is_file, "the second image's prediction")

    # Train two epochs: the dialog by keyboard, the curves on the screen.
    person.press("ctrl+t")
    person.window("Start training")
    person.press("Tab", "Tab", "ctrl+a", "2")
    person.look("3-dialog")
    person.press("Return")
    wait_for(lambda: epochs(store) >= 1, "the first epoch", 240)
    person.window("PetSeg")
    before = person.look("4-training")
    wait_for(lambda: epochs(store) == 2, "the second epoch", 240)
    (run,) = (store / "runs").iterdir()
    chosen = f"runs/{run.name}/best.safetensors"
    wait_for(lambda: model_of(store) == chosen, "the new model to be chosen")
    wait_for(lambda: not worker_alive(run), "the end of the training process")
    after = person.look("5-trained")
    assert val_curve(after) > val_curve(before), "the curves did not move"

    # The new model segments from now on.
    next_prediction.unlink()
    person.press("s")
    wait_for(next_prediction.is_file, "the prediction of the new model")
    person.look("6-new-model")
    assert not loaded_torch(program.pid)

    person.press("ctrl+q")
    assert program.wait(60) == 0
    assert (mask() == corrected).all()


def val_curve(shot: np.ndarray) -> int:
    """How many pixels of a screenshot have the colour of the validation curves."""
    red, green, blue = (shot[..., i].astype(int) for i in range(3))
    return int(((abs(red - 179) < 25) & (abs(green - 74) < 25) & (blue < 40)).sum())


def statuses(store: Path) -> dict[str, str]:
    """Image -> its last status."""
    lines = (store / "reviews.jsonl").read_text().splitlines()
    return {r["image"]: r["status"] for r in map(json.loads, lines)}


def epochs(store: Path) -> int:
    """Epochs that the only run has finished."""
    runs = list((store / "runs").glob("*")) if (store / "runs").is_dir() else []
    if not runs:
        return 0
    happened = events.read_events(runs[0])[0]
    assert not [e for e in happened if e.type == "failed"], happened
    return sum(e.type == "epoch" for e in happened)


def model_of(store: Path) -> str:
    return str(json.loads((store / "project.json").read_text()).get("model"))


def loaded_torch(pid: int) -> list[str]:
    """Files of torch that a running process has mapped."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return [line for line in maps.splitlines() if "/torch/" in line]
