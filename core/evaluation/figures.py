"""The report's plots, as SVG that takes its colours from the page."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from core.evaluation.result import Calibration, Evaluation, ThresholdPoint

# What matplotlib draws with; the page's style says what it looks like, in light and in dark.
_INK, _GRID, _FIRST, _SECOND, _THIRD, _FOURTH, _PAPER = (f"#0102{i:02x}" for i in range(7))
_VARIABLES = {
    _INK: "var(--ink)",
    _GRID: "var(--line)",
    _FIRST: "var(--first)",
    _SECOND: "var(--second)",
    _THIRD: "var(--third)",
    _FOURTH: "var(--fourth)",
    _PAPER: "var(--paper)",
}
_STYLE = {
    "svg.fonttype": "none",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "text.color": _INK,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelsize": 9,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.loc": "upper left",  # "best" looks at every bar, and warns where that takes long
    "legend.facecolor": _PAPER,
    "legend.edgecolor": "none",
    "legend.framealpha": 1.0,
}
_SIZE = (4.6, 3.0)  # inches
_SIZES = 5  # groups of images by the size of the object


def histogram_of(values: np.ndarray, name: str, label: str, unit: str) -> str:
    """How many images have which value of a figure, and the mean."""
    most = 1.0 if not unit else max(float(values.max()), 1.0)

    def draw(axes: Axes) -> None:
        axes.hist(values, bins=25, range=(0, most), color=_FIRST)
        axes.axvline(values.mean(), color=_SECOND, linestyle="--", label="mean")
        axes.set_xlabel(f"{label} ({unit})" if unit else label)
        axes.set_ylabel("images")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper right" if unit else "upper left")  # good images are elsewhere

    return _svg(f"histogram {name}", draw)


def by_size(shares: np.ndarray, ious: np.ndarray) -> str:
    """IoU of small and large objects: medians and quartiles of five equally many images.

    shares: of each image that is object; ious: of each.
    """
    order = np.argsort(shares, kind="stable")
    parts = [part for part in np.array_split(order, _SIZES) if part.size]
    low, middle, high = np.array([np.quantile(ious[p], [0.25, 0.5, 0.75]) for p in parts]).T
    sizes = [np.median(shares[part]) for part in parts]

    def draw(axes: Axes) -> None:
        places = np.arange(len(parts))
        axes.bar(places, high - low, bottom=low, width=0.55, color=_FIRST, alpha=0.35)
        axes.plot(places, middle, "o", color=_FIRST)
        axes.set_xticks(places, [f"{size:.0%}" if size >= 0.01 else "< 1%" for size in sizes])
        axes.set_xlabel("share of the image that is object")
        axes.set_ylabel("IoU")
        axes.set_ylim(max(0.0, float(low.min()) - 0.15), 1.01)

    return _svg("by size", draw)


def reliability(calibration: Calibration) -> str:
    """What came true against what was said; a perfect model lies on the diagonal."""
    filled = [b for b in calibration.bins if b.pixels]
    said = [b.probability or 0.0 for b in filled]
    true = [b.frequency or 0.0 for b in filled]
    total = sum(b.pixels for b in filled)

    def draw(axes: Axes) -> None:
        width = 1 / len(calibration.bins)
        places = [b.low for b in filled]
        shares = [b.pixels / total for b in filled]
        axes.bar(places, shares, width * 0.92, align="edge", color=_GRID, label="share of pixels")
        axes.plot([0, 1], [0, 1], color=_INK, linestyle=":", linewidth=1, label="perfect")
        axes.plot(said, true, "o-", color=_FIRST, markersize=4, label="this model")
        axes.set_xlabel("probability the model gave")
        axes.set_ylabel("how often it was so")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.legend()

    return _svg("reliability", draw)


def threshold_plot(points: Sequence[ThresholdPoint], used: float | None) -> str:
    """What other thresholds would score."""
    at = [p.threshold for p in points]

    def draw(axes: Axes) -> None:
        axes.plot(at, [p.iou for p in points], color=_FIRST, label="IoU per image")
        axes.plot(at, [p.dataset_iou for p in points], color=_SECOND, label="data-set IoU")
        axes.plot(at, [p.precision for p in points], color=_THIRD, lw=1, label="precision")
        axes.plot(at, [p.recall for p in points], color=_FOURTH, lw=1, label="recall")
        if used is not None:
            axes.axvline(used, color=_INK, linestyle=":", linewidth=1, label="used here")
        axes.set_xlabel("threshold")
        axes.set_xlim(0, 1)
        axes.set_ylim(None, 1.005)
        axes.legend(loc="lower center")

    return _svg("threshold", draw)


def plots_of(evaluation: Evaluation) -> dict[str, str]:
    """Name -> SVG of all that there is to plot."""
    rows = evaluation.rows
    iou, boundary, hd95, share = np.array(
        [(row.iou, row.boundary_iou, row.hd95, row.truth_share) for row in rows]
    ).T
    plots = {
        "iou": histogram_of(iou, "iou", "IoU", ""),
        "boundary_iou": histogram_of(boundary, "boundary_iou", "Boundary IoU", ""),
        "hd95": histogram_of(hd95, "hd95", "HD95", "px"),
        "size": by_size(share, iou),
    }
    if evaluation.calibration is not None:
        plots["reliability"] = reliability(evaluation.calibration)
    if evaluation.thresholds:
        plots["threshold"] = threshold_plot(evaluation.thresholds, evaluation.threshold)
    return plots


def _svg(name: str, draw: Callable[[Axes], None]) -> str:
    """What ``draw`` draws, as an ``svg`` element of a page. name: its ids differ by it."""
    with rc_context(_STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        draw(figure.add_subplot())
        file = io.StringIO()
        FigureCanvasSVG(figure).print_svg(
            file, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    text = file.getvalue()
    text = text[text.index("<svg") :]
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    return text
