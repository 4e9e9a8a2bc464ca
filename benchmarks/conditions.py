"""What real folders contain, made of photos with masks: for ``benchmarks.robustness``.

A condition takes a photo, three others of its group, and a generator of random numbers; what it
gives has its truth changed along with its pixels. Where a decoder has a part in it, the pixels come
from a file that ``core.images`` read.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from core.images import encode_jpeg, read_image

Random = np.random.Generator

LARGE, TINY = 4000, 64
"""Pixels of the longer side."""
LEAST_EMPTY = 96
"""Pixels that a picture without a pet has each way at least."""
_STRIP = 4.0
_TAG = 0x0112  # EXIF's Orientation


@dataclass(frozen=True, eq=False)
class Picture:
    """pixels: uint8 RGB, height x width x 3; truth: uint8, height x width: 1 the pet with its
    border, 0 background, VOID where nobody knows."""

    pixels: np.ndarray
    truth: np.ndarray


Condition = Callable[[Picture, Sequence[Picture], Random], Picture]


# Light


def _plain(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    return Picture(photo.pixels, photo.truth)


def _dark(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    """A quarter of the light, with a small sensor's noise: 0.01 of full scale to read, and shot
    noise of a variance of 0.002 of the light."""
    light = _linear(photo.pixels) * 0.25
    noise = random.standard_normal(light.shape) * np.sqrt(0.01**2 + 0.002 * light)
    return Picture(_display(light + noise), photo.truth)


def _bright(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    return Picture(_display(_linear(photo.pixels) * 2.5), photo.truth)


def _washed_out(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    """Contrast at 40 %, black at 55 %: fog, or sun in the lens."""
    return Picture((photo.pixels * 0.4 + 0.55 * 255).astype(np.uint8), photo.truth)


def _grey(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)
    return Picture(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), photo.truth)


# Sharpness


def _defocused(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    """Each point a disc with a radius of 1 % of the longer side."""
    radius = 0.01 * max(photo.truth.shape)
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = (radius + 0.5 - np.hypot(x, y)).clip(0, 1)  # with a soft rim
    return Picture(cv2.filter2D(photo.pixels, -1, disc / disc.sum()), photo.truth)


def _shaken(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    """Each point a line of 3 % of the longer side, in any direction."""
    reach = 0.015 * max(photo.truth.shape)
    angle = random.uniform(0, np.pi)
    side = 2 * int(np.ceil(reach)) + 1
    line = np.zeros((side, side), np.float32)
    for along in np.linspace(-reach, reach, 8 * side):
        x, y = side // 2 + along * np.cos(angle), side // 2 + along * np.sin(angle)
        line[round(y), round(x)] += 1
    return Picture(cv2.filter2D(photo.pixels, -1, line / line.sum()), photo.truth)


def _squeezed(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    return Picture(decoded(encode_jpeg(photo.pixels, 10)), photo.truth)


# Orientation


def _on_its_side(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    turns = int(random.choice((-1, 1)))
    return _same_for_both(photo, lambda plane: np.rot90(plane, turns))


def _upside_down(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    return _same_for_both(photo, lambda plane: np.rot90(plane, 2))


def _swap_axes(plane: np.ndarray) -> np.ndarray:
    return np.swapaxes(plane, 0, 1)


UPRIGHT: Mapping[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: _swap_axes,
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: _swap_axes(np.rot90(stored, 2)),
    8: lambda stored: np.rot90(stored, 1),
}
"""EXIF's Orientation -> what makes the stored pixels upright (EXIF 2.32, 4.6.4.A)."""
_STORED_BY = {6: 8, 8: 6}  # the others undo themselves


def tagged(pixels: np.ndarray, orientation: int) -> tuple[np.ndarray, np.ndarray]:
    """A photo stored as a camera stores it that was held so; uint8 RGB, height x width x 3.

    Returns the tagged JPEG as ``core.images`` reads it; and the upright picture that it must be:
    the same JPEG read without its tag, turned here.
    """
    stored = UPRIGHT[_STORED_BY.get(orientation, orientation)](pixels)
    exif = Image.Exif()
    exif[_TAG] = orientation
    with_tag, without = io.BytesIO(), io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(stored))
    image.save(with_tag, "JPEG", quality=92, exif=exif)
    image.save(without, "JPEG", quality=92)
    upright = UPRIGHT[orientation](decoded(without.getvalue()))
    return decoded(with_tag.getvalue()), np.ascontiguousarray(upright)


# Size and shape


def _large(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    larger = _scaled(photo, LARGE)
    return Picture(decoded(encode_jpeg(larger.pixels)), larger.truth)


def _tiny(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    return _scaled(photo, TINY)


def _strip(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    """Four times as wide as high (or as high as wide), the whole photo somewhere in it."""
    height, width = photo.truth.shape
    if random.random() < 0.5:
        return _amid(photo, height, max(width, round(_STRIP * height)), random)
    return _amid(photo, max(height, round(_STRIP * width)), width, random)


def _smaller_pet(sides: int) -> Condition:
    """The photo amid surroundings whose sides are so many times its own."""

    def condition(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
        height, width = photo.truth.shape
        return _amid(photo, height * sides, width * sides, random)

    return condition


def _amid(photo: Picture, height: int, width: int, random: Random) -> Picture:
    """The photo somewhere in a picture of this size, which its own mirrored surroundings fill."""
    h, w = photo.truth.shape
    top, left = int(random.integers(height - h + 1)), int(random.integers(width - w + 1))
    around = (top, height - h - top, left, width - w - left)
    pixels = cv2.copyMakeBorder(_pet_removed(photo), *around, cv2.BORDER_REFLECT)
    truth = cv2.copyMakeBorder(photo.truth, *around, cv2.BORDER_CONSTANT, value=[0])
    pixels[top : top + h, left : left + w] = photo.pixels
    return Picture(pixels, truth)


def _pet_removed(photo: Picture) -> np.ndarray:
    """The photo, where its pet is filled with what surrounds it, blurred: uint8 RGB."""
    background = (photo.truth == 0).astype(np.float32)
    pixels = photo.pixels.astype(np.float32)
    filled = np.broadcast_to(pixels.mean((0, 1)), pixels.shape).copy()
    for share in (0.3, 0.1, 0.03):  # the finer, the nearer to the background
        sigma = share * max(background.shape)
        known = cv2.GaussianBlur(background, (0, 0), sigma)
        blurred = cv2.GaussianBlur(pixels * background[..., None], (0, 0), sigma)
        near = known > 0.05
        filled[near] = blurred[near] / known[near][..., None]
    filled[background > 0] = pixels[background > 0]
    return filled.round().astype(np.uint8)


# How many pets


def _part(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    """What is left, right, above or below of the pet's middle."""
    rows, columns = np.nonzero(photo.truth == 1)
    y, x = int(np.median(rows)) + 1, int(np.median(columns)) + 1
    halves = (np.s_[:, :x], np.s_[:, x - 1 :], np.s_[:y], np.s_[y - 1 :])
    half = halves[int(random.integers(len(halves)))]
    return _same_for_both(photo, lambda plane: plane[half])


def _two(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    return _beside(photo, others[0])


def _four(photo: Picture, others: Sequence[Picture], random: Random) -> Picture:
    upper, lower = _beside(photo, others[0]), _beside(others[1], others[2])
    return _turned(_beside(_turned(upper), _turned(lower)))


def _beside(left: Picture, right: Picture) -> Picture:
    """Both at the lower one's height."""
    height = min(len(left.truth), len(right.truth))
    pixels, truths = [], []
    for each in (left, right):
        width = max(1, round(each.truth.shape[1] * height / len(each.truth)))
        pixels.append(_resized(each.pixels, width, height))
        truths.append(_resized_truth(each.truth, width, height))
    return Picture(np.hstack(pixels), np.hstack(truths))


def _turned(picture: Picture) -> Picture:
    return Picture(*(np.ascontiguousarray(_swap_axes(p)) for p in (picture.pixels, picture.truth)))


def without_pets(photo: Picture) -> Picture | None:
    """The photo's largest rectangle that holds nothing but background; None where it has none of
    LEAST_EMPTY pixels each way."""
    box = _largest_rectangle(photo.truth == 0, LEAST_EMPTY)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return _same_for_both(photo, lambda plane: plane[y0:y1, x0:x1])


def _largest_rectangle(free: np.ndarray, least: int) -> tuple[int, int, int, int] | None:
    """The largest rectangle (x0, y0, x1, y1) of True, at least ``least`` each way.

    free: bool, height x width. Row by row with a stack of rising columns: O(height x width).
    """
    best, largest = None, 0
    depths = np.zeros(free.shape[1] + 1, np.int64)  # one column of none closes all rectangles
    for bottom, row in enumerate(free, 1):
        depths[:-1] = np.where(row, depths[:-1] + 1, 0)
        rising: list[tuple[int, int]] = []  # (first column, depth)
        for x, depth in enumerate(depths.tolist()):
            start = x
            while rising and rising[-1][1] >= depth:
                start, high = rising.pop()
                wide = x - start
                if wide >= least and high >= least and wide * high > largest:
                    best, largest = (start, bottom - high, x, bottom), wide * high
            rising.append((start, depth))
    return best


CONDITIONS: Mapping[str, Condition] = {
    "plain": _plain,
    "dark, a quarter of the light": _dark,
    "too bright, 2.5 times the light": _bright,
    "washed out": _washed_out,
    "grey": _grey,
    "out of focus, 1 % of the side": _defocused,
    "shaken, 3 % of the side": _shaken,
    "JPEG of quality 10": _squeezed,
    "turned by 90 degrees, no tag": _on_its_side,
    "upside down, no tag": _upside_down,
    "large, 4,000 px": _large,
    "tiny, 64 px": _tiny,
    "a 4:1 strip": _strip,
    "small pet, half the sides": _smaller_pet(2),
    "small pet, a quarter of the sides": _smaller_pet(4),
    "part of a pet": _part,
    "two pets": _two,
    "four pets": _four,
}
"""By what people call them; the first is the photo as it is."""


# Shared


def decoded(data: bytes) -> np.ndarray:
    """An image file's bytes as the program reads them from a disk: uint8 RGB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        path.write_bytes(data)
        return read_image(path).pixels


def _same_for_both(photo: Picture, change: Callable[[np.ndarray], np.ndarray]) -> Picture:
    return Picture(*(np.ascontiguousarray(change(p)) for p in (photo.pixels, photo.truth)))


def _scaled(photo: Picture, longest: int) -> Picture:
    height, width = photo.truth.shape
    scale = longest / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Picture(_resized(photo.pixels, *size), _resized_truth(photo.truth, *size))


def _resized(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    smaller = height < len(pixels)
    way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return cv2.resize(pixels, (width, height), interpolation=way)


def _resized_truth(truth: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(truth, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)


def _linear(pixels: np.ndarray) -> np.ndarray:
    """sRGB (uint8) as light: float64, 0 to 1, by IEC 61966-2-1."""
    value = pixels / 255
    light: np.ndarray = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return light


def _display(light: np.ndarray) -> np.ndarray:
    """Light as sRGB (uint8); what is over 1 is clipped."""
    light = light.clip(0, 1)
    value = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return (value * 255).round().astype(np.uint8)
