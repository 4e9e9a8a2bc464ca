"""Where the projects of folders are kept that are read-only."""

from __future__ import annotations

import os
from pathlib import Path

from core import files
from core.errors import BadInput
from core.project.project import STORE_NAME


def store_elsewhere(folder: Path) -> Path:
    """The usual place for a read-only folder's project: in the user's own data."""
    folder = folder.resolve()
    key = files.sha256(os.fsencode(folder))[:8]
    return files.user_data_dir() / "projects" / f"{folder.name[:60]}-{key}"


def needs_store(folder: Path) -> bool:
    """Whether a folder can neither hold its project nor holds one already."""
    return folder.is_dir() and not files.is_writable(folder) and not (folder / STORE_NAME).is_dir()


def known_store(folder: Path) -> Path | None:
    """The place that was chosen for this folder before (or the usual one, once it is used).

    Raises BadInput where the list of places is damaged.
    """
    chosen = _places().get(str(folder.resolve()))
    store = Path(chosen) if chosen is not None else store_elsewhere(folder)
    return store if store.is_dir() else None


def remember_store(folder: Path, store: Path) -> None:
    """Keep in mind which place was chosen for a folder. Raises WriteError, BadInput."""
    places = _places() | {str(folder.resolve()): str(store.resolve())}
    files.write_json(_list_file(), places)


def _places() -> dict[str, str]:
    path = _list_file()
    if not path.exists():
        return {}
    raw = files.read_json(path)
    if not isinstance(raw, dict) or not all(isinstance(v, str) for v in raw.values()):
        raise BadInput(f"{path} is damaged: delete it and choose the folders' places again.")
    return raw


def _list_file() -> Path:
    return files.user_data_dir() / "places.json"
