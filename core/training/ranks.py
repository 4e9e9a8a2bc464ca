"""The processes that train one run together: one alone, or those that torchrun started.

Each takes its share of every batch; losses, gradients and counts are summed over all of them.
The first alone writes. See docs/decisions/0014-many-processes.md.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn

from core.training.memory import MemoryRanOut, ran_out

# Processes that are started again now and then miss each other; torchrun then tries once more.
_MEETING = timedelta(seconds=60)
# The others wait while the first scores a model on all validation images.
_PATIENCE = timedelta(hours=2)


@dataclass(frozen=True)
class Ranks:
    """This process among ``size``. local, beside: its number and how many are on this machine.

    Every method but ``share`` has to be called by all of them, in the same order.
    """

    rank: int = 0
    size: int = 1
    local: int = 0
    beside: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, n: int) -> slice:
        """The rows of ``n`` that are this process's; the first always has one where n > 0."""
        first, behind = (math.ceil(n * r / self.size) for r in (self.rank, self.rank + 1))
        return slice(first, behind)

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Memory that runs out inside on one rank ends the block with MemoryRanOut on all."""
        try:
            yield
        except MemoryRanOut:
            raise  # another rank said so, in ``total``
        except (MemoryError, RuntimeError) as error:
            if not ran_out(error):
                raise
            self.largest(1)
            raise MemoryRanOut from error
        if self.largest(0):
            raise MemoryRanOut

    def total(self, x: Tensor) -> Tensor:
        """The sum of a tensor over all ranks, with the gradient of this rank's part.

        Raises MemoryRanOut where another rank has left its ``all_or_none``.
        """
        if self.size == 1:
            return x
        if self.largest(0):
            raise MemoryRanOut
        summed = x.detach().clone()
        distributed.all_reduce(summed)
        return x + (summed - x.detach())

    def largest(self, number: int) -> int:
        """The largest of all ranks' numbers."""
        if self.size == 1:
            return number
        value = torch.tensor(number)
        distributed.all_reduce(value, distributed.ReduceOp.MAX)
        return int(value)

    def whole(self, own: np.ndarray, n: int) -> np.ndarray:
        """All ``n`` rows (int64) of which ``own`` are this rank's share."""
        if self.size == 1:
            return own
        rows = np.zeros((n, *own.shape[1:]), np.int64)
        rows[self.share(n)] = own
        distributed.all_reduce(torch.from_numpy(rows))
        return rows

    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Give every rank the sum of all ranks' gradients."""
        if self.size == 1:
            return
        # A rank without an image in this batch has no gradient; nor has a weight nobody uses.
        used = torch.tensor([int(p.grad is not None) for p in parameters])
        distributed.all_reduce(used, distributed.ReduceOp.MAX)
        held = [p for p, u in zip(parameters, used.tolist(), strict=True) if u]
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in held]
        flat = torch.cat([g.flatten() for g in gradients])
        distributed.all_reduce(flat)
        for p, g in zip(held, torch.split(flat, [p.numel() for p in held]), strict=True):
            p.grad = g.view_as(p)

    def take_first(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite tensors with the first rank's."""
        if self.size > 1:
            for tensor in tensors:
                distributed.broadcast(tensor.detach(), 0)

    def tell(self, value: Any) -> Any:
        """The first rank's value (of plain Python types)."""
        if self.size == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, 0)
        return values[0]

    def wait(self) -> None:
        """Until all are here."""
        self.largest(0)


ALONE = Ranks()


@contextmanager
def joined_ranks() -> Iterator[Ranks]:
    """The ranks that torchrun's environment names; ALONE without one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    both = torch.cuda.is_available() and distributed.is_nccl_available()
    distributed.init_process_group("cpu:gloo,cuda:nccl" if both else "gloo", timeout=_MEETING)
    distributed.set_timeout(_PATIENCE)
    try:
        yield Ranks(
            rank=distributed.get_rank(),
            size=size,
            local=int(os.environ.get("LOCAL_RANK", "0")),
            beside=int(os.environ.get("LOCAL_WORLD_SIZE", "1")),
        )
    finally:
        distributed.destroy_process_group()
