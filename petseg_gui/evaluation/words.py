"""The figures of an evaluation as the window writes them."""

from __future__ import annotations

from datetime import datetime

from core.evaluation.result import Summary
from core.evaluation.terms import Term

SUBSETS = {
    "val": "Validation images",
    "test": "Test images",
    "train": "Training images",
    "all": "All images",
}


def number(value: float | None, unit: str = "") -> str:
    """A figure as it is shown; – where there is none."""
    if value is None:
        return "–"
    return f"{value:.1f} {unit}" if unit else f"{value:.3f}"


def interval(ends: tuple[float, float] | None, unit: str = "") -> str:
    """An interval as it is shown; "" where there is none."""
    if ends is None:
        return ""
    low, high = ends
    return f"{low:.1f} – {high:.1f}" if unit else f"{low:.3f} – {high:.3f}"


def when(made: str) -> str:
    """A time (ISO 8601) as this machine's clock shows it; as it is where it is none."""
    try:
        return datetime.fromisoformat(made).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return made


def figure_of(summary: Summary, figure: Term) -> tuple[str, str, str, str]:
    """A figure's mean over images with its interval, and the same of all pixels together."""
    whole = getattr(summary.dataset, figure.key, None)
    return (
        number(getattr(summary.per_image, figure.key), figure.unit),
        interval(summary.intervals.per_image.get(figure.key), figure.unit),
        number(whole, figure.unit) if whole is not None else "",
        interval(summary.intervals.dataset.get(figure.key), figure.unit),
    )
