"""The trainings window: what is done with runs when a person asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from core.project.project import Project
from petseg_gui.banner import Level
from petseg_gui.beside import show_beside
from petseg_gui.heavy import HEAVY
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane
from petseg_gui.wiring.training import show_image, show_run_log

if TYPE_CHECKING:
    from core.training.runs import RunInfo
    from petseg_gui.training.runs_window import RunsWindow


def wire_runs(parts: Parts) -> None:
    """Connect the command that shows all trainings."""
    parts.actions["runs"].triggered.connect(lambda: open_runs(parts))
    parts.actions["runs"].setEnabled(False)
    parts.session.project_changed.connect(lambda: _project_changed(parts))
    parts.runs.failed.connect(parts.window.tell)
    parts.window.closed.connect(lambda: parts.runs.watch(False))


def open_runs(parts: Parts) -> RunsWindow:
    """The trainings window; one that is open already is shown again."""
    from petseg_gui.training.runs_window import RunsWindow

    window = parts.window.findChild(RunsWindow)
    if window is None:
        window = RunsWindow(parts.tasks, parts.runs, parts.models, parts.window)
        window.wanted.connect(lambda id_, infos: _do(parts, id_, infos))
        window.continued.connect(lambda info, epochs: _continue(parts, info, epochs))
        window.renamed.connect(lambda info, name: _rename(parts, info, name))
        window.image_wanted.connect(lambda name: show_image(parts, name))
        parts.session.project_changed.connect(lambda: _show_project(parts, window))
        parts.window.closed.connect(window.close)
        _show_project(parts, window)
    show_beside(window)
    return window


def _show_project(parts: Parts, window: RunsWindow) -> None:
    window.set_project(parts.session.project)


def _project_changed(parts: Parts) -> None:
    parts.actions["runs"].setEnabled(parts.session.project is not None)
    parts.runs.set_project(parts.session.project)


def _do(parts: Parts, id_: str, infos: Sequence[RunInfo]) -> None:
    acts: dict[str, Callable[[Parts, RunInfo], None]] = {
        "use": _use,
        "again": _again,
        "pause": lambda parts, info: _ask_worker(parts, info, "pause"),
        "stop": lambda parts, info: _ask_worker(parts, info, "stop"),
        "resume": lambda parts, info: parts.training.resume(info.folder),
        "log": _show_log,
        "folder": lambda parts, info: _open_folder(info.folder),
    }
    if id_ == "delete":
        _delete(parts, infos)
    elif id_ == "unqueue":
        _unqueue(parts, infos)
    else:
        acts[id_](parts, infos[0])
        parts.runs.refresh()


def _use(parts: Parts, info: RunInfo) -> None:
    if info.model is not None:
        parts.models.choose_new(info.model)
        parts.window.tell(f"{info.name} segments now.")


def _again(parts: Parts, info: RunInfo) -> None:
    def make(project: Project) -> Path:
        from core.training.again import train_again

        return train_again(project, info)

    _launch(parts, make)


def _continue(parts: Parts, info: RunInfo, epochs: int) -> None:
    def make(project: Project) -> Path:
        from core.training.again import continue_run

        return continue_run(project, info, epochs)

    _launch(parts, make)
    parts.runs.refresh()


def _launch(parts: Parts, make: Callable[[Project], Path]) -> None:
    project = parts.session.project
    if project is not None:

        def work() -> Sequence[Path]:
            with HEAVY:
                import_module("core.training.again")  # and what stands on it
            return [make(project)]

        parts.training.launch(project, work)


def _ask_worker(parts: Parts, info: RunInfo, wanted: str) -> None:
    """Tell the run's worker, whoever started it."""
    state = parts.watcher.state
    if state is not None and state.run == info.folder:
        {"pause": parts.training.pause, "stop": parts.training.stop}[wanted]()
        return

    def work(job: Job) -> None:
        from core.training import control

        control.request(info.folder, control.Wanted(wanted))

    parts.tasks.run(Lane.TRAIN, work, None, parts.window.tell, kept=True)


def _rename(parts: Parts, info: RunInfo, name: str) -> None:
    def work(job: Job) -> None:
        from core.training.housekeeping import rename_run

        rename_run(info.folder, name)

    _change(parts, work)


def _unqueue(parts: Parts, infos: Sequence[RunInfo]) -> None:
    def work(job: Job) -> None:
        from core.training.queue import unqueue

        for info in infos:
            unqueue(info.folder)

    _change(parts, work)


def _delete(parts: Parts, infos: Sequence[RunInfo]) -> None:
    project = parts.session.project
    if project is None:
        return
    gone: list[RunInfo] = []

    def work(job: Job) -> None:
        from core.training.housekeeping import delete_run

        for info in infos:
            delete_run(project, info.folder, even_chosen=True)
            gone.append(info)

    _change(parts, work, lambda: _let_go(parts, gone))


def _let_go(parts: Parts, gone: Sequence[RunInfo]) -> None:
    """Neither segment with the model of a run that is deleted nor follow it."""
    parts.models.let_go([info.model for info in gone])
    followed = parts.watcher.state
    if followed is not None and followed.run in [info.folder for info in gone]:
        parts.watcher.forget()
        parts.watcher.progressed.emit()


def _change(
    parts: Parts, work: Callable[[Job], None], then: Callable[[], None] = lambda: None
) -> None:
    """Change runs in the background, then have everybody look at them again.

    then: also where the work has failed half-way.
    """

    def look(reason: str = "") -> None:
        then()
        if reason:
            parts.window.banners.show_message("runs", Level.WARNING, reason)
        parts.runs.refresh()
        parts.models.refresh()
        parts.training.look()

    parts.tasks.run(Lane.TRAIN, work, lambda _: look(), look, kept=True)


def _show_log(parts: Parts, info: RunInfo) -> None:
    show_run_log(parts, info.folder, info.name, info.progress.notices)


def _open_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
