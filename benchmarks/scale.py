"""Predicting, evaluating and training at any size: speed, memory, and a process that is killed.

``python -m benchmarks.scale [--images N] [--training] [--json FILE] [--scratch DIR]``. The photos
are drawn: each another one, 64 x 48 pixels, and the network is tiny, so that what PetSeg itself
costs stands out. Folders of 100, 1,000, ... N of them (hard links) are predicted and evaluated by
one process and by two workers. What an image costs is the time after start-up, listing and report
included, by their number. Then two ranks share a folder, one of them is killed midway and started
again: each image must be done once, with the masks of one process.

``--training``: one epoch of a tiny network at 128 px on N such photos, decoded into the file on the
disk: the seconds of each stage before the first step, the images a second, and the peak memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.report import Row, json_argument, report
from benchmarks.scale_photos import draw_photos, part_of
from benchmarks.scale_watched import Watched, children_of, peak_of, watched
from core.batch.ledger import Ledger
from core.cli.photos import STATE
from core.labels import PET, BorderRule
from core.modelfile import ModelDescription
from core.project.duplicates import groups_of
from core.project.project import Project, open_project
from core.training import events
from core.training.config import Start
from core.training.launch import create_run, last_words, start_worker
from core.training.plan import plan_training
from core.training.presets import make_config

FLAT = 1.1
MEMORY_GROWTH_MB = 120.0
RESIDENT_GB = 4.0

_SMALLEST = 100
_REPEATED = 5  # a hundred images are over at once: chance weighs more
_KILLED_OF = 4000
_LOOK_SECONDS = 0.02
_MB = 2**20


def main() -> int:
    """Measure, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--training", action="store_true", help="measure a training instead")
    parser.add_argument("--scratch", type=Path, help="where the photos are drawn (a GB)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        photos = Path(scratch) / "photos"
        for done in draw_photos(photos, options.images):
            _say(f"drawn {done} of {options.images}")
        if options.training:
            rows = list(_training(photos, options.images))
        else:
            model = _tiny_model(Path(scratch))
            rows = list(_commands(photos, options.images, model, Path(scratch)))
            rows += _killed(photos, min(options.images, _KILLED_OF), model, Path(scratch))
    return report(rows, options.json)


def _commands(photos: Path, images: int, model: Path, scratch: Path) -> Iterator[Row]:
    """What predicting and evaluating cost, from few images to all of them."""
    sizes = [n for n in (_SMALLEST * 10**i for i in range(9)) if n < images] + [images]
    folders = {n: part_of(photos, n, scratch / f"part-{n}") for n in sizes[:-1]} | {images: photos}
    low, high = min(sizes[1:] or sizes), sizes[-1]
    for command, more in (("predict", []), ("evaluate", ["--subset", "all"])):
        runs: dict[int, list[Watched]] = {size: [] for size in sizes}
        # The small one again behind the large one: machines are not as fast at all times.
        for turn, size in enumerate([*sizes, low]):
            for i in range(_REPEATED if size <= 10 * _SMALLEST else 1):
                _say(f"{command} {size} images")
                out = scratch / f"{command}-{size}-{turn}-{i}"
                words = (command, folders[size], "--model", model, "--out", out, *more)
                runs[size].append(watched(words))
        start = median(run.first for run in runs[sizes[0]])
        cost = {n: (median(r.seconds for r in runs[n]) - start) / n * 1000 for n in sizes}
        peak = {n: median(r.peak for r in runs[n]) / _MB for n in sizes}
        yield Row(f"{command}: start-up", start, "s")
        for size in sizes:
            yield Row(f"{command}: an image of {size}", cost[size], "ms")
            yield Row(f"{command}: peak memory, {size} images", peak[size], "MB")
        yield Row(f"{command}: an image of {high} / of {low}", cost[high] / cost[low], "x", FLAT)
        growth = peak[high] - peak[sizes[0]]
        yield Row(f"{command}: memory that {high} images add", growth, "MB", MEMORY_GROWTH_MB)
        yield from _two_workers(command, folders, sizes, model, scratch, more, cost)


def _two_workers(
    command: str,
    folders: dict[int, Path],
    sizes: list[int],
    model: Path,
    scratch: Path,
    more: list[str],
    cost: dict[int, float],
) -> Iterator[Row]:
    size = max(n for n in sizes if n <= 10_000)
    words = (command, folders[size], "--model", model, "--out", scratch / f"{command}-two", *more)
    _say(f"{command} {size} images, 2 workers")
    two = watched((*words, "--workers", 2))
    each = (two.seconds - two.first) / size * 1000
    yield Row(f"{command}: 1 worker", 1000 / cost[size], "images/s")
    yield Row(f"{command}: 2 workers", 1000 / each, "images/s")
    yield Row(f"{command}: peak memory of a worker", two.worker_peak / _MB, "MB")


def _killed(photos: Path, images: int, model: Path, scratch: Path) -> Iterator[Row]:
    """Two ranks, one of them killed midway and started again."""
    folder = part_of(photos, images, scratch / "shared")
    alone, out = scratch / "by-one", scratch / "by-ranks"
    words = ("predict", folder, "--model", model, "--out")
    watched((*words, alone))

    def start(rank: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "core.cli", *map(str, (*words, out))],
            env=os.environ | {"RANK": str(rank), "WORLD_SIZE": "2"},
            stdout=subprocess.DEVNULL,
        )

    _say(f"two ranks, {images} images, one killed")
    first, second = start(0), start(1)
    while _noted(out) < images // 3 and second.poll() is None:
        time.sleep(_LOOK_SECONDS)
    second.kill()
    second.wait()
    first.wait()
    done = _noted(out)
    again = start(1)
    again.wait()
    with Ledger(out / STATE) as ledger:
        index = ledger.look()
    settled = sum(int(place) >> 62 for place in index.places)
    yield Row("killed: images done when one rank was dead", done, "images")
    yield Row("killed: images done in the end", settled, "images", images, at_least=True)
    yield Row("killed: images noted twice", _noted(out) - settled, "images", 0)
    yield Row("killed: masks unlike those of one process", _unlike(alone, out), "masks", 0)


def _noted(out: Path) -> int:
    """Lines that say that an image was done."""
    files = (out / STATE).glob("*.rows.jsonl")
    return sum(file.read_bytes().count(b'"settled":true') for file in files)


def _unlike(out: Path, other: Path) -> int:
    """Masks that are in one of two folders only, or of other bytes."""
    found = [{p.relative_to(o): p.read_bytes() for p in o.rglob("*.png")} for o in (out, other)]
    return len(dict(found[0].items() ^ found[1].items()))


def _training(photos: Path, images: int) -> Iterator[Row]:
    """The stages of a training, one after the other."""
    hashes = np.random.default_rng(0).integers(0, 2**64, images, np.uint64)
    random = {str(i): int(value) for i, value in enumerate(hashes)}
    begun = time.monotonic()
    groups_of(random)
    yield Row(f"near-duplicates among {images} hashes", time.monotonic() - begun, "s")
    begun = time.monotonic()
    project = open_project(photos)
    yield Row("opening the folder", time.monotonic() - begun, "s")
    begun = time.monotonic()
    plan = plan_training(project)
    yield Row("plan: comparing and splitting", time.monotonic() - begun, "s")
    config = make_config(
        "baseline",
        start=Start.SCRATCH,
        size=128,
        width=4,
        depth=1,
        batch=32,
        epochs=1,
        threads=os.cpu_count() or 1,
        join=False,
        # Half of what there is, at most: so that small runs take the same way.
        memory=min(2048, max(1, images * 4 * 128**2 // 2 // _MB)),
    )
    begun = time.monotonic()
    run = create_run(project, config, plan)
    yield Row("making the run", time.monotonic() - begun, "s")
    yield Row("decoded images on the disk", images * 4 * 128**2 / 1e9, "GB")
    yield from _worker(project, run)


def _worker(project: Project, run: Path) -> Iterator[Row]:
    begun = time.monotonic()
    worker = start_worker(run)
    peak, loaded, offset = 0, 0.0, 0
    epoch: events.Epoch | None = None
    said: list[events.Event] = []
    while True:
        ended = worker.poll() is not None
        together = (worker.pid, *children_of(worker.pid))
        peak = max(peak, sum(map(peak_of, together)))
        new, offset = events.read_events(run, offset)
        said += new
        for event in new:
            if isinstance(event, events.Started):
                loaded = time.monotonic() - begun
            elif isinstance(event, events.Epoch):
                epoch = event
        if ended:
            break
        time.sleep(0.2)
    if epoch is None:
        raise SystemExit(last_words(run))
    kinds = Counter(event.type for event in said)
    _say(f"{len(project.names)} images: {dict(kinds)}")
    yield Row("reading and decoding", loaded, "s")
    yield Row("training", epoch.images_per_second, "images/s")
    yield Row("the whole run", time.monotonic() - begun, "s")
    yield Row("peak memory of the worker", peak / 2**30, "GB", RESIDENT_GB)


def _tiny_model(folder: Path) -> Path:
    import torch

    from core.models.export import save_model
    from core.models.network import build_network

    torch.manual_seed(0)
    network = {"outputs": 2, "width": 4, "depth": 1}
    path = folder / "tiny.safetensors"
    about = ModelDescription(
        id="tiny",
        name="Tiny",
        scheme=PET,
        border_rule=BorderRule.CLASS,
        activation="softmax",
        size=32,
        network=network,
    )
    save_model(build_network(network).eval(), about, path)
    return path


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
