"""What a training reads: images and masks, decoded once at the training's size."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from core.data.cache import RecordFile
from core.data.decoding import Content, Decoding, NoMask, content_of
from core.images import ImageError
from core.masks import MaskError
from core.project.project import Project

_MOST_THREADS = 8  # each may hold a photo of 100 megapixels
_LOOK_SECONDS = 0.1


class Rows(Protocol):
    """Decoded images, in memory or on the disk."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> np.ndarray:
        """uint8, 4 x S x S: red, green, blue, class ids."""


@dataclass(frozen=True)
class Loaded:
    """Where a sample came from: its place among those that were asked for, name and content."""

    index: int
    name: str
    content: Content


@dataclass(frozen=True, eq=False)
class Samples:
    """Images with their masks, in order.

    counts: int64 N x C, the pixels of each class in each image; void is none. skipped: (image,
    reason) of those that could not be read.
    """

    size: int
    parts: tuple[Rows, ...]
    loaded: tuple[Loaded, ...]
    counts: np.ndarray
    skipped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.loaded)

    def __add__(self, more: Samples) -> Samples:
        """These and more behind them; nothing is copied."""
        return Samples(
            self.size,
            self.parts + more.parts,
            self.loaded + more.loaded,
            np.concatenate([self.counts, more.counts]),
            self.skipped + more.skipped,
        )

    def take(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Some of them as a batch: uint8 n x 3 x S x S, RGB; uint8 n x S x S, class ids and VOID.

        indices: int64 n, 0 to N - 1.
        """
        images = torch.empty(len(indices), 3, self.size, self.size, dtype=torch.uint8)
        masks = torch.empty(len(indices), self.size, self.size, dtype=torch.uint8)
        for image, mask, index in zip(images.numpy(), masks.numpy(), indices.tolist(), strict=True):
            part = bisect_right(self._ends, index)
            row = self.parts[part][index - (self._ends[part - 1] if part else 0)]
            image[:], mask[:] = row[:3], row[3]
        return images, masks

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(len(part) for part in self.parts))


class SampleStore:
    """Where one run's decoded images are kept: in memory up to a limit, then in a file.

    A later worker of the run finds those in the file again by their content.
    """

    def __init__(
        self, decoding: Decoding, folder: Path | None = None, limit: int = 0, threads: int = 1
    ) -> None:
        """folder: of the file; without one all is kept in memory. limit: bytes in memory.

        threads: so many images are decoded at once, 8 at most.
        """
        self.decoding = decoding
        self.threads = min(threads, _MOST_THREADS)
        self.length = int(np.prod(decoding.shape))
        self._file = RecordFile(folder, self.length) if folder is not None else None
        self._room = limit

    def file_for(self, images: int) -> RecordFile | None:
        """The file, where so many images more have no room in memory; else they have it now."""
        if self._file is not None and images * self.length > self._room:
            return self._file
        self._room -= images * self.length
        return None


def load_samples(
    pairs: Sequence[tuple[Project, str]],
    store: SampleStore,
    alive: Callable[[], None],
    read_one: Callable[[], None] = lambda: None,
) -> Samples:
    """Decode images and masks, in order, into the store.

    alive is called for each image and, with several threads, each 0.1 s: what it raises ends the
    loading. read_one: is called behind each image. Files that cannot be read are skipped, with
    their reason. Raises WriteError (also at once, where the disk has no room), BadInput (a project
    of other classes).
    """
    decoding, file = store.decoding, store.file_for(len(pairs))
    if file is not None:
        file.require_room(len(pairs))
    memory = np.empty((0 if file else len(pairs), *decoding.shape), np.uint8)
    counts = np.zeros((len(pairs), decoding.classes), np.int64)
    numbers: list[int] = []
    loaded: list[Loaded] = []
    skipped: list[tuple[str, str]] = []

    def read(pair: tuple[Project, str]) -> _Read | str:
        return _read(*pair, decoding, file)

    with closing(_in_order(read, pairs, store.threads, alive)) as results:
        for index, (found, (_, name)) in enumerate(zip(results, pairs, strict=True)):
            read_one()
            if isinstance(found, str):
                skipped.append((name, found))
                continue
            row = len(loaded)
            if file is None:
                memory[row] = found.planes
            elif found.number is None:
                numbers.append(file.append(found.key, found.planes.tobytes()))
            else:
                numbers.append(found.number)
            counts[row] = _pixels(found.planes[3], decoding.classes)
            loaded.append(Loaded(index, name, found.content))
    rows: Rows = file.mapped(numbers, decoding.shape) if file and numbers else memory[: len(loaded)]
    return Samples(
        decoding.size, (rows,), tuple(loaded), counts[: len(loaded)].copy(), tuple(skipped)
    )


@dataclass(frozen=True)
class _Read:
    """A decoded image; number: of its record, where the file holds it already."""

    content: Content
    key: bytes
    planes: np.ndarray
    number: int | None = None


def _read(project: Project, name: str, decoding: Decoding, file: RecordFile | None) -> _Read | str:
    """What an image's files hold, or the reason why they cannot be used."""
    try:
        content = content_of(project, name)
        while True:
            key = decoding.key(project, name, content)
            known = file.find(key) if file else None
            if known is not None:
                number, record = known
                planes = np.frombuffer(record, np.uint8).reshape(decoding.shape)
                return _Read(content, key, planes, number)
            planes = decoding.decode(project, name)
            before, content = content, content_of(project, name)
            if content == before:  # else a file was changed meanwhile: once more
                return _Read(content, key, planes)
    except (NoMask, ImageError, MaskError) as error:
        return str(error)


def _pixels(mask: np.ndarray, classes: int) -> np.ndarray:
    counted: np.ndarray = np.bincount(mask.ravel(), minlength=256)[:classes]
    return counted


def _in_order(
    read: Callable[[tuple[Project, str]], _Read | str],
    pairs: Sequence[tuple[Project, str]],
    threads: int,
    alive: Callable[[], None],
) -> Generator[_Read | str]:
    """``read`` of each pair, in order, some of them ahead in other threads."""
    if threads == 1:
        for pair in pairs:
            alive()
            yield read(pair)
        return
    ahead: deque[Future[_Read | str]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for pair in pairs:
                ahead.append(pool.submit(read, pair))
                if len(ahead) > 2 * threads:
                    yield _wait(ahead.popleft(), alive)
            while ahead:
                yield _wait(ahead.popleft(), alive)
        finally:
            for future in ahead:
                future.cancel()


def _wait(future: Future[_Read | str], alive: Callable[[], None]) -> _Read | str:
    while True:
        alive()
        if wait([future], _LOOK_SECONDS).done:
            return future.result()
