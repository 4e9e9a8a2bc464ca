"""Import annotations: what would happen is shown first, then it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from core.errors import BadInput
from core.formats.importing import import_title, last_import
from core.formats.planning import ImportPlan
from core.formats.registry import FORMATS, format_of
from core.project.project import Project
from petseg_gui.exchange.class_table import ClassTable
from petseg_gui.exchange.import_desk import UNDOING, WRITING, ImportDesk
from petseg_gui.faint import faint_label
from petseg_gui.progress import ProgressStrip
from petseg_gui.training.inline_question import InlineQuestion
from petseg_gui.words import count

_SIZE = QSize(760, 620)
_WHAT = (
    "Take over masks that were made with another tool.\n\n"
    "Choose a file or folder of annotations. You see what would be imported before anything "
    "is written, masks of yours stay unless you say otherwise, and all of it can be undone."
)


class ImportWindow(QDialog):
    """Stays open beside the main window; it shows and asks, the desk does."""

    list_wanted = Signal(str, list)
    """A title and lines that a person wants to read at leisure."""

    def __init__(self, desk: ImportDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Import annotations")
        self.resize(_SIZE)
        self._desk = desk
        self._plan: ImportPlan | None = None
        self._project: Project | None = None
        self.path_edit = QLineEdit(self)
        self.path_edit.setPlaceholderText("A file or folder of annotations")
        self.path_edit.setAccessibleName("Annotations")
        self.path_edit.returnPressed.connect(self._read)
        self.file_button = self._button("File…", "Choose a file of annotations", self._choose_file)
        self.folder_button = self._button(
            "Folder…", "Choose a folder of annotations", self._choose_folder
        )
        self.format_box = QComboBox(self)
        self.format_box.setAccessibleName("Format")
        self.format_box.addItem("Format: find out", "")
        for known in FORMATS:
            if known.read is not None:
                self.format_box.addItem(known.title, known.id)
                self.format_box.setItemData(
                    self.format_box.count() - 1, known.what, Qt.ItemDataRole.ToolTipRole
                )
        self.format_box.activated.connect(self._read)
        self.headline = QLabel(self)
        self.headline.setTextFormat(Qt.TextFormat.PlainText)
        self.headline.setWordWrap(True)
        font = self.headline.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.15)
        self.headline.setFont(font)
        self.table = ClassTable(self)
        self.table.changed.connect(self._targets_changed)
        self.replace_box = QCheckBox(self)
        self.replace_box.toggled.connect(self._replacing_changed)
        self.notes = faint_label(self)
        self._findings = QVBoxLayout()
        self._findings.setSpacing(4)
        self.strip = ProgressStrip(self)
        self.strip.cancelled.connect(desk.cancel)
        self.message = QLabel(self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setAccessibleName("What happened last")
        self.question = InlineQuestion(self)
        self.undo_button = self._button(
            "Undo last import…", "Bring back what the last import replaced", self._ask_undo
        )
        self.import_button = self._button("Import", "Write these masks", self._import)
        self._pages = self._lay_out()
        desk.progressed.connect(self._show_progress)
        desk.planned.connect(self.show_plan)
        desk.failed.connect(self._fail)
        desk.cancelled.connect(lambda: self._rest("Cancelled: nothing was changed."))
        desk.ids_needed.connect(self._rest)
        desk.taken_back.connect(lambda _: self._rest())
        self._refresh()

    def set_project(self, project: Project | None) -> None:
        """Another folder is open."""
        self._project = project
        self._plan = None
        self.question.dismiss()
        self.message.clear()
        self._pages.setCurrentIndex(0)
        self._refresh()

    def open_path(self, path: Path) -> None:
        """Read annotations from here."""
        self.path_edit.setText(str(path))
        self.format_box.setCurrentIndex(0)
        self._read()

    def show_plan(self, plan: ImportPlan) -> None:
        """Show what an import would do."""
        self._plan = plan
        self.replace_box.setChecked(False)
        self.table.show_plan(plan)
        self._pages.setCurrentIndex(1)
        self._show_findings(plan)
        self._rest()
        self.import_button.setFocus()

    def import_again(self) -> None:
        """What was in the way of the import is gone."""
        if self._plan is not None:
            self._desk.apply(self._plan)

    def end(self) -> None:
        """The import is made: another one begins with nothing."""
        self._plan = None
        self.message.clear()
        self._pages.setCurrentIndex(0)
        self._rest()
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.import_button.hasFocus():
                self.import_button.click()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    # What is asked for

    def _ask_undo(self) -> None:
        project = self._project
        last = "" if project is None else last_import(project)
        if project is None or not last:
            return
        try:
            title = import_title(project, last)
        except BadInput as error:
            self._rest(str(error))
            return
        self.question.ask(f"Undo the import of {title}?", "Undo", lambda: self._desk.undo(last))

    def _read(self) -> None:
        text = self.path_edit.text().strip()
        if text:
            self.message.clear()
            self._plan = None
            self._pages.setCurrentIndex(0)
            self._desk.read(Path(text), str(self.format_box.currentData()))
            self._refresh()

    def _import(self) -> None:
        if self._plan is not None:
            self.message.clear()
            self._desk.apply(self._plan)
            self._refresh()

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, "Choose annotations", self._start())
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Annotations (*.json *.xml *.yaml *.yml)", "All files (*)"])
        self._choose(dialog)

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, "Choose a folder of annotations", self._start())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        self._choose(dialog)

    def _choose(self, dialog: QFileDialog) -> None:
        dialog.fileSelected.connect(lambda chosen: self.open_path(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _start(self) -> str:
        if self.path_edit.text().strip():
            return str(Path(self.path_edit.text().strip()).parent)
        return str(self._project.folder.parent if self._project is not None else Path.home())

    def _targets_changed(self) -> None:
        if self._plan is not None:
            self._plan = replace(self._plan, targets=self.table.targets)
            self._refresh()

    def _replacing_changed(self, replacing: bool) -> None:
        if self._plan is not None:
            self._plan = replace(self._plan, replacing=replacing)
            self._refresh()

    # What is shown

    def _show_progress(self, words: str, done: int, total: int) -> None:
        self.strip.show_progress(words, done, total)
        if not total:  # all else is as it was until the next begins
            self.strip.button.setVisible(words not in (WRITING, UNDOING))
            self._refresh()

    def _fail(self, reason: str) -> None:
        self._rest(reason)

    def _rest(self, message: str = "") -> None:
        """Nothing is under way any more."""
        self.strip.hide()
        self.message.setText(message)
        self._refresh()

    def _refresh(self) -> None:
        plan, busy = self._plan, self._desk.busy
        writable = self._project is not None and self._project.writable
        for widget in (self.path_edit, self.file_button, self.folder_button, self.format_box):
            widget.setEnabled(not busy)
        self.table.setEnabled(not busy)
        self.replace_box.setEnabled(not busy)
        self.message.setVisible(bool(self.message.text()) and not busy)
        images = 0 if plan is None else len(plan.chosen)
        problem = "" if plan is None else _problem(plan)
        if not writable:
            problem = "This folder is read-only: choose File > Keep masks elsewhere first."
        there = writable and self._project is not None and bool(last_import(self._project))
        self.undo_button.setVisible(there)
        self.undo_button.setEnabled(not busy)
        self.import_button.setText(f"Import {count(images, 'mask')}" if images else "Import")
        self.import_button.setEnabled(bool(images) and not problem and not busy)
        if plan is not None:
            known = format_of(plan.source.format)
            words = f"{count(images, 'mask')} would be imported" if images else "Nothing to import"
            self.headline.setText(f"{words} from “{plan.source.path.name}” ({known.title})")
            notes = [*([problem] if problem else []), *_new_classes(plan), *plan.source.notes]
            self.notes.setText("\n".join(notes))
            self.notes.setVisible(bool(notes))

    def _show_findings(self, plan: ImportPlan) -> None:
        while self._findings.count():
            item = self._findings.takeAt(0)
            old = None if item is None else item.widget()
            if old is not None:
                old.hide()
                old.deleteLater()
        found = f"{len(plan.matches):,} of {count(len(plan.source.entries), 'annotated image')}"
        self._say(f"{found} {'are' if len(plan.matches) != 1 else 'is'} in this folder.")
        if plan.missing:
            self._say(
                f"{count(len(plan.missing), 'annotated image')} not in this folder.",
                "Annotated images that this folder lacks",
                dict.fromkeys(plan.missing, ""),
            )
        if plan.refused:
            self._say(
                f"{count(len(plan.refused), 'annotation')} left out: no image is surely theirs.",
                "Annotations that are left out",
                plan.refused,
            )
        if plan.differing:
            self._say(
                f"{count(len(plan.differing), 'image')} left out: made for another size.",
                "Images whose annotations do not fit",
                plan.differing,
            )
        there = len(plan.existing)
        self.replace_box.setVisible(bool(there))
        self.replace_box.setText(
            f"Replace {count(there, 'mask')} that {'is' if there == 1 else 'are'} here already"
        )

    def _say(self, text: str, title: str = "", lines: Mapping[str, str] | None = None) -> None:
        row = QWidget(self)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        label = QLabel(text, row)
        label.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(label)
        if lines is not None:

            def show() -> None:
                shown = [f"{name}: {why}" if why else name for name, why in lines.items()]
                self.list_wanted.emit(title, shown)

            layout.addWidget(self._button("Show", title, show))
        layout.addStretch(1)
        self._findings.addWidget(row)

    def _button(self, text: str, tip: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setAccessibleName(text if text.startswith("Import") else tip)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: act())
        return button

    def _lay_out(self) -> QStackedWidget:
        top = QHBoxLayout()
        top.addWidget(self.path_edit, 1)
        for widget in (self.file_button, self.folder_button, self.format_box):
            top.addWidget(widget)
        empty = faint_label(self)
        empty.setText(_WHAT)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        preview = QWidget(self)
        rows = QVBoxLayout(preview)
        rows.setContentsMargins(0, 6, 0, 0)
        rows.setSpacing(8)
        rows.addWidget(self.headline)
        rows.addLayout(self._findings)
        rows.addWidget(self.replace_box)
        rows.addWidget(self.table, 1)
        rows.addWidget(self.notes)
        pages = QStackedWidget(self)
        pages.addWidget(empty)
        pages.addWidget(preview)
        below = QHBoxLayout()
        below.addWidget(self.undo_button)
        below.addWidget(self.message, 1)
        below.addWidget(self.strip)
        below.addStretch(0)
        below.addWidget(self.import_button)
        below.addWidget(self._button("Close", "Close this window", self.close))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 14)
        layout.setSpacing(10)
        layout.addLayout(top)
        layout.addWidget(pages, 1)
        layout.addWidget(self.question)
        layout.addLayout(below)
        return pages


def _problem(plan: ImportPlan) -> str:
    try:
        plan.table()
    except BadInput as error:
        return str(error)
    return ""


def _new_classes(plan: ImportPlan) -> list[str]:
    """What happens to the folder's classes, in words."""
    if _problem(plan) or not plan.chosen or not plan.new_names:
        return []
    names = ", ".join(plan.new_names)
    if len(plan.base) < len(plan.before.classes):
        return [f"The classes of this folder become background, {names}."]
    return [f"New classes of this folder: {names}."]
