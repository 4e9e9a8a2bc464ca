"""Windows beside the main one."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QMainWindow

from petseg_gui.beside import show_beside


def test_the_main_window_can_come_in_front_of_them(qtbot):
    # A window manager keeps a window above the one that it is transient for.
    main = QMainWindow()
    qtbot.addWidget(main)
    beside = QDialog(main)
    for _ in range(2):
        show_beside(beside)
        assert beside.isVisible()
        assert beside.windowHandle().transientParent() is None
        beside.close()
