"""What each figure is, in the report's notes; the reasons: docs/decisions/0019-figures.md."""

from __future__ import annotations

from dataclasses import dataclass

from core.evaluation.bootstrap import RESAMPLES
from core.evaluation.calibration import BINS
from core.labels import BorderRule


@dataclass(frozen=True)
class Term:
    """unit: "" or "px"; higher: whether more is better."""

    key: str
    name: str
    meaning: str
    unit: str = ""
    higher: bool = True


FIGURES = (
    Term(
        "iou",
        "IoU",
        "Pixels that truth and prediction share, by the pixels that either of them has. 1 is "
        "perfect. Where neither has any object: 1; where only one has: 0.",
    ),
    Term(
        "dice",
        "Dice",
        "Twice the shared pixels, by the pixels of both together (F1). Empty masks as for IoU.",
    ),
    Term(
        "precision",
        "Precision",
        "Of the pixels called object, the share that is one. Empty masks as for IoU.",
    ),
    Term(
        "recall",
        "Recall",
        "Of the object's pixels, the share that was found. Empty masks as for IoU.",
    ),
    Term("pixel_accuracy", "Pixel accuracy", "The share of all labelled pixels that are right."),
    Term(
        "boundary_iou",
        "Boundary IoU",
        "IoU of the bands along the two borders, inside of each mask, 2 % of the image's diagonal "
        "wide (Cheng et al. 2021): what is wrong at the outline, which large objects hide from "
        "IoU. The image's edge counts as border.",
    ),
    Term(
        "hd95",
        "HD95",
        "95 % of each outline lies at most so far from the other; the larger of the two "
        "directions, in the image's own pixels. Where only one of the two has an object: the "
        "image's diagonal; where neither has: 0.",
        "px",
        higher=False,
    ),
    Term(
        "surface_distance",
        "Mean surface distance",
        "From each pixel of both outlines to the nearest of the other, the mean. Empty masks as "
        "for HD95.",
        "px",
        higher=False,
    ),
)

NOTES = (
    (
        "Per image, over the data set",
        "Per image: each image's own figure, then the mean; every image counts the same. Over the "
        "data set: all pixels of all images together; large images and large objects count more. "
        "All at the images' own size.",
    ),
    (
        "95 % interval",
        f"Images are drawn {RESAMPLES} times with replacement, as many as there are, and the "
        "figures taken anew each time: 95 % of them lie in it (percentile bootstrap). It tells "
        "what other images of the same kind would give, not what other kinds would.",
    ),
    (
        "All object",
        "What saying the first class of every pixel would score. A figure means something only "
        "as far as it lies above it.",
    ),
    (
        "Several classes",
        "With more than two classes an image's overlap figures are means over the classes that "
        "its truth or its prediction holds; those of borders leave the background out.",
    ),
    ("Void", "Pixels that nobody labelled are in no sum; they are taken out of both masks."),
    (
        "Calibration error",
        f"Pixels in {BINS} bins by the probability that the model gave; of each bin the "
        "difference between its mean probability and how often it was so, weighed by its pixels "
        "(ECE). Probabilities in steps of 1/255.",
    ),
)

RULES = {
    BorderRule.FOREGROUND: "a trimap's border counts as object",
    BorderRule.IGNORE: "a trimap's border is left out",
    BorderRule.BACKGROUND: "a trimap's border counts as background",
    BorderRule.CLASS: "a trimap's border is a class of its own",
}
