"""Holds settings and state while the window is open, and sees that they are on the disk."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from petseg_gui.settings.kept import KeptFile, config_folder, read_kept
from petseg_gui.settings.options import Settings, parse_settings, settings_json
from petseg_gui.settings.state import State, parse_state, state_json
from petseg_gui.tasks import Tasks


class SettingsKeeper(QObject):
    """``changed`` follows each change at once; the file is written in the background."""

    changed = Signal(object)
    """Brings the settings as they were before."""
    failed = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        path = config_folder() / "settings.json"
        self.settings, self.problem = read_kept(path, parse_settings, Settings())
        self._file = KeptFile(path, tasks, self.failed.emit)

    def change(self, settings: Settings) -> None:
        """Take other settings."""
        before = self.settings
        if settings != before:
            self.settings = settings
            self._file.write(settings_json(settings))
            self.changed.emit(before)

    def reset(self) -> None:
        """Back to the usual settings; the shortcuts, which have a reset of their own, stay."""
        self.change(replace(Settings(), keys=self.settings.keys))

    def finish(self) -> None:
        """Write what is not written yet. Raises WriteError."""
        self._file.finish()


class StateKeeper(QObject):
    """``changed`` follows a change of the list of folders."""

    changed = Signal()
    failed = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        path = config_folder() / "state.json"
        self.state, self.problem = read_kept(path, parse_state, State())
        self._file = KeptFile(path, tasks, self.failed.emit)

    def change(self, state: State) -> None:
        """Take another state; it is written by ``write`` or ``finish``."""
        folders = [visit.folder for visit in self.state.recent]
        self.state = state
        if folders != [visit.folder for visit in state.recent]:
            self.changed.emit()

    def write(self) -> None:
        """Write the state in the background."""
        self._file.write(state_json(self.state))

    def finish(self) -> None:
        """Write the state now. Raises WriteError."""
        self._file.finish(state_json(self.state))
