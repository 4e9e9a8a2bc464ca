"""Probabilities kept on disk, so that a model is asked once of an image: a bounded cache."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zlib
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from core.images import MAX_PIXELS, ImageError
from core.inference.options import PredictOptions
from core.inference.prediction import MOST_BYTES, Prediction
from core.labels import LabelClass, LabelScheme
from core.modelfile import ModelDescription

_FORMAT = 1  # to be raised when the same model says other numbers of the same image
_SUFFIX = ".probabilities"
_MOST_HEADER = 1 << 20
_LEVEL = 1  # zlib's fastest: probabilities are mostly flat
_ROOM = 0.9  # so much of the limit is left full by a clearing
_ANSWERING = {"id", "scheme", "activation", "view", "size", "temperature", "onnx_sha256"}
_DAMAGED = (ValueError, TypeError, KeyError, OverflowError, RecursionError, zlib.error)


class ProbabilityCache:
    """Predictions by key, as uint8; those used longest ago go first. For any thread.

    It may be deleted at any time, and what is damaged in it counts as not there.
    """

    def __init__(self, folder: Path, limit: int = 512 << 20) -> None:
        """limit: bytes on the disk."""
        self._folder = folder
        self._limit = limit
        self._lock = Lock()
        self._bytes: int | None = None  # of all files; None: not counted yet

    def get(self, key: str) -> Prediction | None:
        """The prediction kept under a key, ``quantised``; None without one."""
        path = self._path(key)
        try:
            if path.stat().st_size > _MOST_HEADER + MOST_BYTES:
                return None
            data = path.read_bytes()
        except OSError:
            return None
        try:
            found = _decoded(data)
        except _DAMAGED:
            _remove(path)
            return None
        with suppress(OSError):  # a folder that can only be read serves all the same
            os.utime(path)  # used now
        return found

    def put(self, key: str, prediction: Prediction) -> None:
        """Keep a prediction. Where that cannot be written it is not kept: a cache may forget."""
        data = _encoded(prediction.quantised())
        with self._lock:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._files())
            if self._bytes + len(data) > self._limit:
                self._bytes = self._clear(int(self._limit * _ROOM) - len(data))
            if self._bytes + len(data) <= self._limit and self._write(self._path(key), data):
                self._bytes += len(data)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}{_SUFFIX}"

    def _write(self, path: Path, data: bytes) -> bool:
        # Atomic, but not flushed to the disk as what a person made is: a damaged file is noticed.
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(suffix=".tmp", dir=path.parent)
        except OSError:
            return False
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(name, path)
        except OSError:
            _remove(Path(name))
            return False
        return True

    def _clear(self, room: int) -> int:
        """Delete files, those used longest ago first, until ``room`` bytes are left of them."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= room:
                break
            if _remove(path):
                total -= size
        return total

    def _files(self) -> list[tuple[int, int, Path]]:
        """(time of last use, bytes, path) of each file, those that a crash left included."""
        found = []
        for path in self._folder.glob("*/*"):
            try:
                about = path.stat()
            except OSError:
                continue  # another window has just deleted it
            found.append((about.st_mtime_ns, about.st_size, path))
        return found


def key_of(image: Path, description: ModelDescription, options: PredictOptions) -> str:
    """What a model says of an image file, asked in this way, is kept under: 64 hex digits.

    Another one as soon as the file, the model or the way it is asked is another; the model's
    name is no matter. Raises ImageError: the file cannot be looked at.
    """
    try:
        about = image.stat()
    except OSError as error:
        raise ImageError(image, error.strerror or str(error)) from error
    parts = (
        *(_FORMAT, os.path.abspath(image), about.st_size, about.st_mtime_ns),
        # What is kept says whose it is, and of which classes: one twin may be imported twice.
        description.model_dump(mode="json", include=_ANSWERING),
        *(options.flip, options.tiles if description.view == "whole" else 1),
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _remove(path: Path) -> bool:
    """Whether a file is gone now."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _encoded(prediction: Prediction) -> bytes:
    """One line of JSON, then the planes, compressed; zlib adds a checksum."""
    header = {
        "shape": prediction.planes.shape,
        "size": prediction.size,
        "scheme": asdict(prediction.scheme),
        "model": prediction.model,
    }
    planes = np.ascontiguousarray(prediction.planes)
    # JSON escapes line ends, and everything that is not ASCII.
    return json.dumps(header).encode() + b"\n" + zlib.compress(planes.data, _LEVEL)


def _decoded(data: bytes) -> Prediction:
    """Raises one of _DAMAGED."""
    end = data.index(b"\n", 0, _MOST_HEADER)
    header = json.loads(data[:end])
    classes, height, width = (int(n) for n in header["shape"])
    length = classes * height * width
    if min(classes, height, width) < 1 or length > MOST_BYTES:
        raise ValueError("no such planes")
    unpacking = zlib.decompressobj()
    planes = np.frombuffer(unpacking.decompress(data[end + 1 :], length + 1), np.uint8)
    unpacking.decompress(unpacking.unconsumed_tail, 1)  # reads on to the checksum
    if len(planes) != length or not unpacking.eof:
        raise ValueError("not all of the planes")
    scheme = _scheme(header["scheme"])
    if len(scheme.classes) != classes:
        raise ValueError("other classes than planes")
    right, down = (int(n) for n in header["size"])
    if min(right, down) < 1 or right * down > MAX_PIXELS:
        raise ValueError("no such image")
    shaped = planes.reshape(classes, height, width)
    return Prediction(shaped, (right, down), scheme, str(header["model"]))


def _scheme(raw: dict[str, Any]) -> LabelScheme:
    classes = []
    for one in raw["classes"]:
        red, green, blue = (int(v) for v in one["colour"])
        classes.append(LabelClass(int(one["id"]), str(one["name"]), (red, green, blue)))
    return LabelScheme(str(raw["name"]), tuple(classes))
