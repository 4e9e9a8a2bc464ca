"""The one family of errors that a person is meant to read."""

from __future__ import annotations


class PetSegError(Exception):
    """Something a person can act on: what happened, to which file, what to do next.

    Raised in ``core`` where it happens; shown once, at the edge (window or command line).
    """


class BadInput(PetSegError):
    """The person's input cannot be used as it is (command line: exit code 2)."""
