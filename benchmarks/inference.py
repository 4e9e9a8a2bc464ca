"""Photo file to mask file: how fast, in how much memory, and how near to torch.

``python -m benchmarks.inference [DATA] [--json FILE] [--photos N] [--model FILE]``; DATA is
Oxford-IIIT Pet. In turn, chunk after chunk of photos in one process:

- PetSeg: what ``petseg predict`` does (a file, flushed to the disk, of each photo);
- one after another: the same, the next photo begun when the last is done;
- bare: decode, one ONNX Runtime call on the resized photo, argmax, encode; nothing else;
- torch: the same with the eager network.

What is reported is the median chunk. Then, in processes of their own, the peak memory of many
photos and of one of 100 megapixels (20,000 x 5,000, drawn animals under noise), whole, in tiles,
and by a model of the view ``crops``: the same weights described anew, which sees the photo at its
own scale. Its seams: tiled against untiled on photos that fit untiled, and the steps between
neighbouring pixels where a window ends against those elsewhere. Torch and ONNX are compared in
probability, and in the IoU of their masks with the trimaps (border = pet).
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from PIL import Image

from benchmarks.inference_memory import measure, segment_all
from benchmarks.report import Row, json_argument, report
from core.drawing.animal_photo import draw_animal
from core.evaluation.metrics import confusion, score
from core.images import read_image
from core.inference.bundled import bundled_model
from core.inference.options import MOST_TILES
from core.inference.prediction import Prediction
from core.inference.predictor import PredictionStopped, Predictor
from core.inference.tiles import windows
from core.inference.view import fit_whole
from core.labels import PET, TRIMAP, BorderRule, apply_border_rule
from core.modelfile import onnx_path, read_description
from core.models.export import describe_anew
from core.models.weights import load_model
from core.project.project import Project, open_project
from core.runtime import onnxruntime

DATA = Path(__file__).parents[2] / "shared" / "data" / "oxford-iiit-pet"

SLOWER = 1.3
APART = 1.0  # thousandths
STOP_MS = 200.0
SEAM = 1.1
MEMORY_MB = 1000.0  # the photo takes 300, 700 while it is decoded; its mask 100; a model 150

_CHUNK = 20
_SELDOM = 4  # torch takes its time: every fourth photo tells it as well
_COMPARED = 200
_SEAMED = 20
_STOPS = 12
_LARGE = 20_000, 5_000
_TILES = 8


def main() -> int:
    """Measure, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="Oxford-IIIT Pet")
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--model", type=Path, default=bundled_model(), help="a model file")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"no photos in {options.data}: give DATA", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        project = open_project(options.data, Path(scratch) / "store")
        masked = [n for n in project.names if project.mask_source(n) is not None]
        names = random.Random(0).sample(masked, min(options.photos, len(masked)))
        crops = _as_crops(options.model, Path(scratch))
        large = _draw_large(Path(scratch) / "large.jpg")
        rows = [
            *_speed(options.model, [project.image_path(n) for n in names], Path(scratch)),
            *_memory(options.model, crops, large, [project.image_path(n) for n in names]),
            *_stopping(options.model, large),
            *_seams(crops, [project.image_path(n) for n in names[:_SEAMED]]),
            *_parity(options.model, project, names[:_COMPARED]),
        ]
    return report(rows, options.json)


# Speed


@dataclass(frozen=True)
class Bare:
    """The least that segments a photo file: ``ask`` gives logits, from float32 1 x 3 x S x S."""

    ask: Callable[[np.ndarray], np.ndarray]
    size: int

    def segment(self, photos: Sequence[Path], out: Path) -> None:
        """Photo files to mask files, one after another."""
        for path in photos:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
            small = cv2.resize(pixels, (self.size, self.size), interpolation=cv2.INTER_AREA)
            logits = self.ask(small.transpose(2, 0, 1)[None].astype(np.float32))
            mask = logits[0].argmax(0).astype(np.uint8)
            height, width = pixels.shape[:2]
            mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
            Image.fromarray(mask).save(out / f"{path.stem}.png")


def _speed(model: Path, photos: Sequence[Path], scratch: Path) -> Iterator[Row]:
    print("measuring speed", file=sys.stderr, flush=True)
    out = scratch / "masks"
    out.mkdir()
    cores = os.cpu_count() or 1
    beside, alone = Predictor(model, 1), Predictor(model, cores)
    size = alone.description.size
    session = onnxruntime.InferenceSession(str(onnx_path(model)))
    net = load_model(model)

    @torch.no_grad()
    def eager(image: np.ndarray) -> np.ndarray:
        logits: np.ndarray = net(torch.from_numpy(image)).numpy()
        return logits

    def in_order(chunk: Sequence[Path]) -> None:
        for photo in chunk:
            segment_all(alone, [photo], out)

    bare = Bare(lambda image: session.run(None, {"image": image})[0], size)
    loops: dict[str, Callable[[Sequence[Path]], None]] = {
        "PetSeg": lambda chunk: segment_all(beside, chunk, out),
        "one after another": in_order,
        "bare": lambda chunk: bare.segment(chunk, out),
        "torch": lambda chunk: Bare(eager, size).segment(chunk, out),
    }
    for loop in loops.values():
        loop(photos[:2])
    for photo in photos:
        photo.read_bytes()  # from the disk into memory, for all alike
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for start in range(0, len(photos), _CHUNK):
        chunk = photos[start : start + _CHUNK]
        for name, loop in loops.items():
            time.sleep(0.05)  # the threads of the one before come to rest
            some = chunk[::_SELDOM] if name == "torch" else chunk
            began = time.perf_counter()
            loop(some)
            seconds[name].append((time.perf_counter() - began) / len(some))
    for name, each in seconds.items():
        yield Row(f"{name}: a photo", median(each) * 1000, "ms")
        yield Row(f"{name}: photos a second", 1 / median(each), "1/s")
    for name, other, wanted in (
        ("PetSeg", "bare", SLOWER),
        ("one after another", "bare", SLOWER),
        ("PetSeg", "torch", 1.0),
    ):
        ratios = [a / b for a, b in zip(seconds[name], seconds[other], strict=True)]
        yield Row(f"{name}: its time against {other}", median(ratios), "x", wanted)


# Memory, and large images


def _memory(model: Path, crops: Path, large: Path, photos: Sequence[Path]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        few = measure(model, photos[: max(1, len(photos) // 10)], out)
        many = measure(model, photos, out)
        yield Row("a model loaded: memory", many.resident / 1e6, "MB")
        yield Row(f"{len(photos)} photos: peak memory", many.peak / 1e6, "MB")
        growth = (many.peak - few.peak) / 1e6
        yield Row("a tenth of them: less by", growth, "MB", 60.0)
        for title, path, tiles in (
            ("100 MP whole", model, 1),
            (f"100 MP in {_TILES} tiles", model, _TILES),
            ("100 MP by crops", crops, 1),
        ):
            print(f"measuring {title}", file=sys.stderr, flush=True)
            used = measure(path, [large], out, tiles)
            yield Row(f"{title}: file to mask file", used.seconds, "s")
            yield Row(f"{title}: peak memory", used.peak / 1e6, "MB", MEMORY_MB)


def _draw_large(path: Path) -> Path:
    """A photo of 100 megapixels: a thousand drawn animals, light that changes, noise."""
    width, height = _LARGE
    tile = np.hstack([draw_animal(seed, 500, 500)[0] for seed in range(8)])
    pixels = np.tile(tile, (height // 500, width // tile.shape[1], 1))
    noise = np.random.default_rng(0).integers(0, 24, (height, 1, 3), dtype=np.uint8)
    light = np.linspace(0.6, 1, width, dtype=np.float32)[None, :, None]
    for top in range(0, height, 500):
        rows = slice(top, top + 500)
        pixels[rows] = (pixels[rows] * light).astype(np.uint8) // 2 + 96 + noise[rows]
    Image.fromarray(pixels).save(path, quality=90)
    return path


def _stopping(model: Path, large: Path) -> Iterator[Row]:
    print("measuring how fast a prediction stops", file=sys.stderr, flush=True)
    pixels = read_image(large).pixels
    predictor = Predictor(model)
    worst = 0.0
    for number in range(_STOPS):
        thread = threading.Thread(target=_until_stopped, args=(predictor, pixels))
        thread.start()
        time.sleep(0.05 + 0.1 * number)  # in the middle of it, at another place each time
        stopped = time.perf_counter()
        predictor.stop()
        thread.join()
        worst = max(worst, time.perf_counter() - stopped)
    yield Row("stopping a prediction, at most", worst * 1000, "ms", STOP_MS)


def _until_stopped(predictor: Predictor, pixels: np.ndarray) -> None:
    with suppress(PredictionStopped):
        predictor.predict(pixels, tiles=MOST_TILES)


# Seams


def _as_crops(model: Path, scratch: Path) -> Path:
    """A model with the same weights that looks at photos at their own scale."""
    copy = scratch / "crops.safetensors"
    shutil.copy(model, copy)
    shutil.copy(onnx_path(model), onnx_path(copy))
    describe_anew(copy, read_description(copy).model_copy(update={"view": "crops"}))
    return copy


def _seams(crops: Path, photos: Sequence[Path]) -> Iterator[Row]:
    print("measuring seams", file=sys.stderr, flush=True)
    predictor = Predictor(crops)
    net = load_model(crops)
    size, temperature = predictor.description.size, predictor.description.temperature
    largest, mean, at_ends, elsewhere, one_window = [], [], [], [], []
    for path in photos:
        pixels = read_image(path).pixels
        tiled = predictor.predict(pixels).small
        apart = np.abs(tiled - _with_torch(net, pixels, temperature))
        largest.append(float(apart.max()))
        mean.append(float(apart.mean()))
        steps = np.abs(np.diff(tiled, axis=2)).mean((0, 1))
        found = windows(pixels.shape[1], size)
        ends = {w.start for w in found[1:]} | {w.start + size for w in found[:-1]}
        where = np.isin(np.arange(1, pixels.shape[1]), list(ends))
        at_ends += steps[where].tolist()
        elsewhere += steps[~where].tolist()
        one = cv2.resize(pixels, (size, size))
        apart = np.abs(predictor.predict(one).small - _with_torch(net, one, temperature))
        one_window.append(float(apart.max()))
    yield Row(
        f"crops: one window of {size} px against untiled", max(one_window) * 1e3, "1e-3", APART
    )
    yield Row("crops: tiled against untiled, largest", max(largest), "")
    yield Row("crops: tiled against untiled, mean", float(np.mean(mean)), "")
    seam = float(np.mean(at_ends) / np.mean(elsewhere))
    yield Row("crops: steps where windows end / elsewhere", seam, "x", SEAM)


# Torch


def _with_torch(net: torch.nn.Module, pixels: np.ndarray, temperature: float) -> np.ndarray:
    """Class probabilities of an image as it is: float32, C x height x width."""
    image = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        logits = net(image) / temperature
    if logits.shape[1] == 1:
        foreground = torch.sigmoid(logits)
        both: np.ndarray = torch.cat([1 - foreground, foreground], 1)[0].numpy()
        return both
    probabilities: np.ndarray = torch.softmax(logits, 1)[0].numpy()
    return probabilities


def _parity(model: Path, project: Project, names: Sequence[str]) -> Iterator[Row]:
    print("comparing with torch", file=sys.stderr, flush=True)
    predictor = Predictor(model)
    net = load_model(model)
    description = predictor.description
    largest, ious = 0.0, 0.0
    for name in names:
        pixels = project.read_image(name).pixels
        ours = predictor.predict(pixels)
        height, width = pixels.shape[:2]
        fitted = fit_whole(height, width, description.size)
        planes = fitted.cut(_with_torch(net, fitted.place(pixels), description.temperature))
        theirs = Prediction(planes, ours.size, ours.scheme, ours.model)
        largest = max(largest, float(np.abs(ours.planes - planes).max()))
        truth = project.read_mask(name, ours.size)
        assert truth is not None
        truth = apply_border_rule(truth, TRIMAP, BorderRule.FOREGROUND)
        ious = max(ious, abs(_iou(ours, truth) - _iou(theirs, truth)))
    yield Row(f"{len(names)} photos, ONNX against torch: probability", largest * 1e3, "1e-3", APART)
    yield Row(f"{len(names)} photos, ONNX against torch: IoU", ious * 1e3, "1e-3", APART)


def _iou(said: Prediction, truth: np.ndarray) -> float:
    """The pet's intersection over union. truth: uint8, 1 the pet, VOID not scored."""
    return score(confusion(truth, said.mask(PET, BorderRule.FOREGROUND), 2)[None]).iou


if __name__ == "__main__":
    sys.exit(main())
