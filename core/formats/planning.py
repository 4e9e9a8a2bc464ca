"""What an import would do, before it does anything."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from core.errors import BadInput
from core.formats.matching import match
from core.formats.registry import detect, format_of
from core.formats.source import FormatError, ReadOptions, Source, SourceClass, sizes_differ
from core.images import ImageError, image_size
from core.labels import (
    BACKGROUND,
    LONGEST_NAME,
    MAX_CLASSES,
    PET,
    VOID,
    BorderRule,
    LabelClass,
    LabelScheme,
    default_colour,
)
from core.masks import can_hold
from core.project.project import Project

Target = int | str
"""What a class of the annotations becomes: a class of the project by its id (BACKGROUND: it is
left out), VOID, or a new class of this name."""

Progress = Callable[[int, int], None]
"""Steps done, and how many there are."""

_GENERIC = re.compile(r"class (\d+)")
_OBJECT = "object"
_ARCHIVES = frozenset({".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar"})


@dataclass(frozen=True)
class ImportPlan:
    """A preview of an import. Changing ``targets`` and ``replacing`` (``replace``) is all there is.

    base: the project's classes that stay. matches: image -> position in ``source.entries``.
    missing: annotated images that the folder lacks. refused: annotations that cannot be told whose
    they are, and why. differing: images whose annotations are of another size, and why. existing:
    matched images that have a mask already; they are left alone unless ``replacing``. appearing:
    position in ``source.classes`` -> matched images, where annotations tell without being read.
    targets: of each of ``source.classes``.
    """

    source: Source
    base: tuple[LabelClass, ...]
    before: LabelScheme
    matches: Mapping[str, int]
    missing: tuple[str, ...]
    refused: Mapping[str, str]
    differing: Mapping[str, str]
    existing: frozenset[str]
    appearing: Mapping[int, int]
    targets: tuple[Target, ...]
    replacing: bool = False

    @property
    def chosen(self) -> list[str]:
        """The images whose masks would be written."""
        return [
            name
            for name in self.matches
            if name not in self.differing and (self.replacing or name not in self.existing)
        ]

    @property
    def new_names(self) -> list[str]:
        """The classes that would be added. Raises BadInput: too long a name."""
        known = {c.name.casefold() for c in self.base}
        added: dict[str, str] = {}
        for target in self.targets:
            if isinstance(target, str) and target.casefold() not in known:
                added.setdefault(target.casefold(), target)
        for name in added.values():
            if not 1 <= len(name) <= LONGEST_NAME:
                raise BadInput(f"Class names have 1 to {LONGEST_NAME} characters.")
        return list(added.values())

    @property
    def scheme(self) -> LabelScheme:
        """The project's classes after the import. Raises BadInput: too many of them."""
        added = self.new_names
        if not added and len(self.base) == len(self.before.classes):
            return self.before
        if len(self.base) + len(added) > MAX_CLASSES:
            raise BadInput(
                f"These would be {len(self.base) + len(added)} classes; a folder has at most "
                f"{MAX_CLASSES}. Leave some out."
            )
        classes = list(self.base)
        for name in added:
            classes.append(LabelClass(len(classes), name, self._colour(name, classes)))
        if len(classes) == 1:  # all is left out
            return self.before
        return LabelScheme("custom", tuple(classes))

    def table(self) -> np.ndarray:
        """uint8[256]: position in ``source.classes`` (and VOID) -> id in ``scheme`` (or VOID).

        Raises BadInput.
        """
        ids = {c.name.casefold(): c.id for c in self.scheme.classes}
        table = np.full(256, VOID, np.uint8)
        for position, target in enumerate(self.targets):
            table[position] = ids[target.casefold()] if isinstance(target, str) else target
        return table

    def needs_ids(self, project: Project) -> bool:
        """Whether the folder's masks must become class ids first, to hold what these are mapped to.

        Raises BadInput.
        """
        encoding = project.settings.mask_encoding
        wanted = self.table()[: len(self.targets)]
        return not all(can_hold(encoding, int(value)) for value in wanted)

    def mapped(self, changes: Mapping[str, str]) -> ImportPlan:
        """The plan with other targets, by the names of classes: "" or background leaves one out.

        Raises BadInput: the annotations have no such class.
        """
        targets = list(self.targets)
        positions = {c.name.casefold(): i for i, c in enumerate(self.source.classes)}
        for source, target in changes.items():
            if source.casefold() not in positions:
                names = ", ".join(c.name for c in self.source.classes)
                raise BadInput(f"The annotations have no class {source}; they have {names}.")
            targets[positions[source.casefold()]] = self._target(target)
        return replace(self, targets=tuple(targets))

    def _target(self, name: str) -> Target:
        if name.casefold() in ("", "background", "none"):
            return BACKGROUND
        if name.casefold() == "void":
            return VOID
        known = {c.name.casefold(): c.id for c in self.base}
        return known.get(name.casefold(), name)

    def _colour(self, name: str, taken: list[LabelClass]) -> tuple[int, int, int]:
        """That of the annotations where no class has it, else the usual one of the next id."""
        used = {c.colour for c in taken}
        for label, target in zip(self.source.classes, self.targets, strict=True):
            if target == name and label.colour is not None and label.colour not in used:
                return label.colour
        return default_colour(len(taken))


def read_source(path: Path, format_id: str = "", options: ReadOptions | None = None) -> Source:
    """Read annotations; their format is found out where it is not given.

    Raises FormatError: unknown, unreadable, hostile, more than one format's, or of no image.
    """
    path = path.expanduser().resolve()
    if not path.exists():
        raise FormatError(f"{path} does not exist.")
    if path.suffix.lower() in _ARCHIVES and path.is_file():
        raise FormatError(f"{path} is an archive: unpack it, and import the folder.")
    known = format_of(format_id) if format_id else detect(path)
    if known.read is None:
        raise FormatError(f"{known.title} can only be written.")
    source = known.read(path, options or ReadOptions())
    if not len(source.entries):
        raise FormatError(" ".join((f"{path} annotates no image.", *source.notes)))
    return source


def plan_import(
    project: Project,
    source: Source,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ImportPlan | None:
    """Find out what an import would do; None where it was cancelled. Writes nothing."""
    written: list[str] = []
    sizes: list[tuple[int, int] | None] = []
    classes: list[frozenset[int]] = []
    total = len(source.entries)
    for position, entry in enumerate(source.entries):
        if cancelled():
            return None
        written.append(entry.image)
        sizes.append(entry.size)
        classes.append(entry.classes)
        progress(position, 2 * total)
    matches = match(project.names, written)
    differing: dict[str, str] = {}
    for done, (name, position) in enumerate(matches.found.items()):
        if cancelled():
            return None
        claimed = sizes[position]
        if claimed is not None:
            why = _differs(project.image_path(name), claimed)
            if why:
                differing[name] = why
        progress(total + done, 2 * total)
    appearing = Counter(chain.from_iterable(classes[i] for i in matches.found.values()))
    base = staying_classes(project, source)
    return ImportPlan(
        source,
        base,
        project.settings.scheme,
        # In the folder's order, which is the order of everything that a person sees.
        {name: matches.found[name] for name in project.names if name in matches.found},
        tuple(matches.missing),
        matches.refused,
        differing,
        frozenset(name for name in matches.found if project.mask_source(name) is not None),
        appearing,
        tuple(_usual_target(project, source, base, i) for i in range(len(source.classes))),
    )


def _differs(image: Path, claimed: tuple[int, int]) -> str:
    try:
        size = image_size(image)
    except ImageError as error:
        return error.reason
    return "" if size == claimed else sizes_differ(claimed, size)


def staying_classes(project: Project, source: Source) -> tuple[LabelClass, ...]:
    """The project's classes; of a new folder that only has the usual ones, the background alone.

    Else every folder whose classes come from elsewhere would have one called pet that is empty.
    """
    classes = project.settings.scheme.classes
    objects = [c.name.casefold() for c in source.classes[1:]]
    new = project.settings.scheme == PET and not project.has_masks
    new = new and not any(project.has_prediction(name) for name in project.names)
    own = [name for name in objects if name != _OBJECT and not _GENERIC.fullmatch(name)]
    return classes[:1] if new and len(own) > 1 and PET.names[1] not in objects else classes


def _usual_target(
    project: Project, source: Source, base: tuple[LabelClass, ...], position: int
) -> Target:
    """What a class of the annotations becomes unless a person says otherwise."""
    label = source.classes[position]
    name = label.name.strip()[:LONGEST_NAME]
    known = {c.name.casefold(): c.id for c in base}
    if position == BACKGROUND:
        return BACKGROUND
    if name.casefold() in known:
        return known[name.casefold()]
    generic = _GENERIC.fullmatch(name.casefold())
    if generic is not None and int(generic[1]) < len(base):
        return int(generic[1])
    if name.casefold() == "border" and project.has_masks:
        return _border(project.settings.border_rule)
    objects = [c for c in base[1:] if c.name != "border"]
    if len(objects) == 1 and len(_objects(source)) == 1 and name.casefold() != "border":
        return objects[0].id
    return name or f"class {position}"


def _objects(source: Source) -> list[SourceClass]:
    return [c for c in source.classes[1:] if c.name.casefold() != "border"]


def _border(rule: BorderRule) -> Target:
    """A border in a folder that has none becomes what the folder's rule says."""
    targets: dict[BorderRule, Target] = {
        BorderRule.FOREGROUND: 1,
        BorderRule.IGNORE: VOID,
        BorderRule.BACKGROUND: BACKGROUND,
        BorderRule.CLASS: "border",
    }
    return targets[rule]
