"""reviews.jsonl: what a person said of each image. Append-only; the last word counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from sys import intern

from core import jsonl


class Status(StrEnum):
    """How far an image has come."""

    UNLABELLED = "unlabelled"
    PREDICTED = "predicted"
    EDITED = "edited"
    APPROVED = "approved"
    REJECTED = "rejected"


_STATUSES = {status.value: status for status in Status}


@dataclass(frozen=True, slots=True)
class Review:
    """One judgement. mask: SHA-256 of the mask file that was judged, "" without one.

    model: the id of the one whose prediction was corrected; dice: between that prediction and the
    mask that was approved, 0 to 1, None where nothing was predicted or approved. seconds: of
    active work on the image so far; strokes: edits; clicks: presses on the canvas. source: what an
    imported mask was read from, "" for any other.
    """

    image: str
    status: Status
    mask: str = ""
    model: str = ""
    seconds: float = 0.0
    strokes: int = 0
    clicks: int = 0
    dice: float | None = None
    source: str = ""


def append_review(path: Path, review: Review) -> None:
    """Add a judgement to the file, with the time. Raises WriteError."""
    append_reviews(path, [review])


def append_reviews(path: Path, reviews: Iterable[Review]) -> None:
    """Add many judgements to the file at once, with the time. Raises WriteError."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    jsonl.append_all(path, ({"time": time, **asdict(review)} for review in reviews))


def read_reviews(path: Path) -> dict[str, Review]:
    """Image name -> its last review; lines that are no review are left out."""
    reviews = (_review(record) for record in jsonl.records(path) if _is_review(record))
    return {review.image: review for review in reviews}


def read_history(path: Path) -> Iterator[tuple[datetime | None, Review]]:
    """All reviews in order, with the time (None where it cannot be read) of each.

    Lines that are no review are left out. Raises OSError where the file cannot be read.
    """
    for record in jsonl.records(path):
        if _is_review(record):
            yield _time(record.get("time")), _review(record)


def _is_review(record: dict[str, object]) -> bool:
    status = record.get("status")
    return isinstance(record.get("image"), str) and isinstance(status, str) and status in _STATUSES


def _review(record: dict[str, object]) -> Review:
    dice = jsonl.number(record.get("dice"), -1.0)
    return Review(
        image=str(record["image"]),
        status=_STATUSES[str(record["status"])],
        mask=str(record.get("mask", "")),
        model=intern(str(record.get("model", ""))),
        seconds=jsonl.number(record.get("seconds")),
        strokes=int(jsonl.number(record.get("strokes"))),
        clicks=int(jsonl.number(record.get("clicks"))),
        dice=dice if 0 <= dice <= 1 else None,
        source=intern(str(record.get("source", ""))),
    )


def _time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return time if time.tzinfo is not None else None
