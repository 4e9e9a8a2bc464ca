"""The child process that measures a training before it starts, and shows what it would see."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import ValidationError
from PySide6.QtCore import QObject, QProcess, QTimer, Signal
from PySide6.QtGui import QImage

from core.training.config import Source, TrainConfig
from core.training.estimate import PICTURES, Answer, Request, Timing, timed_alike
from petseg_gui.log import LOG

_PATIENCE_MS = 500  # options change while they are typed
_KILLED_MS = 2000


@dataclass(frozen=True)
class Scene:
    """What is rehearsed: a config, and the images of the folder that train and validate."""

    config: TrainConfig
    source: Source
    train: tuple[str, ...]
    val: tuple[str, ...]

    @property
    def _batch(self) -> int:
        return min(self.config.batch, len(self.train))

    @property
    def timed_as(self) -> str:
        """Scenes of one key take the same time for a step and an image."""
        return f"{self.source.folder} {self._batch} {timed_alike(self.config)}"

    @property
    def pictured_as(self) -> str:
        """Scenes of one key show the same pictures."""
        config = self.config
        shown = (config.size, config.augment, config.border, config.start, self._few(self.train))
        return f"{self.source.folder} {shown}"

    def request(self, number: int, draw: int, measure: bool) -> Request:
        """What the child process is asked."""
        return Request(
            number=number,
            config=self.config,
            source=self.source,
            train=self._few(self.train),
            val=self._few(self.val),
            images=len(self.train),
            draw=draw,
            measure=measure,
        )

    def _few(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return names[:: max(1, len(names) // PICTURES)][:PICTURES]


@dataclass(frozen=True)
class _Wanted:
    """The keys of the timing and of the pictures that are missing; "" where none is."""

    timing: str = ""
    pictures: str = ""


class Rehearsal(QObject):
    """Asks the child process, which lives until ``stop``, and remembers what it measured.

    A timing that is no longer wanted is ended with the process, so that the CPU is free.
    """

    pictured = Signal(list)
    """QImages of augmented photos with their masks; none where they could not be made."""
    changed = Signal()
    """``timing`` or ``measuring`` is another."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scene: Scene | None = None
        self._measure = False
        self._draw = 0
        self._timings: dict[str, Timing | None] = {}  # None: it could not be measured
        self._pictured = ""  # what the pictures that are shown were made of
        self._asked: _Wanted | None = None
        self._number = 0
        self._process: QProcess | None = None
        self._killed: set[QProcess] = set()  # they take a moment to be gone
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PATIENCE_MS)
        self._timer.timeout.connect(self._ask)

    @property
    def measuring(self) -> bool:
        """Whether a timing of the scene is on its way."""
        return bool(self._wanted.timing)

    @property
    def process_id(self) -> int:
        """The process's number, 0 where there is none."""
        return self._process.processId() if self._process is not None else 0

    def timing(self, scene: Scene) -> Timing | None:
        """What was measured of such a training."""
        return self._timings.get(scene.timed_as)

    def show(self, scene: Scene | None, measure: bool) -> None:
        """Rehearse this from now on; nothing if None. measure: the CPU is free for it."""
        self._scene, self._measure = scene, measure
        self._go_on(self._timer.start)

    def again(self) -> None:
        """Draw other pictures."""
        self._draw += 1
        self._go_on(self._ask)

    def stop(self) -> None:
        """Rehearse nothing, and end the process. What failed is tried again next time."""
        self.show(None, False)
        self._end()
        self._timings = {key: timing for key, timing in self._timings.items() if timing}

    def wait(self) -> None:
        """Until no process is left after ``stop``."""
        for process in list(self._killed):
            process.waitForFinished(_KILLED_MS)

    @property
    def _wanted(self) -> _Wanted:
        scene = self._scene
        if scene is None:
            return _Wanted()
        timed, pictured = scene.timed_as, f"{scene.pictured_as} {self._draw}"
        return _Wanted(
            timed if self._measure and timed not in self._timings else "",
            pictured if pictured != self._pictured else "",
        )

    def _go_on(self, ask: Callable[[], None]) -> None:
        wanted = self._wanted
        if self._asked is not None and self._asked.timing != wanted.timing:
            self._end()
        self._timer.stop()
        if self._asked is None and wanted != _Wanted():
            ask()

    def _ask(self) -> None:
        scene = self._scene
        if scene is None:
            return
        self._asked = self._wanted
        self._number += 1
        request = scene.request(self._number, self._draw, bool(self._asked.timing))
        self._child().write(request.model_dump_json().encode() + b"\n")

    def _child(self) -> QProcess:
        if self._process is None:
            process = QProcess(self)
            process.readyReadStandardOutput.connect(self._read)
            process.finished.connect(lambda: self._gone(process))
            process.errorOccurred.connect(lambda: self._gone(process))
            process.start(sys.executable, ["-m", "core.training.rehearsal"])
            self._process = process
        return self._process

    def _read(self) -> None:
        while self._process is not None and self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            try:
                answer = Answer.model_validate_json(line)
            except ValidationError:
                LOG.warning("A rehearsal said: %s", line.decode(errors="replace").strip())
                continue
            if self._asked is not None and answer.number == self._number:
                self._take(answer, self._asked)

    def _take(self, answer: Answer, asked: _Wanted) -> None:
        if answer.pictures:
            self._pictured = asked.pictures or self._pictured
            self._asked = replace(asked, pictures="")
            self.pictured.emit([_image(picture) for picture in answer.pictures])
        if answer.timing is not None:
            self._timings[asked.timing] = answer.timing
        if answer.problem:
            self._give_up(answer.problem)
        if answer.last:
            self._asked = None
            self._go_on(self._ask)
            self.changed.emit()

    def _gone(self, process: QProcess) -> None:
        """A process could not be started, or has ended."""
        if process.state() != QProcess.ProcessState.NotRunning:
            return  # the end of it is told next
        self._killed.discard(process)
        process.deleteLater()
        if process is not self._process:
            return
        words = bytes(process.readAllStandardError().data()).decode(errors="replace")
        self._process = None
        self._give_up(words or "its process ended")
        self._asked = None
        self.changed.emit()

    def _give_up(self, reason: str) -> None:
        """Do not ask the same once more."""
        LOG.warning("A rehearsal failed: %s", reason)
        if self._asked is None:
            return
        if self._asked.timing:
            self._timings[self._asked.timing] = None
        if self._asked.pictures:
            self._pictured = self._asked.pictures
            self.pictured.emit([])

    def _end(self) -> None:
        process, self._process, self._asked = self._process, None, None
        if process is not None:
            self._killed.add(process)
            process.kill()


def _image(picture: str) -> QImage:
    return QImage.fromData(base64.b64decode(picture))
