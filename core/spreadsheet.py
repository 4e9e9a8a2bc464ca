"""Text in tables that people open in a spreadsheet."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str) -> str:
    """A name that no spreadsheet takes for a formula; as a path it still means the same."""
    return f"./{text}" if text.startswith(_FORMULA) else text
