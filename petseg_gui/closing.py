"""Whether the window may close: masks first, then the training that is under way."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from petseg_gui.judge import Judge
from petseg_gui.session import Session


class CloseGuard(QObject):
    """``allowed`` says no to a close that must wait, and ``ready`` when it need not any more."""

    ready = Signal()
    unsaved = Signal(dict)
    """Masks that cannot be written: image name -> reason. A person has to decide."""
    training = Signal()
    """A training is under way: shall it go on without the window?"""

    def __init__(self, session: Session, judge: Judge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._judge = judge
        self._waiting = False
        self._decided = False
        self.is_training = False
        session.saver.idle.connect(self._on_idle)
        judge.idle.connect(self._on_idle)

    def allowed(self) -> bool:
        """Whether the window may close now; otherwise a signal says why not, or when."""
        self._session.save()
        saver = self._session.saver
        if saver.busy or self._judge.busy:
            self._waiting = True
            return False
        if saver.problems:
            self.unsaved.emit(saver.problems)
            return False
        if self.is_training and not self._decided:
            self.training.emit()
            return False
        return True

    def try_again(self) -> None:
        """Write what could not be written, then close."""
        self._waiting = True
        self._session.saver.try_again()

    def give_up(self) -> None:
        """Close and lose what could not be written."""
        self._session.saver.give_up()
        self.ready.emit()

    def leave_training(self) -> None:
        """Close; what was decided about the training is done."""
        self._decided = True
        self.ready.emit()

    def _on_idle(self) -> None:
        if self._waiting and not self._judge.busy:
            self._waiting = False
            self.ready.emit()
