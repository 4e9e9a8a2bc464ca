"""``petseg runs``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from core.cli.output import DONE, open_for_cli, save_json, say, table
from core.training.compare import Row, row
from core.training.runs import list_runs


def runs_command(data: Path, json: Path | None, store: Path | None) -> int:
    """One line a training, newest first; a damaged one with its reason."""
    found = [(info, row(info)) for info in list_runs(open_for_cli(data, store).runs)]
    table(
        ["training", "state", "preset", "masks", "epochs", "val IoU", "minutes", "MB", "folder"],
        [[*_cells(line), str(info.folder)] for info, line in found],
    )
    for info, line in found:
        if info.problem:
            say(f"{line.name}: {info.problem}")
    extra = [{"folder": str(info.folder), "problem": info.problem} for info, _ in found]
    save_json(json, [asdict(line) | more for (_, line), more in zip(found, extra, strict=True)])
    return DONE


def _cells(line: Row) -> list[str]:
    return [
        line.name,
        line.state,
        line.preset,
        f"{line.train}+{line.val}",
        f"{line.epochs}/{line.epochs_wanted}",
        f"{line.best_iou:.3f}" if line.best_iou is not None else "-",
        f"{line.minutes:.1f}",
        f"{line.model_bytes / 1e6:.1f}" if line.model_bytes else "-",
    ]
