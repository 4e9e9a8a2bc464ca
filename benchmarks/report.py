"""What all benchmarks share: rows with a limit, a table, a JSON file, an exit code."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One measured figure; wanted is the last value that is still good, None without limit.

    Smaller is better, unless ``at_least``.
    """

    name: str
    value: float
    unit: str
    wanted: float | None = None
    at_least: bool = False

    @property
    def ok(self) -> bool:
        if self.wanted is None:
            return True
        return self.value >= self.wanted if self.at_least else self.value <= self.wanted


def json_argument(description: str) -> argparse.ArgumentParser:
    """A parser with ``--json FILE``, for a benchmark to add its own options to."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    return parser


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns on stdout, aligned, as Markdown: for people and for docs/ alike."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(header))]
    cells.insert(1, ["-" * width for width in widths])
    for row in cells:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(f"| {' | '.join(padded)} |")


def report(rows: Sequence[Row], json_file: Path | None, told: Sequence[Row] = ()) -> int:
    """Print the rows, write them, and give the exit code: 1 where one falls short.

    told: rows that are written only, since a table has shown them already.
    """
    for row in rows:
        sign = ">=" if row.at_least else "<="
        limit = "" if row.wanted is None else f"wanted {sign} {row.wanted:g}"
        verdict = "" if row.wanted is None else ("ok" if row.ok else "FALLS SHORT")
        print(f"{row.name:44} {row.value:9.3f} {row.unit:8} {limit:14} {verdict}".rstrip())
    if json_file is not None:
        values = [asdict(row) | {"ok": row.ok} for row in (*told, *rows)]
        json_file.write_text(json.dumps(values, indent=2) + "\n")
    return 0 if all(row.ok for row in (*told, *rows)) else 1
