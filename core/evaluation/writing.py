"""An evaluation's folder: its figures, its report, its table, the pictures of its worst images."""

from __future__ import annotations

from pathlib import Path

from core.evaluation.assess import Assessment
from core.evaluation.comparison import Comparison
from core.evaluation.kept import ABOUT, PICTURES, write_about
from core.evaluation.result import FILE_NAME, WORST, write_evaluation
from core.files import write_bytes

TABLE, PAGE = "images.csv", "report.html"
WRITTEN = (TABLE, PAGE, PICTURES, ABOUT, FILE_NAME)
"""What an evaluation's folder holds."""


def write_all(out: Path, found: Assessment, comparison: Comparison | None = None) -> None:
    """Write images.csv, report.html, worst/00.jpg ..., about.json and, last, evaluation.json.

    Raises WriteError.
    """
    from core.evaluation.report import write_csv, write_report  # late: they load matplotlib

    write_csv(out / TABLE, found.evaluation)
    write_report(out / PAGE, found.evaluation, found.pictures, comparison)
    for rank, picture in enumerate(found.pictures.values()):
        write_bytes(out / PICTURES / f"{rank:02}.jpg", picture)
    for rank in range(len(found.pictures), WORST):  # of an evaluation that had more
        (out / PICTURES / f"{rank:02}.jpg").unlink(missing_ok=True)
    write_about(out, found.evaluation)
    # Last: where it stands, all of them do.
    write_evaluation(out / FILE_NAME, found.evaluation)
