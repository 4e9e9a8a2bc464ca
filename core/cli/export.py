"""``petseg export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.cli.output import (
    counting,
    images,
    open_for_cli,
    report_skipped,
    save_json,
    say,
    warn,
)
from core.errors import BadInput
from core.formats.exporting import TargetTaken, choose, export, losses
from core.formats.items import WriteOptions
from core.formats.registry import format_of
from core.masks import MaskEncoding
from core.project.reviews import Status


def export_command(
    folder: Path,
    target: Path,
    format_id: str,
    statuses: Sequence[Status],
    subset: str,
    options: WriteOptions,
    replacing: bool,
    json_file: Path | None,
    store: Path | None,
    encoding: MaskEncoding | None,
) -> int:
    """Write a folder's masks in a format; what it cannot hold is said first.

    Raises BadInput, WriteError.
    """
    known = format_of(format_id)
    project = open_for_cli(folder, store, encoding)
    names = choose(project, statuses, subset)
    lost = losses(project, known, options)
    for loss in lost:
        warn(f"note: {loss}")
    try:
        with counting("exporting") as tell:
            exported = export(
                project,
                names,
                known,
                target,
                options,
                tell,
                replacing=replacing,
                subset=subset,
            )
    except TargetTaken as error:
        raise BadInput(f"{error} (--replace)") from error
    if exported is None:
        return 0  # nobody cancels it here
    say(f"Exported {images(exported.images)} as {known.title} to {exported.target}")
    for note in exported.notes:
        warn(f"note: {note}")
    save_json(
        json_file,
        {
            "format": known.id,
            "target": str(exported.target),
            "images": exported.images,
            "losses": list(lost),
            "notes": list(exported.notes),
            "problems": [{"image": i, "reason": r} for i, r in exported.problems.items()],
        },
    )
    return report_skipped(exported.problems.items())
