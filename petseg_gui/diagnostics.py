"""Help > Diagnostics: what somebody needs to know who is to find out why something fails."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from PySide6.QtCore import QProcess, QSize, Qt, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from core.project.reviews import Status
from petseg_gui.log import log_file
from petseg_gui.session import Session
from petseg_gui.settings.options import Settings, settings_json

_DOCTOR = ["-m", "core.cli", "doctor"]
_LOG_LINES = 200
_SIZE = QSize(820, 600)
_HINT = "No photo and no list of your photos is in this text; the log may name single files."


class DiagnosticsDialog(QDialog):
    """Shows at once what the window knows; versions and devices come from a process of their own.

    The window itself must not load torch, and ONNX Runtime's import would freeze it.
    """

    def __init__(self, session: Session, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Diagnostics")
        self.resize(_SIZE)
        self._facts = [
            ("System", system_facts(self)),
            ("Settings", settings_facts(settings)),
            ("Folder", folder_facts(session)),
            ("Log", log_file().tail(_LOG_LINES)),
        ]
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Diagnostics")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        hint = QLabel(_HINT, self)
        hint.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        hint.setWordWrap(True)
        buttons = QDialogButtonBox(self)
        self.copy_button = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.clicked.connect(self._copy)
        buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text, 1)
        layout.addWidget(hint)
        layout.addWidget(buttons)
        self._doctor = QProcess(self)
        self._doctor.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self._doctor.finished.connect(self._examined)
        self._doctor.errorOccurred.connect(self._not_examined)
        self.finished.connect(self._end)
        self._show("Asking for versions and devices…")
        self._doctor.start(sys.executable, _DOCTOR)

    @property
    def busy(self) -> bool:
        """Whether versions and devices are still being asked for."""
        return self._doctor.state() != QProcess.ProcessState.NotRunning

    def _examined(self, code: int) -> None:
        said = bytes(self._doctor.readAllStandardOutput().data()).decode("utf-8", "replace")
        self._show(said.strip() + (f"\nEnded with code {code}." if code else ""))

    def _not_examined(self) -> None:
        self._show(f"Versions and devices: {self._doctor.errorString()}.")

    def _show(self, installation: str) -> None:
        parts = [("Installation", installation.splitlines()), *self._facts]
        text = "\n\n".join("\n".join([f"## {title}", *lines]) for title, lines in parts)
        self.text.setPlainText(text.replace(str(Path.home()), "~"))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.copy_button.setText("Copied")

    def _end(self) -> None:
        """Closed before the answer came: nobody waits for it any more."""
        self._doctor.blockSignals(True)
        if self.busy:
            self._doctor.kill()
            self._doctor.waitForFinished(2000)


def system_facts(widget: QWidget) -> list[str]:
    """The machine, Qt and the screens."""
    hints = QGuiApplication.styleHints()
    base = widget.palette().color(QPalette.ColorRole.Base)
    lines = [
        f"{platform.platform()}, {os.cpu_count()} cores",
        f"Qt {qVersion()} on {QGuiApplication.platformName()}, "
        f"scheme {hints.colorScheme().name}, {'dark' if base.lightness() < 128 else 'light'}",
    ]
    for screen in QGuiApplication.screens():
        size = screen.size()
        lines.append(
            f"Screen {size.width()} x {size.height()}, scale {screen.devicePixelRatio():g}, "
            f"{screen.depth()} bits"
        )
    return lines


def settings_facts(settings: Settings) -> list[str]:
    """Each setting with its value."""
    return [f"{name}: {value}" for name, value in settings_json(settings).items()]


def folder_facts(session: Session) -> list[str]:
    """Numbers of the open folder; no names of images, and not where it lies."""
    project = session.project
    if project is None:
        return ["None is open."]
    counts = ", ".join(f"{session.counts[s]} {s}" for s in Status if session.counts[s])
    settings = project.settings
    lines = [
        f"{len(project.names)} images ({counts}), {project.layout.kind} layout",
        f"{len(settings.scheme.classes)} classes, masks as {settings.mask_encoding}, border rule "
        f"{settings.border_rule}, {'writable' if project.writable else 'read-only'}",
    ]
    document = session.document
    if document is not None:
        lines.append(
            f"Open image: {document.width} x {document.height}, {session.status(session.name)}, "
            f"{session.save_state.lower() or 'not to be edited'}"
        )
    return lines
