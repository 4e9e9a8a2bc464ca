"""What the figures of an evaluation mean, for whoever does not know them by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.evaluation.result import Summary


@dataclass(frozen=True)
class Figure:
    """A figure: its field in the summaries, its name, what it says. unit: "" or " px"."""

    key: str
    name: str
    meaning: str
    unit: str = ""


FIGURES = (
    Figure(
        "iou",
        "IoU",
        "How much the model's mask and the true one overlap: the pixels in both as a share of the "
        "pixels in either. 1 is perfect.",
    ),
    Figure(
        "dice",
        "Dice",
        "Overlap as well, kinder to small mistakes: twice the pixels in both as a share of the two "
        "masks' pixels together.",
    ),
    Figure("precision", "Precision", "Of what the model takes for the object, the share that is."),
    Figure("recall", "Recall", "Of what truly is the object, the share that the model finds."),
    Figure(
        "pixel_accuracy",
        "Pixel accuracy",
        "The share of all pixels that are right. Large backgrounds make it high for any model.",
    ),
    Figure(
        "boundary_iou",
        "Boundary IoU",
        "The overlap in a narrow band along the outlines: it shows ragged edges that IoU forgives.",
    ),
    Figure(
        "hd95",
        "HD95",
        "How far the outlines lie apart where they do worst, the worst 5 % left out. Lower is "
        "better.",
        " px",
    ),
    Figure(
        "surface_distance",
        "Surface distance",
        "How far the outlines lie apart on average. Lower is better.",
        " px",
    ),
)

OTHERS = (
    (
        "Mean over images",
        "Each image counts the same, however large it is: what one can expect of the next photo.",
    ),
    ("All pixels together", "Large objects count more than small ones."),
    (
        "95 % interval",
        "With other photos of the same kind the figure would lie in this range 19 times of 20. "
        "Few images make it wide.",
    ),
    (
        "All object",
        "What a mask scores that calls every pixel the object. A model should be far above it.",
    ),
    (
        "Border rule",
        "What the uncertain border of a mask counts as. Figures under different rules cannot be "
        "compared.",
    ),
)

BORDER_RULES = {
    "foreground": "the border counts as object",
    "ignore": "the border is left out",
    "background": "the border counts as background",
    "class": "the border is a class of its own",
}

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
    return f"{value:.1f}{unit}" if unit else f"{value:.3f}"


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


def figure_of(summary: Summary, figure: Figure) -> tuple[str, str, str, str]:
    """A figure's mean over images with its interval, and the same of all pixels together."""
    whole = getattr(summary.dataset, figure.key, None)
    return (
        number(getattr(summary.per_image, figure.key), figure.unit),
        interval(summary.intervals.per_image.get(figure.key), figure.unit),
        number(whole, figure.unit) if whole is not None else "",
        interval(summary.intervals.dataset.get(figure.key), figure.unit),
    )
