"""What all commands share: words for people on stderr, results on stdout, projects opened."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
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

from core.child import Tell
from core.files import write_json
from core.masks import MaskEncoding
from core.project.places import known_store, needs_store, remember_store, store_elsewhere
from core.project.project import Project, open_project

T = TypeVar("T")

DONE, FAILED, BAD_INPUT, SOME_SKIPPED = 0, 1, 2, 3
_LINE_SECONDS = 60.0


def say(text: str) -> None:
    """A line on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def warn(text: str) -> None:
    """A line on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def progress(items: Iterable[T], total: int, title: str) -> Iterator[T]:
    """The items, images, with their progress on stderr as ``progress_bar`` shows it."""
    with counting(title) as tell:
        tell(0, total)
        for done, item in enumerate(items, 1):
            yield item
            tell(done, total)


@contextmanager
def counting(title: str) -> Iterator[Callable[[int, int], None]]:
    """As ``progress_bar``, for work that tells how many are done and nothing else."""
    with progress_bar(title) as tell:
        yield lambda done, total: tell(done, total, "")


@contextmanager
def progress_bar(title: str) -> Iterator[Tell]:
    """How many images are done, their speed and the time left, on stderr.

    A bar where that is a terminal; in a scheduler's log a line a minute.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(title)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total, _words: bar.update(task, completed=done, total=total)


@contextmanager
def comparing(project: Project) -> Iterator[Callable[[], None]]:
    """What to call before each photo that is compared with the others, for the split."""
    count = 0
    tell: Tell | None = None
    with ExitStack() as stack:

        def alive() -> None:
            nonlocal count, tell
            if tell is None:  # not a word where all were compared before
                tell = stack.enter_context(progress_bar("comparing photos"))
            tell(count, len(project.names), "")
            count += 1

        yield alive


class _Lines:
    """Says how far something is, once a minute."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._begun = self._said = time.monotonic()

    def __call__(self, done: int, total: int, _words: str) -> None:
        now = time.monotonic()
        if now - self._said < _LINE_SECONDS or not done:
            return
        self._said = now
        speed = done / (now - self._begun)
        left = timedelta(seconds=round((total - done) / speed))
        warn(f"{self._title}: {done} of {images(total)}, {speed:.1f} images/s, {left} left")


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
