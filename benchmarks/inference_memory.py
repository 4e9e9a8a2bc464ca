"""One photo file, or many, to mask files, in a process of its own: seconds and peak memory.

``python -m benchmarks.inference_memory MODEL TILES OUT PHOTO...`` prints one line of JSON:
load_seconds, seconds, resident (bytes before the first photo) and peak (bytes at most).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from core.batch.pool import in_threads
from core.cli.segmenting import MOST_AT_ONCE, Job, Segmenter, Way
from core.inference.options import PredictOptions
from core.inference.predictor import Predictor
from core.labels import BorderRule, scheme_under


@dataclass(frozen=True)
class Used:
    """What a process took. Seconds; bytes."""

    load_seconds: float
    seconds: float
    resident: int
    peak: int


def measure(model: Path, photos: Sequence[Path], out: Path, tiles: int = 1) -> Used:
    """Segment photos in a process of its own."""
    words = [str(model), str(tiles), str(out), *map(str, photos)]
    command = [sys.executable, "-m", "benchmarks.inference_memory", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Used(**json.loads(done.stdout))


def segment_all(predictor: Predictor, photos: Sequence[Path], out: Path, tiles: int = 1) -> None:
    """As ``petseg predict`` does it."""
    rule = BorderRule.FOREGROUND
    scheme = scheme_under(predictor.description.scheme, rule)
    way = Way(scheme, rule, PredictOptions(tiles=tiles))
    jobs = [Job(photo, out, f"{photo.stem}.png") for photo in photos]
    beside = min(os.cpu_count() or 1, len(jobs), MOST_AT_ONCE)
    for _, found in in_threads(Segmenter(predictor, way), jobs, beside):
        if isinstance(found, str):
            raise SystemExit(found)


def main() -> int:
    """Measure one process: this one."""
    model, tiles, out, *photos = sys.argv[1:]
    started = time.perf_counter()
    predictor = Predictor(Path(model), max(1, (os.cpu_count() or 1) // len(photos)))
    loaded = time.perf_counter()
    resident = _status("VmRSS")
    segment_all(predictor, list(map(Path, photos)), Path(out), int(tiles))
    ended = time.perf_counter()
    used = Used(loaded - started, ended - loaded, resident, _status("VmHWM"))
    print(json.dumps(asdict(used)))
    return 0


def _status(name: str) -> int:
    # Not getrusage: its peak counts what the parent held before this program was started.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    sys.exit(main())
