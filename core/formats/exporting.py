"""A folder's masks in other tools' formats: a whole export or none, never over what is there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.files import WriteError
from core.formats.items import Item, WriteOptions
from core.formats.registry import Format
from core.images import ImageError, image_size, open_image
from core.masks import MaskError
from core.project.project import Project
from core.project.reviews import Status
from core.project.split import Subset

MARK = "petseg-export.txt"
"""In every exported folder: what it holds, and that PetSeg may replace it where it is told to."""

_PART = ".petseg-part"
_ORIENTATION = 0x0112

Progress = Callable[[int, int], None]
"""Images done, and how many there are."""


class TargetTaken(BadInput):
    """Something stands where an export is to go; it may be replaced where a person says so."""


@dataclass(frozen=True)
class Exported:
    """An export. problems: image -> why it was left out; notes: what people should know of it."""

    target: Path
    images: int
    problems: dict[str, str]
    notes: tuple[str, ...] = ()


@dataclass
class _Tally:
    """What is found out while images stream by."""

    problems: dict[str, str] = field(default_factory=dict)
    turned: int = 0


def choose(
    project: Project,
    statuses: Iterable[Status] = (Status.APPROVED,),
    subset: str = "",
    among: Iterable[str] | None = None,
) -> list[str]:
    """The images of these statuses, of one subset of the split ("" for all), in order.

    among: only these. Takes time where photos were not compared with each other yet.
    Raises BadInput: the split cannot be read.
    """
    names = project.named(statuses)
    if subset:
        split = project.split(names)
        names = [name for name in names if split.get(name) == subset]
    if among is not None:
        wanted = set(among)
        names = [name for name in names if name in wanted]
    return names


def export(
    project: Project,
    names: Sequence[str],
    known: Format,
    target: Path,
    options: WriteOptions,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    replacing: bool = False,
    subset: str = "",
) -> Exported | None:
    """Write images' masks (or what a model predicts where they have none) in a format.

    Memory stays flat however many there are. None where it was cancelled: nothing is left of it.
    replacing: an earlier export may stand there. subset: what all of the images are of, where one
    was asked for; else the split as it is written down counts. An image whose mask cannot be read
    is left out and named. Raises BadInput (nothing to export, a target that is taken or inside of
    the folder), TargetTaken, FormatError, WriteError.
    """
    if known.write is None:
        raise BadInput(f"{known.title} can only be imported.")
    target = target.expanduser().resolve()
    check_target(project, known, target, replacing)
    if not names:
        raise BadInput("No image to export: approve masks first, or choose other images.")
    part = target.with_name(f".{target.name}{_PART}")
    _remove(part)
    tally = _Tally()
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        if not known.suffix:
            part.mkdir()
        items = _items(project, names, options, subset, tally)
        written = 0
        with closing(known.write(items, project.settings.scheme, part, options)) as done:
            for written, _ in enumerate(done, 1):
                if cancelled():
                    _remove(part)
                    return None
                progress(written + len(tally.problems), len(names))
        if not written:
            name, why = next(iter(tally.problems.items()))
            raise BadInput(f"None of the masks can be exported. {name}: {why}")
        if not known.suffix:
            _mark(part, project, known, options, written)
        _take_place(part, target)
    except OSError as error:
        _remove(part)
        raise WriteError(f"Cannot write {target}: {error.strerror or error}.") from error
    except BaseException:
        _remove(part)
        raise
    return Exported(target, written, tally.problems, _notes(tally))


def check_target(project: Project, known: Format, target: Path, replacing: bool) -> None:
    """Raises BadInput where an export must not go to ``target``; TargetTaken: unless replacing."""
    layout = project.layout
    own = (layout.images, layout.masks, project.store, project.mask_folder)
    if any(target.is_relative_to(place) for place in own) or project.folder.is_relative_to(target):
        raise BadInput(
            f"{target} is inside of the folder that is exported, or around it: its files would be "
            "taken for photos or masks. Choose another place."
        )
    if not target.exists():
        return
    if known.suffix:
        if target.is_dir():
            raise BadInput(f"{target} is a folder; give the name of a {known.suffix} file.")
        if not replacing:
            raise TargetTaken(f"{target} exists already. Choose another name, or replace it.")
    elif not target.is_dir():
        raise BadInput(f"{target} is a file; give the name of a new folder.")
    elif not any(target.iterdir()) or (replacing and is_export(target)):
        return
    elif is_export(target):
        raise TargetTaken(f"{target} holds an earlier export. Choose another name, or replace it.")
    else:
        raise BadInput(f"{target} is not empty, and no export of PetSeg. Choose another folder.")


def is_export(folder: Path) -> bool:
    """Whether a folder is an earlier export."""
    return (folder / MARK).is_file()


def losses(project: Project, known: Format, options: WriteOptions) -> Sequence[str]:
    """What the format cannot hold of this folder's masks, said before an export."""
    return known.losses(project.settings.scheme, options)


def _items(
    project: Project, names: Sequence[str], options: WriteOptions, subset: str, tally: _Tally
) -> Iterator[Item]:
    """The images whose masks can be read, one after the other."""
    split = {} if subset else project.known_split()
    for name in names:
        path = project.image_path(name)
        try:
            size = image_size(path)
            mask = project.read_mask(name, size)
            if mask is None:
                mask = project.read_prediction(name, size)
            if options.photos and _is_turned(path):
                tally.turned += 1
        except (ImageError, MaskError) as error:
            tally.problems[name] = error.reason
            continue
        if mask is None:
            tally.problems[name] = "it has neither a mask nor a prediction"
            continue
        written = project.mask_target(name).relative_to(project.mask_folder).as_posix()
        part = subset or _subset(split.get(name))
        yield Item(name, path, size, _giving(mask), written, part, _naming(tally, name))


def _giving(mask: np.ndarray) -> Callable[[], np.ndarray]:
    return lambda: mask


def _naming(tally: _Tally, name: str) -> Callable[[str], None]:
    return lambda why: tally.problems.update({name: why})


def _subset(subset: Subset | None) -> str:
    return "" if subset is None else subset.value


def _is_turned(path: Path) -> bool:
    """Whether a photo is shown upright only by those who read its EXIF turn. Raises ImageError."""
    with open_image(path) as image:
        return image.format != "TIFF" and image.getexif().get(_ORIENTATION, 1) != 1


def _notes(tally: _Tally) -> tuple[str, ...]:
    notes = []
    if tally.turned:
        notes.append(
            f"Copied photos that are turned by their EXIF data: {tally.turned:,}. Masks are of the "
            "upright photos."
        )
    return tuple(notes)


def _mark(
    folder: Path, project: Project, known: Format, options: WriteOptions, images: int
) -> None:
    scheme = project.settings.scheme
    lines = (
        f"Exported by PetSeg from {project.folder.name}",
        f"format: {known.title} ({known.id})",
        f"images: {images}",
        f"classes: {', '.join(scheme.names)}",
        f"made: {datetime.now(UTC).isoformat(timespec='seconds')}",
        *losses(project, known, options),
    )
    text = "".join(f"{line}\n" for line in lines)
    (folder / MARK).write_text(text, encoding="utf-8", errors="surrogateescape")


def _take_place(part: Path, target: Path) -> None:
    """Give a finished export its name; what stood there goes only then."""
    if not target.is_dir():
        os.replace(part, target)
        return
    old = target.with_name(f".{target.name}.petseg-old")
    _remove(old)
    target.rename(old)
    part.rename(target)
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
