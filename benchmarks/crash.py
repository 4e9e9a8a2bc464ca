"""A real window paints with real mouse events and is killed with SIGKILL, again and again.

``python -m benchmarks.crash [--rounds 50] [--seed 1] [--json FILE]``. Each round starts the
program on the folder that the last round left, looks at every mask that it brought back, lets it
paint, undo, redo, save and change images, and kills it at a random moment: in every second round
in the middle of a save, sometimes also while it starts. Just before each edit is handed to the
program's journal, the mask that it made is written to a file beside it; a mask that came back must
be, pixel by pixel, one of those. An edit counts as lost where it was made more than half a second
before the kill. Without a display the windows are drawn offscreen.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks.report import Row, json_argument, report
from petseg_gui.display import why_no_window

if TYPE_CHECKING:
    from petseg_gui.document import Document

SAFE_AFTER = 0.5  # seconds after which an edit must outlive the program
_SIZE = (640, 480)
_NAMES = tuple(f"photo-{i}.png" for i in range(4))
_RECORD = struct.Struct("<dII")  # time, the image's number, the length of its packed mask
_LIFE = (0.2, 2.5)  # seconds that a window paints before it is killed
_KILLED_EARLY = 0.2  # so many windows are killed while they start, beside those that paint
_KILLED_SAVING = 0.5  # so many of those that paint are killed in the middle of a save
_START = (0.3, 1.2)  # and after so many seconds


@dataclass(frozen=True, eq=False)
class State:
    """A mask (uint8, height x width) as an edit left it, and when (seconds since 1970)."""

    time: float
    mask: np.ndarray


@dataclass
class Tally:
    """What all rounds found."""

    edits: int = 0
    journals: int = 0
    lost: int = 0
    corrupt: int = 0
    kept: int = 0
    oldest_lost: float = 0.0  # seconds before the kill


def main() -> int:
    """Run the rounds, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--paint", nargs=3, metavar=("FOLDER", "LOG", "SEED"), help="internal")
    options = parser.parse_args()
    if options.paint:
        folder, log, seed = options.paint
        return _paint(Path(folder), Path(log), int(seed))
    random, tally = Random(options.seed), Tally()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        _make_folder(folder, random)
        states = {name: [State(0.0, _mask_on_disk(folder, name))] for name in _NAMES}
        killed_at = 0.0
        for number in range(options.rounds + 1):
            painter = _Painter(folder, Path(scratch), random.randrange(1 << 30))
            if random.random() < _KILLED_EARLY:
                # In the middle of starting, maybe of bringing masks back.
                time.sleep(random.uniform(*_START))
                painter.kill()
                painter = _Painter(folder, Path(scratch), random.randrange(1 << 30))
            with painter:
                _check(folder, states, killed_at, tally)
                if number < options.rounds:
                    painter.go()
                    time.sleep(random.uniform(*_LIFE))
                    if random.random() < _KILLED_SAVING:
                        _wait_for_change(folder / "masks", random.choice((1, 2)))
                killed_at = painter.kill()
                tally.journals += len(list(folder.rglob("*.journal")))
                tally.kept = len(list(folder.rglob("*.journal.kept*")))
                states = {n: [State(0.0, _mask_on_disk(folder, n))] for n in _NAMES}
                for index, state in _read_log(painter.log):
                    states[_NAMES[index]].append(state)
    rows = [
        Row("rounds (a window killed and started again)", options.rounds, ""),
        Row("edits made", tally.edits, ""),
        Row("masks with edits that were not saved at a kill", tally.journals, ""),
        Row(f"edits lost, older than {SAFE_AFTER} s", tally.lost, "", 0),
        Row("age of the oldest edit that was lost", tally.oldest_lost * 1000, "ms", 500),
        Row("masks corrupt", tally.corrupt, "", 0),
        Row("journals that could not be replayed", tally.kept, "", 0),
    ]
    return report(rows, options.json)


def _check(folder: Path, states: dict[str, list[State]], killed_at: float, tally: Tally) -> None:
    """Compare the masks that came back with what was painted in the round before."""
    for name in _NAMES:
        known = states[name]
        tally.edits += len(known) - 1
        try:
            found = _mask_on_disk(folder, name)
        except (OSError, ValueError):
            tally.corrupt += 1
            continue
        matches = [i for i, state in enumerate(known) if np.array_equal(state.mask, found)]
        if not matches:
            tally.corrupt += 1
            continue
        missing = known[matches[-1] + 1 :]
        ages = [killed_at - state.time for state in missing]
        tally.lost += sum(age > SAFE_AFTER for age in ages)
        tally.oldest_lost = max([tally.oldest_lost, *ages])


def _wait_for_change(masks: Path, changes: int) -> None:
    """Wait until a mask is being written (its temporary file is there: 1 change) or was (2)."""
    until = time.monotonic() + 2
    before = None
    while changes >= 0 and time.monotonic() < until:
        now = {(entry.name, entry.inode()) for entry in os.scandir(masks)}
        if now != before:
            before = now
            changes -= 1


def _make_folder(folder: Path, random: Random) -> None:
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    width, height = _SIZE
    noise = np.random.default_rng(random.randrange(1 << 30))
    for number, name in enumerate(_NAMES):
        pixels = noise.integers(0, 255, (height // 8, width // 8, 3), np.uint8)
        Image.fromarray(pixels).resize(_SIZE).save(folder / "images" / name)
        if number % 2:  # the others have no mask file to begin with
            mask = np.zeros((height, width), np.uint8)
            mask[height // 4 : height // 2, width // 4 : width // 2] = 1
            Image.fromarray(mask).save(folder / "masks" / name)


def _mask_on_disk(folder: Path, name: str) -> np.ndarray:
    path = folder / "masks" / name
    if not path.exists():
        return np.zeros(_SIZE[::-1], np.uint8)
    with Image.open(path) as image:
        return np.array(image)


def _read_log(path: Path) -> list[tuple[int, State]]:
    data, at, found = path.read_bytes() if path.exists() else b"", 0, []
    while at + _RECORD.size <= len(data):
        when, index, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + length <= len(data):
            pixels = np.frombuffer(zlib.decompress(data[at : at + length]), np.uint8)
            found.append((index, State(when, pixels.reshape(_SIZE[::-1]))))
        at += length
    return found


class _Painter:
    """A window in a process of its own, which waits for ``go`` once the folder is open."""

    def __init__(self, folder: Path, scratch: Path, seed: int) -> None:
        self.log = scratch / "painted"
        self.log.unlink(missing_ok=True)
        homes = {name: str(scratch / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        homes |= {name: str(scratch / name) for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME")}
        environment = os.environ | homes
        if why_no_window(environment):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        self._errors = (scratch / "errors").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.crash", "--paint", folder, self.log, str(seed)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> _Painter:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "open\n":
            self._errors.seek(0)
            raise RuntimeError(f"the window did not open: {self._errors.read()}")
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def go(self) -> None:
        """Let it paint."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def kill(self) -> float:
        """End it at once; returns when (seconds since 1970)."""
        now = time.time()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        elif self._process.returncode != -signal.SIGKILL:
            self._errors.seek(0)
            raise RuntimeError(f"the window ended by itself: {self._errors.read()}")
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._errors):
            assert file is not None
            file.close()
        return now


def _paint(folder: Path, log: Path, seed: int) -> int:
    """In the window's process: open the folder, wait, then work until somebody kills us."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    from core.editing.history import Step
    from core.project.project import Project
    from petseg_gui.app import build, make_application

    application = make_application()
    parts = build([str(folder)])
    parts.actions["segment_on_opening"].setChecked(False)
    parts.window.resize(900, 640)
    parts.window.show()
    session, canvas, random = parts.session, parts.canvas, Random(seed)
    while session.document is None:
        application.processEvents()
    record = session.journals.record

    def noted(project: Project, document: Document, step: Step, digest: str) -> None:
        # Written down first: a mask that comes back is always one of those noted.
        _note(log, document)
        record(project, document, step, digest)

    session.journals.record = noted  # type: ignore[method-assign]
    session.save_after_ms = random.choice((50, 200, 2000))
    print("open", flush=True)
    sys.stdin.readline()

    def point() -> QPoint:
        return QPoint(random.randrange(canvas.width()), random.randrange(canvas.height()))

    def stroke() -> None:
        button = random.choice((Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton))
        at = point()
        QTest.mousePress(canvas, button, pos=at)
        for _ in range(random.randrange(6)):
            at = point()
            QTest.mouseMove(canvas, at)
            application.processEvents()
        QTest.mouseRelease(canvas, button, pos=at)

    while True:
        wish = random.random()
        if wish < 0.75:
            stroke()
        elif wish < 0.9:
            parts.actions[random.choice(("undo", "redo"))].trigger()
        elif wish < 0.95:
            parts.actions[random.choice(("next", "previous"))].trigger()
        else:
            # A rest, in which the mask is saved.
            rested = time.monotonic() + random.uniform(0, 0.4)
            while time.monotonic() < rested:
                application.processEvents()
                time.sleep(0.001)
        application.processEvents()


def _note(log: Path, document: Document) -> None:
    packed = zlib.compress(document.mask.tobytes(), 1)
    index = _NAMES.index(document.name)
    with open(log, "ab") as file:
        file.write(_RECORD.pack(time.time(), index, len(packed)) + packed)
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    sys.exit(main())
