"""Making a run folder and starting its worker, for the window and the command line alike."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from core import files
from core.data.cache import require_room
from core.errors import BadInput
from core.project.project import Project
from core.project.reviews import Status
from core.project.split import Subset
from core.training import control
from core.training.config import (
    Purpose,
    RunConfig,
    Sample,
    Source,
    TrainConfig,
    outputs_for,
    trained_scheme,
)
from core.training.estimate import disk_needed, threads_of
from core.training.plan import Plan
from core.training.presets import PRESETS
from core.training.replay import draw_replay

LOG_NAME = "worker.log"
_LAST_BYTES = 1 << 16


def create_run(
    project: Project,
    config: TrainConfig,
    plan: Plan,
    *,
    folder: Path | None = None,
    name: str = "",
    also: Sequence[Project] = (),
    purpose: Purpose = "",
) -> Path:
    """Write the split down and make a run folder (``folder``, or a new one in the project's runs).

    also: projects whose approved masks are all trained on, none of them validated on. The number
    of threads is written down too: another number gives other roundings.
    Raises BadInput (the plan's problem, a loss for other classes, folder in use, the project is
    read-only and no folder given, no place for replayed animals), WriteError (also where the
    decoded images have no room on the disk).
    """
    if plan.problem:
        raise BadInput(plan.problem)
    outputs_for(config, trained_scheme(config, project.settings.scheme))
    if any(p.layout.images == project.layout.images for p in also):
        raise BadInput(f"{project.folder} is what is trained on already: --also is for others.")
    if folder is None:
        project.require_writable()  # else its split could not be kept
    now = datetime.now().astimezone()
    run = folder or files.unused(project.runs / f"{now:%Y%m%d-%H%M%S}-{config.preset}")
    if (run / "config.json").exists():
        raise BadInput(f"{run} already holds a run; choose another folder.")
    others = [(p, p.named([Status.APPROVED])) for p in also]
    learning = len(plan.train) + sum(len(names) for _, names in others) + config.replay
    require_room(run, disk_needed(config, learning, len(plan.val)))
    if config.replay:
        others.append(draw_replay(project, config.replay))
    _fix_split(project, plan)
    added = [s for i, (p, names) in enumerate(others, 1) for s in _samples(p, names, i)]
    sources = [project, *(p for p, _ in others)]
    run_config = RunConfig(
        run=run.name,
        name=name or f"{title_of(config)} {now:%d %b %H:%M}",
        version=version("petseg"),
        created=now.isoformat(timespec="seconds"),
        purpose=purpose,
        train=config.model_copy(update={"threads": threads_of(config)}),
        sources=tuple(Source(folder=str(p.folder), store=str(p.store)) for p in sources),
        train_samples=(*_samples(project, plan.train), *added),
        val_samples=_samples(project, plan.val),
    )
    files.write_json(run / "config.json", run_config.model_dump(mode="json"))
    return run


def title_of(config: TrainConfig) -> str:
    """What people call the config's preset."""
    return PRESETS[config.preset].title if config.preset in PRESETS else "Training"


def start_worker(run: Path) -> subprocess.Popen[bytes]:
    """Start ``python -m core.training RUN`` in a session of its own; its words go to worker.log.

    The worker outlives this process, and counts as alive from now on. What was wanted of the run
    before is forgotten. Raises BadInput (its control.json is damaged), WriteError.
    """
    control.request(run, control.Wanted.RUN)
    taken = control.worker_alive(run)
    try:
        with open(run / LOG_NAME, "ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "core.training", str(run)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as error:
        raise files.WriteError(f"Cannot start {run}: {error.strerror or error}.") from error
    if not taken:
        # The worker does so itself, but seconds later: until then another could be started.
        files.write_json(run / "worker.json", {"pid": worker.pid})
    # For a moment a new process lacks the words by which it is known.
    while not control.worker_alive(run) and worker.poll() is None:
        time.sleep(0.001)
    return worker


def last_words(run: Path, lines: int = 15) -> str:
    """The end of the worker's log, to be shown when it died; "" where it holds nothing."""
    try:
        with open(run / LOG_NAME, "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LAST_BYTES))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _fix_split(project: Project, plan: Plan) -> None:
    names = [*plan.train, *plan.val]
    split = project.fix_split(names) if project.writable else project.split(names)
    # What was validated on must never train, whatever a plan says.
    if any(split[n] is not Subset.TRAIN for n in plan.train) or any(
        split[n] is not Subset.VAL for n in plan.val
    ):
        raise BadInput("The split has changed since this training was planned: plan it again.")


def _samples(project: Project, names: Sequence[str], source: int = 0) -> tuple[Sample, ...]:
    return tuple(Sample(source=source, image=n, mask=_hash(project, n)) for n in names)


def _hash(project: Project, name: str) -> str:
    path = project.mask_source(name)
    return files.sha256(path.read_bytes()) if path is not None else ""
