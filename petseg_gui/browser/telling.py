"""What is known of an image, in words."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import QDateTime, QLocale

from core.evaluation.triage import Known
from petseg_gui import words


def tell_value(known: Known, name: str, key: str) -> str:
    """An image's value under a key, in few characters; "" where it is not known."""
    value = known.number(name, key)
    if value is None:
        return ""
    if key == "date":
        changed = QDateTime.fromSecsSinceEpoch(int(value)).date()
        return QLocale().toString(changed, QLocale.FormatType.ShortFormat)
    if key == "size":
        return words.size(int(value))
    if key == "object":
        return f"{value:.0%}" if value >= 0.1 or value == 0 else f"{value:.1%}"
    if key == "parts":
        return words.count(int(value), "part")
    return f"{value:.2f}"


def tell_all(known: Known, name: str) -> str:
    """All that is known of an image, in some lines: HTML."""
    facts, subset = known.of(name), known.split.get(name)
    kept = f", kept for {subset}" if subset is not None else ""
    lines = [name, f"{known.status(name).capitalize()}{kept}"]
    if facts.uncertainty is not None:
        by = f" ({facts.model})" if facts.model else ""
        lines.append(f"Uncertainty of the model: {facts.uncertainty:.2f}{by}")
    if facts.disagreement is not None:
        lines.append(f"Disagreement of your mask and the model's: {facts.disagreement:.2f}")
    if facts.object_share is not None:
        share = tell_value(known, name, "object")
        parts = f" in {tell_value(known, name, 'parts')}" if facts.parts else ""
        lines.append(f"Object: {share} of the image{parts}")
    if facts.bytes is not None:
        size = f"{facts.width} × {facts.height} pixels, " if facts.width is not None else ""
        lines.append(f"{size}{words.size(facts.bytes)}, {tell_value(known, name, 'date')}")
    return as_tip(lines)


def as_tip(lines: Iterable[str]) -> str:
    """Lines as a tool tip in which nothing is markup: file names are anyone's."""
    return f"<p style='white-space:pre'>{'<br>'.join(map(escape, lines))}</p>"
