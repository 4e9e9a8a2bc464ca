"""Which masks a training will use, and how they are split."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from core.project.project import Project
from core.project.reviews import Status
from core.project.split import Subset


@dataclass(frozen=True)
class Plan:
    """What a training uses.

    train, val: names of the images that train and that validate; fixed: how many of val were
    written down as such before; left_out: how many masks are of the official test images; edited:
    whether masks that nobody approved are among them; problem: why it cannot start, or "".
    """

    train: tuple[str, ...]
    val: tuple[str, ...]
    problem: str = ""
    fixed: int = 0
    left_out: int = 0
    edited: bool = False

    @property
    def sentence(self) -> str:
        """The plan in words: "41 approved masks: 33 train, 8 val (fixed)"."""
        total, val = len(self.train) + len(self.val), len(self.val)
        which = "" if self.edited else "approved "
        noun = "mask" if total == 1 else "masks"
        fixed = "fixed" if self.fixed == val else f"{self.fixed} fixed"
        words = f"{total} {which}{noun}: {len(self.train)} train, {val} val"
        words += f" ({fixed})" if self.fixed else ""
        return words + (f"; {self.left_out} kept for test" if self.left_out else "")


def plan_training(
    project: Project,
    include_edited: bool = False,
    exclude: Collection[str] = (),
    alive: Callable[[], None] = lambda: None,
) -> Plan:
    """The approved (and, if wanted, edited) masks by subset; writes nothing.

    A prediction alone never trains, nor does a mask without an image. Photos that were not
    compared with the others yet are read; ``alive`` is called before each of them, and may raise
    to give up. Raises BadInput (the split is damaged).
    """
    statuses = [Status.APPROVED] + ([Status.EDITED] if include_edited else [])
    names = [n for n in project.named(statuses) if n not in exclude and project.mask_source(n)]
    known = project.known_split()
    split = project.split(names, alive)
    train = tuple(n for n in names if split[n] is Subset.TRAIN)
    val = tuple(n for n in names if split[n] is Subset.VAL)
    return Plan(
        train,
        val,
        _problem(len(names), len(train), len(val)),
        fixed=sum(n in known for n in val),
        left_out=len(names) - len(train) - len(val),
        edited=any(project.status(n) is Status.EDITED for n in names),
    )


def _problem(total: int, train: int, val: int) -> str:
    if total == 0:
        return "No approved mask yet: correct some masks and approve them first."
    if total == 1:
        return "Only one approved mask: training needs one to learn from and one to check on."
    if train == 0:
        return "All approved masks are kept for validation or test: approve some more."
    if val == 0:
        # Near-duplicates stay together; or who validated is not approved any more.
        return "No approved mask is left to check on: approve one of a photo that shows another."
    return ""
