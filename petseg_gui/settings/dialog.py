"""The settings window, made from the table of options; what is set there counts at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.settings.keeper import SettingsKeeper
from petseg_gui.settings.options import OPTIONS, Choice, Option, Range


class SettingsDialog(QDialog):
    """Stays open beside the window."""

    def __init__(self, keeper: SettingsKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Settings")
        self.setMinimumWidth(480)
        self._keeper = keeper
        self.controls: dict[str, QComboBox | QSpinBox] = {}
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(14)
        for option in OPTIONS:
            control = self._control(option)
            control.setAccessibleName(option.label)
            control.setAccessibleDescription(option.help)
            self.controls[option.id] = control
            hint = QLabel(option.help, self)
            hint.setWordWrap(True)
            hint.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            both = QVBoxLayout()
            both.setSpacing(4)
            both.addWidget(control)
            both.addWidget(hint)
            label = QLabel(option.label, self)
            label.setBuddy(control)
            form.addRow(label, both)
        buttons = QDialogButtonBox(self)
        usual = buttons.addButton("Reset to defaults", QDialogButtonBox.ButtonRole.ResetRole)
        usual.clicked.connect(keeper.reset)
        close = buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        close.setDefault(True)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 16)
        layout.setSpacing(12)
        layout.addLayout(form)
        layout.addWidget(buttons)
        keeper.changed.connect(self._show_settings)
        self._show_settings()

    def _control(self, option: Option) -> QComboBox | QSpinBox:
        kind = option.kind
        if isinstance(kind, Choice):
            box = QComboBox(self)
            for value, words in kind.words.items():
                box.addItem(words, value)
            box.activated.connect(lambda row: self._set(option.id, box.itemData(row)))
            return box
        return self._number(option.id, kind)

    def _number(self, id_: str, kind: Range) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(kind.low, kind.high)
        box.setSuffix(kind.unit)
        box.setSpecialValueText(kind.lowest)
        box.setKeyboardTracking(False)
        box.valueChanged.connect(lambda value: self._set(id_, value))
        return box

    def _set(self, id_: str, value: str | int) -> None:
        wanted: dict[str, Any] = {id_: value}
        self._keeper.change(replace(self._keeper.settings, **wanted))

    def _show_settings(self) -> None:
        for id_, control in self.controls.items():
            value = getattr(self._keeper.settings, id_)
            with QSignalBlocker(control):
                if isinstance(control, QComboBox):
                    control.setCurrentIndex(control.findData(value))
                else:
                    control.setValue(value)
