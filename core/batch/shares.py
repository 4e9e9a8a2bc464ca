"""Which part of a batch is this process's, where a scheduler started several of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from core.errors import BadInput


@dataclass(frozen=True)
class Share:
    """One of ``size`` processes that do a batch together.

    rank: 0 to size - 1; beside: how many of them are on this machine.
    """

    rank: int = 0
    size: int = 1
    beside: int = 1

    def holds(self, name: str) -> bool:
        """Whether an item is this process's: each is exactly one's, by a hash of its name.

        The list of items need not be the same everywhere. What is left of a batch is spread
        evenly over another number of processes: it is part of the hash.
        """
        if self.size == 1:
            return True
        text = f"{self.size} {name}".encode(errors="surrogateescape")
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") % self.size == self.rank


ALONE = Share()


def own_share(environment: Mapping[str, str] = os.environ) -> Share:
    """The share that RANK and WORLD_SIZE name, as torchrun sets them; ALONE without them.

    Raises BadInput: one of the two alone, or numbers that make no sense.
    """
    rank, size = environment.get("RANK", ""), environment.get("WORLD_SIZE", "")
    if not rank and size in ("", "1"):
        return ALONE
    try:
        beside = int(environment.get("LOCAL_WORLD_SIZE") or 1)
        share = Share(int(rank), int(size), beside)
    except ValueError:
        share = Share(-1)
    if not (0 <= share.rank < share.size and share.beside >= 1):
        raise BadInput(
            f"RANK={rank or '-'} and WORLD_SIZE={size or '-'} do not say which part of the images "
            "is this process's: set RANK to 0, 1, ... and WORLD_SIZE to the number of processes, "
            "or neither."
        )
    return share


def cores_of(share: Share) -> int:
    """The cores of this machine that a share may use."""
    # What a scheduler gave it, where the system tells.
    allowed = getattr(os, "sched_getaffinity", None)
    cores = len(allowed(0)) if allowed is not None else os.cpu_count() or 1
    return max(1, cores // share.beside)
