"""Changing what is kept of a run: its name, or that it is there at all."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

from core import files
from core.errors import BadInput
from core.inference.catalogue import RUN_MODEL
from core.modelfile import renamed
from core.project.project import Project
from core.training import control
from core.training.config import read_run_config
from core.training.control import AlreadyRunning
from core.training.runs import LONGEST_NAME, run_names

_DELETED = ".deleted-"


def rename_run(run: Path, name: str) -> None:
    """Give a run and its model another name.

    Raises BadInput (no name, or a damaged run), AlreadyRunning (a worker has it), WriteError.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(f"A training's name has 1 to {LONGEST_NAME} printable characters.")
    if control.worker_alive(run):
        raise AlreadyRunning(f"{run.name} is being trained: rename it when it is over.")
    config = read_run_config(run).model_copy(update={"name": name})
    text = json.dumps(config.model_dump(mode="json"), indent=2) + "\n"
    contents = {run / "config.json": text.encode()}
    model = run / RUN_MODEL
    if model.exists():
        contents[model] = renamed(model, name)
    files.write_together(contents)


def delete_run(project: Project, run: Path, *, even_chosen: bool = False) -> None:
    """Delete a run of the project with everything in it.

    A crash leaves the run whole or gone. Raises BadInput (none of the project's runs; a worker has
    it; its model is the one that segments, unless ``even_chosen``), WriteError.
    """
    runs = project.runs
    if run.parent.resolve() != runs.resolve() or run.name not in run_names(runs):
        raise BadInput(f"{run} is none of the trainings in {runs}; nothing was deleted.")
    chosen = project.store / project.settings.model
    if chosen.parent.resolve() == run.resolve() and not even_chosen:
        raise BadInput(f"The model of {run.name} is the one that segments: choose another first.")
    try:
        if run.is_symlink():
            run.unlink()  # the link alone: what it leads to is none of ours
            return
        if control.worker_alive(run):
            raise BadInput(f"{run.name} is being trained: stop it first.")
        run.rename(runs / f"{_DELETED}{uuid.uuid4().hex}")
    except OSError as error:
        raise files.WriteError(f"Cannot delete {run}: {error.strerror or error}.") from error
    for left in runs.glob(f"{_DELETED}*"):  # this one's, and what a crash left
        shutil.rmtree(left, ignore_errors=True)
