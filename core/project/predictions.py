"""predictions.jsonl: which model made each stored prediction. Append-only; the last word counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from sys import intern

from core import jsonl

RECORDS = "predictions.jsonl"


@dataclass(frozen=True, slots=True)
class PredictionRecord:
    """One stored prediction.

    model: its id; title: its name, for people; uncertainty: mean entropy, 0 to 1; threshold: as in
    ``PredictOptions``; time: ISO 8601 in UTC, set when it is stored.
    """

    image: str
    model: str
    title: str = ""
    uncertainty: float = 0.0
    threshold: float = 0.5
    time: str = ""


@dataclass(frozen=True, slots=True)
class Predicted:
    """What is known of an image's stored prediction, and of the one by the model before."""

    current: PredictionRecord
    previous: PredictionRecord | None = None

    def followed_by(self, record: PredictionRecord) -> Predicted:
        """What is known once another prediction was stored."""
        same = record.model == self.current.model
        return Predicted(record, self.previous if same else self.current)


def append_prediction(path: Path, record: PredictionRecord) -> PredictionRecord:
    """Add a record to the file, with the time; returns it so. Raises WriteError."""
    timed = replace(record, time=datetime.now(UTC).isoformat(timespec="seconds"))
    jsonl.append(path, asdict(timed))
    return timed


def read_predictions(path: Path) -> dict[str, Predicted]:
    """Image name -> its stored predictions; lines that are no record are left out."""
    found: dict[str, Predicted] = {}
    for raw in jsonl.records(path):
        image, model = raw.get("image"), raw.get("model")
        if not isinstance(image, str) or not isinstance(model, str):
            continue
        record = PredictionRecord(
            image=image,
            model=intern(model),
            title=intern(str(raw.get("title", ""))),
            uncertainty=_share(raw.get("uncertainty"), 0.0),
            threshold=_share(raw.get("threshold"), 0.5),
            time=str(raw.get("time", "")),
        )
        known = found.get(image)
        found[image] = known.followed_by(record) if known else Predicted(record)
    return found


def _share(value: object, otherwise: float) -> float:
    return min(max(jsonl.number(value, otherwise), 0.0), 1.0)
