"""Which images a folder holds, and which mask file belongs to which image."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from core import images, masks
from core.errors import BadInput

MASK_SUFFIXES = ("", "_mask", "_segmentation")


class LayoutKind(StrEnum):
    """How a folder is arranged."""

    BARE = "bare"  # images straight in the folder
    PAIRED = "paired"  # images/ and masks/
    OXFORD = "oxford"  # images/ and annotations/trimaps/


@dataclass(frozen=True)
class Layout:
    """Where an opened folder keeps its images, masks and official annotations."""

    kind: LayoutKind
    root: Path
    images: Path
    masks: Path
    trimaps: Path | None = None


def find_layout(root: Path) -> Layout:
    """The layout of a folder. Raises BadInput where it is no folder or cannot be listed."""
    if not root.exists():
        raise BadInput(f"{root} does not exist.")
    if not root.is_dir():
        raise BadInput(f"{root} is a file; open the folder that holds it.")
    if not (root.stat().st_mode & 0o444 and os.access(root, os.R_OK | os.X_OK)):
        raise BadInput(f"You may not read {root}. Change its permissions or choose another folder.")
    trimaps = root / "annotations" / "trimaps"
    if (root / "images").is_dir():
        if trimaps.is_dir():
            return Layout(LayoutKind.OXFORD, root, root / "images", root / "masks", trimaps)
        return Layout(LayoutKind.PAIRED, root, root / "images", root / "masks")
    return Layout(LayoutKind.BARE, root, root, root / "masks")


def list_images(layout: Layout) -> list[str]:
    """The images' names (paths relative to ``layout.images``, with /), in natural order.

    Hidden files and folders, masks/ and files that are another image's mask are left out.
    """
    found = {
        name
        for name in _walk(layout.images, skip=layout.masks)
        if PurePosixPath(name).suffix.lower() in images.EXTENSIONS
    }
    stems = {_stem(name) for name in found}
    return sorted((n for n in found if not _is_mask_beside_image(n, stems)), key=_natural)


def mask_names(names: Sequence[str]) -> dict[str, str]:
    """Image name -> name of the mask file that we write: REL/NAME.png.

    Where two images would share one, both keep their extension: a.jpg.png, a.png.png.
    """
    # A file system that ignores case would let A.png overwrite a.png.
    # The stem of a.jpg.jpg is a.jpg, whose own mask may be a.jpg.png: it keeps its extension too.
    taken = Counter(_stem(name).casefold() for name in names)
    taken.update(name.casefold() for name in names)
    return {n: (n if taken[_stem(n).casefold()] > 1 else _stem(n)) + ".png" for n in names}


def find_masks(layout: Layout, names: Sequence[str]) -> dict[str, Path]:
    """Image name -> the mask file that came with it; images without one are left out.

    masks/ is read before annotations/; the name that we write ourselves before others.
    """
    in_masks = mask_files(layout.masks)
    beside = mask_files(layout.images) if layout.kind is LayoutKind.BARE else {}
    trimaps = mask_files(layout.trimaps) if layout.trimaps else {}
    written = mask_names(names)
    found: dict[str, Path] = {}
    for name in names:
        stem = _stem(name)
        own = written[name].removesuffix(".png")
        # Where images share a stem, a mask of that bare stem could be either's: it is no one's.
        keys = [own, name] + ([stem + s for s in MASK_SUFFIXES] if own == stem else [])
        path = next((in_masks[k] for k in keys if k in in_masks), None)
        if path is None and own == stem:
            path = next((beside[stem + s] for s in MASK_SUFFIXES[1:] if stem + s in beside), None)
            path = path or trimaps.get(stem)
        if path is not None:
            found[name] = path
    return found


def unpaired_masks(layout: Layout, paired: Iterator[Path] | Sequence[Path]) -> list[Path]:
    """Mask files that belong to no image (or could belong to two)."""
    used = set(paired)
    folders = [layout.masks] + ([layout.trimaps] if layout.trimaps else [])
    return [p for folder in folders for p in mask_files(folder).values() if p not in used]


def official_split(layout: Layout) -> dict[str, str]:
    """Image stem -> "trainval" or "test" from the Oxford lists; empty without them."""
    stems: dict[str, str] = {}
    for part in ("trainval", "test"):
        path = layout.root / "annotations" / f"{part}.txt"
        if layout.kind is LayoutKind.OXFORD and path.is_file():
            for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.strip() and not line.startswith("#"):
                    stems[line.split()[0]] = part
    return stems


def _walk(folder: Path, skip: Path | None = None) -> Iterator[str]:
    for here, folders, files in os.walk(folder):
        at = Path(here)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and at / f != skip)
        for file in files:
            if not file.startswith("."):
                yield (at / file).relative_to(folder).as_posix()


def mask_files(folder: Path) -> dict[str, Path]:
    """Name without extension -> file, of the mask files below a folder; PNG first."""
    found: dict[str, Path] = {}
    for extension in reversed(masks.EXTENSIONS):
        for name in _walk(folder):
            if name.lower().endswith(extension):
                found[name[: -len(extension)]] = folder / name
    return found


def _is_mask_beside_image(name: str, stems: set[str]) -> bool:
    stem = _stem(name)
    return any(stem.endswith(s) and stem.removesuffix(s) in stems for s in MASK_SUFFIXES[1:])


def _stem(name: str) -> str:
    return name[: len(name) - len(PurePosixPath(name).suffix)]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts a2.jpg before a10.jpg."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in parts] + [(2, 0, name)]
