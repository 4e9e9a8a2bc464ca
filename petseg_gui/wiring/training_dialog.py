"""The dialog that starts a training: what it knows of the folder, and what its start does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from core.errors import BadInput, PetSegError
from core.project.project import Project, open_project
from core.project.reviews import Status
from petseg_gui.heavy import HEAVY
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane, Task

if TYPE_CHECKING:
    from petseg_gui.training.dialog import TrainingDialog
    from petseg_gui.training.prospect import Prospect, Question, Wish

_DIALOG = "training-dialog"


def load_and_open_dialog(parts: Parts) -> None:
    """Open the dialog once what only a training needs is imported, without a wait."""

    def load(job: Job) -> object:
        with HEAVY:
            return import_module("petseg_gui.training.dialog")

    def loaded(_: object) -> None:
        open_dialog(parts)

    parts.tasks.run(Lane.LOAD, load, loaded)


def open_dialog(parts: Parts) -> TrainingDialog:
    """The dialog that starts a training; one that is open already is shown again."""
    from petseg_gui.training.dialog import TrainingDialog

    window, session = parts.window, parts.session
    dialog = _dialog(parts)
    if dialog is None:
        dialog = TrainingDialog(lambda question, take: _look(parts, question, take), window)
        dialog.setObjectName(_DIALOG)
        dialog.start_wanted.connect(lambda wish: _start(parts, wish))
        session.status_changed.connect(lambda name: _status_changed(parts, name))
        session.project_changed.connect(lambda: _refresh(parts))
        parts.models.changed.connect(lambda: _refresh(parts))
        parts.watcher.progressed.connect(lambda: _refresh(parts, plan=False))
        window.closed.connect(dialog.close)
        window.closed.connect(dialog.rehearsal.wait)
    session.save()
    dialog.show()
    dialog.raise_()
    dialog.activateWindow()
    _refresh(parts)
    return dialog


def _refresh(parts: Parts, plan: bool = True) -> None:
    dialog = _dialog(parts)
    if dialog is None or not dialog.isVisible():
        return
    dialog.set_busy(parts.training.busy)
    if plan:
        dialog.set_models(parts.models.entries)
        edited = [n for n in parts.session.named(Status.EDITED) if n not in _open_image(parts)]
        dialog.set_edited(len(edited))
        dialog.plan_again()


def _status_changed(parts: Parts, name: str) -> None:
    # Of a batch that segments many images none trains.
    if parts.session.status(name) is not Status.PREDICTED:
        _refresh(parts)


def _dialog(parts: Parts) -> TrainingDialog | None:
    found = [w for w in parts.window.children() if w.objectName() == _DIALOG]
    return cast("TrainingDialog", found[0]) if found else None


def _open_image(parts: Parts) -> set[str]:
    """The open image trains only once it is approved: it is still being worked on."""
    session = parts.session
    return set() if session.status(session.name) is Status.APPROVED else {session.name}


def _look(parts: Parts, question: Question, take: Callable[[Prospect], None]) -> Task | None:
    """Count the masks that would train, in the background."""
    from core.training.config import Source
    from core.training.plan import Plan, plan_training
    from core.training.presets import PRESETS
    from petseg_gui.training.prospect import Prospect

    def refused(reason: str) -> None:
        take(Prospect(Plan((), (), problem=reason)))

    project = parts.session.project
    if project is None:
        refused("Open a folder first.")
        return None
    if not project.writable:
        refused("This folder is read-only: choose File > Keep masks elsewhere first.")
        return None
    exclude = _open_image(parts)

    def work(job: Job) -> Prospect:
        with HEAVY:
            from core.training import replay

        def alive() -> None:
            if job.cancelled:
                raise PetSegError("The masks are not counted any more.")

        project.suggest_train_share(PRESETS[question.preset].train_share)
        plan = plan_training(project, question.include_edited, exclude, alive)
        further, problem = _further(question.also, project)
        scheme = project.settings.scheme
        return Prospect(
            plan,
            Source(folder=str(project.folder), store=str(project.store)),
            scheme,
            replay.fits(scheme),
            further,
            problem,
        )

    return parts.tasks.run(Lane.TRAIN, work, take, refused)


def _further(folder: Path | None, own: Project) -> tuple[int, str]:
    """How many masks a further folder brings, or why it brings none."""
    from core.data.decoding import convert_mask

    if folder is None:
        return 0, ""
    if folder.resolve() == own.folder:
        return 0, "This folder is trained on already."
    try:
        other = open_project(folder)
        pixel = np.zeros((1, 1), np.uint8)
        convert_mask(pixel, other.settings.scheme, own.settings.scheme)
    except BadInput as error:
        return 0, str(error)
    masks = len(other.named([Status.APPROVED]))
    return masks, "" if masks else "It holds no approved mask."


def _start(parts: Parts, wish: Wish) -> None:
    project = parts.session.project
    if project is None:
        return

    def make() -> Sequence[Path]:
        from core.training.launch import create_run

        also = [open_project(wish.also)] if wish.also is not None else []
        return [
            create_run(project, cell.config, wish.plan, name=cell.name, also=also)
            for cell in wish.cells
        ]

    parts.training.launch(project, make)
