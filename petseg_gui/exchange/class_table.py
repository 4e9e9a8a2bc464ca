"""The classes of annotations, and what each becomes."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QTableWidget, QWidget
from PySide6.QtWidgets import QTableWidgetItem as Item

from core.formats.planning import ImportPlan, Target
from core.formats.source import SourceClass
from core.labels import BACKGROUND, VOID
from petseg_gui.classes.swatch import swatch

_COLUMNS = ("In the annotations", "Images", "Becomes")
_NAME, _IMAGES, _TARGET = range(3)
_ROW_AIR = 8


class ClassTable(QTableWidget):
    """A row a class; ``changed`` when a person chose another target."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(_COLUMNS), parent)
        self.setAccessibleName("Classes of the annotations, and what they become")
        self.setHorizontalHeaderLabels(_COLUMNS)
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setTabKeyNavigation(False)  # Tab goes through the boxes
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_IMAGES, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_TARGET, QHeaderView.ResizeMode.Stretch)
        self._boxes: list[QComboBox] = []

    def show_plan(self, plan: ImportPlan) -> None:
        """Show a plan's classes with what they would become."""
        self.setColumnHidden(_IMAGES, not plan.appearing)  # many formats tell only when read
        self._boxes = []
        self.setRowCount(0)
        # The background has no choice and needs no row.
        self.setRowCount(len(plan.source.classes) - 1)
        for row, label in enumerate(plan.source.classes[1:]):
            position = row + 1
            name = Item(label.name)
            if label.colour is not None:
                name.setIcon(self._icon(label.colour))
            name.setToolTip(label.name)
            self.setItem(row, _NAME, name)
            images = plan.appearing.get(position)
            count = Item("–" if images is None else f"{images:,}")
            count.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(row, _IMAGES, count)
            box = self._make_box(plan, label, plan.targets[position])
            self.setCellWidget(row, _TARGET, box)
            self.setRowHeight(row, box.sizeHint().height() + _ROW_AIR)
            self._boxes.append(box)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What each class becomes, the background first."""
        return (BACKGROUND, *(box.currentData() for box in self._boxes))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The wheel is the table's: by the way it must not change what a class becomes.
        if event.type() == QEvent.Type.Wheel and watched in self._boxes:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _make_box(self, plan: ImportPlan, label: SourceClass, target: Target) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(f"What {label.name} becomes")
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for known in plan.base[1:]:
            box.addItem(self._icon(known.colour), known.name, known.id)
        known_names = {c.name.casefold() for c in plan.base}
        if target != label.name and label.name.casefold() not in known_names:
            box.addItem(f"New class “{label.name}”", label.name)
        if isinstance(target, str):
            box.addItem(f"New class “{target}”", target)
        box.insertSeparator(box.count())
        box.addItem("Left out (background)", BACKGROUND)
        box.addItem(self._icon(None), "Void (unlabelled)", VOID)
        # By hand: findData would take "1" for 1.
        box.setCurrentIndex(next(i for i in range(box.count()) if box.itemData(i) == target))
        box.currentIndexChanged.connect(self.changed)
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.installEventFilter(self)
        return box

    def _icon(self, colour: tuple[int, int, int] | None) -> QIcon:
        return QIcon(swatch(colour, self.devicePixelRatioF()))
