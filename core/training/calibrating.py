"""One temperature for a network's logits, so that its probabilities can be taken at their word.

Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks"): logits are
divided by the T that makes the validation images' labels likeliest. The likeliest class stays.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, sqrt
from pathlib import Path

import numpy as np
import torch

from core.data.decoding import Decoding
from core.data.samples import Samples
from core.errors import BadInput
from core.inference.prediction import mask_rule
from core.inference.predictor import Predictor
from core.labels import VOID, BorderRule, LabelScheme
from core.modelfile import ModelDescription, read_description
from core.models.export import describe_anew

LOWEST, HIGHEST = 0.25, 4.0
"""T stays within: where a few images are all right (or all wrong) it would go to 0 (or grow without
end), and every later prediction would claim to be certain (or to know nothing)."""

_MOST_IMAGES = 512
_MOST_PIXELS = 1 << 20
_MOST_FLOATS = 1 << 23  # logits that are held: 32 MB
_HALVINGS = 24
_DIGITS = 4


def calibrate(path: Path, samples: Samples, alive: Callable[[], None], threads: int = 0) -> float:
    """Give a model file the temperature that fits its validation images; returns it.

    samples: these images at the model's size, their masks under the border rule that it was
    trained with; at most 512 of them are asked, and a million of their labelled pixels drawn, the
    same ones each time. alive: called for each; what it raises leaves the file as it was.
    threads: as ``Predictor``'s. Raises ModelFileError, WriteError.
    """
    temperature = fit_temperature(*_drawn(Predictor(path, threads), samples, alive))
    description = read_description(path)
    if temperature != description.temperature:
        describe_anew(path, description.model_copy(update={"temperature": temperature}))
    return temperature


def asked_of(images: int) -> list[int]:
    """Which of so many images are asked: 512 at most, evenly spread."""
    asked = min(images, _MOST_IMAGES)
    return [i * images // asked for i in range(asked)]


def decoding_for(about: ModelDescription, scheme: LabelScheme) -> Decoding:
    """How the images of a folder of this label scheme are brought to what a model is trained on.

    Raises BadInput: the model's classes have nothing to do with the folder's; it looks at photos
    in tiles, whose scale no training of PetSeg's has.
    """
    if about.view != "whole":
        raise BadInput(f"{about.name} looks at photos in tiles: it cannot be calibrated.")
    mask_rule(about.scheme, scheme, about.border_rule)  # refuses other classes
    if scheme.border_id is None or len(about.scheme.classes) > 2:
        return Decoding(about.size, about.scheme, BorderRule.CLASS)
    counts_as = about.border_rule
    if counts_as is BorderRule.CLASS:  # it learnt from masks without a border
        counts_as = BorderRule.FOREGROUND
    return Decoding(about.size, scheme, counts_as)


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The T > 0 with the least negative log-likelihood, within LOWEST and HIGHEST.

    logits: float32, n x C, C = 1 for sigmoid; truth: uint8 n, class ids without VOID. 1 where
    fewer than two classes are there: nothing can be told from them.
    """
    if len(np.unique(truth)) < 2:
        return 1.0
    if logits.shape[1] == 1:  # a sigmoid is the softmax over 0 and its logit
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    rows = np.arange(len(truth))
    low, high = LOWEST, HIGHEST
    for _ in range(_HALVINGS):
        middle = sqrt(low * high)
        # By 1 / T the loss is convex, and its slope the mean over pixels of the logit that is
        # expected less the true one's: above zero where T is too small.
        scaled = logits / np.float32(middle)
        scaled -= scaled.max(1, keepdims=True)
        share = np.exp(scaled, out=scaled)
        share /= share.sum(1, keepdims=True)
        expected = np.einsum("nc,nc->n", share, logits)
        if (expected - logits[rows, truth]).mean(dtype=np.float64) > 0:
            low = middle
        else:
            high = middle
    return round(sqrt(low * high), _DIGITS)


def _drawn(
    predictor: Predictor, samples: Samples, alive: Callable[[], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Logits (float32, n x C) and class ids (uint8, n) of labelled pixels, every one as likely."""
    channels = 1 if predictor.description.activation == "sigmoid" else samples.counts.shape[1]
    asked = asked_of(len(samples))
    labelled = int(samples.counts[asked].sum())
    share = min(1.0, min(_MOST_PIXELS, _MOST_FLOATS // channels) / max(labelled, 1))
    generator = np.random.default_rng(0)
    logits = [np.empty((0, channels), np.float32)]
    truth = [np.empty(0, np.uint8)]
    for row in asked:
        alive()
        images, masks = samples.take(torch.tensor([row]))
        mask = masks[0].numpy().ravel()
        counted = np.flatnonzero(mask != VOID)
        some = generator.choice(counted, ceil(share * len(counted)), replace=False)
        said = predictor.logits(images[0].permute(1, 2, 0).numpy())
        logits.append(said.reshape(channels, -1)[:, some].T)
        truth.append(mask[some])
    return np.concatenate(logits), np.concatenate(truth)
