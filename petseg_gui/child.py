"""A child process that does one thing for the window: see core/child.py."""

from __future__ import annotations

import json
import sys
from typing import Any

from PySide6.QtCore import QObject, QProcess, Signal

from petseg_gui.log import LOG

_KILLED_MS = 2000


class Child(QObject):
    """Runs ``python -m MODULE`` for one request after the other; ``start`` ends the one before."""

    progressed = Signal(int, int, str)
    """Done, total (0: unknown), what is being done."""
    finished = Signal(dict)
    failed = Signal(str)

    def __init__(self, module: str, parent: QObject) -> None:
        super().__init__(parent)
        self._module = module
        self._process: QProcess | None = None
        self._ending: set[QProcess] = set()  # they take a moment to be gone

    @property
    def running(self) -> bool:
        return self._process is not None

    @property
    def process_id(self) -> int:
        """The process's number, 0 where there is none."""
        return self._process.processId() if self._process is not None else 0

    def start(self, request: dict[str, Any]) -> None:
        """Do this; ``finished`` or ``failed`` follows unless it is cancelled."""
        self.cancel()
        process = QProcess(self)
        process.readyReadStandardOutput.connect(lambda: self._read(process))
        process.finished.connect(lambda: self._gone(process))
        process.errorOccurred.connect(lambda: self._gone(process))
        self._process = process
        process.start(sys.executable, ["-m", self._module])
        process.write(json.dumps(request).encode() + b"\n")

    def cancel(self) -> None:
        """End the process; nothing is heard of it any more."""
        process = self._let_go()
        if process is not None:
            process.kill()

    def wait(self) -> None:
        """Until no process is left after ``cancel``."""
        for process in list(self._ending):
            process.kill()  # one that has said its result may still take seconds to end
            process.waitForFinished(_KILLED_MS)

    def _let_go(self) -> QProcess | None:
        process, self._process = self._process, None
        if process is not None:
            self._ending.add(process)
        return process

    def _read(self, process: QProcess) -> None:
        while process is self._process and process.canReadLine():
            line = bytes(process.readLine().data())
            try:
                ((kind, value),) = json.loads(line).items()
            except (ValueError, AttributeError):
                LOG.warning("%s said: %s", self._module, line.decode(errors="replace").strip())
                continue
            if kind == "progress":
                self.progressed.emit(*value)
            else:
                self._let_go()
                (self.finished if kind == "result" else self.failed).emit(value)

    def _gone(self, process: QProcess) -> None:
        """A process could not be started, or has ended."""
        if process.state() != QProcess.ProcessState.NotRunning:
            return  # the end of it is told next
        self._read(process)
        silent = process is self._process
        if silent:
            self._let_go()
        self._ending.discard(process)
        process.deleteLater()
        words = bytes(process.readAllStandardError().data()).decode(errors="replace").strip()
        if words:
            LOG.warning("%s: %s", self._module, words)
        if silent:
            self.failed.emit(words.splitlines()[-1] if words else "Its process ended too early.")
