"""Judging what a model says of an image without opening it, and taking that back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from core.errors import BadInput
from core.images import image_size
from core.labels import VOID
from core.project.project import Project
from core.project.reviews import Review, Status


@dataclass(frozen=True)
class Judgement:
    """What was said of an image, and what takes it back.

    before: what counted of it until then; said: what counts now; wrote: whether the prediction
    became its mask file by it.
    """

    before: Review
    said: Review
    wrote: bool = False

    @property
    def image(self) -> str:
        return self.said.image


def approve(
    project: Project, name: str, measured: Callable[[Review], Review] = lambda review: review
) -> Judgement:
    """Say that a mask is right as it is stored: a prediction becomes the image's mask.

    An edited mask stays as it is; measured: adds to its review what was corrected.
    Raises BadInput where there is neither, it is approved already, or unpainted pixels would take
    what the prediction says; MaskChanged, MaskError, ImageError, WriteError.
    """
    before = _standing(project, name)
    if before.status is Status.EDITED:
        _require_painted(project, name)
        return _say(project, before, measured(replace(before, status=Status.APPROVED)))
    if before.status is not Status.PREDICTED:
        raise BadInput(_NOTHING_TO_APPROVE[before.status])
    mask = project.read_prediction(name, image_size(project.image_path(name)))
    if mask is None:
        raise BadInput("its prediction is gone: segment it again")
    # Nothing of it was corrected.
    review = replace(_of_prediction(project, name, Status.APPROVED), dice=1.0)
    digest = project.save_mask(name, mask, review, expected="")
    return Judgement(before, replace(review, mask=digest), wrote=True)


def reject(project: Project, name: str) -> Judgement:
    """Say that a prediction is wrong: the image is to be drawn. Its prediction stays stored.

    Raises BadInput where its mask is no prediction; WriteError.
    """
    before = _standing(project, name)
    if before.status is not Status.PREDICTED:
        raise BadInput(_NOTHING_TO_REJECT[before.status])
    return _say(project, before, _of_prediction(project, name, Status.REJECTED))


def accept(project: Project, name: str) -> Judgement:
    """Say that a rejected prediction may stand after all; it waits for a judgement again.

    Raises BadInput where it is not rejected; WriteError.
    """
    before = _standing(project, name)
    if before.status is not Status.REJECTED:
        raise BadInput("it is not rejected")
    return _say(project, before, replace(before, status=Status.PREDICTED))


def take_back(project: Project, judgement: Judgement) -> str:
    """Let what was said before count again; returns the SHA-256 of the mask file there is now.

    A mask file that the judgement wrote goes. Raises BadInput where somebody has edited or judged
    the image since; MaskChanged, MaskError, WriteError.
    """
    name, said = judgement.image, judgement.said
    if project.review(name) != said:
        raise BadInput("it was edited or judged anew since")
    if judgement.wrote:
        project.withdraw_mask(name, judgement.before, said.mask)
    else:
        _say(project, said, judgement.before)
    return project.mask_digest(name)


_YOURS = "its mask is yours, no prediction"
_NOTHING_TO_APPROVE = {
    Status.UNLABELLED: "it has no mask yet: segment or draw it first",
    Status.APPROVED: "it is approved already",
    Status.REJECTED: "it is rejected: draw its mask, or take the prediction after all",
}
_NOTHING_TO_REJECT = {
    Status.UNLABELLED: "it has no prediction",
    Status.EDITED: _YOURS,
    Status.APPROVED: _YOURS,
    Status.REJECTED: "it is rejected already",
}


def _require_painted(project: Project, name: str) -> None:
    """Raises BadInput where approving in the window would add to the mask, or find it empty."""
    if project.settings.unpainted_id != VOID:
        return
    size = image_size(project.image_path(name))
    mask, beneath = project.read_mask(name, size), project.read_prediction(name, size)
    void = mask == VOID
    if np.any(void) and (beneath is not None or np.all(void)):
        raise BadInput("parts of it are not painted: open it and approve it there")


def _standing(project: Project, name: str) -> Review:
    """What counts of an image now, as a review that could be said again."""
    status = project.status(name)
    known = project.review(name)
    return replace(known, status=status) if known is not None else Review(name, status)


def _of_prediction(project: Project, name: str, status: Status) -> Review:
    record = project.prediction(name)
    return Review(name, status, model=record.model if record is not None else "")


def _say(project: Project, before: Review, said: Review) -> Judgement:
    judged = replace(said, mask=project.mask_digest(said.image))
    project.add_review(judged)
    return Judgement(before, judged)
