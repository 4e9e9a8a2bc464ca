"""Empty files in a run's folder: what of its end was told or put to use, so that it is so once."""

from __future__ import annotations

from pathlib import Path

from core.training.events import FILE_NAME

SEEN = "seen"
"""The run's end was told."""
JUDGED = "judged"
"""What was learnt was compared, and put to use where it is better."""


def mark(run: Path, name: str) -> None:
    """Raises OSError."""
    (run / name).touch()


def is_marked(run: Path, name: str) -> bool:
    """Whether it was marked since the run last said anything: who goes on ends anew."""
    try:
        marked = (run / name).stat().st_mtime_ns
    except OSError:
        return False
    events = run / FILE_NAME
    return not events.exists() or marked >= events.stat().st_mtime_ns
