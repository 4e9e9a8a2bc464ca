"""``petseg predict``: masks for any number of photos, by any number of processes.

What is done is noted in the folder of the masks, so that the same command goes on where it was
interrupted: see docs/decisions/0031-many-machines.md.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from core.batch.ledger import Index, Ledger, as_json
from core.batch.pool import in_processes, in_threads
from core.batch.shares import Share, cores_of
from core.cli.models import model_path
from core.cli.output import DONE, images, progress, report_skipped, say, warn
from core.cli.photos import STATE, Photos, find_photos
from core.cli.segmenting import FIGURES, MOST_AT_ONCE, Job, Segmenter, Way
from core.cli.together import ALL_HERE, LAST_TELLS, Together, require_same, share_for, take_over
from core.errors import BadInput
from core.files import file_stamp, sweep, writing
from core.inference.options import PredictOptions
from core.labels import BorderRule, LabelScheme, listed, scheme_under
from core.modelfile import ModelDescription, read_description, read_onnx

_CHANGED = "it changed meanwhile: the same command does it again"


def predict_command(
    inputs: Sequence[Path],
    out: Path,
    model: str,
    options: PredictOptions,
    classes: str,
    overlay: bool,
    border: BorderRule,
    json_file: Path | None,
    together: Together = ALL_HERE,
) -> int:
    """Segment every image; a bad one is named at the end and the rest is done.

    classes: the names or ids of those that may appear, with commas between; "" for all.
    """
    share = share_for(together)
    photos = find_photos(inputs, out)
    path = model_path(model)
    description = read_description(path)
    scheme = scheme_under(description.scheme, border)
    if classes:
        options = replace(options, classes=_class_ids(classes, scheme))
    way = Way(scheme, border, options, overlay)
    job = _job(description, way)
    with Ledger(out / STATE) as ledger:
        if not together.anew:
            require_same(out / STATE, job)
        todo = _Todo(photos, ledger, share, overlay, together.anew)
        started = time.monotonic()
        done = _segment(todo, path, way, job, together.workers, cores_of(share))
        ledger.flush()
        seconds = time.monotonic() - started
        say(f"Segmented {images(done)} in {seconds:.1f} s into {out}{todo.words}")
        about = {
            "model": description.id,
            "classes": scheme.names,
            "border": border.value,
            "options": asdict(options),
        }
        return _conclude(photos, ledger, share, about, json_file)


class _Todo:
    """The photos that this process segments, and what it notes of them."""

    def __init__(
        self, photos: Photos, ledger: Ledger, share: Share, overlay: bool, anew: bool
    ) -> None:
        """Raises BadInput where a file that is not ours would be overwritten."""
        self.share, self.ledger, self.anew, self.out = share, ledger, anew, photos.out
        self._photos = photos
        self._keys: dict[str, str] = {}  # of those under way
        self._wanted = bytearray(len(photos))
        self._before = 0
        index = ledger.look()
        strange: list[Path] = []
        for i, job in enumerate(photos):
            if not share.holds(job.name):
                continue
            files = [job.mask, job.overlay] if overlay else [job.mask]
            there = [file for file in files if file.exists()]
            if len(there) == len(files) and not anew and index.settled(_key(job)):
                self._before += 1
                continue
            self._wanted[i] = True
            if there and not _is_ours(job, index, ledger, anew):
                strange += there
        if strange:
            _require_no_photo(strange, photos)
            if not anew:
                raise BadInput(
                    f"This command has not made {listed(strange)}: choose another --out, or "
                    "--anew to replace what is there."
                )

    def __len__(self) -> int:
        return self._wanted.count(True)

    @property
    def words(self) -> str:
        """What was not to be done any more, as the end of a sentence."""
        return f"; {self._before} were done before" if self._before else ""

    def __iter__(self) -> Iterator[Job]:
        """The jobs; each is noted as begun, so that its files are known as ours."""
        for wanted, job in zip(self._wanted, self._photos, strict=True):
            if wanted:
                self._keys[job.name] = _key(job)
                self.ledger.append(job.name, _who(job), settled=False)
                yield job

    def note(self, job: Job, found: dict[str, Any] | str) -> None:
        """Note what became of a job."""
        key = self._keys.pop(job.name)
        if isinstance(found, str):
            self.ledger.append(job.name, _who(job) | {"skipped": found})
        else:
            self.ledger.append(key, _who(job) | found)


def segment_files(
    jobs: Iterable[Job], count: int, model: Path, way: Way, cores: int, workers: int = 1
) -> Generator[tuple[Job, dict[str, Any] | str], None, None]:
    """Photo file to mask file, several at once: each with its figures or why there are none.

    count: how many jobs there are. Raises WriteError, ModelFileError, WorkerDied.
    """
    cores = max(1, cores // workers)
    # Photos beside each other use the cores better than one photo on all of them.
    beside = max(1, min(cores, -(-count // workers), MOST_AT_ONCE))
    make = partial(Segmenter.load, model, max(1, cores // beside), way)
    if workers == 1:
        return in_threads(make(), jobs, beside)
    return in_processes(make, jobs, workers, beside)


def _segment(
    todo: _Todo, model: Path, way: Way, job: dict[str, Any], workers: int, cores: int
) -> int:
    """Segment what is to do; returns how many photos have their masks now."""
    count, done = len(todo), 0
    workers = max(1, min(workers, count))
    if workers > 1:
        read_onnx(model, read_description(model))  # a damaged one is refused here
    results = segment_files(todo, count, model, way, cores, workers)
    take_over(todo.ledger, todo.out / STATE, job, todo.anew)
    rank = f", rank {todo.share.rank} of {todo.share.size}" if todo.share.size > 1 else ""
    try:
        with closing(results):
            for one, found in progress(results, count, f"segmenting{rank}"):
                todo.note(one, found)
                if isinstance(found, str):
                    continue
                done += 1
                for note in found["notes"]:
                    warn(f"{one.image}: {note}")
    except KeyboardInterrupt:
        warn(f"{images(done)} of {count} done; the same command goes on where it stopped.")
        raise
    return done


def _conclude(
    photos: Photos,
    ledger: Ledger,
    share: Share,
    about: dict[str, Any],
    json_file: Path | None,
) -> int:
    """Gather what all processes did, name what was skipped; returns the exit code."""
    index = ledger.look()
    skipped: list[tuple[str, str]] = []
    left = 0
    for job in photos:
        if index.settled(_key(job)):
            continue
        if index.settled(job.name):
            reason = ledger.read(index.find(job.name) or 0).get("skipped")
            skipped.append((str(job.image), str(reason)))
        elif share.size == 1:
            skipped.append((str(job.image), _CHANGED))
        else:
            left += 1
    if left:
        say(f"{left} of {images(len(photos))} are left to other processes; {LAST_TELLS}")
        return DONE
    sweep(photos.out)
    if json_file is not None:
        _write_json(json_file, about, _rows(photos, ledger, index), skipped)
    return report_skipped(skipped)


def _rows(photos: Photos, ledger: Ledger, index: Index) -> Iterator[dict[str, Any]]:
    """What there is to say of each photo that has its mask, in order."""
    for job in photos:
        place = index.find(_key(job))
        if place is None:
            continue
        row = ledger.read(place)
        names = {"image": str(job.image), "mask": str(job.mask)}
        yield names | {figure: row.get(figure) for figure in FIGURES}


def _write_json(
    path: Path,
    about: dict[str, Any],
    rows: Iterator[dict[str, Any]],
    skipped: Sequence[tuple[str, str]],
) -> None:
    """``about``, ``images`` and ``skipped``, a line each; they are never one text in memory."""
    reasons = ({"image": image, "reason": reason} for image, reason in skipped)
    with writing(path) as file:
        file.write(json.dumps(about, indent=2).removesuffix("\n}").encode())
        for name, values in (("images", rows), ("skipped", reasons)):
            file.write(f',\n  "{name}": ['.encode())
            for number, value in enumerate(values):
                file.write(f"{',' if number else ''}\n    {json.dumps(value)}".encode())
            file.write(b"\n  ]")
        file.write(b"\n}\n")


def _job(description: ModelDescription, way: Way) -> dict[str, Any]:
    """All that masks depend on, besides the photos."""
    return as_json(
        {
            "format": 1,
            "model": description.id,
            "network": description.onnx_sha256,
            "temperature": description.temperature,
            "border": way.border.value,
            "overlay": way.overlay,
            **asdict(way.options),
        }
    )


def _key(job: Job) -> str:
    """Under which a mask is noted as done: a photo that changes gets another one."""
    return f"{job.name}\n{file_stamp(job.image)}"


def _who(job: Job) -> dict[str, str]:
    return {"image": os.path.abspath(job.image)}


def _is_ours(job: Job, index: Index, ledger: Ledger, anew: bool) -> bool:
    """Whether the files of a job are those that this command made of the same photo."""
    place = index.find(job.name)
    if place is None:
        return False
    return anew or ledger.read(place).get("image") == _who(job)["image"]


def _require_no_photo(files: Sequence[Path], photos: Photos) -> None:
    """Raises BadInput where one of these files is a photo."""
    seen = {(stat.st_dev, stat.st_ino): file for file in files if (stat := file.stat())}
    for job in photos:
        with suppress(OSError):
            stat = job.image.stat()
            if (stat.st_dev, stat.st_ino) in seen:
                file = seen[stat.st_dev, stat.st_ino]
                raise BadInput(f"{file} is a photo and would be overwritten: choose another --out.")


def _class_ids(text: str, scheme: LabelScheme) -> tuple[int, ...]:
    """The ids of the classes that are named, by name or id. Raises BadInput."""
    known = {c.name.casefold(): c.id for c in scheme.classes} | {
        str(c.id): c.id for c in scheme.classes
    }
    wanted = [name.strip() for name in text.split(",")]
    unknown = [name for name in wanted if name.casefold() not in known]
    if unknown:
        raise BadInput(
            f"--classes {listed(unknown)}: this model's classes are {listed(scheme.names)}."
        )
    return tuple(sorted({known[name.casefold()] for name in wanted}))
