"""Which images a folder holds, and which mask file belongs to which image."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core import images, masks
from core.errors import BadInput
from core.project.tree import Tree, in_order, read_tree

MASK_SUFFIXES = ("", "_mask", "_segmentation")
_AT_ONCE = 8000


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

    Hidden files and folders, masks/ and files that are another image's mask are left out. See
    ``read_tree`` for links.
    """
    return read_images(layout).names


def read_images(
    layout: Layout,
    before: Tree | None = None,
    told: Callable[[list[str]], None] = lambda names: None,
    alive: Callable[[], None] = lambda: None,
) -> Tree:
    """As ``list_images``, with the folders that they are in.

    before, told, alive: see ``read_tree``.
    """
    skip = _skip(layout)
    return read_tree(layout.images, _images_of, skip=skip, before=before, told=told, alive=alive)


def mask_names(names: Sequence[str]) -> dict[str, str]:
    """Image name -> name of the mask file that we write: REL/NAME.png.

    Where two images would share one, both keep their extension: a.jpg.png, a.png.png.
    """
    shared = sharing(names)
    return {name: mask_name(name, shared) for name in names}


def mask_name(name: str, shared: Collection[str]) -> str:
    """The name of the mask file that we write for an image; shared: see ``sharing``."""
    return (name if name in shared else _stem(name)) + ".png"


def sharing(names: Sequence[str]) -> set[str]:
    """The images whose masks would share a name with another one's, without their extension."""
    # A file system that ignores case would let A.png overwrite a.png.
    # The stem of a.jpg.jpg is a.jpg, whose own mask may be a.jpg.png: it keeps its extension too.
    stems = [_stem(name).casefold() for name in names]
    taken: Counter[str] = Counter()
    for start in range(0, len(names), _AT_ONCE):  # other threads wait meanwhile
        taken.update(stems[start : start + _AT_ONCE])
        taken.update(map(str.casefold, names[start : start + _AT_ONCE]))
    return {name for name, stem in zip(names, stems, strict=True) if taken[stem] > 1}


@dataclass(frozen=True)
class MaskTrees:
    """Where a folder's masks are looked for, in this order, as it was read.

    elsewhere: the project's own place; beside: among the images; None: not looked for there.
    """

    elsewhere: Tree | None
    masks: Tree
    beside: Tree | None
    trimaps: Tree | None

    @property
    def trees(self) -> list[Tree]:
        every = (self.elsewhere, self.masks, self.beside, self.trimaps)
        return [tree for tree in every if tree is not None]


def read_mask_trees(
    layout: Layout,
    elsewhere: Path | None = None,
    before: MaskTrees | None = None,
    alive: Callable[[], None] = lambda: None,
) -> MaskTrees:
    """Read the folders that may hold masks. before: as they were earlier; alive: ``read_tree``."""

    def read(folder: Path | None, known: Tree | None) -> Tree | None:
        return None if folder is None else read_tree(folder, _masks_of, before=known, alive=alive)

    beside = None
    if layout.kind is LayoutKind.BARE:
        known, skip = before.beside if before else None, _skip(layout)
        beside = read_tree(layout.images, _beside_of, skip=skip, before=known, alive=alive)
    known = before.masks if before else None
    masks = read_tree(layout.masks, _masks_of, before=known, alive=alive)
    return MaskTrees(
        read(elsewhere, before.elsewhere if before else None),
        masks,
        beside,
        read(layout.trimaps, before.trimaps if before else None),
    )


def read_masks(folder: Path) -> Tree:
    """The files below a folder that may be masks, whatever their order."""
    return read_tree(folder, _masks_of)


def find_masks(layout: Layout, names: Sequence[str]) -> dict[str, Path]:
    """Image name -> the mask file that came with it; images without one are left out.

    masks/ is read before annotations/; the name that we write ourselves before others.
    """
    shared = sharing(names)
    found = pair_masks(owners_of(names, shared), shared, read_mask_trees(layout))
    return {name: Path(file) for name, file in found.items()}


def owners_of(names: Iterable[str], shared: Collection[str]) -> dict[str, str]:
    """The name of a mask file that we write, without .png -> the image that it is for."""
    return {name if name in shared else _stem(name): name for name in names}


def pair_masks(
    owners: Mapping[str, str], shared: Collection[str], trees: MaskTrees
) -> dict[str, str]:
    """Image name -> the path of its mask file, as ``find_masks``.

    owners: see ``owners_of``; shared: see ``sharing``.
    """
    # Where images share a stem, a mask of that stem could be either's: it is no one's.
    alone = {stem: name for stem, name in owners.items() if name not in shared}
    found: dict[str, str] = {}  # what is found later counts
    for tree in (trees.trimaps, trees.beside, trees.masks, trees.elsewhere):
        if tree is None:
            continue
        files = _by_stem(tree.names)
        if tree is trees.trimaps:
            paired = _named(files, alone)
        elif tree is trees.beside:
            paired = _suffixed(files, alone)
        else:
            # By suffix, by the image's whole name, by the name that we write ourselves.
            paired = _suffixed(files, alone)
            paired |= {stem: f for stem, f in files.items() if owners.get(_stem(stem)) == stem}
            paired |= _named(files, owners)
        found |= {name: f"{tree.root}/{file}" for name, file in paired.items()}
    return found


def _named(files: Mapping[str, str], owners: Mapping[str, str]) -> dict[str, str]:
    return {owners[stem]: file for stem, file in files.items() if stem in owners}


def _suffixed(files: Mapping[str, str], owners: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for suffix in reversed(MASK_SUFFIXES[1:]):
        bare = {s.removesuffix(suffix): f for s, f in files.items() if s.endswith(suffix)}
        found |= _named(bare, owners)
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
    names = read_masks(folder).names
    return {stem: folder / name for stem, name in _by_stem(names).items()}


# Folders hold a hundred thousand files and more: names stay text, a Path of each takes seconds.


def _images_of(files: list[str], folders: list[str]) -> list[str]:
    found = [file for file in files if file[file.rfind(".") :].lower() in images.EXTENSIONS]
    named = _named_as_masks(found)
    if named:
        stems = {_stem(file) for file in found}
        beside = {file for file in named if _is_mask_beside_image(_stem(file), stems)}
        found = [file for file in found if file not in beside]
    return in_order(found, folders)


def _masks_of(files: list[str], folders: list[str]) -> list[str]:
    found = [file for file in files if file.lower().endswith(masks.EXTENSIONS)]
    return [*found, *(f"{folder}/" for folder in sorted(folders))]


def _beside_of(files: list[str], folders: list[str]) -> list[str]:
    """Those that may be masks of images in the same folder."""
    return _masks_of(_named_as_masks(files), folders)


def _named_as_masks(files: Iterable[str]) -> list[str]:
    first, second = (f"{suffix}." for suffix in MASK_SUFFIXES[1:])
    return [file for file in files if first in file or second in file]


def _by_stem(names: Iterable[str]) -> dict[str, str]:
    """As ``mask_files``, of these files."""
    found: dict[str, str] = {}
    others = [name for name in names if not name.endswith(".png")]
    for extension in reversed(masks.EXTENSIONS):
        found |= {n[: -len(extension)]: n for n in others if n.lower().endswith(extension)}
    return found | {name[:-4]: name for name in names if name.endswith(".png")}


def _skip(layout: Layout) -> str:
    """masks/, where it lies among the images."""
    return "masks/" if layout.masks.parent == layout.images else ""


def _is_mask_beside_image(stem: str, stems: set[str]) -> bool:
    return any(stem.endswith(s) and stem.removesuffix(s) in stems for s in MASK_SUFFIXES[1:])


def _stem(name: str) -> str:
    return name[: len(name) - len(_suffix(name))]


def _suffix(name: str) -> str:
    """As ``PurePosixPath.suffix``."""
    start = name.rfind("/") + 1
    dot = name.rfind(".")
    return name[dot:] if start < dot < len(name) - 1 else ""
