"""Two evaluations of the same images: is one of the two better, or is it chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import BadInput
from core.evaluation.bootstrap import draws, interval
from core.evaluation.columns import PER_IMAGE, columns_of
from core.evaluation.result import Evaluation, ImageScores, Interval, Source
from core.evaluation.summary import DATA_SET, dataset_figures

Verdict = Literal["a", "b", "open"]

FEWEST = 6
"""Images from which on a verdict is given: of fewer, all on one side are chance too often."""


@dataclass(frozen=True)
class Difference:
    """One figure of both; difference: b - a; interval: of it, 95 %, None of a single image."""

    a: float
    b: float
    difference: float
    interval: Interval | None


@dataclass(frozen=True)
class Change:
    """One image's IoU in both."""

    image: str
    a: float
    b: float


@dataclass(frozen=True)
class Comparison:
    """per_image, dataset: name -> difference, over the images that both scored.

    changes: of all these images, what b gained most first. left_out: images that only one of the
    two scored, or whose truth was changed between the two. verdict: by the per-image IoU: which is
    better, "open" where its interval holds 0, or of fewer than FEWEST images. seen: the one of the
    two that may have learnt from these very masks, "" where neither may, or both.
    """

    a: str
    b: str
    images: int
    per_image: dict[str, Difference]
    dataset: dict[str, Difference]
    changes: tuple[Change, ...]
    left_out: tuple[str, ...]
    verdict: Verdict
    seen: str = ""

    @property
    def words(self) -> str:
        """The verdict as one sentence, and a second one where it cannot be fair."""
        unfair = f" {self.seen} may have learnt from these very masks, the other has not."
        return self._verdict + (unfair if self.seen else "")

    @property
    def _verdict(self) -> str:
        iou = self.per_image["iou"]
        amount = f"{abs(iou.difference):.4f}"
        if iou.interval is None:
            return "One image alone cannot say which is better."
        low, high = iou.interval
        if self.verdict == "a":  # said of the better one
            low, high = -high, -low
        spread = f"95 % interval of the difference {low:+.4f} to {high:+.4f}"
        if self.verdict == "open":
            if low == high == 0:
                return f"Both say the same of these {self.images} images."
            if self.images < FEWEST:
                return f"{self.images} images are too few to say which is better ({spread})."
            return f"These {self.images} images do not show which is better ({spread})."
        better, other = (self.b, self.a) if self.verdict == "b" else (self.a, self.b)
        return (
            f"{better} is better than {other}: its IoU per image is {amount} higher ({spread}, "
            f"{self.images} images)."
        )


def compare(a: Evaluation, b: Evaluation) -> Comparison:
    """b against a, by a paired bootstrap over the images that both scored.

    Raises BadInput: other border rules or classes, no image in common.
    """
    if a.border is not b.border:
        raise BadInput(
            f"In one {a.border.words}, in the other {b.border.words}: their figures mean different "
            "things. Evaluate both with the same rule."
        )
    if [c.name for c in a.per_class] != [c.name for c in b.per_class]:
        raise BadInput("The two were scored on different classes: they cannot be compared.")
    classes = len(a.per_class)
    common, changes, left_out = _common(a.rows, b.rows)
    if not common:
        raise BadInput("The two have no image in common (with the same mask): evaluate both again.")
    sides = [
        columns_of(e.rows, classes)[np.array(which)]
        for e, which in zip((a, b), zip(*common, strict=True), strict=True)
    ]
    per_image, dataset = _intervals([c.means for c in sides], [c.sums for c in sides])
    iou = per_image["iou"]
    verdict: Verdict = "open"
    if len(common) >= FEWEST and iou.interval is not None:
        low, high = iou.interval
        verdict = "b" if low > 0 else "a" if high < 0 else "open"
    first, second = _titles(a.source, b.source)
    return Comparison(
        a=first,
        b=second,
        images=len(common),
        per_image=per_image,
        dataset=dataset,
        changes=tuple(sorted(changes, key=lambda c: (c.a - c.b, c.image))),
        left_out=tuple(sorted(left_out)),
        verdict=verdict,
        seen="" if a.seen == b.seen else first if a.seen else second,
    )


def _common(
    ours: Sequence[ImageScores], theirs: Sequence[ImageScores]
) -> tuple[list[tuple[int, int]], list[Change], list[str]]:
    """The images that both scored against the same truth: where they stand in the two, and what
    became of them; the names of the others."""
    places = {row.image: i for i, row in enumerate(theirs)}
    common, changes, others = [], [], []
    for i, row in enumerate(ours):
        j = places.pop(row.image, None)
        other = None if j is None else theirs[j]
        if j is None or other is None or not _same(row, other):
            others.append(row.image)
            continue
        common.append((i, j))
        changes.append(Change(row.image, row.iou, other.iou))
    return common, changes, [*others, *places]


def _titles(a: Source, b: Source) -> tuple[str, str]:
    """What to call the two: with their ids where they have one name."""
    if a.title != b.title:
        return a.title, b.title
    first, second = (f"{source.title} ({source.id or source.kind})" for source in (a, b))
    return (first, second) if first != second else (f"{first}, first", f"{second}, second")


def _same(one: ImageScores, other: ImageScores) -> bool:
    """Whether two rows were scored against the same truth, as far as its counts tell."""

    def truth(row: ImageScores) -> dict[int, int]:
        pixels: dict[int, int] = {}
        for value, _, count in row.cells:
            pixels[value] = pixels.get(value, 0) + count
        return pixels

    return (one.width, one.height, truth(one)) == (other.width, other.height, truth(other))


def _intervals(
    means: list[np.ndarray], sums: list[np.ndarray]
) -> tuple[dict[str, Difference], dict[str, Difference]]:
    images = len(means[0])
    drawn_means, drawn_sets = [], []
    for weights in draws(images) if images > 1 else ():
        drawn_means.append(weights @ (means[1] - means[0]) / images)
        drawn_sets.append([_figures(np.tensordot(weights, s, 1)) for s in sums])
    whole = [_figures(s.sum(0)[None])[0] for s in sums]
    each = np.concatenate(drawn_means) if drawn_means else None
    sets = np.concatenate([b - a for a, b in drawn_sets]) if drawn_sets else None
    return (
        _differences(PER_IMAGE, means[0].mean(0), means[1].mean(0), each),
        _differences(DATA_SET, whole[0], whole[1], sets),
    )


def _figures(sums: np.ndarray) -> np.ndarray:
    """n x figures, in the order of DATA_SET."""
    figures = dataset_figures(sums)
    return np.stack([figures[name] for name in DATA_SET], axis=-1)


def _differences(
    names: Sequence[str], a: np.ndarray, b: np.ndarray, drawn: np.ndarray | None
) -> dict[str, Difference]:
    return {
        name: Difference(
            float(a[i]),
            float(b[i]),
            float(b[i] - a[i]),
            None if drawn is None else interval(drawn[:, i]),
        )
        for i, name in enumerate(names)
    }
