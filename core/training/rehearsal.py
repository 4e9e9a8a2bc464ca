"""``python -m core.training.rehearsal``: how fast a training would be, and what it would see.

The process answers the requests on its standard input (core/training/estimate.py) until that is
closed. It takes steps as a run does, with the same network, threads and priority, keeps nothing
and writes no file.
"""

from __future__ import annotations

import base64
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch

from core.data.decoding import Decoding
from core.data.samples import Samples, SampleStore, load_samples
from core.errors import BadInput, PetSegError
from core.labels import VOID, LabelScheme, scheme_under
from core.project.project import Project, open_project
from core.training.config import Start, TrainConfig, outputs_for, trained_scheme
from core.training.estimate import (
    PICTURES,
    Answer,
    Request,
    Timing,
    steps_per_epoch,
    threads_of,
)
from core.training.start import choose_device, start_network
from core.training.trainer import Scoring, Setup, augmented, new_state, train_step, validate

_STEPS = 3
_ENOUGH = 20.0  # seconds: of very long steps fewer tell enough
_NICE = 10
_LONGEST = 256  # pixels of a picture's side
_TINT = 0.4


def main() -> int:
    """Answer until nobody asks any more."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    for line in sys.stdin:
        request = Request.model_validate_json(line)
        for answer in _answers(request):
            sys.stdout.write(answer.model_dump_json() + "\n")
            sys.stdout.flush()
    return 0


def _answers(request: Request) -> Iterator[Answer]:
    try:
        yield from rehearse(request)
    except PetSegError as error:
        yield Answer(number=request.number, problem=str(error), last=True)
    except (MemoryError, RuntimeError):
        # Too large for this machine: a training says so in its own words.
        problem = "It could not be tried out: the memory may be too small for it."
        yield Answer(number=request.number, problem=problem, last=True)


def rehearse(request: Request) -> Iterator[Answer]:
    """First the pictures, then the timing where it is wanted. Raises PetSegError."""
    config = request.config
    torch.set_num_threads(threads_of(config))
    project = open_project(Path(request.source.folder), Path(request.source.store))
    scheme = trained_scheme(config, project.settings.scheme)
    started = time.perf_counter()
    train = _load(project, request.train, config, scheme)
    load = (time.perf_counter() - started) / len(request.train)
    pictures = tuple(_pictures(train, config, project.settings.scheme, scheme, request.draw))
    yield Answer(number=request.number, pictures=pictures, last=not request.measure)
    if not request.measure:
        return
    val = _load(project, request.val, config, scheme)
    timing = _measure(config, scheme, train, val, load, request.images)
    yield Answer(number=request.number, timing=timing, last=True)


def _load(
    project: Project, names: tuple[str, ...], config: TrainConfig, scheme: LabelScheme
) -> Samples:
    store = SampleStore(
        Decoding(config.size, scheme, config.border), threads=torch.get_num_threads()
    )
    samples = load_samples([(project, name) for name in names], store, lambda: None)
    if len(samples) == 0:
        raise BadInput("None of the images could be read.")
    return samples


def _measure(
    config: TrainConfig, full: LabelScheme, train: Samples, val: Samples, load: float, images: int
) -> Timing:
    """A few images stand for a whole batch: a step's time does not depend on what they show."""
    # Weights that would have to be downloaded make no step faster; the first pictures may be small.
    start = Start.SCRATCH if config.start == Start.IMAGENET else config.start
    config = config.model_copy(update={"start": start, "first_size": 0})
    device = choose_device(config.device)
    some, _ = train.take(torch.arange(len(train)))
    net = start_network(config, outputs_for(config, full), some)
    net.to(device).to(memory_format=torch.channels_last)
    scoring = Scoring(scheme_under(full, config.border), config.score_border)
    setup = Setup(config, scoring, device)
    state = new_state(net, config, steps_per_epoch(config, images))
    batch = torch.arange(min(config.batch, images)) % len(train)

    def step() -> None:
        train_step(state, train, batch, setup)

    def look() -> None:
        validate(state, val, setup, lambda: None)

    step()  # the first one also builds what the others use
    seconds: list[float] = []
    while len(seconds) < _STEPS and sum(seconds) < _ENOUGH:
        seconds.append(_seconds(step))
    return Timing(
        device=device.type,
        size=config.size,
        batch=len(batch),
        load=load,
        step=median(seconds),
        validate_image=_seconds(look) / len(val),
    )


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _pictures(
    train: Samples, config: TrainConfig, own: LabelScheme, full: LabelScheme, number: int
) -> Iterator[str]:
    """PNG files (base64) of augmented images with their masks as a tint; void is dark."""
    index = torch.arange(PICTURES) % len(train)
    device = torch.device("cpu")
    images, masks = augmented(train, index, slice(None), config, number, config.size, device)
    known = scheme_under(full, config.border).classes
    colours = [(own.classes[c.id] if c.id < len(own.classes) else c).colour for c in known]
    for image, mask in zip(images.byte().numpy(), masks.numpy(), strict=True):
        picture = _tinted(image.transpose(1, 2, 0), mask, colours)
        _, png = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        yield base64.b64encode(png.tobytes()).decode("ascii")


def _tinted(
    pixels: np.ndarray, mask: np.ndarray, colours: list[tuple[int, int, int]]
) -> np.ndarray:
    """pixels: uint8 S x S x 3, RGB; mask: uint8 S x S. Returns uint8, at most _LONGEST wide."""
    lut = np.zeros((256, 3), np.float32)
    weight = np.zeros(256, np.float32)
    lut[1 : len(colours)] = colours[1:]
    weight[1 : len(colours)] = _TINT
    weight[VOID] = 0.7
    share = weight[mask][..., None]
    mixed: np.ndarray = (pixels * (1 - share) + lut[mask] * share).astype(np.uint8)
    if len(mixed) > _LONGEST:
        mixed = cv2.resize(mixed, (_LONGEST, _LONGEST), interpolation=cv2.INTER_AREA)
    return mixed


if __name__ == "__main__":
    sys.exit(main())
