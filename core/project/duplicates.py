"""Photos that show the same: found by a perceptual hash, kept on one side of the split.

The hash is that of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions"
(2010), known as pHash: which of the 8 x 8 lowest frequencies of a small grey version are above
their median. It hardly changes by another size, compression, brightness or a narrow crop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core import files
from core.errors import BadInput
from core.images import ImageError, read_thumbnail

MOST_DIFFERENT = 8
"""So many of the 64 bits may differ between near-duplicates; docs/decisions/0015 has figures."""

_THUMBNAIL = 128
_SIDE = 32
_LOWEST = 8
_FLAT = 1.0  # grey levels (standard deviation) below which there is nothing to compare


def fingerprint(pixels: np.ndarray) -> int | None:
    """The 64-bit hash of a photo (uint8 RGB, height x width x 3); None where it is one colour."""
    import cv2  # late: the window's first photo does not wait for it

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    if small.std() < _FLAT:
        return None
    waves = cv2.dct(small)[:_LOWEST, :_LOWEST].ravel()
    # The first is the mean brightness: it says nothing of what is seen.
    above = waves > np.median(waves[1:])
    return int.from_bytes(np.packbits(above).tobytes(), "big")


def groups_of(fingerprints: Mapping[str, int]) -> dict[str, str]:
    """Image -> its group's name, which is one of its members'; images that are alone are left out.

    A group holds whatever is linked by near-duplicates. O(n^2) bit counts: 0.4 s for 20,000
    photos, 9 s for 100,000.
    """
    names = sorted(fingerprints)
    hashes = np.array([fingerprints[n] for n in names], np.uint64)
    rest = np.arange(len(names))
    groups: dict[str, str] = {}
    while len(rest):
        members, rest = [int(rest[0])], rest[1:]
        for member in members:  # which grows meanwhile
            near = np.bitwise_count(hashes[rest] ^ hashes[member]) <= MOST_DIFFERENT
            if near.any():
                members.extend(rest[near].tolist())
                rest = rest[~near]
        if len(members) > 1:
            groups |= {names[m]: names[members[0]] for m in members}
    return groups


@dataclass(frozen=True)
class _Seen:
    """A fingerprint, and the size (bytes) and time (ns) of change of the file it was made of."""

    size: int
    time: int
    value: int | None

    def __str__(self) -> str:
        return f"{self.size} {self.time} {'-' if self.value is None else format(self.value, 'x')}"


@dataclass
class Fingerprints:
    """The fingerprints of a folder's photos; each is made once as long as its file is the same.

    ``path`` is the file that keeps them. It may be deleted: then photos are read anew, but those
    that are gone or renamed meanwhile are not recognised any more.
    """

    path: Path
    _seen: dict[str, _Seen] = field(default_factory=dict)
    _saved: dict[str, _Seen] = field(default_factory=dict)

    def of(self, photos: Mapping[str, Path], alive: Callable[[], None]) -> dict[str, int]:
        """Image -> its fingerprint; those without one (unreadable, one colour) are left out.

        photos: image -> its file. Of a file that is gone it is the last one known. alive is called
        before each photo that is read.
        """
        self._seen = self._read() | self._seen
        found = {}
        for name, path in photos.items():
            value = self._look(name, path, alive)
            if value is not None:
                found[name] = value
        return found

    def save(self) -> None:
        """Keep what was read for the next time. Raises WriteError."""
        if self._seen != self._saved:
            files.write_json(self.path, {n: str(seen) for n, seen in self._seen.items()})
            self._saved = dict(self._seen)

    def _look(self, name: str, path: Path, alive: Callable[[], None]) -> int | None:
        known = self._seen.get(name)
        try:
            stat = path.stat()
        except OSError:
            return None if known is None else known.value
        if known is None or (known.size, known.time) != (stat.st_size, stat.st_mtime_ns):
            alive()
            try:
                value = fingerprint(read_thumbnail(path, _THUMBNAIL))
            except ImageError:
                value = None  # it cannot train either: whoever reads it says why
            known = self._seen[name] = _Seen(stat.st_size, stat.st_mtime_ns, value)
        return known.value

    def _read(self) -> dict[str, _Seen]:
        """What the file holds; entries that cannot be read are made anew."""
        self._saved = {}
        try:
            raw = files.read_json(self.path) if self.path.exists() else {}
        except BadInput:
            return {}
        seen: dict[str, _Seen] = {}
        for name, text in raw.items() if isinstance(raw, dict) else ():
            with suppress(ValueError):
                size, time, value = str(text).split()
                number = None if value == "-" else int(value, 16)
                if number is None or 0 <= number < 2**64:
                    seen[str(name)] = _Seen(int(size), int(time), number)
        self._saved = dict(seen)
        return seen
