"""Masks that cannot hold what a person wants to paint: the offer to convert them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from core.masks import MaskEncoding
from petseg_gui.banner import Choice, Level
from petseg_gui.heavy import HEAVY
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane
from petseg_gui.words import count

if TYPE_CHECKING:
    from core.project.convert import Converted

_WORDS = {
    MaskEncoding.BINARY255: "0/255 and can hold two classes only",
    MaskEncoding.BINARY1: "0/1 and can hold two classes only",
    MaskEncoding.TRIMAP: "trimaps and can hold background, pet and border only",
}
_TITLE = "Converting the masks"


def offer_conversion(
    parts: Parts, then: Callable[[], None], refused: Callable[[], None], over: QWidget
) -> None:
    """Ask whether the folder's masks may become class ids: ``then`` follows, or ``refused``.

    over: the window that asks.
    """
    from petseg_gui.dialogs import ask

    project = parts.session.project
    if project is None or project.settings.mask_encoding not in _WORDS:
        refused()
        return
    ask(
        over,
        f"This folder's masks are {_WORDS[project.settings.mask_encoding]}.",
        f"Convert them to class ids? The originals are kept in {project.store.name}/originals.",
        {"Convert": lambda: _when_saved(parts, then, refused, over), "Cancel": refused},
    )


def _when_saved(
    parts: Parts, then: Callable[[], None], refused: Callable[[], None], over: QWidget
) -> None:
    session, window, project = parts.session, parts.window, parts.session.project
    if project is None:
        refused()
        return

    def look(job: Job) -> Path | None:
        with HEAVY:
            from core.training import queue

        return queue.busy(project.runs)  # a command line may train here too

    def looked(run: Path | None) -> None:
        if run is None:
            session.save()
            session.saver.when_idle(begin)
        else:
            failed("A training reads these masks: convert them when it has ended.")

    def failed(reason: str) -> None:
        window.tell(reason)
        refused()

    def begin() -> None:
        if session.saver.problems:
            failed("Some masks are not saved yet: see the message above the image.")
        else:
            _convert(parts, then, refused, over)

    parts.tasks.run(Lane.TRAIN, look, looked, failed)


def _convert(
    parts: Parts, then: Callable[[], None], refused: Callable[[], None], over: QWidget
) -> None:
    from core.project.convert import convert_to_ids
    from petseg_gui.classes.progress_dialog import ProgressDialog

    session = parts.session
    project, stop = session.project, Event()
    if project is None:
        refused()
        return
    dialog = ProgressDialog(_TITLE, over)
    dialog.cancelled.connect(stop.set)

    def work(job: Job) -> Converted | None:
        return convert_to_ids(
            project,
            lambda done, total: job.report((done, total)),
            lambda: stop.is_set() or job.cancelled,
        )

    def ended() -> None:
        dialog.end()
        # What was read ahead meanwhile may have met masks of both kinds.
        session.loader.read_ahead(())

    def done(converted: Converted | None) -> None:
        ended()
        if converted is None:
            refused()
            return
        session.masks_rewritten()
        _tell(parts, converted)
        then()

    def failed(reason: str) -> None:
        ended()
        parts.window.banners.show_message(
            "conversion", Level.WARNING, f"The masks were not converted. {reason}"
        )
        refused()

    # In the lane of the saves: none of them may come between.
    parts.tasks.run(
        Lane.SAVE, work, done, failed, lambda step: dialog.strip.show_progress(_TITLE, *step)
    )


def _tell(parts: Parts, converted: Converted) -> None:
    window = parts.window
    window.tell(f"{count(converted.masks, 'mask')} converted to class ids.")
    window.banners.remove("conversion")
    if not converted.problems:
        return
    lines = [f"{name}: {reason}" for name, reason in converted.problems.items()]

    def show_problems() -> None:
        from petseg_gui.dialogs import show_list

        show_list(window, "Masks that were left as they are", lines)

    window.banners.show_message(
        "conversion",
        Level.WARNING,
        f"{count(len(lines), 'mask')} could not be read and left as it was; the rest is converted.",
        [Choice("Show list", show_problems)],
    )
