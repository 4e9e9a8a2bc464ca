"""Photos copied beside their annotations."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

from core.files import WriteError
from core.formats.items import Item


def copy_photo(item: Item, folder: Path) -> str:
    """Copy an item's photo, byte for byte, into ``folder``; returns its path there, with /.

    Raises WriteError.
    """
    name = photo_name(item)
    target = folder / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(item.image, target)
    except OSError as error:
        raise WriteError(f"Cannot copy {item.image}: {error.strerror or error}.") from error
    return name


def photo_name(item: Item) -> str:
    """The name of the copy: its stem is that of the annotations, so that tools pair them."""
    return item.stem + PurePosixPath(item.name).suffix
