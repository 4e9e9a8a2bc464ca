"""The trainings window: all runs of the open folder, compared and steered."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QHideEvent, QKeySequence, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from core.project.project import Project
from petseg_gui.heavy import HEAVY
from petseg_gui.prediction.models import ModelChoice
from petseg_gui.tasks import Job, Lane, Tasks
from petseg_gui.training.inline_question import InlineQuestion
from petseg_gui.training.roomy import roomy_table
from petseg_gui.training.run_list import RunList
from petseg_gui.training.runs_commands import RUN_COMMANDS
from petseg_gui.training.runs_masks import RunsMasks
from petseg_gui.training.runs_model import WIDEST, Column, RunsModel, SortedRuns
from petseg_gui.training.runs_settings import RunsSettings
from petseg_gui.words import count, size

if TYPE_CHECKING:
    from core.training.runs import RunInfo
    from petseg_gui.training.overlay_curves import OverlayCurves

_SIZE = QSize(1080, 700)
_AIR = 24  # pixels beside a cell's text
_BUTTONS = ("use", "continue", "again", "pause", "resume", "stop", "unqueue")
_IN_TURN = ("pause", "resume", "stop", "unqueue")
"""Shown only where they can be done; the others are greyed."""


class RunsWindow(QDialog):
    """Stays open beside the main window; it shows and asks, others do."""

    wanted = Signal(str, object)
    """A RunCommand's id, and the RunInfos that it is wanted for."""
    continued = Signal(object, int)
    """A RunInfo to go on from, and for how many epochs."""
    renamed = Signal(object, str)
    image_wanted = Signal(str)

    def __init__(
        self, tasks: Tasks, runs: RunList, models: ModelChoice, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Trainings")
        self.resize(_SIZE)
        self._tasks = tasks
        self._runs = runs
        self._models = models
        self._project: Project | None = None
        self._loading = False
        self.curves: OverlayCurves | None = None
        self.model = RunsModel(self)
        self.model.renamed.connect(self.renamed)
        self.sorted = SortedRuns(self.model, self)
        self.table = self._make_table()
        self.question = InlineQuestion(self)
        self.question.closed.connect(self.table.setFocus)
        self.summary = QLabel(self)
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.settings = RunsSettings(self)
        self.masks = RunsMasks(tasks, self)
        self.masks.image_wanted.connect(self.image_wanted)
        self._curves_page = QWidget(self)
        QVBoxLayout(self._curves_page).setContentsMargins(0, 0, 0, 0)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        for page, title in (
            (self._curves_page, "Curves"),
            (self.settings, "Settings"),
            (self.masks, "Masks"),
        ):
            self.tabs.addTab(page, title)
        self.tabs.currentChanged.connect(self._show_details)
        self.actions_by_id = self._make_actions()
        self._buttons = {id_: _button(self.actions_by_id[id_], self) for id_ in _BUTTONS}
        self._pages = self._lay_out()
        runs.changed.connect(self._show_runs)
        models.changed.connect(self._show_runs)
        self._show_runs()

    @property
    def selected(self) -> list[RunInfo]:
        """The runs that are selected, in the order in which they are shown."""
        rows = self.table.selectionModel().selectedRows()
        return [self.sorted.info(index) for index in sorted(rows, key=lambda i: i.row())]

    def set_project(self, project: Project | None) -> None:
        """Another folder is open; its images can be shown."""
        self._project = project
        self.question.dismiss()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._runs.watch(True)
        self._load_curves()
        self.table.setFocus()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._runs.watch(False)

    # What is shown

    def _show_runs(self) -> None:
        if not self._runs.infos and not self.model.rowCount():
            self._pages.setCurrentIndex(0)
            self._show_selection()
            return
        self.model.show_runs(self._runs.infos, self._runs.rows, self._models.path)
        self._pages.setCurrentIndex(int(self.model.rowCount() > 0))
        if self.model.rowCount() and not self.table.selectionModel().hasSelection():
            flags = QItemSelectionModel.SelectionFlag
            self.table.selectionModel().setCurrentIndex(
                self.sorted.index(0, 0), flags.ClearAndSelect | flags.Rows
            )
        self._show_selection()

    def _show_selection(self) -> None:
        infos = self.selected
        writable = self._project is not None and self._project.writable
        for command in RUN_COMMANDS:
            action = self.actions_by_id[command.id]
            able = bool(infos) and command.can(infos) and (writable or not command.writes)
            action.setEnabled(able)
            if command.id in _IN_TURN:
                action.setVisible(able)
        for id_, button in self._buttons.items():
            button.setVisible(self.actions_by_id[id_].isVisible())
        self.summary.setText(_summary(infos))
        self._show_details()

    def _show_details(self) -> None:
        """Only the page in sight is filled."""
        infos, page = self.selected, self.tabs.currentWidget()
        if page is self.settings:
            self.settings.show_runs(infos)
        elif page is self.masks and self._project is not None:
            self.masks.show_runs(infos, self._project.folder)
        elif self.curves is not None:
            self._draw_curves(infos)

    def _draw_curves(self, infos: Sequence[RunInfo]) -> None:
        from petseg_gui.training.overlay_curves import MOST, Curve

        begun = [info for info in infos if info.progress.epochs]
        curves = [
            Curve(
                info.name,
                tuple(e.epoch for e in info.progress.epochs),
                tuple(e.val.scores.iou for e in info.progress.epochs),
                tuple(e.val.loss for e in info.progress.epochs),
            )
            for info in begun[:MOST]
        ]
        if self.curves is not None:
            self.curves.show_curves(curves, len(begun) - len(curves))

    def _load_curves(self) -> None:
        if self._loading:
            return
        self._loading = True

        def work(job: Job) -> object:
            # pyqtgraph takes a third of a second to import.
            with HEAVY:
                return import_module("petseg_gui.training.overlay_curves")

        self._tasks.run(Lane.LOAD, work, self._add_curves)

    def _add_curves(self, module: object) -> None:
        from petseg_gui.training.overlay_curves import OverlayCurves

        self.curves = OverlayCurves(self._curves_page)
        layout = self._curves_page.layout()
        if layout is not None:
            layout.addWidget(self.curves)
        self._show_details()

    # What is asked for

    def _want(self, id_: str) -> None:
        infos = self.selected
        if not infos or not self.actions_by_id[id_].isEnabled():
            return
        if id_ == "rename":
            index = self.table.currentIndex().siblingAtColumn(Column.NAME)
            self.table.edit(index)
        elif id_ == "delete":
            text, yes = _delete_words(infos, self._models)
            self.question.ask(text, yes, lambda: self.wanted.emit("delete", infos))
        elif id_ == "continue":
            info = infos[0]
            self.question.ask_number(
                f"Train {info.name} further, from its best model, for",
                "Continue",
                info.config.train.epochs if info.config is not None else 1,
                "epochs",
                lambda epochs: self.continued.emit(info, epochs),
            )
        else:
            self.wanted.emit(id_, infos)

    def _make_actions(self) -> dict[str, QAction]:
        made = {}
        for command in RUN_COMMANDS:
            action = QAction(command.text, self)
            action.setShortcut(QKeySequence(command.key))
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{command.tip} ({keys})")
            action.triggered.connect(lambda _=False, id_=command.id: self._want(id_))
            made[command.id] = action
        self.addActions(list(made.values()))
        return made

    def _show_menu(self, position: QPoint) -> None:
        menu = QMenu(self.table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(list(self.actions_by_id.values()))
        menu.popup(self.table.viewport().mapToGlobal(position))

    def _make_table(self) -> QTreeView:
        table = roomy_table("Trainings", self.sorted, self)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.sortByColumn(Column.DATE, Qt.SortOrder.DescendingOrder)
        header = table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        # Measuring what each cell holds would take longer than all the rest of the window.
        for column, widest in WIDEST.items():
            header.resizeSection(column, table.fontMetrics().horizontalAdvance(widest) + _AIR)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._show_menu)
        table.selectionModel().selectionChanged.connect(self._show_selection)
        return table

    def _lay_out(self) -> QStackedWidget:
        empty = QLabel("No training yet. Train > Start training begins the first one.", self)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        buttons = QHBoxLayout()
        for button in self._buttons.values():
            buttons.addWidget(button)
        buttons.addStretch(1)
        for id_ in ("rename", "delete"):
            buttons.addWidget(_button(self.actions_by_id[id_], self))
        below = QWidget(self)
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, 8, 0, 0)
        lower.addLayout(buttons)
        lower.addWidget(self.question)
        lower.addWidget(self.summary)
        lower.addWidget(self.tabs, 1)
        splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.addWidget(self.table)
        splitter.addWidget(below)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([_SIZE.height() // 3, 2 * _SIZE.height() // 3])
        pages = QStackedWidget(self)
        pages.addWidget(empty)
        pages.addWidget(splitter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 14)
        layout.addWidget(pages)
        return pages


def _button(action: QAction, parent: QWidget) -> QPushButton:
    button = QPushButton(action.text(), parent)
    button.setToolTip(action.toolTip())
    button.setAutoDefault(False)
    button.setEnabled(action.isEnabled())
    button.clicked.connect(action.trigger)
    action.enabledChanged.connect(button.setEnabled)
    return button


def _summary(infos: Sequence[RunInfo]) -> str:
    """What a person should know of the runs that are selected."""
    from core.training.verdict import verdict

    if not infos:
        return ""
    if len(infos) > 1:
        first = ", the first 8 of them in curves and settings" if len(infos) > 8 else ""
        return f"{len(infos)} trainings are compared{first}."
    info = infos[0]
    if info.problem or info.config is None:
        return info.problem
    said = verdict(info.progress, info.config.train)
    return f"{said.text} {said.advice}".strip()


def _delete_words(infos: Sequence[RunInfo], models: ModelChoice) -> tuple[str, str]:
    """The question, and the words that say yes to it."""
    what = f"“{infos[0].name}”" if len(infos) == 1 else count(len(infos), "training")
    freed = sum(info.model_bytes for info in infos)
    text = f"Delete {what}" + (f" with {size(freed)} of models?" if freed else "?")
    if any(info.model == models.path for info in infos):
        text += " Its model segments now: the default model takes its place."
    return f"{text} This cannot be undone.", "Delete"
