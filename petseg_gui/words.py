"""Numbers as people say them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A length of time, roughly: 40 s, 3 min, 2 h 5 min."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def count(number: int, noun: str) -> str:
    """1 mask, 2 masks."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
