"""reviews.jsonl: what a person said of each image. Append-only; the last word counts."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from core import jsonl


class Status(StrEnum):
    """How far an image has come."""

    UNLABELLED = "unlabelled"
    PREDICTED = "predicted"
    EDITED = "edited"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Review:
    """One judgement. mask: SHA-256 of the mask file that was judged, "" without one."""

    image: str
    status: Status
    mask: str = ""
    model: str = ""
    seconds: float = 0.0
    strokes: int = 0


def append_review(path: Path, review: Review) -> None:
    """Add a judgement to the file, with the time. Raises WriteError."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    jsonl.append(path, {"time": time, **asdict(review)})


def read_reviews(path: Path) -> dict[str, Review]:
    """Image name -> its last review; lines that are no review are left out."""
    reviews: dict[str, Review] = {}
    statuses = [status.value for status in Status]
    for record in jsonl.read(path)[0]:
        if isinstance(record.get("image"), str) and record.get("status") in statuses:
            reviews[record["image"]] = Review(
                image=record["image"],
                status=Status(record["status"]),
                mask=str(record.get("mask", "")),
                model=str(record.get("model", "")),
                seconds=_number(record.get("seconds")),
                strokes=int(_number(record.get("strokes"))),
            )
    return reviews


def _number(value: object) -> float:
    """A finite number from a file that anyone may have written; 0 for anything else."""
    try:
        number = float(str(value))
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0
