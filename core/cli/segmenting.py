"""From a photo's file to its mask's: what ``petseg predict`` does with each."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Any

from core.files import write_bytes
from core.formats.pictures import draw_overlay
from core.images import ImageError, encode_jpeg, image_size, read_image
from core.inference.options import PredictOptions
from core.inference.predictor import Predictor
from core.labels import BorderRule, LabelScheme
from core.masks import write_mask

FIGURES = ("width", "height", "foreground", "uncertainty", "notes")
"""What is told of a photo that has its mask."""

MOST_AT_ONCE = 8
"""Photos in the threads of a process."""

_LARGE = 24_000_000  # pixels: of such photos only one at a time is held in memory


@dataclass(frozen=True)
class Job:
    """A photo, and the name of its mask's file in a folder (with /)."""

    image: Path
    out: Path
    name: str

    @property
    def mask(self) -> Path:
        return self.out / self.name

    @property
    def overlay(self) -> Path:
        """The picture that lies beside the mask where one is wanted."""
        return self.mask.with_name(f"{self.mask.stem}_overlay.jpg")


@dataclass(frozen=True)
class Way:
    """How photos become mask files."""

    scheme: LabelScheme
    border: BorderRule
    options: PredictOptions
    overlay: bool = False


class Segmenter:
    """Segments photos, several at once."""

    def __init__(self, predictor: Predictor, way: Way) -> None:
        self._predictor, self._way = predictor, way
        self._one_large, self._stop = Lock(), Event()

    @classmethod
    def load(cls, model: Path, threads: int, way: Way) -> Segmenter:
        """One with a model that takes ``threads`` for each photo. Raises ModelFileError."""
        return cls(Predictor(model, threads), way)

    def __call__(self, job: Job) -> dict[str, Any] | str:
        """Write a photo's mask: its figures, or the reason why there is none.

        Raises WriteError, ModelFileError, PredictionStopped.
        """
        try:
            width, height = image_size(job.image)
            with self._one_large if width * height > _LARGE else nullcontext():
                return self._segment(job)
        except ImageError as error:
            return error.reason
        except MemoryError:
            return "too large for this machine's memory"

    def stop(self) -> None:
        """End what is under way, and whatever comes, with PredictionStopped."""
        self._stop.set()
        self._predictor.stop(self._stop)

    def _segment(self, job: Job) -> dict[str, Any]:
        way = self._way
        image = read_image(job.image)
        options = way.options
        prediction = self._predictor.predict(image.pixels, options.flip, options.tiles, self._stop)
        mask = prediction.mask(way.scheme, way.border, options)
        write_mask(job.mask, mask, way.scheme)
        if way.overlay:
            picture = draw_overlay(image.pixels, mask, way.scheme)
            write_bytes(job.overlay, encode_jpeg(picture))
        return {
            "width": mask.shape[1],
            "height": mask.shape[0],
            "foreground": float((mask > 0).mean()),
            "uncertainty": prediction.uncertainty,
            "notes": list(image.notes),
        }
