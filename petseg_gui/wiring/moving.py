"""Moving about: to the next image that waits for a mask, or for a judgement."""

from __future__ import annotations

from collections.abc import Collection

from core.project.reviews import Status
from petseg_gui.parts import Parts

_COMMANDS = {
    "next_unlabelled": (
        (Status.UNLABELLED, Status.REJECTED),
        "No other image in the list is without a mask.",
    ),
    "next_to_review": (
        (Status.PREDICTED, Status.EDITED),
        "No other mask in the list waits for review.",
    ),
}


def wire_moving(parts: Parts) -> None:
    """Connect the commands that look for an image by its status."""
    for command, (statuses, none) in _COMMANDS.items():
        parts.actions[command].triggered.connect(
            lambda _, statuses=statuses, none=none: _go(parts, statuses, none)
        )
    parts.session.project_changed.connect(lambda: _refresh(parts))
    _refresh(parts)


def _go(parts: Parts, statuses: Collection[Status], none: str) -> None:
    name = parts.browser.next_of(parts.session.wanted, set(parts.session.named(*statuses)))
    if not name:
        parts.window.tell(none)
        return
    parts.browser.select(name)
    parts.session.open_image(name)


def _refresh(parts: Parts) -> None:
    for command in _COMMANDS:
        parts.actions[command].setEnabled(parts.session.project is not None)
