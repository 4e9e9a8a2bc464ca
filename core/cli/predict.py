"""``petseg predict``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from core.cli.models import model_path
from core.cli.output import progress, report_skipped, save_json, say, warn
from core.errors import BadInput
from core.files import write_bytes
from core.images import ImageError, encode_jpeg, read_image
from core.inference.predictor import Predictor
from core.labels import VOID, BorderRule, LabelScheme, scheme_under
from core.masks import write_mask
from core.project.layout import find_layout, list_images, mask_names

_OVERLAY_OPACITY = 0.45


@dataclass(frozen=True)
class _Job:
    image: Path
    mask: Path


def predict_command(
    inputs: list[Path],
    out: Path,
    model: str,
    flip: bool,
    overlay: bool,
    border: BorderRule,
    json_file: Path | None,
) -> int:
    """Segment every image; a bad one is named and the rest goes on."""
    jobs = _jobs(inputs, out)
    predictor = Predictor(model_path(model))
    scheme = scheme_under(predictor.description.scheme, border)
    rows: list[dict[str, Any]] = []
    skipped: list[tuple[str, str]] = []
    started = time.monotonic()
    for job in progress(jobs, len(jobs), "segmenting"):
        try:
            image = read_image(job.image)
        except ImageError as error:
            skipped.append((str(job.image), error.reason))
            continue
        pixels = image.pixels
        for note in image.notes:
            warn(f"{job.image}: {note}")
        prediction = predictor.predict(pixels, flip)
        mask = prediction.mask(scheme, border)
        write_mask(job.mask, mask, scheme)
        if overlay:
            write_bytes(_overlay_of(job.mask), encode_jpeg(draw_overlay(pixels, mask, scheme)))
        rows.append(_row(job, mask, prediction.uncertainty, image.notes))
    seconds = time.monotonic() - started
    say(f"Segmented {len(rows)} images in {seconds:.1f} s into {out}")
    save_json(
        json_file,
        {
            "model": predictor.description.id,
            "classes": scheme.names,
            "border": border.value,
            "images": rows,
            "skipped": [{"image": i, "reason": r} for i, r in skipped],
        },
    )
    return report_skipped(skipped)


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


def _jobs(inputs: list[Path], out: Path) -> list[_Job]:
    if out.exists() and not out.is_dir():
        raise BadInput(f"--out {out} is a file, not a folder.")
    jobs: dict[Path, _Job] = {}
    writer: dict[str, Path] = {}
    for folder, names in _folders(inputs):
        written = mask_names(names)
        for name in names:
            job = _Job(folder / name, out / written[name])
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


def _refuse_overwriting(jobs: list[_Job], inputs: list[Path], out: Path) -> None:
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


def _row(job: _Job, mask: np.ndarray, uncertainty: float, notes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "image": str(job.image),
        "mask": str(job.mask),
        "width": mask.shape[1],
        "height": mask.shape[0],
        "foreground": float((mask > 0).mean()),
        "uncertainty": uncertainty,
        "notes": list(notes),
    }
