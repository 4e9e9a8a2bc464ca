"""Rejecting the open image's prediction, and what is asked when a rejected image is opened."""

from __future__ import annotations

from core.project.reviews import Status
from petseg_gui.banner import Choice, Level
from petseg_gui.judge import Verdicts
from petseg_gui.parts import Parts

_KEY = "rejected"
_WHY_NOT = {
    Status.UNLABELLED: "There is no prediction to reject: Segment makes one.",
    Status.EDITED: "This mask is yours: only a prediction can be rejected.",
    Status.APPROVED: "This mask is approved: only a prediction can be rejected.",
    Status.REJECTED: "This prediction is rejected already.",
}


def wire_judging(parts: Parts) -> None:
    """Connect the command that rejects, and the message above a rejected image."""
    session = parts.session
    parts.actions["reject"].triggered.connect(lambda: _reject(parts))
    session.document_changed.connect(lambda: _refresh(parts))
    session.project_changed.connect(lambda: _refresh(parts))
    session.status_changed.connect(lambda name: _status_changed(parts, name))
    parts.judge.ended.connect(lambda verdicts: _tell(parts, verdicts))
    _refresh(parts)


def _reject(parts: Parts) -> None:
    session = parts.session
    session.save()  # a stroke on it makes it a mask of the person's
    status = session.status(session.name)
    if session.saver.unsaved(session.project, session.name) is not None:
        status = Status.EDITED
    if status is Status.PREDICTED:
        parts.judge.reject([session.name])
    else:
        parts.window.tell(_WHY_NOT[status])


def _status_changed(parts: Parts, name: str) -> None:
    if name == parts.session.name:
        _refresh(parts)


def _refresh(parts: Parts) -> None:
    session, banners = parts.session, parts.window.banners
    parts.actions["reject"].setEnabled(session.can_edit)
    if not session.can_edit or session.status(session.name) is not Status.REJECTED:
        banners.remove(_KEY)
    elif not banners.text(_KEY):
        banners.show_message(
            _KEY,
            Level.INFO,
            "You rejected this prediction: draw the mask, or skip the image.",
            [
                Choice("Draw it", lambda: _draw(parts)),
                Choice("Take the prediction after all", lambda: _accept(parts)),
                Choice("Skip", parts.actions["next_to_review"].trigger),
            ],
        )


def _draw(parts: Parts) -> None:
    parts.window.banners.remove(_KEY)
    parts.actions["brush"].trigger()


def _accept(parts: Parts) -> None:
    parts.judge.accept([parts.session.name])


def _tell(parts: Parts, verdicts: Verdicts) -> None:
    parts.window.tell(verdicts.words)
