"""Regions and explanations as JSON, for the process that works them out and back."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np

from core.editing.region import Region
from core.explanation.answer import Explanation, to_steps

_MOST_SAMPLES = 1024  # of a region's side: no network sees more


def packed_region(region: Region | None) -> dict[str, Any] | None:
    """A region as JSON; a large one is sampled more coarsely."""
    if region is None:
        return None
    step = -(-max(region.inside.shape) // _MOST_SAMPLES)
    inside = region.inside[step // 2 :: step, step // 2 :: step]
    if not inside.any():  # so thin that it fell through: its box says enough
        inside = np.ones((1, 1), bool)
    return {
        "box": [int(side) for side in region.box],
        "shape": inside.shape,
        "inside": _pack(np.packbits(inside)),
    }


def unpacked_region(raw: dict[str, Any] | None) -> Region | None:
    """The inverse of ``packed_region``."""
    if raw is None:
        return None
    x0, y0, x1, y1 = raw["box"]
    rows, columns = raw["shape"]
    bits = np.unpackbits(_unpack(raw["inside"]), count=rows * columns).astype(bool)
    inside = bits.reshape(rows, columns)
    ys = np.arange(y1 - y0) * rows // (y1 - y0)
    xs = np.arange(x1 - x0) * columns // (x1 - x0)
    return Region((x0, y0, x1, y1), inside[ys][:, xs])


def packed(explanation: Explanation) -> dict[str, Any]:
    """An explanation as JSON, its values in steps of 1/255."""
    return {
        "shape": explanation.values.shape,
        "values": _pack(to_steps(explanation.values)),
        "box": explanation.box,
        "peak": explanation.peak,
        "about": explanation.about,
        "grain": explanation.grain,
    }


def unpacked(raw: dict[str, Any]) -> Explanation:
    """The inverse of ``packed``."""
    rows, columns = raw["shape"]
    values = _unpack(raw["values"]).reshape(rows, columns).astype(np.float32) / 255
    x0, y0, x1, y1 = raw["box"]
    return Explanation(values, (x0, y0, x1, y1), raw["peak"], raw["about"], raw["grain"])


def _pack(array: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(array.tobytes())).decode("ascii")


def _unpack(text: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
