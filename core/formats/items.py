"""Images with their masks as every writer gets them, and what a person may choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from core.formats.source import Size


@dataclass(frozen=True)
class Item:
    """One image to export.

    name: its path in the project, with /. image: the photo's file. size: of the upright image.
    mask: reads it when asked: uint8, height x width, class ids of the project's scheme and VOID;
    raises PetSegError. written: name of a PNG that is this image's alone (its stem, or its whole
    name where images share a stem). subset: train, val or test, "" where that is not settled.
    leave_out: a writer that cannot use the photo says why, and goes on with the next.
    """

    name: str
    image: Path
    size: Size
    mask: Callable[[], np.ndarray] = field(repr=False)
    written: str = ""
    subset: str = ""
    leave_out: Callable[[str], None] = field(default=lambda why: None, repr=False)

    @property
    def stem(self) -> str:
        """The name of a file for this image alone, without an extension, with /."""
        return self.written.removesuffix(".png") or str(PurePosixPath(self.name).with_suffix(""))


@dataclass(frozen=True)
class WriteOptions:
    """What a person may choose of an export.

    photos: whether photos are copied where the format has a place for them. polygons: outlines
    instead of exact masks, where the format has both.
    """

    photos: bool = False
    polygons: bool = False
