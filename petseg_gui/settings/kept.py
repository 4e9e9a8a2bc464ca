"""Small JSON files that the window keeps of a person: where they are, reading and writing them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from core.errors import BadInput
from core.files import read_json, write_json
from petseg_gui.tasks import Job, Lane, Tasks

_LIMIT = 2**20

T = TypeVar("T")


def config_folder() -> Path:
    """Where settings and state of this user are kept."""
    return Path(platformdirs.user_config_dir("petseg", appauthor=False))


def read_kept(path: Path, parse: Callable[[dict[str, Any]], T], default: T) -> tuple[T, str]:
    """What a file holds, and "". Where it cannot be used: the default, and a sentence why.

    Such a file is kept beside its place with ``.bad`` added to its name. parse raises BadInput.
    """
    if not path.exists():
        return default, ""
    try:
        raw = read_json(path, _LIMIT)
        if not isinstance(raw, dict):
            raise BadInput(f"{path} is not a file of PetSeg.")
        return parse(raw), ""
    except BadInput as error:
        return default, f"{error} {_put_aside(path)}"


class KeptFile:
    """A file that is written anew in the background at each change; the last contents count."""

    def __init__(self, path: Path, tasks: Tasks, failed: Callable[[str], None]) -> None:
        self._path = path
        self._tasks = tasks
        self._failed = failed
        self._wanted: dict[str, Any] | None = None

    def write(self, value: dict[str, Any]) -> None:
        """Write soon; a failure goes to ``failed`` as text."""
        self._wanted = value

        def work(job: Job) -> dict[str, Any]:
            write_json(self._path, value)
            return value

        self._tasks.run(Lane.SAVE, work, self._written, self._failed)

    def finish(self, value: dict[str, Any] | None = None) -> None:
        """Write ``value`` now, or else what is not written yet. Raises WriteError."""
        self._wanted = self._wanted if value is None else value
        if self._wanted is not None:
            write_json(self._path, self._wanted)
            self._wanted = None

    def _written(self, value: dict[str, Any]) -> None:
        if value is self._wanted:
            self._wanted = None


def _put_aside(path: Path) -> str:
    bad = path.with_name(path.name + ".bad")
    try:
        os.replace(path, bad)
    except OSError as error:
        return f"The usual ones are taken; it cannot be put aside ({error.strerror})."
    return f"The usual ones are taken; the file is kept as {bad.name}."
