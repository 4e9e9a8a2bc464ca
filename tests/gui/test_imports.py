"""The window starts fast and stays light: what it never imports."""

from __future__ import annotations

import subprocess
import sys


def test_the_window_never_loads_torch():
    code = (
        "import importlib, pkgutil, sys, petseg_gui\n"
        "for m in pkgutil.walk_packages(petseg_gui.__path__, 'petseg_gui.'):\n"
        "    importlib.import_module(m.name)\n"
        "import core.inference.predictor, core.demo\n"
        "bad = sorted(m for m in sys.modules if m.split('.')[0] in ('torch', 'torchvision'))\n"
        "print(len([m for m in sys.modules if m.startswith('petseg_gui.')]), bad)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    number, bad = done.stdout.split(maxsplit=1)
    assert int(number) > 30
    assert bad.strip() == "[]"


def test_pyside_does_not_read_the_source_of_what_is_imported():
    """It would do so in the middle of pydantic's import, which breaks where threads meet."""
    code = (
        "import inspect, petseg_gui.heavy\n"
        "def read(module): raise AssertionError(f'{module} was read')\n"
        "inspect.getsource = read\n"
        "import pydantic, core.inference.catalogue\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
