"""Files that other programs bring, take away or change: what the window shows of it."""

from __future__ import annotations

from core.project.following import Changes
from core.project.reviews import Status
from petseg_gui.activation import Activation
from petseg_gui.banner import Choice, Level
from petseg_gui.parts import Parts
from petseg_gui.words import count


def wire_following(parts: Parts) -> None:
    """Connect what follows the folder."""
    session, follower, window = parts.session, parts.follower, parts.window
    session.followed.connect(lambda changes: _show_changes(parts, changes))
    session.photo_changed.connect(lambda name: _ask(parts, name))
    session.document_changed.connect(lambda: _show_open(parts))
    session.document_changed.connect(lambda: window.banners.remove("photo"))
    session.project_changed.connect(lambda: _forget(parts))
    follower.lost.connect(
        lambda reason: window.banners.show_message("folder", Level.WARNING, reason)
    )
    follower.found_again.connect(lambda: window.banners.remove("folder"))
    activation = Activation(window)
    activation.activated.connect(follower.look)
    activation.activated.connect(parts.facts.look_at_some_time)
    activation.activated.connect(parts.thumbnails.check)
    window.closed.connect(follower.close)


def begin_following(parts: Parts) -> None:
    """Follow the open folder from now on; say which of its folders cannot be read."""
    project = parts.session.project
    if project is not None:
        show_unreadable(parts, project.unreadable)
        parts.follower.begin(project)


def show_unreadable(parts: Parts, problems: tuple[str, ...]) -> None:
    """Say which folders cannot be read."""
    if not problems:
        parts.window.banners.remove("unreadable")
        return

    def show() -> None:
        from petseg_gui.dialogs import show_list  # as every dialog, when it is asked for

        show_list(parts.window, "Folders that cannot be read", list(problems))

    more = [Choice("Show list", show)] if len(problems) > 1 else []
    number = count(len(problems), "folder")
    parts.window.banners.show_message(
        "unreadable",
        Level.INFO,
        f"{number} cannot be read, and what is in there is left out: {problems[0]}",
        more,
    )


def _show_changes(parts: Parts, changes: Changes) -> None:
    parts.browser.follow(changes)
    parts.browser.set_approved(parts.session.counts[Status.APPROVED])
    parts.facts.look_again(*changes.come, *changes.masked)
    parts.thumbnails.forget((*changes.come, *changes.gone))
    show_unreadable(parts, changes.problems)
    _show_open(parts)
    said = [f"{count(len(changes.come), 'image')} more"] if changes.come else []
    said += [f"{count(len(changes.gone), 'image')} gone"] if changes.gone else []
    if said:
        parts.window.tell(f"The folder has changed: {', '.join(said)}.")


def _show_open(parts: Parts) -> None:
    """Say where the open image is not there any more."""
    banners, name = parts.window.banners, parts.session.name
    text = (
        f"{name} is not there any more: it was deleted, moved or renamed. Its mask is kept; the "
        "image leaves the list when you open another one."
    )
    if name not in parts.follower.strays:
        banners.remove("stray")
    elif banners.text("stray") != text:
        banners.show_message("stray", Level.WARNING, text)


def _ask(parts: Parts, name: str) -> None:
    parts.window.banners.show_message(
        "photo",
        Level.INFO,
        f"{name} was changed by another program. What you see is the photo as it was.",
        [Choice("Show it anew", lambda: _show_anew(parts, name))],
    )


def _show_anew(parts: Parts, name: str) -> None:
    parts.window.banners.remove("photo")
    if parts.session.wanted == name:
        parts.session.read_again()


def _forget(parts: Parts) -> None:
    parts.follower.stop()
    for cause in ("folder", "unreadable", "stray", "photo"):
        parts.window.banners.remove(cause)
