"""A ``petseg`` command with its times and its memory, for ``benchmarks.scale``.

``python -m benchmarks.scale_watched FILE WORDS...`` runs ``petseg WORDS`` and writes {first,
seconds} to FILE: until the first image was done, and until the end, with all imports.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Watched:
    """What a command took: seconds until its first image and until its end; peak bytes of the
    process itself and of the largest of its workers (0: none)."""

    first: float
    seconds: float
    peak: int
    worker_peak: int


def watched(words: Sequence[object]) -> Watched:
    """Run ``petseg`` with these words; some files may be skipped."""
    with tempfile.TemporaryDirectory() as scratch:
        times = Path(scratch) / "times.json"
        command = [sys.executable, "-m", "benchmarks.scale_watched", str(times), *map(str, words)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            peak = workers = 0
            while process.poll() is None:
                peak = max(peak, peak_of(process.pid))
                workers = max(workers, *map(peak_of, children_of(process.pid)), 0)
                time.sleep(_LOOK_SECONDS)
        if process.returncode not in (0, 3):
            raise SystemExit(f"petseg {' '.join(map(str, words))}: {process.returncode}")
        return Watched(**json.loads(times.read_text()), peak=peak, worker_peak=workers)


def peak_of(process: int) -> int:
    """The most bytes that a process has held so far; 0 where it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def children_of(process: int) -> list[int]:
    """The processes that a process has started."""
    with suppress(OSError):
        tasks = Path(f"/proc/{process}/task").glob("*/children")
        return [int(number) for task in tasks for number in task.read_text().split()]
    return []


def main() -> None:
    """Run one command: this process."""
    started = time.monotonic()
    from core.batch.ledger import Ledger
    from core.cli.main import main as petseg

    first: list[float] = []
    append = Ledger.append

    def noted(self: Ledger, key: str, row: Mapping[str, Any], settled: bool = True) -> None:
        append(self, key, row, settled)
        if settled and not first:
            first.append(time.monotonic() - started)

    Ledger.append = noted  # type: ignore[method-assign]
    out, *words = sys.argv[1:]
    sys.argv = ["petseg", *words]
    try:
        petseg()
    finally:
        times = {"first": (first or [0.0])[0], "seconds": time.monotonic() - started}
        Path(out).write_text(json.dumps(times))


if __name__ == "__main__":
    main()
