"""Which images a folder holds, and which mask file belongs to which image."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core import images, masks
from core.errors import BadInput

MASK_SUFFIXES = ("", "_mask", "_segmentation")

_NUMBER = re.compile(r"\d+")


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
    found = [
        name
        for name in _walk(layout.images, skip=layout.masks)
        if _suffix(name).lower() in images.EXTENSIONS
    ]
    stems = {_stem(name) for name in found}
    return sorted((n for n in found if not _is_mask_beside_image(_stem(n), stems)), key=_natural)


def mask_names(names: Sequence[str]) -> dict[str, str]:
    """Image name -> name of the mask file that we write: REL/NAME.png.

    Where two images would share one, both keep their extension: a.jpg.png, a.png.png.
    """
    # A file system that ignores case would let A.png overwrite a.png.
    # The stem of a.jpg.jpg is a.jpg, whose own mask may be a.jpg.png: it keeps its extension too.
    stems = [_stem(name) for name in names]
    taken = Counter(stem.casefold() for stem in stems)
    taken.update(name.casefold() for name in names)
    pairs = zip(names, stems, strict=True)
    return {n: (n if taken[stem.casefold()] > 1 else stem) + ".png" for n, stem in pairs}


def find_masks(layout: Layout, names: Sequence[str]) -> dict[str, Path]:
    """Image name -> the mask file that came with it; images without one are left out.

    masks/ is read before annotations/; the name that we write ourselves before others.
    """
    in_masks = _by_stem(layout.masks)
    beside = _by_stem(layout.images) if layout.kind is LayoutKind.BARE else {}
    trimaps = _by_stem(layout.trimaps) if layout.trimaps else {}
    found: dict[str, Path] = {}
    for name, written in mask_names(names).items():
        stem = _stem(name)
        own = written.removesuffix(".png")
        # Where images share a stem, a mask of that bare stem could be either's: it is no one's.
        keys = [own, name] + ([stem + s for s in MASK_SUFFIXES] if own == stem else [])
        place, file = layout.masks, next((in_masks[k] for k in keys if k in in_masks), "")
        if not file and own == stem:
            place = layout.images
            file = next((beside[stem + s] for s in MASK_SUFFIXES[1:] if stem + s in beside), "")
            if not file and layout.trimaps:
                place, file = layout.trimaps, trimaps.get(stem, "")
        if file:
            found[name] = place / file
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


def mask_files(folder: Path) -> dict[str, Path]:
    """Name without extension -> file, of the mask files below a folder; PNG first."""
    return {stem: folder / name for stem, name in _by_stem(folder).items()}


# Folders hold a hundred thousand files and more: names stay text, a Path of each takes seconds.


def _walk(folder: Path, skip: Path | None = None) -> Iterator[str]:
    for here, folders, files in os.walk(folder):
        at = Path(here)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and at / f != skip)
        below = at.relative_to(folder).as_posix()
        start = "" if below == "." else below + "/"
        yield from (start + file for file in files if not file.startswith("."))


def _by_stem(folder: Path) -> dict[str, str]:
    """As ``mask_files``, the files named from the folder."""
    files = list(_walk(folder))
    found: dict[str, str] = {}
    for extension in reversed(masks.EXTENSIONS):
        found |= {n[: -len(extension)]: n for n in files if n.lower().endswith(extension)}
    return found


def _is_mask_beside_image(stem: str, stems: set[str]) -> bool:
    return any(stem.endswith(s) and stem.removesuffix(s) in stems for s in MASK_SUFFIXES[1:])


def _stem(name: str) -> str:
    return name[: len(name) - len(_suffix(name))]


def _suffix(name: str) -> str:
    """As ``PurePosixPath.suffix``."""
    start = name.rfind("/") + 1
    dot = name.rfind(".")
    return name[dot:] if start < dot < len(name) - 1 else ""


def _natural(name: str) -> str:
    """Text to sort by, a2.jpg before a10.jpg: that of lists would hold up all threads for long."""
    # No name has the character 0, and no number so many digits that it has the place of 255.
    return f"{_NUMBER.sub(_number_key, name.casefold())}\0\xff{name}"


def _number_key(number: re.Match[str]) -> str:
    digits = str(int(number[0]))
    return f"\0{chr(len(digits))}{digits}"
