"""The models there are to choose: PetSeg's own, those of a project's runs, imported ones."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from core import files
from core.errors import BadInput
from core.inference.bundled import bundled_model, fast_model
from core.inference.card import parts_of, read_card
from core.modelfile import (
    ModelDescription,
    ModelFileError,
    onnx_path,
    read_description,
    renamed,
)

RUN_MODEL = "best.safetensors"
IMPORTED = "models"
"""The folder in a project's store that holds imported models."""
LONGEST_NAME = 200

_LONGEST_STEM = 60


class Origin(StrEnum):
    """Where a model comes from."""

    BUNDLED = "bundled"
    RUN = "run"
    IMPORTED = "imported"


@dataclass(frozen=True)
class ModelEntry:
    """A model that can be chosen.

    title: its name in one line, and more where others have it. card: what people wrote about it,
    as Markdown; "" where nobody did.
    """

    path: Path
    title: str
    description: ModelDescription
    origin: Origin = Origin.BUNDLED
    card: str = ""

    @property
    def summary(self) -> str:
        """What it is for, in one line; "" where nobody wrote that."""
        return parts_of(self.card)[0]

    @property
    def bytes(self) -> int:
        """The size of its files, the ONNX twin included; what is gone counts as nothing."""
        stamps = map(files.file_stamp, (self.path, onnx_path(self.path)))
        return sum(stamp[0] for stamp in stamps if stamp is not None)


def list_models(runs: Path | None = None, imported: Path | None = None) -> list[ModelEntry]:
    """PetSeg's own, the default one first, then those of the runs in a folder, newest first, then
    imported ones.

    imported: a folder of model files. What cannot be read as a model is left out.
    """
    paths = [(bundled_model(), Origin.BUNDLED), (fast_model(), Origin.BUNDLED)]
    if runs is not None and runs.is_dir():
        newest = sorted(runs.glob(f"*/{RUN_MODEL}"), key=lambda p: p.parent.name, reverse=True)
        paths += [(path, Origin.RUN) for path in newest]
    if imported is not None and imported.is_dir():
        paths += [(path, Origin.IMPORTED) for path in sorted(imported.glob("*.safetensors"))]
    entries = []
    for path, origin in paths:
        try:
            description = read_description(path)
        except ModelFileError:
            continue
        title = " ".join(description.name.split())[:LONGEST_NAME] or path.stem
        card = read_card(path) if origin is Origin.BUNDLED else ""
        entries.append(ModelEntry(path, title, description, origin, card))
    return _told_apart(entries)


def free_path(folder: Path, name: str) -> Path:
    """Where a model of this name goes in a folder: a plain file name that nothing has yet."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:_LONGEST_STEM] or "model"
    path, number = folder / f"{stem}.safetensors", 2
    while path.exists() or onnx_path(path).exists():
        path, number = folder / f"{stem}-{number}.safetensors", number + 1
    return path


def checked_name(name: str) -> str:
    """A model's name without spaces around it. Raises BadInput where it is none."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(f"A model's name has 1 to {LONGEST_NAME} printable characters.")
    return name


def rename_imported(store: Path, path: Path, name: str) -> None:
    """Give an imported model another name; its file stays where it is.

    Raises BadInput (none of the project's imported models, no name), WriteError.
    """
    _require_imported(store, path)
    files.write_bytes(path, renamed(path, checked_name(name)))


def delete_imported(store: Path, path: Path) -> None:
    """Delete an imported model and its twin.

    Raises BadInput (none of the project's imported models), WriteError.
    """
    _require_imported(store, path)
    try:
        # The twin last: alone it is listed nowhere.
        path.unlink()
        onnx_path(path).unlink(missing_ok=True)
    except OSError as error:
        raise files.WriteError(f"Cannot delete {path}: {error.strerror or error}.") from error


def _require_imported(store: Path, path: Path) -> None:
    folder = (store / IMPORTED).resolve()
    if path.parent.resolve() != folder or path.suffix != ".safetensors" or not path.is_file():
        raise BadInput(f"{path} is none of the imported models in {folder}; nothing was changed.")


def _told_apart(entries: list[ModelEntry]) -> list[ModelEntry]:
    """Entries of which no two have one title; PetSeg's models keep their own."""
    names = Counter(entry.title for entry in entries)
    dated = [_with(e, _when(e)) if names[e.title] > 1 and _when(e) else e for e in entries]
    still = Counter(entry.title for entry in dated)
    return [
        _with(entry, _place(entry)) if still[other.title] > 1 else other
        for entry, other in zip(entries, dated, strict=True)
    ]


def _with(entry: ModelEntry, more: str) -> ModelEntry:
    if entry.origin is Origin.BUNDLED:
        return entry
    return replace(entry, title=f"{entry.title} · {more}")


def _when(entry: ModelEntry) -> str:
    return entry.description.created[:16].replace("T", " ")


def _place(entry: ModelEntry) -> str:
    return entry.path.parent.name if entry.origin is Origin.RUN else entry.path.stem
