"""The Evaluate window: how good a model is, by the masks that a person approved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.evaluation.kept import Kept
from core.project.project import Project
from petseg_gui.evaluation.desk import EvaluationDesk, Shown, Wish
from petseg_gui.evaluation.form import EvaluateForm
from petseg_gui.evaluation.results import Results
from petseg_gui.evaluation.words import SUBSETS, when
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.tasks import Tasks
from petseg_gui.training.inline_question import InlineQuestion
from petseg_gui.training.saving import ask_and_save

_SIZE = QSize(1120, 740)
_LEFT = 280
_CALM_MS = 1000
_FILES = {
    "Report (HTML)…": "report.html",
    "Table of images (CSV)…": "images.csv",
    "All figures (JSON)…": "evaluation.json",
}


class EvaluationWindow(QDialog):
    """Stays open beside the main window."""

    image_wanted = Signal(str)
    threshold_wanted = Signal(float)

    def __init__(
        self,
        tasks: Tasks,
        models: ModelChoice,
        threshold: Callable[[], float],
        parent: QWidget | None = None,
    ) -> None:
        """threshold: of P(object), as images are segmented now."""
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Evaluate")
        self.resize(_SIZE)
        self._tasks = tasks
        self._threshold = threshold
        self._project: Project | None = None
        self.desk = EvaluationDesk(tasks, self)
        self._count_soon = QTimer(self, singleShot=True, interval=_CALM_MS)
        self._count_soon.timeout.connect(self.desk.count)
        self.form = EvaluateForm(models, self)
        self.form.started.connect(self._start)
        self.form.cancelled.connect(self._cancel)
        self.list = QListWidget(self)
        self.list.setAccessibleName("Earlier evaluations")
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setWordWrap(True)
        self.list.setSpacing(2)
        self.list.currentItemChanged.connect(lambda item, _: self._choose(item))
        self.question = InlineQuestion(self)
        self.question.closed.connect(self.list.setFocus)
        self.results = Results(tasks, self)
        self.results.image_wanted.connect(self.image_wanted)
        self.results.threshold_wanted.connect(self.threshold_wanted)
        self.message = QLabel(self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setAccessibleName("What happened last")
        self._buttons = self._make_buttons()
        self._pages = self._lay_out()
        self.desk.progressed.connect(self._show_progress)
        self.desk.made.connect(lambda: self.form.show_progress(None))
        self.desk.arrived.connect(self._show)
        self.desk.failed.connect(self._fail)
        self.desk.told.connect(self.message.setText)
        self.desk.listed.connect(self._show_list)
        self.desk.counted.connect(self.form.set_counts)
        self._refresh()

    def set_project(self, project: Project | None) -> None:
        """Another folder is open."""
        self._project = project
        self.results.worst.stop()
        self.results.shown = None
        self.question.dismiss()
        self.message.clear()
        self._pages.setCurrentIndex(0)
        self.form.set_project(project)
        self.desk.set_project(project)
        if self.isVisible():
            self.desk.count()
        self._refresh()

    def masks_changed(self) -> None:
        """Some masks were approved, or are not any more: count them again, not each alone."""
        if self.isVisible():
            self._count_soon.start()

    def end(self) -> None:
        """The main window closes."""
        self._count_soon.stop()
        self.results.worst.stop()
        self.desk.end()
        self.close()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.desk.count()
        self.form.button.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.list.hasFocus():
            self._ask_delete()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # Only there: elsewhere a stray Enter must not start, or end, an evaluation.
            if self.form.button.hasFocus():
                self.form.button.click()
        else:
            super().keyPressEvent(event)

    # What is asked for

    def _start(self) -> None:
        self.message.clear()
        form = self.form
        self.desk.start(Wish(form.model, form.subset, form.border, form.flip, self._threshold()))

    def _cancel(self) -> None:
        self.desk.cancel()
        self.form.show_progress(None)
        self.message.setText("Cancelled: nothing of it is kept.")

    def _choose(self, item: QListWidgetItem | None) -> None:
        folder = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        shown = self.results.shown
        if folder is not None and (shown is None or shown.folder != folder):
            self.message.clear()
            self.desk.show(folder)

    def _ask_delete(self) -> None:
        shown = self.results.shown
        if shown is not None and self._buttons["Delete…"].isEnabled():
            text = "Delete this evaluation with its report? This cannot be undone."
            self.question.ask(text, "Delete", lambda: self._delete(shown.folder))

    def _delete(self, folder: Path) -> None:
        self.results.shown = None
        self.results.worst.stop()
        self._pages.setCurrentIndex(0)
        self.desk.delete(folder)
        self._refresh()

    def _open_report(self) -> None:
        shown = self.results.shown
        if shown is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(shown.folder / "report.html")))

    def _save(self, file: str) -> None:
        shown = self.results.shown
        if shown is not None:
            source = shown.folder / file
            told = self.message.setText
            ask_and_save(self, "Save", file, source.read_bytes, self._tasks, told)

    # What is shown

    def _show_progress(self, done: int, total: int, words: str) -> None:
        self.form.show_progress(words, done, total)

    def _show(self, shown: Shown) -> None:
        project = self._project
        if project is None:
            return
        self.results.show_evaluation(shown, project)
        self._pages.setCurrentIndex(1)
        self._mark_shown()
        self._refresh()

    def _fail(self, reason: str) -> None:
        self.form.show_progress(None, problem=reason)

    def _show_list(self, found: Sequence[Kept]) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for kept in found:
            subset = SUBSETS.get(kept.subset, kept.subset).lower()
            lines = (kept.title, f"IoU {kept.iou:.3f} · {subset}: {kept.images:,}", when(kept.made))
            text = "\n".join(lines)
            item = QListWidgetItem(text, self.list)
            item.setData(Qt.ItemDataRole.UserRole, kept.folder)
        self.list.blockSignals(False)
        self._mark_shown()

    def _mark_shown(self) -> None:
        shown = self.results.shown
        self.list.blockSignals(True)
        for row in range(self.list.count()):
            item = self.list.item(row)
            if shown is not None and item.data(Qt.ItemDataRole.UserRole) == shown.folder:
                self.list.setCurrentItem(item)
                break
        else:
            self.list.setCurrentRow(-1)
        self.list.blockSignals(False)

    def _refresh(self) -> None:
        there = self.results.shown is not None
        writable = self._project is not None and self._project.writable
        for title, button in self._buttons.items():
            button.setVisible(there)
            button.setEnabled(writable or title != "Delete…")

    def _make_buttons(self) -> dict[str, QPushButton]:
        made: dict[str, QPushButton] = {}
        for title, tip, act in (
            ("Open report", "Show all of it as a page in the browser", self._open_report),
            ("Save", "Save the report, or the figures, where you want them", None),
            ("Delete…", "Delete this evaluation (Del)", self._ask_delete),
        ):
            button = QPushButton(title, self)
            button.setToolTip(tip)
            button.setAutoDefault(False)
            if act is not None:
                button.clicked.connect(lambda _=False, act=act: act())
            made[title] = button
        menu = QMenu(made["Save"])
        for title, file in _FILES.items():
            menu.addAction(title).triggered.connect(lambda _=False, file=file: self._save(file))
        made["Save"].setMenu(menu)
        return made

    def _lay_out(self) -> QStackedWidget:
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 12, 0)
        column.addWidget(self.form)
        column.addSpacing(12)
        earlier = QLabel("&Earlier", left)
        earlier.setBuddy(self.list)
        column.addWidget(earlier)
        column.addWidget(self.list, 1)
        empty = QLabel(
            "How good is the model?\n\nIts masks are compared with those that you approved, on "
            "images that no training of this folder has learned from.",
            self,
        )
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setWordWrap(True)
        empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        pages = QStackedWidget(self)
        pages.addWidget(empty)
        pages.addWidget(self.results)
        below = QHBoxLayout()
        for button in self._buttons.values():
            below.addWidget(button)
        below.addWidget(self.message, 1)
        right = QWidget(self)
        rows = QVBoxLayout(right)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(pages, 1)
        rows.addWidget(self.question)
        rows.addLayout(below)
        splitter = QSplitter(Qt.Orientation.Horizontal, self)
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([_LEFT, _SIZE.width() - _LEFT])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 14)
        layout.addWidget(splitter)
        return pages
