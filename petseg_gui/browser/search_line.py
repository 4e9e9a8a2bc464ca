"""The search line: what is typed, what is wrong with it, what it could become, examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QIcon, QKeyEvent, QPalette, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QCompleter,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from core.evaluation.search import EXAMPLES, KEYS, Query, SearchError, completions, last_word, parse
from petseg_gui import icons

_WHOLE = Qt.ItemDataRole.UserRole + 1


class SearchLine(QWidget):
    """``searched`` tells the query as often as it is another one that means something."""

    searched = Signal(object)
    accepted = Signal()
    """Return was pressed."""
    left = Signal()
    """Down was pressed, or Escape in an empty line."""

    def __init__(
        self, values: Callable[[str], Sequence[str]], parent: QWidget | None = None
    ) -> None:
        """values: key -> the values there are of it, to be offered."""
        super().__init__(parent)
        self._values = values
        self.edit = QLineEdit(self)
        self.edit.setPlaceholderText("Search")
        self.edit.setAccessibleName("Search the images")
        self.edit.setToolTip("A part of the name, or status:predicted, uncertainty>0.2, …")
        self.edit.setClearButtonEnabled(True)
        self._lens = QAction(self)
        self.edit.addAction(self._lens, QLineEdit.ActionPosition.LeadingPosition)
        self._draw_lens()
        self._offers = QStandardItemModel(self)
        completer = QCompleter(self._offers, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setCompletionRole(_WHOLE)
        self.edit.setCompleter(completer)
        self.help_button = QToolButton(self)
        self.help_button.setText("?")
        self.help_button.setAutoRaise(True)
        self.help_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.help_button.setToolTip("What can be searched for")
        self.help_button.setAccessibleName("What can be searched for")
        self.problem = QLabel(self)
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.setAccessibleName("What is wrong with the search")
        self.problem.setContentsMargins(4, 0, 4, 0)
        self.problem.hide()
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self.edit, 1)
        row.addWidget(self.help_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self.problem)
        self.edit.textEdited.connect(self._offer)
        self.edit.textChanged.connect(self._search)
        self.edit.returnPressed.connect(self.accepted)
        completer.activated.connect(self._offer_more)
        self.help_button.clicked.connect(self.show_help)

    def show_help(self) -> None:
        """Show examples; one that is clicked is searched for."""
        card = HelpCard(self)
        card.chosen.connect(self._take)
        card.adjustSize()
        card.move(self.edit.mapToGlobal(QPoint(0, self.edit.height() + 2)))
        card.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # What neither the line nor its offers have a use for.
        if event.key() == Qt.Key.Key_Escape and self.edit.text():
            self.edit.clear()
        elif event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Down):
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw_lens()

    def _draw_lens(self) -> None:
        colour = self.palette().color(QPalette.ColorRole.PlaceholderText)
        self._lens.setIcon(QIcon(icons.pixmap("search", colour, 16, self.devicePixelRatioF())))

    def _take(self, example: str) -> None:
        self.edit.setText(example)
        self.edit.setFocus()

    def _search(self, text: str) -> None:
        try:
            query: Query | None = parse(text)
            reason = ""
        except SearchError as error:
            query, reason = None, str(error)
        self.problem.setText(reason)
        self.problem.setVisible(bool(reason))
        if query is not None:  # else the list stays what it was: the line is being typed
            self.searched.emit(query)

    def _offer(self, text: str) -> None:
        self._offers.clear()
        for line in completions(text, self._values):
            item = QStandardItem(last_word(line))
            item.setData(line, _WHOLE)
            self._offers.appendRow(item)

    def _offer_more(self) -> None:
        """A key was taken: its values are offered next."""

        def offer() -> None:
            self._offer(self.edit.text())
            if self._offers.rowCount():
                self.edit.completer().complete()

        QTimer.singleShot(0, self, offer)


class HelpCard(QFrame):
    """Examples of searches, over the list until a click or Escape; ``chosen`` tells one."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.text = QLabel(_help(), self)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.text.setAccessibleName("Examples of searches")
        self.text.linkActivated.connect(self._choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.addWidget(self.text)
        self.text.setFocus()

    def _choose(self, link: str) -> None:
        self.chosen.emit(EXAMPLES[int(link)][0])
        self.close()


def _help() -> str:
    examples = "".join(
        f'<tr><td style="padding-right:16px"><a href="{number}">{escape(example)}</a></td>'
        f"<td>{escape(meaning)}</td></tr>"
        for number, (example, meaning) in enumerate(EXAMPLES)
    )
    keys = "".join(
        f'<tr><td style="padding-right:16px">{key.name}</td><td>{escape(key.text)}</td></tr>'
        for key in KEYS.values()
    )
    return (
        f"<p><b>For instance</b></p><table>{examples}</table><p>All words must hold; - before one "
        f"leaves out what it finds.</p><p><b>What can be asked for</b></p><table>{keys}</table>"
    )
