"""Work on the disk that ends at any moment, as with kill -9."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

_CALLS = ("replace", "rename", "mkdir", "unlink", "rmdir")


class Killed(BaseException):
    """What no code catches."""


@contextmanager
def killed_at(number: int, after: bool) -> Iterator[list[str]]:
    """Ends the work at its n-th change of the disk, just before or after it."""
    calls: list[str] = []

    def stopping(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            calls.append(name)
            last = len(calls) == number
            if last and not after:
                raise Killed
            try:
                return real(*arguments, **named)
            finally:
                if last:
                    raise Killed

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in _CALLS:
            patch.setattr(os, name, stopping(name, getattr(os, name)))
        yield calls
