"""Keeps in mind where a person is, and goes back there: folder, image, zoom, tool, window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from core.project.project import STORE_NAME, Project
from petseg_gui.canvas.canvas import Canvas
from petseg_gui.main_window import MainWindow
from petseg_gui.session import Session
from petseg_gui.settings.keeper import StateKeeper
from petseg_gui.settings.state import Visit

_WRITE_AFTER_MS = 3000


class Whereabouts(QObject):
    """Notes each image that is shown or left, and writes it down a little later."""

    told = Signal(str)

    def __init__(
        self, keeper: StateKeeper, session: Session, canvas: Canvas, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._session = session
        self._canvas = canvas
        self._asked: Path | None = None
        self._back_to: Visit | None = None
        self._write_soon = QTimer(self, singleShot=True, interval=_WRITE_AFTER_MS)
        self._write_soon.timeout.connect(keeper.write)

    @property
    def last(self) -> Visit | None:
        """The folder that was open last."""
        return next(iter(self._keeper.state.visits), None)

    def ask_for(self, file: Path | None) -> None:
        """The image file that the next folder shall open with; None: the one left there."""
        self._asked = file

    def first_image(self, project: Project) -> str:
        """The image that a folder opens with: what was asked for, left there, or the first."""
        asked, self._asked = self._asked, None
        self._back_to = self._keeper.state.visit(str(project.folder))
        if asked is not None:
            name = name_of(project, asked)
            if name:
                return name
            self.told.emit(f"{asked.name} is none of this folder's images.")
        left = self._back_to.image if self._back_to is not None else ""
        return left if left in project.names else project.names[0]

    def forget(self) -> None:
        """Empty the list of folders."""
        self._keeper.change(replace(self._keeper.state, visits=()))
        self._keeper.write()

    def finish(self, window: MainWindow, tool: str) -> None:
        """Write down where a person leaves the program. Raises WriteError."""
        self._write_soon.stop()
        geometry, docks = window.layout_state()
        state = replace(self._keeper.state, tool=tool, geometry=geometry, docks=docks)
        self._keeper.change(state)
        self._keeper.finish()

    def arrive(self) -> None:
        """Another image is shown: as one left it, where it is the first of its folder."""
        if not self._session.name:
            return
        back, self._back_to = self._back_to, None
        if back is not None and back.view is not None and back.image == self._session.name:
            self._canvas.restore_view(back.view)
        self.note()
        self._write_soon.start()

    def note(self) -> None:
        """Keep the image and its view in mind; to be called before it is left."""
        project, name = self._session.project, self._session.name
        if project is None or not name:
            return
        beside = project.store == project.folder / STORE_NAME
        visit = Visit(
            str(project.folder),
            "" if beside else str(project.store),
            name,
            self._canvas.view_state(),
        )
        self._keeper.change(self._keeper.state.visited(visit))


def folder_of(file: Path) -> Path:
    """The folder to open for an image file: the project it lies in, or the folder it lies in."""
    project = next((folder for folder in file.parents if (folder / STORE_NAME).is_dir()), None)
    if project is not None:
        return project
    # images/ alone would open without the masks beside it.
    return file.parent.parent if file.parent.name == "images" else file.parent


def name_of(project: Project, file: Path) -> str:
    """The image's name in the project, "" where the file is none of its images."""
    images = project.layout.images.resolve()
    file = file.parent.resolve() / file.name  # an image may itself be a link
    if not file.is_relative_to(images):
        return ""
    name = file.relative_to(images).as_posix()
    return name if name in project.names else ""
