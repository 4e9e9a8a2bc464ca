"""What all commands share: words for people on stderr, results on stdout, projects opened."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from core.files import write_json
from core.masks import MaskEncoding
from core.project.places import known_store, needs_store, remember_store, store_elsewhere
from core.project.project import Project, open_project

T = TypeVar("T")

DONE, FAILED, BAD_INPUT, SOME_SKIPPED = 0, 1, 2, 3


def say(text: str) -> None:
    """A line on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def warn(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def progress(items: Iterable[T], total: int, title: str) -> Iterator[T]:
    """The items, images, with their speed and the time left on stderr where that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return iter(items)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TimeRemainingColumn(),
    )
    return _tracked(Progress(*columns, console=console), items, total, title)


def _tracked(bar: Progress, items: Iterable[T], total: int, title: str) -> Iterator[T]:
    with bar:
        yield from bar.track(items, total, description=title)


class _Speed(ProgressColumn):
    """Images a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} images/s" if task.speed else "")


def images(number: int) -> str:
    """1 image, 2 images."""
    return "1 image" if number == 1 else f"{number} images"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns on stdout, aligned, plain text."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        say("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


def report_skipped(skipped: Iterable[tuple[str, str]]) -> int:
    """Name each skipped file with its reason; the exit code that this means."""
    code = DONE
    for name, reason in skipped:
        warn(f"skipped {name}: {reason.removeprefix(f'{Path(name).name}: ')}")
        code = SOME_SKIPPED
    return code


def save_json(path: Path | None, value: Any) -> None:
    """Write ``value`` where ``--json`` says. Raises WriteError."""
    if path is not None:
        write_json(path, value)


def open_for_cli(
    folder: Path, store: Path | None = None, encoding: MaskEncoding | None = None
) -> Project:
    """Open a folder; a read-only one keeps its project in the user's own data, which is said.

    Raises BadInput, WriteError.
    """
    if not needs_store(folder):
        return open_project(folder, store, encoding)
    if store is None:
        store = known_store(folder) or store_elsewhere(folder)
        warn(f"{folder} is read-only: its project is kept in {store} (--project DIR to choose).")
        return open_project(folder, store, encoding)
    project = open_project(folder, store, encoding)
    remember_store(folder, store)
    return project
