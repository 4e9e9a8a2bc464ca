"""Importing a model file: examined, asked about where that is needed, made, in a child process."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.inference.catalogue import IMPORTED
from core.models.answers import Answers, found_from_json
from core.project.project import Project
from petseg_gui.child import Child


class ModelImport(QObject):
    """One file at a time; a new one takes the place of the one before."""

    progressed = Signal(str)
    asked = Signal(str, object)
    """A file's name and what was Found in it: ``answer`` goes on."""
    imported = Signal(Path)
    failed = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._child = Child("core.models", self)
        self._child.progressed.connect(lambda done, total, text: self.progressed.emit(text))
        self._child.finished.connect(self._finished)
        self._child.failed.connect(self.failed)
        self._project: Project | None = None
        self._file = Path()

    def start(self, project: Project, file: Path) -> None:
        """Examine a file; ``asked``, ``imported`` or ``failed`` follows."""
        self._project, self._file = project, file
        self.progressed.emit(f"Examining {file.name}")
        self._ask_child("examine", {})

    def answer(self, answers: Answers) -> None:
        """Import the file that was examined; ``imported`` or ``failed`` follows."""
        if self._project is not None:
            self.progressed.emit(f"Importing {self._file.name}")
            folder = str(self._project.store / IMPORTED)
            self._ask_child("import", {"folder": folder, "answers": asdict(answers)})

    def cancel(self) -> None:
        """Import nothing."""
        self._project = None
        self._child.cancel()

    def wait(self) -> None:
        """Until no process is left after ``cancel``."""
        self._child.wait()

    def _ask_child(self, what: str, more: dict[str, Any]) -> None:
        if self._project is not None:
            scheme = asdict(self._project.settings.scheme)
            self._child.start({"do": what, "file": str(self._file), "scheme": scheme} | more)

    def _finished(self, result: dict[str, Any]) -> None:
        if "model" in result:
            self._project = None
            self.imported.emit(Path(result["model"]))
            return
        found = found_from_json(result["found"])
        if found.asks:
            self.asked.emit(self._file.name, found)
        else:
            self.answer(found.answers)
