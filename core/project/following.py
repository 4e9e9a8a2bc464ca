"""What other programs change in a folder while it is open: images and masks that come and go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from core.project.layout import Layout, MaskTrees, read_images, read_mask_trees
from core.project.tree import Tree


@dataclass(frozen=True)
class Trees:
    """The folders of a project, as they were read."""

    images: Tree
    masks: MaskTrees

    @property
    def problems(self) -> tuple[str, ...]:
        """The folders that cannot be read, and why, each once."""
        trees = (self.images, *self.masks.trees)
        return tuple(dict.fromkeys(p for tree in trees for p in tree.problems))


@dataclass(frozen=True)
class Changes:
    """What has come, gone or changed in a folder since it was looked at last.

    names: all images that are listed now, in order. masked: of the images that were there before,
    those whose mask has come or gone. strays: those that stay listed although they are gone.
    problems: see ``Trees``.
    """

    names: list[str]
    come: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    strays: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()


def read_again(
    layout: Layout, elsewhere: Path | None, before: Trees, alive: Callable[[], None]
) -> Trees:
    """Read the folders that changed since ``before``; alive: see ``read_tree``."""
    images = read_images(layout, before.images, alive=alive)
    return Trees(images, read_mask_trees(layout, elsewhere, before.masks, alive))


def keeping(changes: Changes, listed: Sequence[str], kept: Set[str]) -> Changes:
    """The changes, but so that these images stay; listed: all as they are listed until now."""
    stay = kept & frozenset(changes.gone)
    if not stay:
        return changes
    return replace(
        changes,
        names=with_kept(changes.names, listed, stay),
        gone=tuple(name for name in changes.gone if name not in stay),
        strays=changes.strays | stay,
    )


def with_kept(names: list[str], listed: Sequence[str], kept: Collection[str]) -> list[str]:
    """The names with those that are to stay, each before the one that it was listed before.

    listed: all as they were listed until now; kept: of these.
    """
    there = set(names)
    missing = [row for row, name in enumerate(listed) if name in kept and name not in there]
    if not missing:
        return names
    together = list(names)
    for row in reversed(missing):
        after = next((name for name in islice(listed, row + 1, None) if name in there), None)
        place = len(together) if after is None else together.index(after)
        together.insert(place, listed[row])
        there.add(listed[row])
    return together
