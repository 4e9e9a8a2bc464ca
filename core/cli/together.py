"""What the commands share that many processes can work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.batch.ledger import Ledger, claim, differences, standing
from core.batch.shares import Share, own_share
from core.errors import BadInput


@dataclass(frozen=True)
class Together:
    """Who works. workers: processes on this machine; anew: what is done already is done again."""

    workers: int = 1
    anew: bool = False


ALL_HERE = Together()
LAST_TELLS = "the last to end tells of all."


def share_for(together: Together) -> Share:
    """This process's share, as a scheduler says. Raises BadInput."""
    share = own_share()
    if together.anew and share.size > 1:
        raise BadInput(
            "--anew is for one process: of several, each would undo what the others have done. "
            "Choose a new --out."
        )
    return share


def require_same(state: Path, job: Mapping[str, Any]) -> None:
    """Raises BadInput where what is noted in a folder is of another job."""
    _compare(state, standing(state) or job, job)


def take_over(ledger: Ledger, state: Path, job: Mapping[str, Any], anew: bool) -> None:
    """Let a ledger's folder be this job's. Raises BadInput (another's), WriteError."""
    if anew:
        ledger.forget()
    _compare(state, claim(state, job), job)


def _compare(state: Path, before: Mapping[str, Any], job: Mapping[str, Any]) -> None:
    if before != job:
        raise BadInput(
            f"{state.parent} holds results that were made otherwise "
            f"({'; '.join(differences(before, job))}): choose another --out, or --anew to begin "
            "again."
        )
