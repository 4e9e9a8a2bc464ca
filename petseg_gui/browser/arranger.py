"""Searches and sorts the list: at once where it is short, in the background where it is long."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from core.evaluation.search import Query
from core.evaluation.triage import Arrangement, Known, arrange, followed, longest_bar
from petseg_gui.tasks import Job, Lane, Task, Tasks

_AT_ONCE = 5000  # images, some ten milliseconds


class Arranger(QObject):
    """What is asked of the list, and what it is then."""

    arranged = Signal(object)
    """The list is this Arrangement now."""
    outdated = Signal(bool)
    """Whether images changed in what the list is sorted or searched by: it stays as it is, for a
    list that moves under a person's hands is worse than one that is a little old."""

    followed = Signal(object)
    """Images have come or gone: the list is this Arrangement now, what stayed is where it was."""

    rescaled = Signal(float)
    """The value of the longest bar is this one now."""

    def __init__(
        self, tasks: Tasks, known: Callable[[], Known], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._known = known
        self._names: Sequence[str] = ()
        self._query = Query()
        self._key, self._descending = "name", False
        self._arrangement = Arrangement()
        self._complete = False  # whether all images were looked at since the folder was opened
        self._task: Task | None = None
        self._then: list[Callable[[], None]] = []

    @property
    def names(self) -> Sequence[str]:
        """All images, in the order of their names."""
        return self._names

    @property
    def arrangement(self) -> Arrangement:
        """The list as it is."""
        return self._arrangement

    def set_images(self, images: Arrangement) -> None:
        """Another folder's images: all of them, by name."""
        self._names, self._query = images.names, Query()
        self._key, self._descending = "name", False
        self._complete = False
        self._then.clear()
        self._stop()
        self._show(images)

    def search(self, query: Query) -> None:
        """Show what a query finds."""
        if query != self._query:
            self._query = query
            self.again()

    def sort(self, key: str, descending: bool) -> None:
        """Show the images in an order."""
        if (key, descending) != (self._key, self._descending):
            self._key, self._descending = key, descending
            self.again()

    def again(self) -> None:
        """Search and sort anew."""
        self._stop()
        names, query, known = self._names, self._query, self._known()
        key, descending = self._key, self._descending
        if len(names) <= _AT_ONCE:
            self._show(arrange(names, query, key, descending, known))
            return
        self._task = self._tasks.run(
            Lane.LOAD, lambda job: arrange(names, query, key, descending, known), self._show
        )

    def follow(self, names: Sequence[str], come: Sequence[str], gone: Collection[str]) -> None:
        """Images have come and gone; names: all there are now, in the order of their names."""
        self._names = names
        if self._task is not None:
            self.again()
            return
        shown, query, known = self._arrangement, self._query, self._known()

        def landed(arrangement: Arrangement) -> None:
            self._task = None
            self._arrangement = arrangement
            self.followed.emit(arrangement)
            if come and self._rests_on_facts:
                self.outdated.emit(True)
            self._act()

        def work(job: Job | None = None) -> Arrangement:
            return followed(shown, names, come, gone, query, known)

        if len(names) <= _AT_ONCE:
            landed(work())
        else:
            self._task = self._tasks.run(Lane.LOAD, work, landed)

    def changed(self, names: Sequence[str]) -> None:
        """The status or the facts of these images changed."""
        shown = self._arrangement
        longest = longest_bar(names, shown.bar, self._known())
        if longest > shown.longest:
            self._arrangement = replace(shown, longest=longest)
            self.rescaled.emit(longest)
        if self._complete and self._rests_on_facts:
            self.outdated.emit(True)

    def gathered(self) -> None:
        """All that is to be known of the images is known, for now."""
        first, self._complete = not self._complete, True
        if first and self._rests_on_facts:
            self.again()

    @property
    def _rests_on_facts(self) -> bool:
        return bool(self._query.keys) or self._key != "name"

    def when_arranged(self, act: Callable[[], None]) -> None:
        """Call ``act`` once the list is what was asked for last."""
        if self._task is None:
            act()
        else:
            self._then.append(act)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _show(self, arrangement: Arrangement) -> None:
        self._task = None
        self._arrangement = arrangement
        self.arranged.emit(arrangement)
        self.outdated.emit(False)
        self._act()

    def _act(self) -> None:
        waiting, self._then = self._then, []
        for act in waiting:
            act()
