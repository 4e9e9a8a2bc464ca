"""What a check found, and what people said of it.

``findings.jsonl`` of a check holds a line for each mask that was judged; ``model/`` the masks that
the networks gave instead. ``STORE/checks/right.jsonl`` is what people said is right: it outlives
the checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

from core import jsonl, masks
from core.errors import BadInput
from core.label_check.plan import checks_folder
from core.label_check.suspicion import Suspicion
from core.labels import LabelScheme
from core.masks import MaskEncoding
from core.project.project import Project

FINDINGS = "findings.jsonl"
_MODEL = "model"
_RIGHT = "right.jsonl"
_DOUBTFUL = 0.43  # of the reference data 95 % of the good masks have less
LEARNT_TOO_LITTLE = (
    "The networks have learnt too little to judge these masks: approve more, or begin from other "
    "weights."
)
_WORTH_A_WORD = 0.01  # of the image


@dataclass(frozen=True)
class Finding:
    """A judged mask. mask: its file's SHA-256; score: 0 to 1, the higher the more suspicious;
    why: a sentence."""

    image: str
    mask: str
    score: float
    why: str


def add_finding(check: Path, finding: Finding) -> None:
    """Raises WriteError."""
    jsonl.append(check / FINDINGS, asdict(finding))


def read_findings(check: Path) -> list[Finding]:
    """The last of each image, the most suspicious first. Raises BadInput: not readable."""
    try:
        records = jsonl.read(check / FINDINGS)[0]
    except OSError as error:
        raise BadInput(f"Cannot read {check / FINDINGS}: {error.strerror or error}.") from error
    found = {f.image: f for f in map(_parse, records) if f is not None}
    return sorted(found.values(), key=lambda f: (-f.score, f.image))


def learnt_too_little(found: Sequence[Finding]) -> bool:
    """Whether most masks are suspected: then the networks are wrong, not the masks.

    One that calls everything the same scores some 0.5 whatever the mask.
    """
    return bool(found) and median(f.score for f in found) >= _DOUBTFUL


def save_model_mask(check: Path, project: Project, name: str, mask: np.ndarray) -> None:
    """Keep what the network says of an image (uint8, height x width). Raises WriteError."""
    masks.write_mask(_model_path(check, project, name), mask, project.settings.scheme)


def read_model_mask(
    check: Path, project: Project, name: str, size: tuple[int, int]
) -> np.ndarray | None:
    """What the network said of an image: uint8, height x width, of the project's classes.

    size: (width, height). None where nothing was kept. Raises MaskError.
    """
    path = _model_path(check, project, name)
    if not path.is_file():
        return None
    return masks.read_mask(path, MaskEncoding.IDS, project.settings.scheme, size)


def say_right(project: Project, finding: Finding) -> None:
    """A person has looked at this mask: as it is now it is never suspected again.

    Raises WriteError, BadInput (read-only).
    """
    project.require_writable()
    time = datetime.now(UTC).isoformat(timespec="seconds")
    record = {"time": time, "image": finding.image, "mask": finding.mask}
    jsonl.append(checks_folder(project) / _RIGHT, record)


def said_right(project: Project) -> set[tuple[str, str]]:
    """The masks that people said are right: (image, SHA-256). Raises BadInput: not readable."""
    path = checks_folder(project) / _RIGHT
    try:
        records = jsonl.read(path)[0]
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror or error}.") from error
    return {(str(r.get("image")), str(r.get("mask"))) for r in records}


def sentence(found: Suspicion, scheme: LabelScheme) -> str:
    """What speaks against a mask, for people."""
    if found.outline >= _DOUBTFUL and found.outline > found.inside:
        return "The mask's outline runs where the model sees hardly an edge."
    if found.given is None or found.wrong < _WORTH_A_WORD:
        return "The model mostly agrees with this mask."
    share = f"{round(100 * found.wrong)} %"
    there, here = scheme.classes[found.said].name, scheme.classes[found.given].name
    return f"The model is sure of {there} in {share} of the image where the mask has {here}."


def _model_path(check: Path, project: Project, name: str) -> Path:
    return check / _MODEL / project.mask_target(name).relative_to(project.mask_folder)


def _parse(record: dict[str, object]) -> Finding | None:
    """A finding from a file that anyone may have written, None where it is none."""
    try:
        image, mask, why = (str(record[k]) for k in ("image", "mask", "why"))
    except KeyError:
        return None
    score = jsonl.number(record.get("score"), -1.0)
    return Finding(image, mask, score, why) if 0 <= score <= 1 else None
