"""Which photos ``petseg predict`` segments, and where their masks go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.cli.segmenting import Job
from core.errors import BadInput
from core.project.layout import find_layout, list_images, mask_names

STATE = ".petseg-predict"
"""The folder in that of the masks in which is noted what was done."""


@dataclass
class Photos:
    """The photos, in order; as text, since a Path of each of very many takes a lot of memory.

    names and masks: one a photo, relative to its folder and to ``out``; the photos of
    ``folders[i]`` end before number ``ends[i]``.
    """

    out: Path
    folders: list[Path] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    masks: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def add(self, folder: Path, names: Sequence[str], masks: Sequence[str]) -> None:
        self.folders.append(folder)
        self.names += names
        self.masks += masks
        self.ends.append(len(self.names))

    def __iter__(self) -> Iterator[Job]:
        start = 0
        for folder, end in zip(self.folders, self.ends, strict=True):
            for i in range(start, end):
                yield Job(folder / self.names[i], self.out, self.masks[i])
            start = end


def find_photos(inputs: Sequence[Path], out: Path) -> Photos:
    """The photos of folders and single files, each once.

    What lies in ``out`` is left out where this command has made it. Raises BadInput: none, not
    there, two that would write one mask, photos or a folder's own masks in ``out``.
    """
    if out.exists() and not out.is_dir():
        raise BadInput(f"--out {out} is a file, not a folder.")
    photos = Photos(out)
    groups = _folders(inputs, out)
    writers: dict[str, Path] = {}
    for folder, names in groups:
        names = list(dict.fromkeys(names))
        written = mask_names(names)
        if len(groups) > 1:  # within one, no two images have the same mask
            names = [n for n in names if _is_new(folder / n, out / written[n], writers)]
        photos.add(folder, names, [written[n] for n in names])
    if not len(photos):
        raise BadInput(f"No images in {', '.join(map(str, inputs))}.")
    _keep_off_own_masks(inputs, out)
    return photos


def _is_new(image: Path, mask: Path, writers: dict[str, Path]) -> bool:
    """Whether an image was not met yet. Raises BadInput where another one has its mask."""
    other = writers.get(str(mask).casefold())
    if other is None:
        writers[str(mask).casefold()] = image
    elif other != image:
        raise BadInput(
            f"{other} and {image} would both write {mask}: predict them into different folders."
        )
    return other is None


def _keep_off_own_masks(inputs: Sequence[Path], out: Path) -> None:
    for folder in filter(Path.is_dir, inputs):
        layout = find_layout(folder)
        for place in filter(None, (layout.masks, layout.trimaps)):
            # Also where there are none yet: whatever lies there counts as approved.
            if out.resolve().is_relative_to(place.resolve()):
                raise BadInput(f"{out} is for {folder}'s own masks: choose another --out.")


def _folders(inputs: Sequence[Path], out: Path) -> list[tuple[Path, list[str]]]:
    """Each folder with the names of its images; single files are gathered by their folder."""
    found: list[tuple[Path, list[str]]] = []
    single: dict[Path, list[str]] = {}
    for path in inputs:
        if path.is_dir():
            layout = find_layout(path)
            found.append((layout.images, _but_those_in(out, layout.images, list_images(layout))))
        elif path.exists():
            single.setdefault(path.parent, []).append(path.name)
        else:
            raise BadInput(f"{path} does not exist.")
    return found + list(single.items())


def _but_those_in(out: Path, folder: Path, names: list[str]) -> list[str]:
    """The names without those of masks that were made among the photos. Raises BadInput."""
    if not out.resolve().is_relative_to(folder.resolve()):
        return names
    below = out.resolve().relative_to(folder.resolve()).as_posix() + "/"
    others = [name for name in names if not name.startswith(below)]
    # Directly beside the photos, masks cannot be told from them the next time.
    if below == "./" or (len(others) < len(names) and not (out / STATE).is_dir()):
        raise BadInput(
            f"--out {out} is a folder of photos: masks in there would be taken for photos. "
            "Choose another one, or a new one in it."
        )
    return others
