"""Triage: what is known of the images is gathered; the most useful one is looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from petseg_gui.browser.useful import UsefulFinder
from petseg_gui.parts import Parts

if TYPE_CHECKING:
    from core.evaluation.useful import Choice


def wire_triage(parts: Parts) -> None:
    """Connect what keeps the list's facts, and the commands that rest on them."""
    session, facts = parts.session, parts.facts
    session.project_changed.connect(lambda: _set_project(parts))
    session.status_changed.connect(facts.look_again)
    session.spoken.connect(facts.look_again)
    session.saver.saved.connect(facts.look_again)
    parts.watcher.met.connect(facts.look_at_all)  # a training has written the split down
    parts.window.closed.connect(facts.close)
    parts.actions["update_list"].triggered.connect(parts.browser.update_list)
    _wire_useful(parts)


def _set_project(parts: Parts) -> None:
    if parts.session.project is not None:
        parts.facts.set_project(parts.session.project)
    for command in ("next_useful", "update_list"):
        parts.actions[command].setEnabled(parts.session.project is not None)


def _wire_useful(parts: Parts) -> None:
    finder = UsefulFinder(parts.tasks, parts.session, parts.facts, parts.window)
    chosen: dict[str, str] = {}  # the image that was chosen last -> why

    def find() -> None:
        parts.window.tell("Looking for the most useful image…")
        finder.find(parts.browser.names)

    def found(choice: Choice | None) -> None:
        chosen.clear()
        if choice is None:
            parts.window.tell("No image in the list waits for a mask that would train.")
            return
        chosen[choice.name] = choice.why
        parts.browser.select(choice.name)
        parts.session.open_image(choice.name)

    def tell_why() -> None:
        # Also after it was segmented, which has words of its own.
        if parts.session.name in chosen:
            parts.window.tell(chosen[parts.session.name])

    parts.actions["next_useful"].triggered.connect(find)
    finder.found.connect(found)
    finder.failed.connect(parts.window.tell)
    parts.session.document_changed.connect(tell_why)
    parts.desk.segmented.connect(lambda _: tell_why())
    parts.session.project_changed.connect(chosen.clear)
    for command in ("next_useful", "update_list"):
        parts.actions[command].setEnabled(False)
