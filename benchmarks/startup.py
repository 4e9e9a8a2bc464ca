"""Start to the first photo with its mask on the screen, against an empty PySide6 main window.

``python -m benchmarks.startup [--json FILE] [--rounds N] [--folder PATH]``; both start as processes
of their own, in turn, on the display there is (``xvfb-run``, or ``QT_QPA_PLATFORM=offscreen``).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.report import Row, json_argument, report
from core.demo import draw_demo
from petseg_gui.display import why_no_window

LIMIT = 4.0

_EMPTY = """
import sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, done)

def done():
    print(time.monotonic())
    application.quit()

application = QApplication(sys.argv[:1])
window = Window()
window.resize(1280, 800)
window.show()
application.exec()
"""

_PETSEG = """
import sys, time
from petseg_gui.app import build, make_application
application = make_application()
from PySide6.QtCore import QEvent, QObject, QTimer

class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and parts.canvas.document is not None:
            QTimer.singleShot(0, done)
            parts.canvas.removeEventFilter(self)
        return False

def done():
    late = [m for m in ("cv2", "onnxruntime", "pyqtgraph", "torch") if m in sys.modules]
    print(time.monotonic(), *late)
    assert parts.canvas.document.mask.any()
    parts.window.close()
    application.quit()

parts = build([sys.argv[1]])
watch = Watch()
parts.canvas.installEventFilter(watch)
parts.window.show()
application.exec()
"""


def main() -> int:
    """Measure, print, give the exit code."""
    parser = json_argument(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="a folder whose first photo has a mask")
    options = parser.parse_args()
    reason = why_no_window(os.environ)
    if reason:
        print(reason, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder
        if folder is None:
            folder = Path(scratch) / "demo"
            for _ in draw_demo(folder, images=4, masked=4):
                pass
        pairs = [(_seconds(_EMPTY), _seconds(_PETSEG, str(folder))) for _ in range(options.rounds)]
    empty, program = median(e for e, _ in pairs), median(p for _, p in pairs)
    rows = [
        Row("empty PySide6 main window", empty, "s"),
        Row("PetSeg: first photo with its mask", program, "s"),
        Row("ratio (median of pairs)", median(p / e for e, p in pairs), "x", LIMIT),
    ]
    return report(rows, options.json)


def _seconds(code: str, *arguments: str) -> float:
    """Seconds from before the process starts until it says that it has painted."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    painted, *late = done.stdout.split()
    if late:
        raise RuntimeError(f"loaded before the first photo: {', '.join(late)}")
    return float(painted) - started


if __name__ == "__main__":
    sys.exit(main())
