"""Text that people wrote about a model, as long as it is: the page around it scrolls."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import QSizeF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFont, QTextCursor, QTextDocument, QWheelEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

_FEATURES = (
    QTextDocument.MarkdownFeature.MarkdownDialectGitHub
    | QTextDocument.MarkdownFeature.MarkdownNoHTML
)
_OUTSIDE = ("http", "https")
_HEADING = 1.15  # of the text's size
_ABOVE = 14  # pixels above a heading
_INDENT = 20


class Prose(QTextBrowser):
    """Shows Markdown; its links open in the browser, and it loads nothing by itself."""

    def __init__(self, markdown: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.anchorClicked.connect(_open_outside)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        document = self.document()
        document.setDocumentMargin(0)
        document.setIndentWidth(_INDENT)
        document.documentLayout().documentSizeChanged.connect(self._fit)
        document.setMarkdown(markdown, _FEATURES)
        self._quieten()

    def loadResource(self, kind: int, url: QUrl | str) -> object:
        return None  # no picture of anywhere, on this machine or another

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page scrolls

    def _fit(self, size: QSizeF) -> None:
        self.setFixedHeight(ceil(size.height()))

    def _quieten(self) -> None:
        """Headings of a page that has a name already."""
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel():
                cursor = QTextCursor(block)
                # No more than the heading: what is selected as its block begins in the one before.
                to_end = QTextCursor.MoveOperation.EndOfBlock
                cursor.movePosition(to_end, QTextCursor.MoveMode.KeepAnchor)
                form = cursor.charFormat()
                form.clearProperty(form.Property.FontSizeAdjustment.value)
                form.setFontPointSize(self.font().pointSizeF() * _HEADING)
                form.setFontWeight(QFont.Weight.DemiBold)
                cursor.setCharFormat(form)
                place = block.blockFormat()
                place.setTopMargin(_ABOVE)
                cursor.setBlockFormat(place)
            block = block.next()


def _open_outside(url: QUrl) -> None:
    if url.scheme() in _OUTSIDE:
        QDesktopServices.openUrl(url)
