"""Masks from elsewhere become a folder's own: all of an import or nothing of it, and undone whole.

An import has a folder in STORE/imports. Its name says how far it has come, so that it can go on
after a crash at any moment; each step to the next is one rename:

- ``ID.part``: masks are being made; none of the folder's has changed. Dropped after a crash.
- ``ID.writing``: all are made and take their places. Finished after a crash.
- ``ID``: done. It keeps the masks that were there before, for ``undo_import``.
- ``ID.undoing``: it is being taken back. Finished after a crash.
- ``ID.undone``: taken back, but for masks that were changed since: what they replaced is kept.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from os.path import normpath
from pathlib import Path
from typing import Any

import numpy as np

from core import files, jsonl
from core.errors import BadInput
from core.files import WriteError, file_stamp
from core.formats.planning import ImportPlan, Progress, staying_classes
from core.formats.source import FormatError
from core.images import ImageError, image_size
from core.labels import VOID, LabelClass, LabelScheme
from core.masks import MaskError, can_hold, encode_mask, present_values
from core.project.project import Project
from core.project.reviews import Review, Status

FOLDER = "imports"
_PART, _WRITING, _UNDOING, _UNDONE = ".part", ".writing", ".undoing", ".undone"
_ABOUT = "import.json"
_ROWS = "masks.jsonl"
_NEW = "new"  # masks that wait to be written
_BEFORE = "before"  # masks that were there
_WRITERS = 8
_CHANGED = "its mask was changed meanwhile"


class NeedsIds(BadInput):
    """The masks hold void or a third class, which the folder's encoding cannot hold."""


@dataclass(frozen=True)
class Staged:
    """Masks that are made and wait to be written: all that can fail has not failed."""

    plan: ImportPlan
    folder: Path
    images: int
    problems: dict[str, str]


@dataclass(frozen=True)
class Imported:
    """An import that was made. masks: image -> SHA-256 of its mask file now.

    problems: image -> why its mask was left out. scheme: whether the folder's classes changed.
    """

    id: str
    masks: dict[str, str]
    problems: dict[str, str]
    scheme: bool = False


@dataclass(frozen=True)
class TakenBack:
    """An import that was undone. masks: image -> SHA-256 of its mask file now, "" without one.

    problems: image -> why its mask was left as it is. scheme: whether the folder's classes changed.
    """

    id: str
    masks: dict[str, str]
    problems: dict[str, str]
    scheme: bool = False


@dataclass(frozen=True)
class _Row:
    """One mask. mask, before: SHA-256 of the new file and of the one it replaces, "" for none.

    review: what counted of the image before, as it is written to reviews.jsonl.
    """

    image: str
    mask: str
    before: str
    review: dict[str, Any] = field(default_factory=dict)


def import_masks(
    project: Project,
    plan: ImportPlan,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Imported | None:
    """Do what a plan says; None where it was cancelled: nothing has changed then.

    For whoever alone writes to the folder. Raises as ``stage_import`` and ``commit_import``.
    """
    staged = stage_import(project, plan, progress, cancelled)
    return None if staged is None else commit_import(project, staged, progress)


def stage_import(
    project: Project,
    plan: ImportPlan,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Staged | None:
    """Make all masks of an import aside; None where it was cancelled. The folder is as it was.

    An image whose annotations cannot be used is left out and named.
    Raises NeedsIds; BadInput: nothing to import, read-only, targets that are no scheme, other
    classes than at the preview; WriteError.
    """
    project.require_writable()
    _require_same_classes(project, plan)
    names, table, scheme = plan.chosen, plan.table(), plan.scheme
    if not names:
        raise BadInput("There is nothing to import: no annotated image is here without a mask.")
    if plan.needs_ids(project):
        raise _needs_ids(project)
    project.keep_detected()  # masks that arrive never change what the others mean
    part = _new_folder(project)
    problems: dict[str, str] = {}

    def made(write: Callable[[Path, bytes], None]) -> Iterator[dict[str, Any]]:
        for number, name in enumerate(names):
            if cancelled():
                return
            entry = plan.source.entries[plan.matches[name]]
            if name not in plan.existing and project.mask_source(name) is not None:
                problems[name] = _CHANGED  # since the preview: nobody said that it may be replaced
                continue
            try:
                mask = table[entry.read(image_size(project.image_path(name)))]
                data = _encoded(project, mask, scheme)
            except (FormatError, ImageError, MaskError) as error:
                problems[name] = getattr(error, "reason", str(error))
            else:
                write(part / _NEW / _relative(project, name), data)
                yield asdict(_row(project, name, data))
            progress(number + 1, len(names))

    try:
        with _writing_many() as write:
            images = _write_rows(part / _ROWS, made(write))
        if cancelled() or not images:
            shutil.rmtree(part)
            if cancelled():
                return None
            name, why = next(iter(problems.items()))
            raise BadInput(f"None of the annotations can be used. {name}: {why}")
        files.write_json(part / _ABOUT, _about(plan, scheme))
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return Staged(plan, part, images, problems)


def commit_import(
    project: Project, staged: Staged, progress: Progress = lambda done, total: None
) -> Imported:
    """Put staged masks in their places; a mask that changed meanwhile stays and is named.

    For whoever alone writes to the folder. Raises BadInput: other classes than at the preview,
    nothing has changed; WriteError: all is as it was, or will be finished by ``finish_imports``,
    which is said.
    """
    try:
        _require_same_classes(project, staged.plan)
    except BadInput:
        drop_staged(staged)
        raise
    folder = _renamed(staged.folder, staged.folder.with_suffix(_WRITING))
    with _finished_later():
        imported = _write(project, folder, staged.images, progress)
    return replace(imported, problems=staged.problems | imported.problems)


def drop_staged(staged: Staged) -> None:
    """Do not import after all."""
    shutil.rmtree(staged.folder, ignore_errors=True)


def last_import(project: Project) -> str:
    """The id of the import that ``undo_import`` takes back first, "" where there is none."""
    return max((f.name for f in _folders(project, "")), default="")


def import_title(project: Project, import_id: str) -> str:
    """What an import was read from, and when (local time). Raises BadInput."""
    about = _read_about(project.store / FOLDER / import_id)
    return f"“{about.source}”, {about.made.astimezone():%Y-%m-%d %H:%M}"


def undo_import(
    project: Project,
    import_id: str,
    progress: Progress = lambda done, total: None,
) -> TakenBack:
    """Bring back what an import has replaced, and its images' reviews and classes.

    Masks that were changed since stay as they are and are named.
    For whoever alone writes to the folder. Raises BadInput (no such import, read-only), WriteError.
    """
    project.require_writable()
    folder = next((f for f in _folders(project, "") if f.name == import_id), None)
    if folder is None:
        raise BadInput("There is no import that could be undone.")
    folder = _renamed(folder, folder.with_suffix(_UNDOING))
    with _finished_later():
        return _take_back(project, folder, progress)


def finish_imports(project: Project) -> str:
    """Finish what a crash interrupted; what was finished, in words for people, "" for nothing.

    For whoever alone writes to the folder. Raises WriteError, BadInput (what there is of it is
    damaged).
    """
    told = ""
    if not project.writable:
        return told
    for folder in _folders(project, _PART):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in _folders(project, _WRITING):
        imported = _write(project, folder, 0, lambda done, total: None)
        told = f"An import that was interrupted is finished: {len(imported.masks):,} masks."
    for folder in _folders(project, _UNDOING):
        taken = _take_back(project, folder, lambda done, total: None)
        told = f"Undoing an import was interrupted; it is finished: {len(taken.masks):,} masks."
    return told


@contextmanager
def _finished_later() -> Iterator[None]:
    """Say of what fails now that it will be finished."""
    try:
        yield
    except WriteError as error:
        raise WriteError(
            f"{error} What is not written yet will be when the folder is opened again."
        ) from error


# Making masks


def _require_same_classes(project: Project, plan: ImportPlan) -> None:
    """Raises BadInput: classes, or the first masks in a new folder, have come since the preview.

    The import would give their numbers to others.
    """
    same = project.settings.scheme == plan.before
    if not same or staying_classes(project, plan.source) != plan.base:
        raise BadInput(
            "This folder's classes, or its first masks, have changed since the preview: look at "
            "it again before you import."
        )


def _encoded(project: Project, mask: np.ndarray, scheme: LabelScheme) -> bytes:
    """Raises NeedsIds."""
    encoding = project.settings.mask_encoding
    if not all(can_hold(encoding, value) for value in present_values(mask)):
        raise _needs_ids(project)
    return encode_mask(mask, encoding, scheme)


def _row(project: Project, name: str, data: bytes) -> _Row:
    """Raises WriteError."""
    review = project.review(name) or Review(name, project.status(name))
    before = _digest(project.mask_target(name))
    return _Row(name, files.sha256(data), before, asdict(review))


@contextmanager
def _writing_many() -> Iterator[Callable[[Path, bytes], None]]:
    """Writes files several at once, since most of it is waiting for the disk. Raises WriteError."""
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_WRITERS, "petseg-import") as pool:

        def write(path: Path, data: bytes) -> None:
            if len(waiting) >= 4 * _WRITERS:
                waiting.popleft().result()
            waiting.append(pool.submit(files.write_bytes, path, data))

        yield write
        for future in waiting:
            future.result()


def _needs_ids(project: Project) -> NeedsIds:
    return NeedsIds(
        f"This folder's masks are {project.settings.mask_encoding}: they cannot hold void or a "
        "third class. They must become class ids first."
    )


def _about(plan: ImportPlan, scheme: LabelScheme) -> dict[str, Any]:
    names = {i: label.name for i, label in enumerate(plan.source.classes)}
    return {
        "format": plan.source.format,
        "source": str(plan.source.path),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "targets": {names[i]: target for i, target in enumerate(plan.targets)},
        "scheme": asdict(scheme),
        "scheme_before": asdict(plan.before),
    }


def _new_folder(project: Project) -> Path:
    """Raises WriteError."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    base, number = project.store / FOLDER, 1
    try:
        base.mkdir(parents=True, exist_ok=True)
        taken = {f.name.partition(".")[0] for f in base.iterdir()}
        while f"{stamp}-{number:03}" in taken:
            number += 1
        part = base / f"{stamp}-{number:03}{_PART}"
        (part / _NEW).mkdir(parents=True)
    except OSError as error:
        raise WriteError(f"Cannot write {base}: {error.strerror or error}.") from error
    return part


# Writing them


def _write(project: Project, folder: Path, total: int, progress: Progress) -> Imported:
    """Finish an import whose masks are all made. May have been begun before. Raises WriteError."""
    about = _read_about(folder)
    changed = project.settings.scheme != about.scheme
    if changed:
        project.change_settings(scheme=about.scheme)
    masks: dict[str, str] = {}
    problems: dict[str, str] = {}
    said: list[Review] = []
    source = f"{about.format}: {about.source}"
    for number, row in enumerate(_rows(project, folder)):
        if _put(project, folder, row):
            masks[row.image] = row.mask
            said.append(Review(row.image, Status.APPROVED, row.mask, source=source))
        else:
            problems[row.image] = _CHANGED
        progress(number + 1, total)
    project.take_written(masks)
    project.add_reviews(said)
    done = _renamed(folder, folder.with_suffix(""))
    shutil.rmtree(done / _NEW, ignore_errors=True)
    return Imported(done.name, masks, problems, changed)


def _put(project: Project, folder: Path, row: _Row) -> bool:
    """Put one mask in its place; False where another one is there by now. Raises WriteError."""
    target = project.mask_target(row.image)
    staged = folder / _NEW / _relative(project, row.image)
    there = _digest(target)
    if there == row.mask:
        return True  # before an interruption, or it was the same
    if there != row.before or not staged.exists():
        return False
    try:
        if row.before:
            kept = folder / _BEFORE / _relative(project, row.image)
            files.write_bytes(kept, target.read_bytes())
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(staged, target)
        except OSError as error:
            if error.errno != errno.EXDEV:  # masks and settings on different disks
                raise
            files.write_bytes(target, staged.read_bytes())
    except OSError as error:
        raise WriteError(f"Cannot write {target}: {error.strerror or error}.") from error
    return True


# Taking them back


def _take_back(project: Project, folder: Path, progress: Progress) -> TakenBack:
    rows = list(_rows(project, folder))
    masks: dict[str, str] = {}
    problems: dict[str, str] = {}
    # First: a mask that is back must not count as what its import was.
    project.add_reviews(
        [_review(row) for row in rows if _digest(project.mask_target(row.image)) == row.mask]
    )
    for number, row in enumerate(rows):
        target = project.mask_target(row.image)
        there = _digest(target)
        try:
            if there == row.mask == row.before:
                pass  # what was imported was there already
            elif there == row.mask and row.before:
                kept = folder / _BEFORE / _relative(project, row.image)
                files.write_bytes(target, kept.read_bytes())
            elif there == row.mask:
                target.unlink()
        except OSError as error:
            raise WriteError(f"Cannot write {target}: {error.strerror or error}.") from error
        if there in (row.mask, row.before):
            masks[row.image] = row.before
        else:
            problems[row.image] = "its mask was changed since the import; it is as it was"
        progress(number + 1, len(rows))
    project.find_masks_again()
    changed = not problems and _bring_classes_back(project, folder, masks)
    if problems:
        done = _renamed(folder, folder.with_suffix(_UNDONE))
    else:
        done = _renamed(folder, folder.with_suffix(_PART))  # half of it left would be of no use
        shutil.rmtree(done, ignore_errors=True)
    return TakenBack(done.name.partition(".")[0], masks, problems, changed)


def _bring_classes_back(project: Project, folder: Path, restored: Mapping[str, str]) -> bool:
    """The classes of before the import, unless they changed since, or a mask may need the new.

    restored: images whose masks are as they were.
    """
    about = _read_about(folder)
    before = about.before
    if before == about.scheme or project.settings.scheme != about.scheme:
        return False
    # Older masks cannot hold classes that did not exist.
    imported = file_stamp(folder / _ABOUT) or (0, 0)
    for name in project.names:
        path = None if name in restored else project.mask_source(name)
        stamp = None if path is None else file_stamp(path)
        if stamp is not None and stamp[1] >= imported[1] and _needs(project, name, before):
            return False
    project.change_settings(scheme=before)
    return True


def _needs(project: Project, name: str, before: LabelScheme) -> bool:
    """Whether an image's mask may hold classes that the folder did not have before."""
    try:
        mask = project.read_mask(name)
    except (MaskError, ImageError):
        return True
    return mask is not None and bool(((mask >= len(before.classes)) & (mask != VOID)).any())


def _review(row: _Row) -> Review:
    known = row.review
    return replace(
        Review(**{**known, "status": Status(known["status"])}), mask=row.before, source=""
    )


# The files of an import


def _write_rows(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    number = 0
    try:
        with open(path, "w", encoding="utf-8") as file:
            for number, row in enumerate(rows, 1):  # noqa: B007
                file.write(json.dumps(row, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise WriteError(f"Cannot write {path}: {error.strerror or error}.") from error
    return number


def _rows(project: Project, folder: Path) -> Iterator[_Row]:
    """The masks of an import. Raises BadInput: damaged, or masks that lie elsewhere.

    The folder may come from a stranger, and masks are written and removed by what it says.
    """
    for record in jsonl.records(folder / _ROWS):
        try:
            row = _Row(**record)
            _review(row)
            inside = Path(normpath(project.mask_target(row.image))).is_relative_to(
                project.mask_folder
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _damaged(folder, _ROWS) from error
        if not inside:
            raise _damaged(folder, _ROWS)
        yield row


@dataclass(frozen=True)
class _About:
    """What an import was. source: name of the file or folder; before, scheme: the classes."""

    format: str
    source: str
    made: datetime
    before: LabelScheme
    scheme: LabelScheme


def _read_about(folder: Path) -> _About:
    """Raises BadInput."""
    about = files.read_json(folder / _ABOUT)
    try:
        return _About(
            str(about["format"]),
            Path(about["source"]).name,
            datetime.fromisoformat(about["made"]),
            _scheme(about["scheme_before"]),
            _scheme(about["scheme"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, _ABOUT) from error


def _damaged(folder: Path, name: str) -> BadInput:
    return BadInput(f"{folder / name} is damaged. To go on without this import remove {folder}.")


def _scheme(raw: dict[str, Any]) -> LabelScheme:
    classes = [LabelClass(c["id"], c["name"], tuple(c["colour"]), c["key"]) for c in raw["classes"]]
    return LabelScheme(raw["name"], tuple(classes))


def _folders(project: Project, suffix: str) -> list[Path]:
    base = project.store / FOLDER
    found = base.iterdir() if base.is_dir() else ()
    return sorted(f for f in found if f.suffix == suffix and f.is_dir())


def _renamed(folder: Path, target: Path) -> Path:
    try:
        return folder.rename(target)
    except OSError as error:
        raise WriteError(f"Cannot write {folder}: {error.strerror or error}.") from error


def _relative(project: Project, name: str) -> Path:
    return project.mask_target(name).relative_to(project.mask_folder)


def _digest(path: Path) -> str:
    """The SHA-256 of a file, "" where there is none. Raises WriteError."""
    try:
        return files.sha256(path.read_bytes())
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise WriteError(f"Cannot read {path}: {error.strerror or error}.") from error
