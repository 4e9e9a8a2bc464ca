"""Making a run folder and starting its worker, for the window and the command line alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from core import files
from core.errors import BadInput
from core.project.project import Project
from core.project.reviews import Status
from core.training.config import RunConfig, Sample, Source, TrainConfig, outputs_for, trained_scheme
from core.training.control import Wanted, request
from core.training.plan import Plan
from core.training.presets import PRESETS

LOG_NAME = "worker.log"


def create_run(
    project: Project,
    config: TrainConfig,
    plan: Plan,
    *,
    folder: Path | None = None,
    name: str = "",
    also: Sequence[Project] = (),
) -> Path:
    """Write the split down and make a run folder (``folder``, or a new one in the project's runs).

    also: projects whose approved masks are all trained on, none of them validated on.
    Raises BadInput (the plan's problem, a loss for other classes, folder in use), WriteError.
    """
    if plan.problem:
        raise BadInput(plan.problem)
    outputs_for(config, trained_scheme(config, project.settings.scheme))
    now = datetime.now().astimezone()
    run = folder or _free(project.runs / f"{now:%Y%m%d-%H%M%S}-{config.preset}")
    if (run / "config.json").exists():
        raise BadInput(f"{run} already holds a run; choose another folder.")
    if project.writable:
        project.fix_split([*plan.train, *plan.val])
    if any(p.layout.images == project.layout.images for p in also):
        raise BadInput(f"{project.folder} is what is trained on already: --also is for others.")
    others = [
        sample
        for source, p in enumerate(also, 1)
        for sample in _samples(p, p.named([Status.APPROVED]), source)
    ]
    run_config = RunConfig(
        run=run.name,
        name=name or f"{PRESETS[config.preset].title} {now:%d %b %H:%M}",
        version=version("petseg"),
        created=now.isoformat(timespec="seconds"),
        train=config,
        sources=tuple(Source(folder=str(p.folder), store=str(p.store)) for p in (project, *also)),
        train_samples=(*_samples(project, plan.train), *others),
        val_samples=_samples(project, plan.val),
    )
    files.write_json(run / "config.json", run_config.model_dump(mode="json"))
    return run


def start_worker(run: Path) -> subprocess.Popen[bytes]:
    """Start ``python -m core.training RUN`` in a session of its own; its words go to worker.log.

    The worker outlives this process. What was wanted of the run before is forgotten.
    """
    request(run, Wanted.RUN)
    with open(run / LOG_NAME, "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "core.training", str(run)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def last_words(run: Path, lines: int = 15) -> str:
    """The end of the worker's log, to be shown when it died."""
    path = run / LOG_NAME
    if not path.exists():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _samples(project: Project, names: Sequence[str], source: int = 0) -> tuple[Sample, ...]:
    return tuple(Sample(source=source, image=n, mask=_hash(project, n)) for n in names)


def _hash(project: Project, name: str) -> str:
    path = project.mask_source(name)
    return files.sha256(path.read_bytes()) if path is not None else ""


def _free(run: Path) -> Path:
    """The folder itself, or with a number where two runs start in one second."""
    candidate, number = run, 2
    while candidate.exists():
        candidate, number = run.with_name(f"{run.name}-{number}"), number + 1
    return candidate
