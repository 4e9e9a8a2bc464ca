"""What each figure is, for whoever does not know it by name.

In the window and in the report; the reasons: docs/decisions/0019-figures.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.evaluation.bootstrap import RESAMPLES
from core.evaluation.calibration import BINS


@dataclass(frozen=True)
class Term:
    """A figure: its field in the summaries, its name, what it says. unit: "" or "px"."""

    key: str
    name: str
    meaning: str
    unit: str = ""


FIGURES = (
    Term(
        "iou",
        "IoU",
        "How much the model's mask and the true one overlap: the pixels in both as a share of the "
        "pixels in either. 1 is perfect. Where neither has any object: 1; where only one has: 0.",
    ),
    Term(
        "dice",
        "Dice",
        "Overlap as well, kinder to small mistakes: twice the pixels in both as a share of the two "
        "masks' pixels together (F1). Empty masks as for IoU.",
    ),
    Term(
        "precision",
        "Precision",
        "Of what the model takes for the object, the share that is. Empty masks as for IoU.",
    ),
    Term(
        "recall",
        "Recall",
        "Of what truly is the object, the share that the model finds. Empty masks as for IoU.",
    ),
    Term(
        "pixel_accuracy",
        "Pixel accuracy",
        "The share of all labelled pixels that are right. Large backgrounds make it high for any "
        "model.",
    ),
    Term(
        "boundary_iou",
        "Boundary IoU",
        "The overlap in a narrow band along the outlines: it shows ragged edges that IoU forgives. "
        "The band lies inside of each mask, 2 % of the image's diagonal wide (Cheng et al. 2021); "
        "the image's edge counts as outline.",
    ),
    Term(
        "hd95",
        "HD95",
        "How far the outlines lie apart where they do worst, the worst 5 % left out: the larger of "
        "the two directions, in the image's own pixels. Lower is better. Where only one of the two "
        "masks has an object: the image's diagonal; where neither has: 0.",
        "px",
    ),
    Term(
        "surface_distance",
        "Mean surface distance",
        "How far the outlines lie apart on average: from each pixel of both to the nearest of the "
        "other. Lower is better. Empty masks as for HD95.",
        "px",
    ),
)

NOTES = {
    "Mean over images": (
        "Each image's own figure, at its own size, then the mean: every image counts the same. It "
        "is what one can expect of the next photo."
    ),
    "All pixels together": (
        "The pixels of all images as if they were one: large images and large objects count more."
    ),
    "95 % interval": (
        "With other photos of the same kind the figure would lie in this range 19 times of 20; few "
        f"images make it wide. Images are drawn {RESAMPLES:,} times with replacement, as many as "
        "there are, and the figures taken anew each time (percentile bootstrap)."
    ),
    "All object": (
        "What a mask scores that calls every pixel the object (the first class). A model should be "
        "far above it."
    ),
    "Border rule": (
        "What the uncertain border of a mask counts as. Figures under different rules cannot be "
        "compared."
    ),
    "Several classes": (
        "With more than two classes an image's overlap figures are means over the classes that "
        "its truth or its prediction holds; those of borders leave the background out."
    ),
    "Void": "Pixels that nobody labelled are in no sum; they are taken out of both masks.",
    "Calibration error": (
        f"Pixels in {BINS} bins by the probability that the model gave; of each bin the "
        "difference between its mean probability and how often it was so, weighed by its pixels "
        "(ECE). Probabilities in steps of 1/255."
    ),
}

SEEN = (
    "PetSeg's own model was trained on Oxford-IIIT Pet and may have learnt from these very masks: "
    "on new photos it does worse."
)
