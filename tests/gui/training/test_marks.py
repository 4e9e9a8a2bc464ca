"""Marks of what was told of a run's end."""

from __future__ import annotations

import os
from pathlib import Path

from core.training import events
from petseg_gui.training.marks import SEEN, is_marked, mark


def test_a_run_that_went_on_after_its_end_was_told_is_told_again(tmp_path: Path) -> None:
    events.write_event(tmp_path, events.Failed(reason="the disk is full"))
    assert not is_marked(tmp_path, SEEN)
    mark(tmp_path, SEEN)
    assert is_marked(tmp_path, SEEN)
    later = (tmp_path / SEEN).stat().st_mtime_ns + 1_000_000
    events.write_event(tmp_path, events.Finished(reason="done"))
    os.utime(tmp_path / events.FILE_NAME, ns=(later, later))  # a coarse clock could not tell
    assert not is_marked(tmp_path, SEEN)
