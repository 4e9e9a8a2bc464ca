"""Which model segments: one of PetSeg's own, one of the project's runs, or an imported one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.inference.bundled import bundled_model, fast_model
from core.project.project import Project
from core.project.settings import FAST_MODEL
from petseg_gui.heavy import HEAVY
from petseg_gui.tasks import Job, Lane, Task, Tasks

if TYPE_CHECKING:
    from core.inference.catalogue import ModelEntry

_BUNDLED = "bundled"  # core.training.config.Start.BUNDLED, which would import pydantic


class ModelChoice(QObject):
    """The models there are and the one chosen; the choice is kept in project.json."""

    changed = Signal()
    told = Signal(str)

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._project: Project | None = None
        self._setting = ""
        self._missing = False
        self._listing: Task | None = None
        self.entries: list[ModelEntry] = []

    @property
    def path(self) -> Path:
        """The file of the model that segments: the default one's where the chosen is missing."""
        return bundled_model() if self._missing else self._chosen

    @property
    def _chosen(self) -> Path:
        if self._project is None or not self._setting:
            return bundled_model()
        if self._setting == FAST_MODEL:
            return fast_model()
        return self._project.store / self._setting

    @property
    def current(self) -> ModelEntry | None:
        """The chosen model, once the models are listed."""
        return next((entry for entry in self.entries if entry.path == self.path), None)

    @property
    def start(self) -> str:
        """The chosen model as the starting point of a training."""
        return _BUNDLED if self.path == bundled_model() else str(self.path)

    def set_project(self, project: Project) -> None:
        """Take over a project's choice; ``refresh`` looks for its models."""
        self._project, self._setting, self._missing = project, project.settings.model, False

    def refresh(self) -> None:
        """Look for models again, in the background."""
        project = self._project

        def listed(entries: list[ModelEntry]) -> None:
            if project is self._project:
                self._show(entries)

        def work(job: Job) -> list[ModelEntry]:
            # Reading descriptions imports pydantic: not before the first photo is shown.
            with HEAVY:
                from core.inference.catalogue import IMPORTED, list_models

            if project is None:
                return list_models()
            return list_models(project.runs, project.store / IMPORTED)

        if self._listing is not None:
            self._listing.cancel()  # it may lack a model that is chosen meanwhile
        self._listing = self._tasks.run(Lane.LOAD, work, listed, self.told.emit)

    def choose(self, path: Path) -> None:
        """Segment with this model from now on."""
        project = self._project
        if project is None or path == self._chosen:
            return
        own = {bundled_model(): "", fast_model(): FAST_MODEL}
        if path not in own and not path.is_relative_to(project.store):
            return  # it was listed for the folder that was open before
        setting = own[path] if path in own else path.relative_to(project.store).as_posix()
        self._setting, self._missing = setting, False
        self.changed.emit()
        if project.writable:

            def work(job: Job) -> None:
                project.change_settings(model=setting)

            self._tasks.run(Lane.SAVE, work, None, self.told.emit, kept=True)

    def let_go(self, paths: Sequence[Path | None]) -> None:
        """These models are deleted: the default one takes the place of the chosen."""
        if self._chosen in paths:
            self.choose(bundled_model())

    def choose_new(self, path: Path) -> None:
        """This model was made by a training, or imported: list it and use it."""
        self.choose(path)
        self.refresh()

    def _show(self, entries: list[ModelEntry]) -> None:
        self.entries = entries
        known = {entry.path for entry in entries}
        missing, self._missing = self._missing, self._chosen not in known
        if self._missing and not missing:
            which = "PetSeg fast" if self._setting == FAST_MODEL else f"The model {self._setting}"
            self.told.emit(f"{which} is missing or damaged: the default model is used.")
        self.changed.emit()
