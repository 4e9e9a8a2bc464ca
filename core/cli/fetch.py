"""``petseg fetch``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from core.cli.output import DONE, say, warn
from core.fetching.oxford_pet import ARCHIVES, LICENCE, SOURCE, Archive, Step, fetch, is_complete
from core.project.layout import find_layout, find_masks, list_images, official_split


def fetch_command(folder: Path, mirror: str = "", archives: Sequence[Archive] = ARCHIVES) -> int:
    """Fetch Oxford-IIIT Pet into a folder, unless it is there, and say what came and what next."""
    if is_complete(folder):
        say(f"{folder} holds the whole of Oxford-IIIT Pet already.")
        return DONE
    try:
        _show(fetch(folder, mirror or SOURCE, archives))
    except KeyboardInterrupt:
        warn("What came so far is kept: the same command goes on from there.")
        raise
    _say_fetched(folder)
    return DONE


def _show(steps: Iterable[Step]) -> None:
    """Bars on stderr where that is a terminal, else a line for each thing that begins."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        for step in steps:
            if step.title not in tasks:
                tasks[step.title] = bar.add_task(step.title, total=step.total)
                if not console.is_terminal:
                    say(f"{step.title} ({step.total / 1e6:,.0f} MB)")
            bar.update(tasks[step.title], completed=step.done)


def _say_fetched(folder: Path) -> None:
    layout = find_layout(folder)
    images = list_images(layout)
    listed = Counter(official_split(layout).values())
    say(
        f"Oxford-IIIT Pet in {folder}: {len(images):,} photos, "
        f"{len(find_masks(layout, images)):,} with masks; official lists: "
        f"{listed['trainval']:,} to train and validate, {listed['test']:,} to test"
    )
    say(f"Licence: {LICENCE}")
    say(f"Next: petseg-gui {folder}, or petseg train {folder} --preset quick")
