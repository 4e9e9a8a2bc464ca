"""``petseg images``: the list of images, searched, sorted, or the next most useful ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.cli.output import DONE, open_for_cli, progress, save_json, say, table
from core.errors import BadInput
from core.evaluation.measuring import facts_of, measure, stamp_of, stored_look
from core.evaluation.search import Value, parse
from core.evaluation.triage import ORDERS, Known, arrange
from core.evaluation.useful import Choice, Look, next_useful, waiting_among
from core.project.index import INDEX_NAME, Index, Measured
from core.project.project import Project

_KEPT_AT_ONCE = 200  # images: opening the index's file takes longer than looking at one
_COLUMNS = ("status", "split", "uncertainty", "disagreement", "object", "parts")


def images_command(
    data: Path,
    search: str,
    sort: str,
    reverse: bool,
    useful: int,
    json_file: Path | None,
    store: Path | None,
) -> int:
    """List the images that a search finds; useful: so many of them that would teach most.

    Raises BadInput (search, order, folder), WriteError.
    """
    query = parse(search)
    order = next((order for order in ORDERS if order.key == sort), None)
    if order is None:
        raise BadInput(f"Images are sorted by {', '.join(o.key for o in ORDERS)}, not by {sort!r}.")
    project = open_for_cli(data, store)
    index = Index(project.store / INDEX_NAME if project.writable else None)
    known = Known(project.status, project.whole_split(), {})
    _gather(project, index, known)
    names = arrange(project.names, query, sort, order.descending is not reverse, known).names
    if useful:
        choices = _most_useful(project, index, known, names, useful)
        for choice in choices:
            say(f"{choice.name}: {choice.why}")
        save_json(json_file, [{"image": c.name, "why": c.why} for c in choices])
    else:
        rows = [_row(known, name) for name in names]
        table(("image", *_COLUMNS), [list(map(_cell, row.values())) for row in rows])
        save_json(json_file, rows)
    index.close()
    return DONE


def _gather(project: Project, index: Index, known: Known) -> None:
    """Measure what changed since it was measured last."""
    kept = {row.name: row for rows in index.measured() for row in rows}
    fresh: list[Measured] = []
    for name in progress(project.names, len(project.names), "looking"):
        stamp, row = stamp_of(project, name), kept.get(name)
        if row is None or row.stamp != stamp:
            row = measure(project, name, stamp)
            fresh.append(row)
        known.facts[name] = facts_of(project, row)
        if len(fresh) == _KEPT_AT_ONCE:
            index.keep(fresh)
            fresh.clear()
    index.keep(fresh)


def _most_useful(
    project: Project, index: Index, known: Known, names: Sequence[str], count: int
) -> list[Choice]:
    """One after the other, as if each were done before the next is looked for."""

    def look(name: str) -> Look | None:
        return stored_look(project, index, name)

    waiting, done = waiting_among(project, names, known)
    choices: list[Choice] = []
    while len(choices) < count and (choice := next_useful(waiting, done, look)) is not None:
        choices.append(choice)
        done.append(choice.name)
        del waiting[choice.name]
    return choices


def _row(known: Known, name: str) -> dict[str, Value]:
    return {"image": name, **{key: known.value(name, key) for key in _COLUMNS}}


def _cell(value: Value) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
