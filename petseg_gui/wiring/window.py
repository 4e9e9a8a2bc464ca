"""Help, quitting, and what must be done before the window closes."""

from __future__ import annotations

from petseg_gui.parts import Parts
from petseg_gui.tasks import Lane
from petseg_gui.wiring.folder import stop_opening
from petseg_gui.words import count


def wire_window(parts: Parts) -> None:
    """Connect closing and help."""
    window, guard, actions = parts.window, parts.guard, parts.actions
    actions["quit"].triggered.connect(window.close)
    actions["cheat_sheet"].triggered.connect(lambda: _show_cheat_sheet(parts))
    actions["about"].triggered.connect(lambda: _show_about(parts))
    window.progress.cancelled.connect(lambda: _cancel_opening(parts))
    window.may_close = guard.allowed
    guard.ready.connect(window.close)
    guard.unsaved.connect(lambda problems: _ask_unsaved(parts, problems))
    guard.training.connect(lambda: _ask_training(parts))
    window.closed.connect(lambda: _end(parts))


# Dialogs are imported when they are asked for: the window's first photo does not wait for them.
def _show_cheat_sheet(parts: Parts) -> None:
    from petseg_gui.help import show_cheat_sheet

    show_cheat_sheet(parts.window, parts.actions)


def _show_about(parts: Parts) -> None:
    from petseg_gui.help import show_about

    show_about(parts.window)


def _cancel_opening(parts: Parts) -> None:
    if parts.opener.busy:
        parts.opener.cancel()
        stop_opening(parts)


def _ask_unsaved(parts: Parts, problems: dict[str, str]) -> None:
    from petseg_gui.dialogs import ask

    ask(
        parts.window,
        f"{count(len(problems), 'mask')} could not be saved.",
        next(iter(problems.values())),
        {
            "Try again": parts.guard.try_again,
            "Close and lose them": parts.guard.give_up,
            "Cancel": lambda: None,
        },
    )


def _ask_training(parts: Parts) -> None:
    from petseg_gui.dialogs import ask

    desk, guard = parts.training, parts.guard
    waiting = " Those that wait start then." if desk.waiting else ""
    ask(
        parts.window,
        "A training is under way.",
        f"It can go on without the window and is joined again when this folder is opened.{waiting}",
        {
            "Let it go on": guard.leave_training,
            "Pause it": lambda: desk.pause(guard.leave_training),
            "Stop it": lambda: desk.stop(guard.leave_training),
            "Cancel": lambda: None,
        },
    )


def _end(parts: Parts) -> None:
    parts.watcher.stop()
    parts.training_panel.previews.stop()
    parts.desk.stop()
    parts.shelf.close()
    parts.opener.cancel()
    parts.canvas.set_document(None)
    # A journal that is being dropped would bring back what a person gave up.
    parts.tasks.wait(Lane.JOURNAL)
    parts.tasks.close()
    parts.thumbnails.close()
