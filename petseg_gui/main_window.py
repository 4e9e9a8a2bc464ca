"""The window: docks, menus, tool bar, status bar. It shows and asks; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QPalette,
)
from PySide6.QtWidgets import (
    QDockWidget,
    QGridLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from petseg_gui.actions import MENUS, TOOLBAR, TOOLBAR_RIGHT, TOOLS, Menu, set_icons
from petseg_gui.banner import Banners
from petseg_gui.dock_heights import DockHeights
from petseg_gui.progress import ProgressStrip
from petseg_gui.readout import Readout

_SIZE = QSize(1440, 900)


class MainWindow(QMainWindow):
    """Put together from parts that know nothing of it."""

    folder_dropped = Signal(Path)
    file_dropped = Signal(Path)
    mask_hidden = Signal(bool)
    """A key is held that hides the mask (True), or was let go."""
    closed = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self.may_close: Callable[[], bool] = lambda: True
        self._heights = DockHeights(self)
        self.banners = Banners(self)
        self.progress = ProgressStrip(self)
        self.save_state = QLabel(self)
        self.save_state.setAccessibleName("Whether the mask is saved")
        self.hovered = Readout(self)
        self.hovered.setAccessibleName("What is under the pointer")
        self._pages = QStackedWidget(self)
        self.setAcceptDrops(True)
        self.resize(_SIZE.boundedTo(self.screen().availableSize()))
        self.addActions(list(actions.values()))
        self._menus: dict[str, QMenu] = {}
        for menu in MENUS:
            self._fill(self.menuBar().addMenu(menu.title), menu)
        bar = self.statusBar()
        for widget in (self.progress, self.hovered, self.save_state):
            bar.addPermanentWidget(widget)
            widget.setContentsMargins(6, 0, 6, 0)
        self.set_place("", "")

    def compose(
        self,
        start: QWidget,
        canvas: QWidget,
        strip: QWidget,
        browser: QWidget,
        training: QWidget,
        chooser: QWidget,
    ) -> None:
        """Put the parts in their places."""
        self._pages.addWidget(start)
        work = QWidget(self)
        inner = QGridLayout(work)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(0)
        inner.addWidget(strip, 0, 0, 1, 2)
        inner.addWidget(self._tool_bar(), 1, 0)
        inner.addWidget(canvas, 1, 1)
        inner.setRowStretch(1, 1)
        inner.setColumnStretch(1, 1)
        self._pages.addWidget(work)
        middle = QWidget(self)
        layout = QVBoxLayout(middle)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banners)
        layout.addWidget(self._pages, 1)
        self.setCentralWidget(middle)
        self._add_toolbar(chooser)
        self.browser_dock = self._add_dock(
            "Images", browser, Qt.DockWidgetArea.LeftDockWidgetArea, 270
        )
        self.training_dock = self._add_dock(
            "Training", training, Qt.DockWidgetArea.RightDockWidgetArea, 320
        )
        self.training_dock.hide()
        self._heights.watch(self.training_dock)
        for dock in (self.browser_dock, self.training_dock):
            self._menus["&View"].addAction(dock.toggleViewAction())

    def add_side_dock(self, title: str, widget: QWidget, width: int) -> QDockWidget:
        """A dock on the right, hidden at first, with its entry in the View menu."""
        dock = self._add_dock(title, widget, Qt.DockWidgetArea.RightDockWidgetArea, width)
        dock.hide()
        self._heights.watch(dock)
        self._menus["&View"].addAction(dock.toggleViewAction())
        return dock

    def menu(self, title: str) -> QMenu:
        """The menu of this title, as the table of menus writes it."""
        return self._menus[title]

    def layout_state(self) -> tuple[str, str]:
        """Size and place of the window, and how its docks stand, both in Base64."""
        return _base64(self.saveGeometry()), _base64(self.saveState())

    def restore_layout(self, geometry: str, docks: str) -> None:
        """Go back to a ``layout_state``; what Qt cannot read of it changes nothing."""
        self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        self.restoreState(QByteArray.fromBase64(docks.encode()))

    def show_work(self, work: bool) -> None:
        """Show the canvas, or the start page."""
        self._pages.setCurrentIndex(int(work))

    def set_place(self, image: str, folder: str) -> None:
        """Say in the title what is open."""
        self.setWindowTitle(" – ".join(word for word in (image, folder, "PetSeg") if word))

    def tell(self, text: str) -> None:
        """Say something in the status bar; the next thing said replaces it."""
        self.statusBar().showMessage(text, 15_000)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.may_close():
            event.accept()
            self.closed.emit()
        else:
            event.ignore()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            set_icons(self._actions, self.palette())
        elif event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            # The key may be let go in another window.
            self.mask_hidden.emit(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._key(event, True)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self._key(event, False)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event)
        if path is not None:
            event.acceptProposedAction()
            (self.folder_dropped if path.is_dir() else self.file_dropped).emit(path)

    def _fill(self, made: QMenu, menu: Menu) -> None:
        self._menus[menu.title] = made
        for item in menu.commands:
            if isinstance(item, Menu):
                self._fill(made.addMenu(item.title), item)
            elif item == "-":
                made.addSeparator()
            else:
                made.addAction(self._actions[item])

    def _key(self, event: QKeyEvent, pressed: bool) -> None:
        if event.key() != Qt.Key.Key_H or event.modifiers():
            event.ignore()
        elif not event.isAutoRepeat():
            self.mask_hidden.emit(pressed)

    def _add_toolbar(self, chooser: QWidget) -> None:
        bar = QToolBar("Tool bar", self)
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setIconSize(QSize(20, 20))
        bar.setContentsMargins(4, 3, 4, 3)
        self._add_commands(bar, TOOLBAR)
        bar.addWidget(chooser)
        space = QWidget(bar)
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(space)
        for command in TOOLBAR_RIGHT:
            bar.addAction(self._actions[command])
        for command in ("open", "segment", *TOOLBAR_RIGHT):
            button = bar.widgetForAction(self._actions[command])
            if isinstance(button, QToolButton):
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.addToolBar(bar)

    def _tool_bar(self) -> QToolBar:
        bar = QToolBar("Tools", self)
        bar.setOrientation(Qt.Orientation.Vertical)
        bar.setIconSize(QSize(20, 20))
        bar.setContentsMargins(2, 2, 2, 2)
        self._add_commands(bar, TOOLS)
        return bar

    def _add_commands(self, bar: QToolBar, commands: Sequence[str]) -> None:
        for command in commands:
            if command == "-":
                bar.addSeparator()
            else:
                bar.addAction(self._actions[command])

    def _add_dock(
        self, title: str, widget: QWidget, area: Qt.DockWidgetArea, width: int
    ) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetMovable
        )
        widget.setBackgroundRole(QPalette.ColorRole.Window)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        self.resizeDocks([dock], [width], Qt.Orientation.Horizontal)
        return dock


def _base64(data: QByteArray) -> str:
    return bytes(data.toBase64().data()).decode("ascii")


def _dropped(event: QDropEvent) -> Path | None:
    """The first file or folder that is being dropped, if there is one on this machine."""
    for url in event.mimeData().urls():
        path = Path(url.toLocalFile())
        if url.isLocalFile() and path.exists():
            return path
    return None
