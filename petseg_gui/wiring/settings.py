"""What a person set, put to use; the windows in which it is set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QDialog

from core.errors import PetSegError
from petseg_gui.actions import COMMANDS, set_shortcuts
from petseg_gui.banner import Level
from petseg_gui.canvas.appearance import Colours
from petseg_gui.log import LOG
from petseg_gui.look import set_theme
from petseg_gui.parts import Parts
from petseg_gui.settings.options import Settings
from petseg_gui.wiring.classes import follow_shortcuts


def wire_settings(parts: Parts) -> None:
    """Connect settings and shortcuts."""
    keeper, window, actions = parts.settings, parts.window, parts.actions
    keeper.changed.connect(lambda before: _apply(parts, before))
    for cause, kept in (("settings", keeper), ("state", parts.state)):
        kept.failed.connect(lambda reason, cause=cause: _complain(parts, cause, reason))
        if kept.problem:
            _complain(parts, cause, kept.problem)
    actions["settings"].triggered.connect(lambda: _show_settings(parts))
    actions["shortcuts"].triggered.connect(lambda: _show_shortcuts(parts))
    actions["diagnostics"].triggered.connect(lambda: _show_diagnostics(parts))
    for command in COMMANDS:
        if command.at_image:
            for widget in (parts.canvas, parts.browser.list):
                widget.addAction(actions[command.id])
    window.closed.connect(lambda: _finish(parts))
    _apply(parts, Settings())
    parts.canvas.appearance_changed.connect(lambda: _keep_colours(parts))


def _apply(parts: Parts, before: Settings) -> None:
    """Let the settings count from now on."""
    settings = parts.settings.settings
    if settings.theme != before.theme:
        set_theme(settings.theme)
    if settings.keys != before.keys:
        set_shortcuts(parts.actions, settings.keys)
        follow_shortcuts(parts)
    parts.session.save_after_ms = settings.autosave_seconds * 1000
    parts.session.undo_bytes = settings.undo_megabytes * 2**20
    parts.shelf.threads = settings.threads
    canvas = parts.canvas
    canvas.set_appearance(replace(canvas.appearance, colours=Colours(settings.colours)))


def _keep_colours(parts: Parts) -> None:
    """The colours were chosen beside the canvas: that is a setting too."""
    colours = parts.canvas.appearance.colours.value
    parts.settings.change(replace(parts.settings.settings, colours=colours))


def show_once(parts: Parts, name: str, make: Callable[[], QDialog]) -> None:
    """Show a window that stays open beside the main one; an open one comes to the front."""
    dialog = parts.window.findChild(QDialog, name)
    if dialog is None or not dialog.isVisible():
        dialog = make()
        dialog.setObjectName(name)
        parts.window.closed.connect(dialog.close)
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()


# Dialogs are imported when they are asked for: the window's first photo does not wait for them.
def _show_settings(parts: Parts) -> None:
    from petseg_gui.settings.dialog import SettingsDialog

    show_once(parts, "settings-window", lambda: SettingsDialog(parts.settings, parts.window))


def _show_shortcuts(parts: Parts) -> None:
    from petseg_gui.settings.shortcuts_dialog import ShortcutsDialog

    show_once(parts, "shortcuts-window", lambda: ShortcutsDialog(parts.settings, parts.window))


def _show_diagnostics(parts: Parts) -> None:
    from petseg_gui.diagnostics import DiagnosticsDialog

    def make() -> QDialog:
        return DiagnosticsDialog(parts.session, parts.settings.settings, parts.window)

    show_once(parts, "diagnostics-window", make)


def _complain(parts: Parts, cause: str, reason: str) -> None:
    LOG.warning("%s: %s", cause.capitalize(), reason)
    parts.window.banners.show_message(cause, Level.WARNING, reason)


def _finish(parts: Parts) -> None:
    try:
        parts.settings.finish()
    except PetSegError as error:
        LOG.warning("Settings: %s", error)
