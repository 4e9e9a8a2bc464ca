"""The shortcuts window: all commands by menu, the keys of one of them to be changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from core.errors import PetSegError
from petseg_gui.actions import COMMANDS, HELD_KEYS, MENUS, shortcuts_of
from petseg_gui.settings import keys as rules
from petseg_gui.settings.keeper import SettingsKeeper
from petseg_gui.settings.keys import KeyTaken

_FILTER = "Shortcuts (*.json)"
_SIZE = QSize(640, 620)
_COMMAND = Qt.ItemDataRole.UserRole


class ShortcutsDialog(QDialog):
    """Stays open beside the window; what is changed here counts at once."""

    def __init__(self, keeper: SettingsKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        self.resize(_SIZE)
        self._keeper = keeper
        self._items: dict[str, QTreeWidgetItem] = {}
        self._groups: list[tuple[QTreeWidgetItem, list[QTreeWidgetItem]]] = []
        self.search_box = QLineEdit(self)
        self.search_box.setPlaceholderText("Search commands and keys")
        self.search_box.setAccessibleName("Search commands and keys")
        self.search_box.setClearButtonEnabled(True)
        self.search_box.textChanged.connect(self._search)
        self.table = QTreeWidget(self)
        self.table.setAccessibleName("Commands and their keys")
        self.table.setHeaderLabels(["Command", "Keys"])
        self.table.setUniformRowHeights(True)
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.table.header().setStretchLastSection(False)
        self.table.currentItemChanged.connect(self._show_command)
        self.title = QLabel(self)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self._remove_buttons: dict[QKeySequenceEdit, QPushButton] = {}
        self.first_key = self._key_edit("Key")
        self.second_key = self._key_edit("Second key")
        self.message = QLabel(self)
        self.message.setWordWrap(True)
        self.message.setMinimumHeight(2 * self.message.fontMetrics().height())
        self.move_button = self._button("Move it here", self._move)
        self.reset_button = self._button("Reset", self._reset)
        self.reset_all_button = self._button("Reset all", self._reset_all)
        self.export_button = self._button("Export…", self._choose_export)
        self.import_button = self._button("Import…", self._choose_import)
        self._fill()
        self._lay_out()
        keeper.changed.connect(self._show_keys)
        self._show_keys()
        self.table.setCurrentItem(next(iter(self._items.values())))

    @property
    def command(self) -> str:
        """The id of the command that is chosen in the table; "" where it is no command."""
        item = self._current()
        return str(item.data(0, _COMMAND) or "") if item is not None else ""

    def choose(self, command: str) -> None:
        """Choose a command in the table."""
        self.table.setCurrentItem(self._items[command])

    def export_to(self, path: Path) -> None:
        """Write the keys of all commands to a file; says so, or why not."""
        try:
            rules.write_keys(path, self._keeper.settings.keys)
        except PetSegError as error:
            self._say(str(error))
        else:
            self._say(f"Exported to {path.name}.")

    def import_from(self, path: Path) -> None:
        """Take the keys of a file; says so, or why not."""
        if self._try(lambda: rules.read_keys(path)):
            self._say(f"Imported from {path.name}.")

    def _fill(self) -> None:
        texts = {command.id: command.text.rstrip("…") for command in COMMANDS}
        for menu in MENUS:
            ids = list(menu.walk())
            items = self._group(menu.title.replace("&", ""), [(texts[id_], "") for id_ in ids])
            for id_, item in zip(ids, items, strict=True):
                item.setData(0, _COMMAND, id_)
                self._items[id_] = item
        native = QKeySequence.SequenceFormat.NativeText
        held = [(text, QKeySequence(key).toString(native)) for key, text in HELD_KEYS]
        self._group("While a key is held", held)
        self.table.expandAll()

    def _group(self, title: str, rows: list[tuple[str, str]]) -> list[QTreeWidgetItem]:
        top = QTreeWidgetItem(self.table, [title])
        top.setFlags(Qt.ItemFlag.ItemIsEnabled)
        items = [QTreeWidgetItem(top, row) for row in rows]
        self._groups.append((top, items))
        return items

    def _lay_out(self) -> None:
        edit = QHBoxLayout()
        for label, box in (("Key", self.first_key), ("Second key", self.second_key)):
            edit.addWidget(QLabel(label, self))
            edit.addWidget(box, 1)
            edit.addWidget(self._remove_buttons[box])
        edit.addWidget(self.reset_button)
        said = QHBoxLayout()
        said.addWidget(self.message, 1)
        said.addWidget(self.move_button)
        below = QHBoxLayout()
        for button in (self.export_button, self.import_button, self.reset_all_button):
            below.addWidget(button)
        below.addStretch(1)
        below.addWidget(self._button("Close", self.reject))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        layout.addWidget(self.search_box)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.title)
        layout.addLayout(edit)
        layout.addLayout(said)
        layout.addLayout(below)

    def _button(self, text: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)  # Return must not press one while a key is typed
        button.clicked.connect(lambda: act())
        return button

    def _key_edit(self, name: str) -> QKeySequenceEdit:
        box = QKeySequenceEdit(self)
        box.setAccessibleName(name)
        box.setMaximumSequenceLength(1)
        box.editingFinished.connect(self._typed)
        remove = self._remove_buttons[box] = self._button("Remove", lambda: self._remove(box))
        remove.setAccessibleName(f"Remove {name.lower()}")
        return box

    def _show_command(self) -> None:
        self._say("")
        self._show_keys()

    def _show_keys(self) -> None:
        now = shortcuts_of(self._keeper.settings.keys)
        native = QKeySequence.SequenceFormat.NativeText
        for id_, item in self._items.items():
            item.setText(1, ", ".join(QKeySequence(key).toString(native) for key in now[id_]))
            font = item.font(0)
            font.setItalic(id_ in self._keeper.settings.keys)
            item.setFont(0, font)
            item.setFont(1, font)
        command = self.command
        first, second = (*now.get(command, ()), "", "")[:2]
        for box, key in ((self.first_key, first), (self.second_key, second)):
            box.blockSignals(True)
            box.setKeySequence(QKeySequence(key))
            box.blockSignals(False)
            box.setEnabled(bool(command))
            self._remove_buttons[box].setEnabled(bool(key))
        self.reset_button.setEnabled(command in self._keeper.settings.keys)
        self.reset_all_button.setEnabled(bool(self._keeper.settings.keys))
        current = self._current()
        self.title.setText(current.text(0) if current is not None else "")

    def _current(self) -> QTreeWidgetItem | None:
        return self.table.currentItem()

    def _wanted(self) -> list[str]:
        portable = QKeySequence.SequenceFormat.PortableText
        boxes = (self.first_key, self.second_key)
        return [box.keySequence().toString(portable) for box in boxes]

    def _typed(self) -> None:
        command, wanted = self.command, self._wanted()
        if command:
            self._try(lambda: rules.give(self._keeper.settings.keys, command, wanted))

    def _remove(self, box: QKeySequenceEdit) -> None:
        # The box itself may show a key that was refused.
        command = self.command
        keys = list(shortcuts_of(self._keeper.settings.keys)[command])
        del keys[int(box is self.second_key)]
        self._try(lambda: rules.give(self._keeper.settings.keys, command, keys))

    def _move(self) -> None:
        command, wanted = self.command, self._wanted()
        self._try(lambda: rules.move(self._keeper.settings.keys, command, wanted))

    def _reset(self) -> None:
        command = self.command
        self._try(lambda: rules.reset(self._keeper.settings.keys, command))

    def _reset_all(self) -> None:
        self._take({})

    def _try(self, change: Callable[[], Mapping[str, tuple[str, ...]]]) -> bool:
        try:
            keys = change()
        except KeyTaken as error:
            self._say(str(error), can_move=True)
        except PetSegError as error:
            self._say(str(error))
        else:
            self._take(keys)
            return True
        return False

    def _take(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        self._say("")
        self._keeper.change(replace(self._keeper.settings, keys=keys))
        self._show_keys()

    def _say(self, text: str, can_move: bool = False) -> None:
        self.message.setText(text)
        self.move_button.setVisible(can_move)

    def _search(self, text: str) -> None:
        wanted = text.strip().casefold()
        for top, items in self._groups:
            for item in items:
                item.setHidden(not any(wanted in item.text(c).casefold() for c in (0, 1)))
            top.setHidden(all(item.isHidden() for item in items))
        found = [item for _, items in self._groups for item in items if not item.isHidden()]
        if found and self.table.currentItem() not in found:
            self.table.setCurrentItem(found[0])

    def _choose_export(self) -> None:
        dialog = QFileDialog(self, "Export shortcuts", str(Path.home()), _FILTER)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        dialog.selectFile("petseg-shortcuts.json")
        dialog.fileSelected.connect(lambda chosen: self.export_to(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _choose_import(self) -> None:
        dialog = QFileDialog(self, "Import shortcuts", str(Path.home()), _FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda chosen: self.import_from(Path(chosen)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
