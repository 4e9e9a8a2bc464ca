"""``petseg predict``."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event, Lock
from typing import Any

import cv2
import numpy as np

from core.cli.models import model_path
from core.cli.output import images, progress, report_skipped, save_json, say, warn
from core.errors import BadInput
from core.files import write_bytes
from core.images import ImageError, encode_jpeg, image_size, read_image
from core.inference.options import PredictOptions
from core.inference.predictor import Predictor
from core.labels import VOID, BorderRule, LabelScheme, listed, scheme_under
from core.masks import write_mask
from core.project.layout import find_layout, list_images, mask_names

_OVERLAY_OPACITY = 0.45
_MOST_AT_ONCE = 8
_LARGE = 24_000_000  # pixels: of such photos only one at a time is held in memory


@dataclass(frozen=True)
class Job:
    """A photo, and the file that its mask goes to."""

    image: Path
    mask: Path


@dataclass(frozen=True)
class Way:
    """How photos become mask files."""

    predictor: Predictor
    scheme: LabelScheme
    border: BorderRule
    options: PredictOptions
    overlay: bool = False


def predict_command(
    inputs: list[Path],
    out: Path,
    model: str,
    options: PredictOptions,
    classes: str,
    overlay: bool,
    border: BorderRule,
    json_file: Path | None,
) -> int:
    """Segment every image; a bad one is named and the rest goes on.

    classes: the names or ids of those that may appear, with commas between; "" for all.
    """
    jobs = _jobs(inputs, out)
    cores = os.cpu_count() or 1
    # Photos beside each other use the cores better than one photo on all of them.
    predictor = Predictor(model_path(model), max(1, cores // len(jobs)))
    scheme = scheme_under(predictor.description.scheme, border)
    if classes:
        options = replace(options, classes=_class_ids(classes, scheme))
    way = Way(predictor, scheme, border, options, overlay)
    rows: list[dict[str, Any]] = []
    skipped: list[tuple[str, str]] = []
    started = time.monotonic()
    with closing(segment_files(jobs, way, cores)) as results:
        for job, found in zip(jobs, progress(results, len(jobs), "segmenting"), strict=True):
            if isinstance(found, str):
                skipped.append((str(job.image), found))
                continue
            for note in found["notes"]:
                warn(f"{job.image}: {note}")
            rows.append(found)
    seconds = time.monotonic() - started
    say(f"Segmented {images(len(rows))} in {seconds:.1f} s into {out}")
    save_json(
        json_file,
        {
            "model": predictor.description.id,
            "classes": scheme.names,
            "border": border.value,
            "options": asdict(options),
            "images": rows,
            "skipped": [{"image": i, "reason": r} for i, r in skipped],
        },
    )
    return report_skipped(skipped)


def segment_files(jobs: Sequence[Job], way: Way, cores: int) -> Generator[dict[str, Any] | str]:
    """Photo file to mask file, several at once: of each, in order, its row or why there is none.

    Raises WriteError, ModelFileError.
    """
    one_large, stop = Lock(), Event()

    def work(job: Job) -> dict[str, Any] | str:
        try:
            width, height = image_size(job.image)
            with one_large if width * height > _LARGE else nullcontext():
                return _segment(job, way, stop)
        except ImageError as error:
            return error.reason
        except MemoryError:
            return "too large for this machine's memory"

    with ThreadPoolExecutor(min(cores, len(jobs), _MOST_AT_ONCE)) as pool:
        try:
            yield from pool.map(work, jobs)
        finally:  # closed on the way, it leaves out what has not begun and ends the rest
            stop.set()
            way.predictor.stop(stop)


def _segment(job: Job, way: Way, stop: Event) -> dict[str, Any]:
    """Raises ImageError, WriteError, ModelFileError, PredictionStopped, MemoryError."""
    image = read_image(job.image)
    prediction = way.predictor.predict(image.pixels, way.options.flip, way.options.tiles, stop)
    mask = prediction.mask(way.scheme, way.border, way.options)
    write_mask(job.mask, mask, way.scheme)
    if way.overlay:
        picture = draw_overlay(image.pixels, mask, way.scheme)
        write_bytes(_overlay_of(job.mask), encode_jpeg(picture))
    return {
        "image": str(job.image),
        "mask": str(job.mask),
        "width": mask.shape[1],
        "height": mask.shape[0],
        "foreground": float((mask > 0).mean()),
        "uncertainty": prediction.uncertainty,
        "notes": list(image.notes),
    }


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


def draw_overlay(pixels: np.ndarray, mask: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """The image with its mask's classes tinted and outlined: uint8 RGB, height x width x 3."""
    picture = pixels.copy()
    for label in scheme.classes[1:]:
        inside = mask == label.id
        colour = np.array(label.colour, np.float32)
        tinted = picture[inside] * (1 - _OVERLAY_OPACITY) + colour * _OVERLAY_OPACITY
        picture[inside] = tinted.astype(np.uint8)
    foreground = ((mask > 0) & (mask != VOID)).astype(np.uint8)
    contours, _ = cv2.findContours(foreground, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    width = max(1, round(max(mask.shape) / 300))
    cv2.drawContours(picture, contours, -1, (255, 255, 255), width)
    return picture


def _jobs(inputs: list[Path], out: Path) -> list[Job]:
    if out.exists() and not out.is_dir():
        raise BadInput(f"--out {out} is a file, not a folder.")
    jobs: dict[Path, Job] = {}
    writer: dict[str, Path] = {}
    for folder, names in _folders(inputs):
        written = mask_names(names)
        for name in names:
            job = Job(folder / name, out / written[name])
            other = writer.setdefault(str(job.mask).casefold(), job.image)
            if other != job.image:
                raise BadInput(
                    f"{other} and {job.image} would both write {job.mask}: "
                    "predict them into different folders."
                )
            jobs[job.image] = job
    if not jobs:
        raise BadInput(f"No images in {', '.join(map(str, inputs))}.")
    _refuse_overwriting(list(jobs.values()), inputs, out)
    return list(jobs.values())


def _refuse_overwriting(jobs: list[Job], inputs: list[Path], out: Path) -> None:
    """Raises BadInput where a photo, or a mask that came with a folder, would be replaced."""
    photos = {job.image.resolve() for job in jobs}
    for job in jobs:
        for target in (job.mask, _overlay_of(job.mask)):
            if target.resolve() in photos:
                raise BadInput(
                    f"{target} is a photo and would be overwritten: choose another --out."
                )
    for folder in filter(Path.is_dir, inputs):
        layout = find_layout(folder)
        for place in filter(None, (layout.masks, layout.trimaps)):
            if place.is_dir() and out.resolve().is_relative_to(place.resolve()):
                raise BadInput(f"{out} holds {folder}'s own masks: choose another --out.")


def _overlay_of(mask: Path) -> Path:
    return mask.with_name(f"{mask.stem}_overlay.jpg")


def _folders(inputs: list[Path]) -> list[tuple[Path, list[str]]]:
    """Each folder with the names of its images; single files are gathered by their folder."""
    found: list[tuple[Path, list[str]]] = []
    single: dict[Path, list[str]] = {}
    for path in inputs:
        if path.is_dir():
            layout = find_layout(path)
            found.append((layout.images, list_images(layout)))
        elif path.exists():
            single.setdefault(path.parent, []).append(path.name)
        else:
            raise BadInput(f"{path} does not exist.")
    return found + list(single.items())
