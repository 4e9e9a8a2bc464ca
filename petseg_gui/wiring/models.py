"""The models window: what is done with models when a person asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core.models.answers import SUFFIXES
from petseg_gui.beside import show_beside
from petseg_gui.heavy import HEAVY
from petseg_gui.parts import Parts
from petseg_gui.tasks import Job, Lane
from petseg_gui.wiring.training import show_image

if TYPE_CHECKING:
    from core.inference.catalogue import ModelEntry
    from petseg_gui.models.comparing import ModelComparison
    from petseg_gui.models.window import ModelsWindow

_WINDOW = "models-window"
_FILTER = f"Models ({' '.join(f'*{suffix}' for suffix in SUFFIXES)});;All files (*)"


def wire_models(parts: Parts) -> None:
    """Connect the command that shows all models."""
    action = parts.actions["models"]
    action.triggered.connect(lambda: load_and_open_models(parts))
    parts.chooser.manager_wanted.connect(action.trigger)


def load_and_open_models(
    parts: Parts, then: Callable[[ModelsWindow], None] = lambda window: None
) -> None:
    """Open the window once what it needs is imported, without a wait."""

    def load(job: Job) -> None:
        with HEAVY:
            import petseg_gui.models.window  # noqa: F401

    parts.tasks.run(Lane.LOAD, load, lambda _: then(open_models(parts)))


def open_models(parts: Parts) -> ModelsWindow:
    """The models window; one that is open already is shown again."""
    window = _window(parts) or _make(parts)
    show_beside(window)
    parts.models.refresh()
    return window


def import_file(parts: Parts, file: Path) -> None:
    """Import a model file, in the models window."""
    load_and_open_models(parts, lambda window: _import(parts, window, file))


def _window(parts: Parts) -> ModelsWindow | None:
    found = [w for w in parts.window.children() if w.objectName() == _WINDOW]
    return cast("ModelsWindow", found[0]) if found else None


def _make(parts: Parts) -> ModelsWindow:
    from petseg_gui.models.comparing import ModelComparison
    from petseg_gui.models.importing import ModelImport
    from petseg_gui.models.window import ModelsWindow

    window = ModelsWindow(parts.models, parts.window)
    window.setObjectName(_WINDOW)
    coming = ModelImport(window)
    comparison = ModelComparison(parts.tasks, window)
    window.chosen.connect(parts.models.choose)
    window.import_wanted.connect(lambda: _choose_file(parts, window))
    window.file_dropped.connect(lambda file: _import(parts, window, file))
    window.answered.connect(coming.answer)
    window.export_wanted.connect(lambda entry, kind: _choose_target(parts, window, entry, kind))
    window.renamed.connect(lambda entry, name: _rename(parts, window, entry, name))
    window.deleted.connect(lambda entry: _delete(parts, window, entry))
    window.compare_wanted.connect(lambda a, b: _compare(parts, comparison, a, b))
    window.image_wanted.connect(lambda name: show_image(parts, name))
    coming.progressed.connect(window.show_progress)
    coming.asked.connect(window.ask)
    coming.imported.connect(lambda path: _imported(parts, window, path))
    comparison.progressed.connect(window.show_progress)
    comparison.arrived.connect(window.show_comparison)
    for work in (coming, comparison):
        work.failed.connect(window.tell_problem)
        window.cancelled.connect(work.cancel)
        parts.session.project_changed.connect(work.cancel)
        parts.window.closed.connect(work.cancel)
        parts.window.closed.connect(work.wait)
    parts.session.project_changed.connect(lambda: window.set_project(parts.session.project))
    parts.window.closed.connect(window.close)
    window.set_project(parts.session.project)
    return window


def _choose_file(parts: Parts, window: ModelsWindow) -> None:
    from PySide6.QtWidgets import QFileDialog  # as every dialog, when it is asked for

    dialog = QFileDialog(window, "Import a model", str(Path.home()), _FILTER)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.finished.connect(dialog.deleteLater)
    dialog.fileSelected.connect(lambda chosen: _import(parts, window, Path(chosen)))
    dialog.open()


def _import(parts: Parts, window: ModelsWindow, file: Path) -> None:
    from petseg_gui.models.importing import ModelImport

    project, coming = parts.session.project, window.findChild(ModelImport)
    if project is None or not project.writable:
        window.tell_problem(
            "Imported models are kept with a folder's masks: open a folder that may be written to."
        )
    elif not window.commands["import"].isEnabled():
        window.question.tell("Something else is under way: wait until it is done, or cancel it.")
    elif coming is not None:
        window.question.dismiss()
        window.show_card()
        coming.start(project, file)


def _imported(parts: Parts, window: ModelsWindow, path: Path) -> None:
    parts.window.tell("The model is imported. “Use this model” lets it segment.")
    _refresh_and(parts, lambda: window.select(path))


def _choose_target(parts: Parts, window: ModelsWindow, entry: ModelEntry, kind: str) -> None:
    from PySide6.QtWidgets import QFileDialog

    from core.inference.catalogue import free_path

    name = free_path(Path.home(), entry.description.name)
    target = name.with_suffix("" if kind == "folder" else f".{kind}")
    dialog = QFileDialog(window, "Export the model", str(target))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Export")
    # A file that stands there is refused later: nothing is overwritten.
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    if kind != "folder":
        dialog.setDefaultSuffix(kind)
        dialog.setNameFilter(f"*.{kind}")
    dialog.finished.connect(dialog.deleteLater)
    dialog.fileSelected.connect(lambda chosen: export(parts, window, entry, Path(chosen)))
    dialog.open()


def export(parts: Parts, window: ModelsWindow, entry: ModelEntry, out: Path) -> None:
    """Write a model to ``out`` in the background."""

    def work(job: Job) -> str:
        with HEAVY:
            from core.models.sharing import export_model

        export_model(entry.path, out)
        return f"“{entry.title}” is exported to {out}."

    def done(text: str) -> None:
        parts.window.tell(text)
        window.end_progress()

    window.show_progress(f"Exporting to {out.name}", cancellable=False)
    parts.tasks.run(Lane.SAVE, work, done, window.tell_problem, kept=True)


def _rename(parts: Parts, window: ModelsWindow, entry: ModelEntry, name: str) -> None:
    project = parts.session.project
    if project is None:
        return

    def work(job: Job) -> None:
        from core.inference.catalogue import Origin, rename_imported

        if entry.origin is Origin.IMPORTED:
            rename_imported(project.store, entry.path, name)
            return
        with HEAVY:
            from core.training.housekeeping import rename_run
        rename_run(entry.path.parent, name)

    _change(parts, window, work)


def _delete(parts: Parts, window: ModelsWindow, entry: ModelEntry) -> None:
    project = parts.session.project
    if project is None:
        return
    parts.models.let_go([entry.path])

    def work(job: Job) -> None:
        from core.inference.catalogue import delete_imported

        delete_imported(project.store, entry.path)

    _change(parts, window, work)


def _change(parts: Parts, window: ModelsWindow, work: Callable[[Job], None]) -> None:
    """Change a model's file in the background, then have everybody look again."""

    def look(reason: str = "") -> None:
        if reason:
            window.tell_problem(reason)
        parts.models.refresh()
        parts.runs.refresh()

    # In the lane of the choice of the model, so that what is deleted is not chosen any more.
    parts.tasks.run(Lane.SAVE, work, lambda _: look(), look, kept=True)


def _refresh_and(parts: Parts, act: Callable[[], None]) -> None:
    """Look for models, and act once they are listed."""

    def listed() -> None:
        parts.models.changed.disconnect(listed)
        act()

    parts.models.changed.connect(listed)
    parts.models.refresh()


def _compare(parts: Parts, comparison: ModelComparison, a: ModelEntry, b: ModelEntry) -> None:
    project = parts.session.project
    if project is not None:
        comparison.start(project, a, b)
