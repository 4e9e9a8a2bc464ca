"""``petseg check``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from core.cli.output import DONE, open_for_cli, save_json, say, table, warn
from core.cli.train import absolute_start
from core.label_check.findings import (
    LEARNT_TOO_LITTLE,
    Finding,
    learnt_too_little,
    read_findings,
    said_right,
)
from core.label_check.plan import (
    check_config,
    is_done,
    last_check,
    make_check,
    plan_check,
    read_plan,
)
from core.label_check.work import run_check
from core.masks import MaskEncoding
from core.training.config import Start, start_model

_SHOWN = 30


def check_command(
    data: Path,
    folds: int,
    changes: Mapping[str, str],
    anew: bool,
    json_file: Path | None,
    store: Path | None,
    encoding: MaskEncoding | None,
) -> int:
    """Check the approved masks; one that was interrupted goes on. Nothing is changed."""
    project = open_for_cli(data, store, encoding)
    check = last_check(project)
    if check is not None and not is_done(check) and not anew:
        say(f"Going on with {check} (--anew begins another one)")
    else:
        # No window to leave a core for.
        wanted: dict[str, object] = {"threads": os.cpu_count() or 1, **changes}
        start = str(wanted.get("start", Start.SCRATCH))
        if start_model(start) is not None:
            wanted["start"] = absolute_start(start)
        check = make_check(project, plan_check(project, check_config(project, wanted), folds))
    plan = read_plan(check)
    say(f"{len(plan.masks)} approved masks, {plan.folds} networks from {plan.train.start}")
    columns = (TextColumn("{task.description}"), BarColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Checking masks", total=None)
        run_check(
            project,
            check,
            lambda done, total, text: bar.update(
                task, completed=done, total=total or None, description=text
            ),
        )
    found, right = read_findings(check), said_right(project)
    if learnt_too_little(found):
        warn(LEARNT_TOO_LITTLE)
    else:
        _tell([f for f in found if (f.image, f.mask) not in right])
    value = [asdict(f) | {"right": (f.image, f.mask) in right} for f in found]
    save_json(json_file, {"check": str(check), "border": plan.rule.value, "masks": value})
    return DONE


def _tell(found: list[Finding]) -> None:
    say("The most suspicious first; look at them in the window: Model > Find bad masks.")
    rows = [[f"{f.score:.3f}", f.image, f.why] for f in found[:_SHOWN]]
    table(["suspicion", "image", "why"], rows)
    if len(found) > _SHOWN:
        say(f"... and {len(found) - _SHOWN} more (--json FILE has them all)")
