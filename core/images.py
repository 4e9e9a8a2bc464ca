"""Decoding any image file safely, and thumbnails.

Everything goes through Pillow with a fixed list of formats and a limit on the size that is
checked before pixels are allocated.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import BadInput

_FORMAT_OF = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".ppm": "PPM",
    ".pgm": "PPM",
}
EXTENSIONS = frozenset(_FORMAT_OF)
MAX_PIXELS = 250_000_000
_FORMATS = sorted(set(_FORMAT_OF.values()))  # JPEG covers phones' MPO
_ORIENTATION_TAG = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)
_BAND_PIXELS = 1 << 21
# What Pillow's decoders raise for damaged files.
_DECODING_ERRORS = (OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error)

# Our own limit is checked from the header, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


class ImageError(BadInput):
    """An image file that cannot be read; the message names the file and the reason."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.name}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True)
class DecodedImage:
    """pixels: uint8 RGB, height x width x 3, upright; notes: what a person should know."""

    pixels: np.ndarray
    notes: tuple[str, ...] = ()


def read_image(path: Path) -> DecodedImage:
    """Decode any supported image to upright 8-bit RGB.

    16-bit and float images are stretched between their darkest and brightest value,
    transparency is laid over white, the first page of several is taken: each is noted.
    Raises ImageError.
    """
    with open_image(path) as image:
        notes = _notes(path, image)
        ImageOps.exif_transpose(image, in_place=True)  # which copies only what must be turned
        return DecodedImage(_to_rgb(image), tuple(notes))


def read_thumbnail(path: Path, size: int) -> np.ndarray:
    """The image fitted into size x size: uint8 RGB, height x width x 3. Raises ImageError."""
    with open_image(path) as image:
        image.draft("RGB", (size, size))  # a JPEG is decoded small: 8 times faster
        upright = ImageOps.exif_transpose(image)
        if upright.mode in ("RGB", "L") and "transparency" not in upright.info:
            upright.thumbnail((size, size), Image.Resampling.BILINEAR)
            return np.asarray(upright.convert("RGB"))
        small = Image.fromarray(_to_rgb(upright))
        small.thumbnail((size, size), Image.Resampling.BILINEAR)
        return np.asarray(small)


def image_size(path: Path) -> tuple[int, int]:
    """(width, height) of the upright image, from the header alone. Raises ImageError."""
    with open_image(path) as image:
        width, height = image.size
        # Pillow turns TIFF files itself.
        if image.format != "TIFF" and image.getexif().get(_ORIENTATION_TAG) in _ON_ITS_SIDE:
            width, height = height, width
        return width, height


@contextmanager
def open_image(path: Path) -> Iterator[Image.Image]:
    """Open an image's header; decoding errors inside the ``with`` become ImageError too."""
    try:
        if path.stat().st_size == 0:
            raise ImageError(path, "the file is empty (0 bytes)")
        with warnings.catch_warnings():
            # Pillow warns of damaged metadata, which hurts no pixel.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=_formats(path)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise ImageError(
                        path,
                        f"{image.width} x {image.height} pixels is more than the limit of "
                        f"{MAX_PIXELS // 1_000_000} megapixels; cut it into tiles first",
                    )
                yield image
    except UnidentifiedImageError as error:
        raise ImageError(path, "not an image that can be read") from error
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(path, "too large for this machine's memory") from error
    except _DECODING_ERRORS as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ImageError(path, f"damaged or unreadable ({reason})") from error


def _formats(path: Path) -> list[str]:
    """The formats to try, the one that the name claims first: Pillow loads decoders as it goes."""
    claimed = _FORMAT_OF.get(path.suffix.lower())
    return sorted(_FORMATS, key=lambda known: known != claimed)


def _notes(path: Path, image: Image.Image) -> list[str]:
    notes = []
    # Not counted: that reads every page of a TIFF, in quadratic time.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        notes.append("several pages; the first is used")
    expected = _FORMAT_OF.get(path.suffix.lower())
    if expected and image.format not in (expected, "MPO"):
        notes.append(f"holds {image.format} data")
    if image.mode.startswith(("I", "F")):
        notes.append("more than 8 bits: shown stretched from darkest to brightest")
    return notes


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith(("I", "F")):
        return _stretched(np.asarray(image, dtype=np.float32))
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    # In bands: Pillow's copies of a whole large image would take several times its memory.
    band = max(1, _BAND_PIXELS // width)
    for top in range(0, height, band):
        bottom = min(top + band, height)
        pixels[top:bottom] = np.asarray(_over_white(image.crop((0, top, width, bottom))))
    return pixels


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        with_alpha = image.convert("RGBA")
        white = Image.new("RGBA", with_alpha.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, with_alpha)
    return image.convert("RGB")


def _stretched(values: np.ndarray) -> np.ndarray:
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    grey = (values - low) * (255.0 / (high - low) if high > low else 0.0)
    return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)


def encode_jpeg(pixels: np.ndarray, quality: int = 92) -> bytes:
    """RGB pixels (uint8, height x width x 3) as the bytes of a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
