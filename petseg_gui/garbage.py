"""When Python looks for garbage: not while it would stop the window."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 20_000  # objects that were made: looking through them takes milliseconds


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Let no garbage be collected while records of very many images are made.

    Looking through those again and again would stop all threads each time, the longer the more
    there are; none of them is ever part of a cycle.
    """
    gc.disable()
    try:
        yield
    finally:
        if gc.get_count()[0] > _MANY:
            gc.freeze()
        gc.enable()
