"""Memory that runs out while a batch is worked on."""

from __future__ import annotations

import torch

# What torch says in a RuntimeError where it has no exception of its own: CPU, MPS.
_WORDS = ("not enough memory", "out of memory", "can't allocate memory", "cannot allocate memory")


class MemoryRanOut(MemoryError):
    """Memory ran out, here or on another rank; what was begun is not counted."""


def ran_out(error: BaseException) -> bool:
    """Whether an exception says that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and any(w in words for w in _WORDS)
