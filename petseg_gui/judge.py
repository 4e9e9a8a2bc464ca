"""Approving and rejecting images as they are stored, one or many, and taking the last back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QObject, Signal

from core.project import judging
from core.project.judging import Judgement
from core.project.project import Project
from petseg_gui.session import Session
from petseg_gui.tasks import Job, Lane, Tasks
from petseg_gui.words import count

_KEPT = 200  # judgements of one key press each that can be taken back


@dataclass
class Verdicts:
    """What came of one key press. verb: "approved"; problems: image -> why it was left out."""

    verb: str
    total: int
    made: list[Judgement] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """What happened, in a sentence or two."""
        told = []
        if self.done or not self.problems:
            what = self.done[0] if len(self.done) == 1 else count(len(self.done), "image")
            told.append(f"{what} {self.verb}.")
        if self.problems:
            name, reason = next(iter(self.problems.items()))
            more = f" (and {len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
            told.append(f"{name}{more} was left out: {reason}.")
        return " ".join(told)


_Acts = deque[tuple[str, Callable[[], Judgement | str]]]


@dataclass
class _Wish:
    """A key press that waits or is being done. undoes: the last one before it, then in ``back``."""

    project: Project
    verdicts: Verdicts
    waiting: _Acts = field(default_factory=deque)
    undoes: bool = False
    back: Verdicts | None = None


class Judge(QObject):
    """Writes one judgement after the other, so that saving and judging never wait for long."""

    progressed = Signal(object)
    """The Verdicts that are being made."""
    ended = Signal(object)
    """The Verdicts that were made."""
    idle = Signal()

    def __init__(self, tasks: Tasks, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._session = session
        self._wishes: deque[_Wish] = deque()
        self._working = False
        self._past: deque[Verdicts] = deque(maxlen=_KEPT)
        session.project_changed.connect(self._project_changed)

    @property
    def busy(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._wishes)

    @property
    def can_take_back(self) -> bool:
        return bool(self._past) or any(not wish.undoes for wish in self._wishes)

    def approve(self, names: Iterable[str]) -> None:
        """Say that these images' masks are right as they are stored."""
        self._wish("approved", names, _approve)

    def reject(self, names: Iterable[str]) -> None:
        """Say that these predictions are wrong."""
        self._wish("rejected", names, judging.reject)

    def accept(self, names: Iterable[str]) -> None:
        """Say that these rejected predictions may stand after all."""
        self._wish("back as predicted", names, judging.accept)

    def take_back(self) -> None:
        """Undo the last key press, whole."""
        project = self._session.project
        if project is not None and self.can_take_back:
            self._start(_Wish(project, Verdicts("as before", 0), undoes=True))

    def cancel(self) -> None:
        """Leave out what is not done yet; what is done can be taken back."""
        while len(self._wishes) > 1:
            self._wishes.pop()
        for wish in self._wishes:
            wish.waiting.clear()

    def _wish(
        self,
        verb: str,
        names: Iterable[str],
        act: Callable[[Project, str], Judgement],
    ) -> None:
        project = self._session.project
        if project is not None:
            acts: _Acts = deque((name, partial(act, project, name)) for name in names)
            if acts:
                self._start(_Wish(project, Verdicts(verb, len(acts)), acts))

    def _start(self, wish: _Wish) -> None:
        self._wishes.append(wish)
        self._session.save()  # a person's own strokes come first
        self._session.saver.when_idle(self._next)

    def _next(self) -> None:
        if self._working or not self._wishes:
            return
        wish = self._wishes[0]
        if wish.undoes and wish.back is None and self._past:
            # Not before its turn: what it undoes may have waited as well.
            wish.back = self._past.pop()
            wish.verdicts.total = len(wish.back.made)
            wish.waiting.extend(
                (made.image, partial(judging.take_back, wish.project, made))
                for made in wish.back.made
            )
        if not wish.waiting:
            self._wishes.popleft()
            self._finish(wish)
            self._next()
            return
        name, act = wish.waiting.popleft()
        if self._session.saver.unsaved(wish.project, name) is not None:
            self._landed(wish, name, "its mask is not saved yet")
            return
        self._working = True
        project = wish.project

        def work(job: Job) -> tuple[Judgement | None, str]:
            said = act()
            made = said if isinstance(said, Judgement) else None
            return made, project.mask_digest(name)

        self._tasks.run(
            Lane.SAVE,
            work,
            lambda found: self._judged(wish, name, *found),
            lambda reason: self._landed(wish, name, reason),
            kept=True,
        )

    def _judged(self, wish: _Wish, name: str, made: Judgement | None, digest: str) -> None:
        wish.verdicts.done.append(name)
        if made is not None:
            wish.verdicts.made.append(made)
        if wish.project is self._session.project:
            self._session.take_judgement(name, digest)
        self._landed(wish, name)

    def _landed(self, wish: _Wish, name: str, problem: str = "") -> None:
        self._working = False
        if problem:
            wish.verdicts.problems[name] = problem.rstrip(".")
        if wish.waiting:
            self.progressed.emit(wish.verdicts)
        self._session.saver.when_idle(self._next)

    def _finish(self, wish: _Wish) -> None:
        verdicts = wish.verdicts
        if wish.project is self._session.project:
            if wish.back is not None:
                self._keep_rest(wish.back, verdicts)
            elif verdicts.made:
                self._past.append(verdicts)
            if verdicts.done or verdicts.problems:
                self.ended.emit(verdicts)
        if not self._wishes:
            self.idle.emit()

    def _keep_rest(self, taken: Verdicts, back: Verdicts) -> None:
        """What a cancelled undo has not reached can still be taken back."""
        reached = {*back.done, *back.problems}
        taken.made = [made for made in taken.made if made.image not in reached]
        if taken.made:
            self._past.append(taken)

    def _project_changed(self) -> None:
        self._past.clear()
        self.cancel()


def _approve(project: Project, name: str) -> Judgement:
    from core.evaluation.corrections import measured  # not needed before something is judged

    return judging.approve(project, name, partial(measured, project))
