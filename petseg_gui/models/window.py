"""The models window: every model there is, its card, and what can be done with it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.inference.catalogue import ModelEntry, Origin
from core.models.answers import SUFFIXES, Found
from core.project.project import Project
from petseg_gui.browser.telling import as_tip
from petseg_gui.models.card import ORIGINS, ModelCard
from petseg_gui.models.comparing import Compared
from petseg_gui.models.comparison_view import ComparisonView
from petseg_gui.models.import_form import ImportForm
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.progress import ProgressStrip
from petseg_gui.training.inline_question import InlineQuestion
from petseg_gui.training.roomy import RoomyDelegate
from petseg_gui.words import size

_SIZE = QSize(1080, 680)
_LIST_WIDTH = 420
_COMMANDS = (
    ("use", "Use this model", "Segment with this model from now on", "Ctrl+U"),
    ("compare", "Compare", "", "Ctrl+K"),
    ("import", "Import…", "Add a model from a file: .safetensors, .onnx, .pt or .pth", "Ctrl+I"),
    ("export", "Export…", "Write the model to take it elsewhere", "Ctrl+E"),
    ("rename", "Rename", "Give the model another name", "F2"),
    ("delete", "Delete…", "Delete an imported model", "Del"),
)
_EXPORTS = (
    ("onnx", "As ONNX file", "One file that describes itself, for any ONNX runtime"),
    ("safetensors", "As model file", "The weights and the ONNX twin, for PetSeg elsewhere"),
    ("folder", "As folder that runs", "A script and a page for the browser beside the network"),
)


class ModelsWindow(QDialog):
    """Stays open beside the main window; it shows and asks, others do."""

    chosen = Signal(Path)
    compare_wanted = Signal(object, object)
    """Two ModelEntries: what the second gains over the first."""
    import_wanted = Signal()
    file_dropped = Signal(Path)
    answered = Signal(object)
    """The Answers for the file that is being imported."""
    export_wanted = Signal(object, str)
    """A ModelEntry, and what as: onnx, safetensors or folder."""
    renamed = Signal(object, str)
    """A ModelEntry, and its new name."""
    deleted = Signal(object)
    image_wanted = Signal(str)
    cancelled = Signal()
    """What is under way is wanted no more."""

    def __init__(self, models: ModelChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models")
        self.resize(_SIZE)
        self.setAcceptDrops(True)
        self._models = models
        self._project: Project | None = None
        self._entries: list[ModelEntry] = []
        self.list = self._make_list()
        self.card = ModelCard(self)
        self.form = ImportForm(self)
        self.comparison = ComparisonView(self)
        self.pages = QStackedWidget(self)
        for page in (self.card, self.form, self.comparison):
            self.pages.addWidget(page)
        self.question = InlineQuestion(self)
        self.question.closed.connect(self.list.setFocus)
        self.progress = ProgressStrip(self)
        self.commands = {id_: self._command(id_, *words) for id_, *words in _COMMANDS}
        self.exports = self._make_exports()
        self._buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self.card.renamed.connect(self.renamed)
        self.form.accepted.connect(self.answered)
        self.form.rejected.connect(self._give_up)
        self.comparison.image_wanted.connect(self.image_wanted)
        self.progress.cancelled.connect(self._give_up)
        models.changed.connect(self._show_models)
        self._show_models()

    @property
    def selected(self) -> list[ModelEntry]:
        """The selected models, in the order in which they are shown."""
        rows = sorted(self.list.indexOfTopLevelItem(i) for i in self.list.selectedItems())
        return [self._entries[row] for row in rows]

    def set_project(self, project: Project | None) -> None:
        """Another folder is open."""
        self._project = project
        self.question.dismiss()
        self.show_card()

    def select(self, path: Path) -> None:
        """Show this model's card."""
        for row, entry in enumerate(self._entries):
            item = self.list.topLevelItem(row)
            if entry.path == path and item is not None:
                self.list.setCurrentItem(item)
        self.show_card()

    def show_card(self) -> None:
        """Show what is selected."""
        self.progress.hide()
        self.pages.setCurrentWidget(self.card)
        self._show_selection()

    def show_progress(
        self, text: str, done: int = 0, total: int = 0, *, cancellable: bool = True
    ) -> None:
        """Something is under way."""
        self.progress.show_progress(text, done, total)
        self.progress.button.setVisible(cancellable)
        self._show_selection()

    def end_progress(self) -> None:
        """Nothing is under way any more; what is shown stays."""
        self.progress.hide()
        self._show_selection()

    def ask(self, file: str, found: Found) -> None:
        """Ask what only a person knows of a file that is being imported."""
        self.progress.hide()
        self.form.ask(file, found)
        self.pages.setCurrentWidget(self.form)
        self._show_selection()

    def show_comparison(self, compared: Compared) -> None:
        """Show how two models differ."""
        self.progress.hide()
        self.comparison.show_comparison(compared)
        self.pages.setCurrentWidget(self.comparison)
        self._show_selection()
        self.comparison.images.setFocus()

    def tell_problem(self, text: str) -> None:
        """Why something could not be done, where the person looks."""
        self.progress.hide()
        if self.pages.currentWidget() is self.form:
            self.form.tell(text)
        else:
            self.question.tell(text)
        self._show_selection()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._writable and _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event)
        if path is not None:
            event.acceptProposedAction()
            self.file_dropped.emit(path)

    # What is shown

    @property
    def _writable(self) -> bool:
        return self._project is not None and self._project.writable

    def _show_models(self) -> None:
        selected = [entry.path for entry in self.selected]
        if not any(entry.path in selected for entry in self._models.entries):
            selected = [self._models.path]
        self._entries = list(self._models.entries)
        self.list.blockSignals(True)
        self.list.clear()
        for entry in self._entries:
            about = entry.description
            iou = about.metrics.get("val_iou")
            in_use = entry.path == self._models.path
            texts = [
                f"{entry.title} (in use)" if in_use else entry.title,
                ORIGINS[entry.origin],
                f"{iou:.3f}" if iou is not None else "–",
            ]
            item = QTreeWidgetItem(self.list, texts)
            item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(0, as_tip((entry.title,)))
            font = item.font(0)
            font.setBold(in_use)
            item.setFont(0, font)
            if entry.path in selected:
                if not self.list.selectedItems():
                    self.list.setCurrentItem(item)
                item.setSelected(True)
        self.list.blockSignals(False)
        self._show_selection()

    def _selection_changed(self) -> None:
        if self.pages.currentWidget() is self.comparison:
            self.pages.setCurrentWidget(self.card)
        self._show_selection()

    def _show_selection(self) -> None:
        entries = self.selected
        one = entries[0] if len(entries) == 1 else None
        busy = not self.progress.isHidden()
        if one is not None:
            self.card.show_entry(one, self._note(one), self._renameable(one))
        able = {
            "use": one is not None and one.path != self._models.path and self._project is not None,
            "compare": not busy and self._project is not None and len(self._pair()) == 2,
            "import": not busy and self._writable,
            "export": one is not None and not busy,
            "rename": one is not None and self._renameable(one),
            "delete": self._writable and one is not None and one.origin is Origin.IMPORTED,
        }
        for id_, action in self.commands.items():
            action.setEnabled(able[id_])
        self.commands["compare"].setToolTip(self._compare_tip())

    def _note(self, entry: ModelEntry) -> str:
        if entry.origin is Origin.RUN:
            return "It belongs to its training: it is deleted there (Train > Trainings)."
        if entry.origin is Origin.IMPORTED and not entry.description.trainable:
            return "It segments only: a training cannot start from an ONNX file."
        return entry.summary

    def _renameable(self, entry: ModelEntry) -> bool:
        return self._writable and entry.origin is not Origin.BUNDLED

    def _pair(self) -> list[ModelEntry]:
        """The two selected models; of a single one, the one in use and it."""
        entries = self.selected
        if len(entries) == 1:
            current = self._models.current
            if current is not None and current not in entries:
                return [current, *entries]
        return entries

    def _compare_tip(self) -> str:
        pair = self._pair()
        if len(pair) != 2:
            return "Select two models, or one that is not in use, to compare them (Ctrl+K)"
        words = f"{pair[1].title} against {pair[0].title} on the validation images (Ctrl+K)"
        return as_tip((words,))

    # What is asked for

    def _do(self, id_: str) -> None:
        entries = self.selected
        if id_ == "import":
            self.import_wanted.emit()
        elif id_ == "compare":
            self.compare_wanted.emit(*self._pair())
        elif not entries:
            return
        elif id_ == "use":
            self.chosen.emit(entries[0].path)
        elif id_ == "export":
            button = self._buttons["export"]
            self.exports.popup(button.mapToGlobal(button.rect().bottomLeft()))
        elif id_ == "rename":
            self.show_card()
            self.card.edit_name()
        else:
            entry = entries[0]
            in_use = entry.path == self._models.path
            told = " It segments now: the default model takes its place." if in_use else ""
            self.question.ask(
                f"Delete “{entry.title}” ({size(entry.bytes)})?{told} This cannot be undone.",
                "Delete",
                lambda: self.deleted.emit(entry),
            )

    def _give_up(self) -> None:
        self.cancelled.emit()
        self.show_card()
        self.list.setFocus()

    def _export(self, kind: str) -> None:
        entries = self.selected
        if len(entries) == 1:
            self.export_wanted.emit(entries[0], kind)

    # How it is made

    def _make_list(self) -> QTreeWidget:
        made = QTreeWidget(self)
        made.setAccessibleName("Models")
        made.setHeaderLabels(["Model", "From", "Val IoU"])
        made.setRootIsDecorated(False)
        made.setUniformRowHeights(True)
        made.setAllColumnsShowFocus(True)
        made.setItemDelegate(RoomyDelegate(made))
        made.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        made.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # what tells two apart comes last
        header = made.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        made.itemSelectionChanged.connect(self._selection_changed)
        made.itemActivated.connect(lambda _: self.commands["use"].trigger())
        made.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        made.customContextMenuRequested.connect(self._show_menu)
        return made

    def _command(self, id_: str, text: str, tip: str, key: str) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(key))
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({keys})")
        action.triggered.connect(lambda: self._do(id_))
        self.addAction(action)
        return action

    def _make_exports(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for kind, text, tip in _EXPORTS:
            action = menu.addAction(text)
            action.setToolTip(tip)
            action.triggered.connect(lambda _=False, kind=kind: self._export(kind))
        return menu

    def _show_menu(self, position: QPoint) -> None:
        menu = QMenu(self.list)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(list(self.commands.values()))
        menu.popup(self.list.viewport().mapToGlobal(position))

    def _lay_out(self) -> None:
        splitter = QSplitter(self)
        splitter.addWidget(self.list)
        splitter.addWidget(self.pages)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([_LIST_WIDTH, _SIZE.width() - _LIST_WIDTH])
        buttons = QHBoxLayout()
        for id_, action in self.commands.items():
            if id_ == "rename":
                buttons.addStretch(1)
            self._buttons[id_] = _button(action, self)
            buttons.addWidget(self._buttons[id_])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 14)
        layout.addWidget(splitter, 1)
        layout.addWidget(self.question)
        layout.addWidget(self.progress, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(buttons)
        self.list.setFocus()


def _button(action: QAction, parent: QWidget) -> QPushButton:
    button = QPushButton(action.text(), parent)
    button.setAutoDefault(False)
    button.clicked.connect(action.trigger)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())

    action.changed.connect(follow)
    follow()
    return button


def _dropped(event: QDropEvent) -> Path | None:
    """The model file that is being dropped, if there is one."""
    for url in event.mimeData().urls():
        path = Path(url.toLocalFile())
        if url.isLocalFile() and path.suffix.lower() in SUFFIXES:
            return path
    return None
