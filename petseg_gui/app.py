"""Start-up: ``petseg-gui [FOLDER] [--project DIR]``."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from petseg_gui.display import missing_library, why_no_window
from petseg_gui.log import LOG, start_log

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from petseg_gui.interrupt import Interrupts
    from petseg_gui.parts import Parts

_BAD_INPUT = 2
_TURN = 0.0003  # seconds; Python's own 0.005 are felt where the window waits for several threads


def main(argv: Sequence[str] | None = None) -> int:
    """Run the window until it is closed. Returns the exit code: 2 where none can be shown."""
    options = _parse(argv)
    reason = why_no_window(os.environ)
    if reason:
        return _refuse(reason)
    try:
        application = make_application()
    except ImportError as error:
        reason = missing_library(error)
        if reason:
            return _refuse(reason)
        raise
    start_log()
    LOG.info("PetSeg starts, Python %s on %s", sys.version.split()[0], sys.platform)
    parts = build(options)
    sys.excepthook = _tell_defects(parts)
    parts.window.show()
    interrupts = _close_on_signals(parts)
    code = application.exec()
    interrupts.stop()
    LOG.info("PetSeg ends")
    return code


def make_application() -> QApplication:
    """The QApplication with its look; raises ImportError where a library of Qt's is missing."""
    # First, because PySide6 reads the source of every module that is imported after it.
    for module in ("core.project.project", "core.evaluation.triage", "core.project.judging"):
        import_module(module)  # and with it NumPy, Pillow and SQLite
    from PySide6.QtWidgets import QApplication

    from petseg_gui.look import set_look

    sys.setswitchinterval(_TURN)
    application = QApplication(sys.argv[:1])
    set_look(application)
    return application


def build(options: argparse.Namespace | Sequence[str] = ()) -> Parts:
    """Everything of a window, wired together and opening what the command line says.

    Needs a QApplication. ``.window.close()`` ends it all.
    """
    from petseg_gui.parts import make_parts
    from petseg_gui.wiring.appearance import wire_appearance
    from petseg_gui.wiring.classes import wire_classes
    from petseg_gui.wiring.compare import wire_compare
    from petseg_gui.wiring.corrections import wire_corrections
    from petseg_gui.wiring.evaluation import wire_evaluation
    from petseg_gui.wiring.exchange import wire_exchange
    from petseg_gui.wiring.explanation import wire_explanation
    from petseg_gui.wiring.fast_model import wire_fast_model
    from petseg_gui.wiring.folder import open_at_start, wire_folder
    from petseg_gui.wiring.following import wire_following
    from petseg_gui.wiring.home import wire_home
    from petseg_gui.wiring.image import wire_image
    from petseg_gui.wiring.judging import wire_judging
    from petseg_gui.wiring.label_check import wire_label_check
    from petseg_gui.wiring.learning import wire_learning
    from petseg_gui.wiring.log import wire_log
    from petseg_gui.wiring.mask import wire_mask
    from petseg_gui.wiring.models import wire_models
    from petseg_gui.wiring.moving import wire_moving
    from petseg_gui.wiring.prediction import wire_prediction
    from petseg_gui.wiring.runs import wire_runs
    from petseg_gui.wiring.safety import wire_safety
    from petseg_gui.wiring.settings import wire_settings
    from petseg_gui.wiring.sheet import wire_sheet
    from petseg_gui.wiring.training import wire_training
    from petseg_gui.wiring.triage import wire_triage
    from petseg_gui.wiring.window import wire_window

    if not isinstance(options, argparse.Namespace):
        options = _parse(options)
    parts = make_parts()
    for wire in (
        wire_window,
        wire_folder,
        wire_following,
        wire_image,
        wire_judging,
        wire_safety,
        wire_mask,
        wire_moving,
        wire_triage,
        wire_sheet,
        wire_evaluation,
        wire_prediction,
        wire_fast_model,
        wire_models,
        wire_training,
        wire_runs,
        wire_learning,
        wire_appearance,
        wire_classes,
        wire_settings,
        wire_log,
        wire_home,
        wire_compare,
        wire_explanation,
        wire_label_check,
        wire_corrections,
        wire_exchange,
    ):
        wire(parts)
    open_at_start(parts, options.folder, options.project)
    if not gc.get_freeze_count():  # once: what is garbage by then stays
        # Collecting garbage stops all threads, the longer the more there is to look at; what the
        # program is made of need not be looked at.
        gc.freeze()
    return parts


def _close_on_signals(parts: Parts) -> Interrupts:
    from petseg_gui.interrupt import Interrupts

    return Interrupts(parts.window.close, parts.window)


def _tell_defects(parts: Parts) -> Callable[..., None]:
    """A hook for exceptions that nobody expected: on stderr in full, in the window in a line."""
    from petseg_gui.banner import Level

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        LOG.error("Defect", exc_info=(kind, error, trace))
        parts.window.banners.show_message(
            "defect",
            Level.WARNING,
            f"Something went wrong inside PetSeg ({kind.__name__}: {error}). What you draw is "
            "still saved; starting PetSeg again is safer.",
        )

    return tell


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="petseg-gui",
        description="Segment photos, correct the masks by hand, and train on the corrections.",
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, help="a folder of photos; without one, the demo"
    )
    parser.add_argument(
        "--project",
        type=Path,
        metavar="DIR",
        help="where masks and settings are kept, for a folder that is read-only",
    )
    return parser.parse_args(argv)


def _refuse(reason: str) -> int:
    sys.stderr.write(reason + "\n")
    return _BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
