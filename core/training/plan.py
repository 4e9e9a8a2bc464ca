"""Which masks a training will use, and how they are split."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from core.project.project import Project
from core.project.reviews import Status
from core.project.split import Subset


@dataclass(frozen=True)
class Plan:
    """Names of the images that train and that validate; problem: why it cannot start, or ""."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    problem: str = ""

    @property
    def sentence(self) -> str:
        """The plan in words."""
        total = len(self.train) + len(self.val)
        noun = "mask" if total == 1 else "masks"
        return f"{total} {noun}: {len(self.train)} train, {len(self.val)} val"


def plan_training(
    project: Project, include_edited: bool = False, exclude: Collection[str] = ()
) -> Plan:
    """The approved (and, if wanted, edited) masks by subset; writes nothing.

    A prediction alone never trains, nor does a mask without an image.
    """
    statuses = [Status.APPROVED] + ([Status.EDITED] if include_edited else [])
    names = [n for n in project.named(statuses) if n not in exclude and project.mask_source(n)]
    split = project.split(names)
    train = tuple(n for n in names if split[n] is Subset.TRAIN)
    val = tuple(n for n in names if split[n] is Subset.VAL)
    return Plan(train, val, _problem(len(names), len(train), len(val)))


def _problem(total: int, train: int, val: int) -> str:
    if total == 0:
        return "No approved mask yet: correct some masks and approve them first."
    if total == 1:
        return "Only one approved mask: training needs one to learn from and one to check on."
    if train == 0:
        return "All approved masks are kept for validation or test: approve some more."
    if val == 0:
        return "No approved mask is left for validation: approve some more."
    return ""
