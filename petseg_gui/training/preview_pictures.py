"""A run's preview files as pictures: what is true beside what was predicted. For a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage

from core.errors import BadInput
from core.images import image_size, read_image
from core.labels import BACKGROUND, VOID, default_colour
from core.masks import read_values

MOST = 12
"""So many images are shown at most, whatever a run's events say."""

_LARGEST = 1024  # pixels a side: no training is larger
_TINT = 0.5
_GAP = 4  # pixels between the two halves

Colours = Sequence[tuple[int, int, int]]


@dataclass(frozen=True)
class Picture:
    """One validation image after an epoch (0: before the first).

    pair: the photo with the true outline beside the photo with the prediction, whose wrong pixels
    are striped; None where the files cannot be shown: problem says why. right: share of the
    labelled pixels that are predicted rightly, 0 to 1.
    """

    name: str
    epoch: int
    pair: QImage | None = None
    right: float = 0.0
    problem: str = ""

    @property
    def words(self) -> str:
        """The picture for whoever cannot see it."""
        if self.pair is None:
            return f"{self.name} cannot be shown. {self.problem}"
        when = f"epoch {self.epoch}" if self.epoch else "before the training"
        return f"{self.name}, {when}: {self.right:.1%} of its pixels are right"


def load_pictures(run: Path, names: Sequence[str], epoch: int, colours: Colours) -> list[Picture]:
    """The pictures of an epoch. colours: RGB by class id."""
    table = _table(colours)
    folders = [run / "previews" / str(number) for number in range(len(names))]
    return [
        _load(folder, name, epoch, table)
        for folder, name in zip(folders[:MOST], names[:MOST], strict=True)
    ]


def _load(folder: Path, name: str, epoch: int, table: np.ndarray) -> Picture:
    try:
        size = image_size(folder / "photo.png")
        if max(size) > _LARGEST:
            raise BadInput(f"{size[0]} x {size[1]} pixels is larger than any preview.")
        photo = read_image(folder / "photo.png").pixels
        truth = _mask(folder / "truth.png", size)
        predicted = _mask(folder / f"epoch-{epoch:04d}.png", size)
    except BadInput as error:
        return Picture(name, epoch, problem=str(error))
    wrong = (truth != VOID) & (truth != predicted)
    right = 1 - wrong.sum() / max((truth != VOID).sum(), 1)
    left, other = _outlined(photo, truth, table), _judged(photo, predicted, wrong, table)
    return Picture(name, epoch, _beside(left, other), float(right))


def _mask(path: Path, size: tuple[int, int]) -> np.ndarray:
    """A preview's class ids: uint8, of its photo's size."""
    if image_size(path) != size:
        raise BadInput(f"{path.name} is not of its photo's size.")
    values, _ = read_values(path)
    return values


def _table(colours: Colours) -> np.ndarray:
    """RGB by class id: uint8, 256 x 3."""
    table = np.full((256, 3), 128, np.uint8)
    # A run may know a class more than its project: a border that was made along its outlines.
    known = [*colours, default_colour(len(colours))]
    table[: len(known)] = known
    return table


def _outlined(photo: np.ndarray, mask: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The photo with a line inside each class's border; what is void is grey."""
    border = np.zeros(mask.shape, bool)
    across, down = mask[:, 1:] != mask[:, :-1], mask[1:] != mask[:-1]
    border[:, 1:] |= across
    border[:, :-1] |= across
    border[1:] |= down
    border[:-1] |= down
    shown, void = photo.copy(), mask == VOID
    line = border & (mask != BACKGROUND) & ~void
    shown[line] = table[mask[line]]
    shown[void] = shown[void] // 2 + table[VOID] // 2
    return shown


def _judged(
    photo: np.ndarray, predicted: np.ndarray, wrong: np.ndarray, table: np.ndarray
) -> np.ndarray:
    """The photo tinted by the predicted classes; what is wrong is striped in black and white."""
    shown = photo.astype(np.float32)
    found = predicted != BACKGROUND
    shown[found] = (1 - _TINT) * shown[found] + _TINT * table[predicted[found]]
    rows, columns = np.nonzero(wrong)
    white = (rows + columns) // 2 % 2 == 0
    shown[rows, columns] = np.where(white, 255, 0)[:, None]
    return shown.astype(np.uint8)


def _beside(left: np.ndarray, right: np.ndarray) -> QImage:
    """Two pictures of one size (uint8 RGB) with nothing between them, as one of Qt's own."""
    height, width = left.shape[:2]
    pair = np.zeros((height, 2 * width + _GAP, 4), np.uint8)
    pair[:, :width, :3], pair[:, -width:, :3] = left, right
    pair[:, :width, 3] = pair[:, -width:, 3] = 255
    image = QImage(
        pair.data, pair.shape[1], height, 4 * pair.shape[1], QImage.Format.Format_RGBA8888
    )
    return image.copy()  # which does not need NumPy's memory any more
