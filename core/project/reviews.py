"""reviews.jsonl: what a person said of each image. Append-only; the last word counts."""

from __future__ import annotations

from collections.abc import Iterator
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
    """One judgement. mask: SHA-256 of the mask file that was judged, "" without one.

    model: the id of the one whose prediction was corrected; dice: between that prediction and the
    mask that was approved, 0 to 1, None where nothing was predicted or approved. seconds: of
    active work on the image so far; strokes: edits; clicks: presses on the canvas.
    """

    image: str
    status: Status
    mask: str = ""
    model: str = ""
    seconds: float = 0.0
    strokes: int = 0
    clicks: int = 0
    dice: float | None = None


def append_review(path: Path, review: Review) -> None:
    """Add a judgement to the file, with the time. Raises WriteError."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    jsonl.append(path, {"time": time, **asdict(review)})


def read_reviews(path: Path) -> dict[str, Review]:
    """Image name -> its last review; lines that are no review are left out."""
    return {review.image: review for _, review in read_history(path)}


def read_history(path: Path) -> Iterator[tuple[datetime | None, Review]]:
    """All reviews in order, with the time (None where it cannot be read) of each.

    Lines that are no review are left out. Raises OSError where the file cannot be read.
    """
    statuses = [status.value for status in Status]
    for _, record in jsonl.scan(path):
        if record is None or not isinstance(record.get("image"), str):
            continue
        if record.get("status") in statuses:
            yield _time(record.get("time")), _review(record)


def _review(record: dict[str, object]) -> Review:
    dice = jsonl.number(record.get("dice"), -1.0)
    return Review(
        image=str(record["image"]),
        status=Status(str(record["status"])),
        mask=str(record.get("mask", "")),
        model=str(record.get("model", "")),
        seconds=jsonl.number(record.get("seconds")),
        strokes=int(jsonl.number(record.get("strokes"))),
        clicks=int(jsonl.number(record.get("clicks"))),
        dice=dice if 0 <= dice <= 1 else None,
    )


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
