"""One window a folder: who comes second is told who has it, and a killed window has nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.files import WriteError
from core.project.lock import FolderTaken, take

HOLD = """
import sys, time
from pathlib import Path
from core.project.lock import take
lock = take(Path(sys.argv[1]))
print("taken", flush=True)
time.sleep(60)
"""


def hold(store: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    return process


def end(process: subprocess.Popen[str], by: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(by)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_second_process_is_told_who_has_it_until_the_first_is_killed(tmp_path: Path):
    process = hold(tmp_path)
    try:
        with pytest.raises(FolderTaken, match="has this folder open") as caught:
            take(tmp_path)
        assert caught.value.holder.pid == process.pid
        assert caught.value.holder.host
    finally:
        end(process)
    lock = take(tmp_path)
    assert json.loads((tmp_path / "window.json").read_text())["pid"] == os.getpid()
    lock.release()
    assert not (tmp_path / "window.json").exists()


def test_a_lock_that_was_let_go_is_free(tmp_path: Path):
    take(tmp_path).release()
    lock = take(tmp_path)
    with pytest.raises(FolderTaken):
        take(tmp_path)  # the same process again
    lock.release()
    lock.release()


@pytest.mark.parametrize("text", ["", "[]", '{"pid": "x"}', '{"user": 1', "\0" * 100])
def test_a_damaged_note_of_the_holder_does_not_matter(tmp_path: Path, text: str):
    lock = take(tmp_path)
    (tmp_path / "window.json").write_text(text)
    with pytest.raises(FolderTaken, match="Another window has this folder open"):
        take(tmp_path)
    lock.release()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="Cannot lock"):
        take(tmp_path / "file")
