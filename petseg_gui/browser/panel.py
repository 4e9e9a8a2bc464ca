"""The browser: search, order, list of images, and how many are approved."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain, islice

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from core.evaluation.search import KEYS
from core.evaluation.triage import Arrangement
from core.project.following import Changes
from petseg_gui.browser.arranger import Arranger
from petseg_gui.browser.delegate import ImageDelegate
from petseg_gui.browser.facts import FactsKeeper
from petseg_gui.browser.list_view import ImageListView
from petseg_gui.browser.model import ImageListModel
from petseg_gui.browser.search_line import SearchLine
from petseg_gui.browser.sort_bar import SortBar
from petseg_gui.browser.thumbnails import Thumbnails
from petseg_gui.tasks import Tasks


class BrowserPanel(QWidget):
    """``chosen`` names the image that a person opens; several may be ``selected`` beside it."""

    chosen = Signal(str)

    def __init__(
        self,
        tasks: Tasks,
        facts: FactsKeeper,
        thumbnails: Thumbnails,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._facts = facts
        self._approved = 0
        self._open = ""
        self._listing = False  # whether the names of a folder that is being opened are shown
        self._settled = True  # whether it is a person who makes another row the current one
        self.picked = ""
        """The image that was chosen while its folder was being opened."""
        self._model = ImageListModel(lambda: facts.known, thumbnails, self)
        self._arranger = Arranger(tasks, lambda: facts.known, self)
        self.setMinimumWidth(200)
        self.search = SearchLine(self._values_of, self)
        self.search_box = self.search.edit
        self.sort = SortBar(self)
        self.list = ImageListView(self)
        self.list.setModel(self._model)
        self.list.setItemDelegate(ImageDelegate(self.list))
        self.count = QLabel(self)
        self.count.setAccessibleName("How many images are approved")
        self.count.setWordWrap(True)
        self.count.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.count.setContentsMargins(12, 4, 12, 6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(6)
        top = QVBoxLayout()
        top.setContentsMargins(8, 0, 8, 0)
        top.setSpacing(4)
        top.addWidget(self.search)
        top.addWidget(self.sort)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.count)
        self.search.searched.connect(self._arranger.search)
        self.search.accepted.connect(lambda: self._arranger.when_arranged(self._choose_first))
        self.search.left.connect(self.list.setFocus)
        self.sort.chosen.connect(self._arranger.sort)
        self.sort.again.connect(self._arranger.again)
        self._arranger.arranged.connect(self._show)
        self._arranger.followed.connect(self._follow)
        self._arranger.rescaled.connect(self._model.rescale)
        self._arranger.outdated.connect(self.sort.anew.setVisible)
        self.list.selectionModel().currentChanged.connect(self._current_changed)
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._show_count())
        facts.changed.connect(self._facts_changed)
        facts.gathered.connect(self._arranger.gathered)

    @property
    def names(self) -> Sequence[str]:
        """The images that are shown, in order."""
        return self._arranger.arrangement.names

    @property
    def selected(self) -> list[str]:
        """The images that are selected, in the list's order; the open one alone as a rule."""
        names = () if self._listing else self._model.names
        return list(chain.from_iterable(names[rows] for rows in self.list.selected_rows))

    def show_listing(self, names: Sequence[str]) -> None:
        """Show the first images of a folder that is being opened, until ``set_images``.

        They can be looked through; one that is chosen is ``picked``.
        """
        if not self._listing:
            self._listing, self.picked = True, ""
            for part in (self.search, self.sort):
                part.setEnabled(False)
            self._model.show_listing(names)
            return
        top, row = self.list.top, self.list.currentIndex().row()
        self._model.show_listing(names)
        self._settled = False
        self.list.restore(top, row, [row] if row >= 0 else [])
        self._settled = True

    def count_listed(self, found: int) -> None:
        """Say how many images were found so far in the folder that is being opened."""
        self.count.setText(f"{found:,} images so far…")

    def end_listing(self) -> None:
        """Show the images of the folder that is open again, if others are shown."""
        if self._listing:
            self._listed()
            self._show(self._arranger.arrangement)

    def _listed(self) -> None:
        self._listing = False
        for part in (self.search, self.sort):
            part.setEnabled(True)

    def set_images(self, images: Arrangement) -> None:
        """Show another folder's images: all of them, by name."""
        if not self._listing:
            self.picked = ""  # of a folder before
        self._listed()
        self._open = ""
        self.search_box.clear()
        self.sort.reset()
        self._arranger.set_images(images)

    def follow(self, changes: Changes) -> None:
        """Images have come or gone: what stayed is where it was."""
        if changes.come or changes.gone:
            self._arranger.follow(changes.names, changes.come, frozenset(changes.gone))

    def set_approved(self, approved: int) -> None:
        """Say how many images are approved."""
        self._approved = approved
        self._show_count()

    def select(self, name: str) -> None:
        """Mark an image as the one that is open, without choosing it anew."""
        self._open = name
        if self._listing:
            return
        row = self._model.row_of(name)
        if row < 0:
            self.list.selectionModel().clear()
        elif self.list.currentIndex().row() != row:
            self.list.open_row(row)

    def neighbour(self, name: str, step: int) -> str:
        """The image ``step`` rows further in the list, "" at its ends."""
        names = self.names
        row = self._arranger.arrangement.rows.get(name, -1)
        wanted = row + step if row >= 0 else (0 if names else -1)
        return names[wanted] if 0 <= wanted < len(names) else ""

    def next_of(self, name: str, wanted: Collection[str]) -> str:
        """The next image in the list that is one of these, from its top after its end.

        "" where there is none but ``name`` itself.
        """
        names = self.names
        start = self._arranger.arrangement.rows.get(name, -1) + 1
        order = chain(names[start:], names[: max(start - 1, 0)])
        return next((other for other in order if other in wanted), "")

    def refresh(self, name: str) -> None:
        """An image's status has changed."""
        self._model.refresh(name)
        self._arranger.changed([name])

    def update_list(self) -> None:
        """Search and sort anew: images may have changed since."""
        self._arranger.again()

    def focus_search(self) -> None:
        """Put the cursor into the search box."""
        self.search_box.setFocus()
        self.search_box.selectAll()

    def _show(self, arrangement: Arrangement) -> None:
        if self._listing:
            return
        self._model.show(arrangement)
        if self._open:  # it stays open, whether it was found or not
            self.select(self._open)
        self._show_count()

    def _follow(self, arrangement: Arrangement) -> None:
        """Show the list as it is now; place, selection and the open image stay."""
        if self._listing:
            return
        before, (top, above), selected = self._model.names, self.list.top, self.selected
        self._model.show(arrangement)
        rows = arrangement.rows
        # What was at the upper edge may be gone: then the next one that is not.
        top = next((rows[name] for name in islice(before, top, None) if name in rows), len(rows))
        self._settled = False
        self.list.restore(
            (top, above),
            self._model.row_of(self._open),
            [rows[name] for name in selected if name in rows],
        )
        self._settled = True
        self._show_count()

    def _choose_first(self) -> None:
        """Return in the search box opens the first image that was found."""
        if self._model.names:
            self.select(self._model.names[0])
            self.chosen.emit(self._model.names[0])
            self.list.setFocus()

    def _current_changed(self, index: QModelIndex) -> None:
        if not index.isValid() or not self._settled:
            return
        if self._listing:
            self.picked = str(index.data())
            return
        self._open = str(index.data())
        self.chosen.emit(self._open)

    def _facts_changed(self, names: list[str]) -> None:
        self._model.refresh(*names)
        self._arranger.changed(names)

    def _values_of(self, key: str) -> Sequence[str]:
        if key == "model":
            return sorted({f.model for f in self._facts.known.facts.values() if f.model})
        if key == "folder":
            return sorted({f for n in self._arranger.names if (f := n.rpartition("/")[0])})
        return KEYS[key].values

    def _show_count(self) -> None:
        total, found = len(self._arranger.names), len(self.names)
        if self._listing:
            return
        if not total:
            self.count.setText("")
            return
        parts = [f"{self._approved:,} of {total:,} approved"]
        if found != total:
            parts.insert(0, f"{found:,} found")
        selected = self.list.selected_count
        if selected > 1:
            parts.insert(0, f"{selected:,} selected")
        self.count.setText("  ·  ".join(parts))
