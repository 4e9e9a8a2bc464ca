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


def size(number: int) -> str:
    """Bytes, roughly: 340 kB, 1.4 MB, 24 MB, 1.5 GB."""
    if number < 1_000_000:
        return f"{-(-number // 1000)} kB"
    megabytes = number / 1e6
    if megabytes >= 1000:
        return f"{megabytes / 1000:.1f} GB"
    return f"{megabytes:.0f} MB" if megabytes >= 10 else f"{megabytes:.1f} MB"
