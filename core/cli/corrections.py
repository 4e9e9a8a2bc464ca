"""``petseg corrections``."""

from __future__ import annotations

from pathlib import Path

from core.cli.output import DONE, open_for_cli, save_json, say, table
from core.evaluation.corrections import advice, dice_trend, read_corrections, shares, to_json


def corrections_command(data: Path, json_file: Path | None, store: Path | None) -> int:
    """How much was corrected at each image's first approval, model by model."""
    project = open_for_cli(data, store)
    corrections = read_corrections(project.store / "reviews.jsonl")
    compared = [c for c in corrections if c.dice is not None]
    say(
        f"{len(corrections)} masks approved by you, {len(compared)} of them predicted before "
        f"(border = {project.settings.border_rule})"
    )
    if compared:
        rows = [
            [s.model, str(s.masks), f"{s.dice:.4f}", f"{s.seconds:.0f}", f"{s.strokes:g}"]
            for s in shares(corrections)
        ]
        table(["model", "masks", "Dice, mean", "seconds, median", "strokes, median"], rows)
    trend = dice_trend(corrections)
    if trend is not None:
        say(
            f"Dice over ten approvals: {trend.slope:+.4f} "
            f"(95 % interval {trend.low:+.4f} to {trend.high:+.4f})"
        )
    say(advice(corrections))
    save_json(json_file, to_json(corrections))
    return DONE
