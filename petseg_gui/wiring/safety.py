"""What keeps work from getting lost: strokes brought back, one window a folder, changed masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from core.project.project import STORE_NAME, Project
from petseg_gui.activation import Activation
from petseg_gui.banner import Choice, Level
from petseg_gui.opening import Opened
from petseg_gui.parts import Parts
from petseg_gui.wiring.folder import open_folder
from petseg_gui.words import count

if TYPE_CHECKING:
    from core.project.recovery import KeptJournal
    from petseg_gui.theirs import TwoMasks


_LOOK_MS = 5000


def wire_safety(parts: Parts) -> None:
    """Connect journals, the folder's lock and the masks that other programs change."""
    session, window = parts.session, parts.window
    parts.opener.opened.connect(lambda opened: _show_opened(parts, opened))
    session.mask_changed.connect(lambda name: _ask(parts, name))
    session.mask_settled.connect(lambda name: window.banners.remove(_key(name)))
    session.journals.failed.connect(lambda reason: _show_journal_problem(parts, reason))
    session.journals.works.connect(lambda: window.banners.remove("journal"))
    session.document_changed.connect(session.check_mask)
    Activation(window).activated.connect(session.check_mask)
    window.closed.connect(parts.opener.release)
    # Another program may change a mask while this window stays in front.
    look = QTimer(window, interval=_LOOK_MS)
    look.timeout.connect(session.check_mask)
    look.start()
    window.closed.connect(look.stop)


def _show_opened(parts: Parts, opened: Opened) -> None:
    window, recovered = parts.window, opened.recovered
    for cause in ("recovered", "kept", "journal"):
        window.banners.remove(cause)
    if opened.locked_out:
        window.banners.show_message(
            "read-only",
            Level.INFO,
            f"{opened.locked_out} Until it is closed there you can look, but not change anything.",
            [Choice("Try again", lambda: _open_again(parts, opened.project))],
        )
    if recovered is None:
        return
    if recovered.images:
        window.banners.show_message(
            "recovered",
            Level.INFO,
            f"Strokes on {count(len(recovered.images), 'image')} were brought back after PetSeg "
            "ended unexpectedly.",
            _list_choice(parts, "Images with strokes brought back", list(recovered.images)),
        )
    if recovered.kept:
        number = count(len(recovered.kept), "image")
        first = recovered.kept[0]
        text = f"Strokes on {number} could not be brought back: {first.reason}"
        lines = [_line(kept) for kept in recovered.kept]
        choices = _list_choice(parts, "Strokes that were kept aside", lines)
        window.banners.show_message("kept", Level.WARNING, text, choices)


def _line(kept: KeptJournal) -> str:
    return f"{kept.image}: {kept.reason} They are kept in {kept.path}"


def _list_choice(parts: Parts, title: str, lines: list[str]) -> list[Choice]:
    def show() -> None:
        from petseg_gui.dialogs import show_list  # as every dialog, when it is asked for

        show_list(parts.window, title, lines)

    return [Choice("Show list", show)]


def _open_again(parts: Parts, project: Project) -> None:
    beside = project.store == project.folder / STORE_NAME
    open_folder(parts, project.folder, None if beside else project.store)


def _show_journal_problem(parts: Parts, reason: str) -> None:
    parts.window.banners.show_message(
        "journal",
        Level.WARNING,
        "Strokes cannot be written down at once: until their mask is saved, they would be lost if "
        f"PetSeg ended unexpectedly. {reason}",
    )


def _key(name: str) -> str:
    return f"changed {name}"


def _ask(parts: Parts, name: str) -> None:
    session = parts.session
    parts.window.banners.show_message(
        _key(name),
        Level.WARNING,
        f"Another program changed the mask of {name} while you edited it.",
        [
            Choice("Compare…", lambda: session.read_both(name, lambda both: _compare(parts, both))),
            Choice("Keep mine", lambda: session.keep_mine(name)),
            Choice("Take theirs", lambda: session.take_theirs(name)),
        ],
    )


def _compare(parts: Parts, both: TwoMasks) -> None:
    from petseg_gui.compare import CompareWindow

    session, project = parts.session, parts.session.project
    if project is None or both.name not in session.saver.conflicts:
        return
    for shown in parts.window.findChildren(CompareWindow):
        if shown.name == both.name:
            shown.raise_()
            return
    window = CompareWindow(both, project.settings.scheme, parts.canvas.appearance, parts.window)
    window.mine_kept.connect(lambda: session.keep_mine(both.name))
    window.theirs_taken.connect(lambda: session.take_theirs(both.name))
    session.mask_settled.connect(window.settled)
    session.project_changed.connect(window.close)
    parts.window.closed.connect(window.close)
    window.show()
