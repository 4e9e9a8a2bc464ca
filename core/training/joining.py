"""Masks that are approved while a run trains, and join it at the next epoch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core import jsonl
from core.errors import PetSegError
from core.project.project import open_project
from core.project.reviews import Status
from core.project.split import Subset
from core.training.config import RunConfig


@dataclass(frozen=True)
class Join:
    """An image of the run's own folder trains from this epoch on; mask: its file's SHA-256."""

    epoch: int
    image: str
    mask: str


@dataclass
class Approvals:
    """What a person has judged since a run was made, as reviews.jsonl tells it."""

    reviews: Path
    since: datetime
    _offset: int = 0
    _last: dict[str, tuple[str, str]] = field(default_factory=dict)

    def read(self) -> dict[str, str]:
        """The images that are approved now, and were not when the run was made: name -> mask hash.

        Raises OSError.
        """
        if self.reviews.exists() and self.reviews.stat().st_size < self._offset:
            self._offset = 0  # another file in its place
        for after, record in jsonl.scan(self.reviews, self._offset):
            self._offset = after
            if record is None:
                continue
            name, mask = record.get("image"), record.get("mask")
            if isinstance(name, str) and isinstance(mask, str) and _is_after(record, self.since):
                self._last[name] = str(record.get("status")), mask
        return {n: mask for n, (status, mask) in self._last.items() if status == Status.APPROVED}


def approvals_since(config: RunConfig) -> Approvals:
    """Those in the run's own folder."""
    store = Path(config.sources[0].store)
    return Approvals(store / "reviews.jsonl", datetime.fromisoformat(config.created))


def find_joins(
    config: RunConfig, approvals: Approvals, known: Collection[str], epoch: int
) -> list[Join]:
    """The masks that join at this epoch, in the folder's order; their split is written down.

    known: the images that train or validate in this run already. Only masks that the split gives
    to train, and whose file is still the one that was approved. Raises PetSegError (the folder
    cannot be read or written now).
    """
    try:
        approved = approvals.read()
    except OSError as error:
        raise PetSegError(f"{approvals.reviews} cannot be read ({error}).") from error
    if all(name in known for name in approved):
        return []
    project = open_project(Path(config.sources[0].folder), Path(config.sources[0].store))
    fresh = [n for n in project.names if n in approved and n not in known]
    intact = [n for n in fresh if project.mask_digest(n) == approved[n] != ""]
    split = project.fix_split(intact)
    return [Join(epoch, n, approved[n]) for n in intact if split[n] is Subset.TRAIN]


def _is_after(record: dict[str, object], since: datetime) -> bool:
    try:
        time = datetime.fromisoformat(str(record.get("time")))
    except ValueError:
        return False
    return time.tzinfo is not None and time >= since
