"""The log: what happened, for whoever has to find out why. Never what a photo shows."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import platformdirs

LOG = logging.getLogger("petseg")
_LIMIT = 2**20  # bytes; then the file becomes the older one of two


class LogFile(logging.Handler):
    """Appends each record to a file that is opened for it: rare, and two windows may share it."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
        self.path = path

    @property
    def older(self) -> Path:
        """What was written before the file began."""
        return self.path.with_suffix(".old.log")

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size > _LIMIT:
                os.replace(self.path, self.older)
            with self.path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(self.format(record) + "\n")
        except OSError:
            self.handleError(record)  # a line on stderr; the program goes on

    def tail(self, lines: int) -> list[str]:
        """The last lines."""
        found: list[str] = []
        for path in (self.older, self.path):
            if path.exists():
                found += path.read_text(encoding="utf-8", errors="replace").splitlines()
        return found[-lines:]


def log_file() -> LogFile:
    """This user's log, in the place that the system has for logs."""
    return LogFile(Path(platformdirs.user_log_dir("petseg", appauthor=False)) / "petseg.log")


def start_log() -> LogFile:
    """Let the log of the program's logger go to its file."""
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    for old in LOG.handlers[:]:
        LOG.removeHandler(old)
    handler = log_file()
    LOG.addHandler(handler)
    return handler
