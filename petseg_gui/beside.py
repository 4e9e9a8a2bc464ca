"""Windows that work together with the main one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QWidget


def show_beside(window: QDialog) -> None:
    """Show a window that works together with the main one, and neither stays above the other."""
    if not window.isVisible():
        window.setWindowFlags(Qt.WindowType.Window)
        window.winId()  # makes the handle
        window.windowHandle().setTransientParent(None)  # type: ignore[arg-type]  # Qt takes none
    window.show()
    bring_forward(window)


def bring_forward(window: QWidget) -> None:
    """Have a window that is shown in front, with the keyboard."""
    window.raise_()
    window.activateWindow()
