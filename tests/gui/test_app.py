"""Starting the program: without a display, without a library, and as people start it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from petseg_gui import app, display
from petseg_gui.display import missing_library, missing_message, why_no_window

_NO_DISPLAY = {
    k: v
    for k, v in os.environ.items()
    if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
}


def _start(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "petseg_gui.app", *arguments],
        env=_NO_DISPLAY | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are X11's")
def test_without_a_display_one_line_says_what_to_do():
    done = _start()
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    for word in ("display", "xvfb-run petseg-gui", "`petseg`"):
        assert word in line


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are X11's")
def test_a_display_that_does_not_answer_is_named_and_qt_does_not_abort():
    done = _start(DISPLAY=":987")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert ":987" in line or "libxcb" in line


def test_a_missing_library_is_named_with_its_package(monkeypatch):
    loads = display._loads
    monkeypatch.setattr(
        display, "_loads", lambda name: name != "libxcb-cursor.so.0" and loads(name)
    )
    monkeypatch.setattr(display, "_QT", {})
    line = why_no_window({"DISPLAY": ":0"})
    assert "libxcb-cursor.so.0" in line
    assert "apt install" in line
    assert "libxcb-cursor0" in line


def test_an_import_error_of_qt_becomes_the_same_line():
    error = ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")
    assert missing_library(error) == missing_message(["libEGL.so.1"])
    assert "libegl1" in missing_library(error)
    assert missing_library(ImportError("No module named PySide6")) == ""


def test_with_another_platform_no_display_is_asked_for(monkeypatch):
    monkeypatch.setattr(display, "_QT", {})
    assert why_no_window({"QT_QPA_PLATFORM": "offscreen"}) == ""


def test_every_library_of_qts_xcb_plugin_has_its_package():
    ldd = shutil.which("ldd")
    if ldd is None:
        pytest.skip("no ldd here")
    import PySide6

    plugin = os.path.join(PySide6.__path__[0], "Qt", "plugins", "platforms", "libqxcb.so")
    listed = subprocess.run([ldd, plugin], capture_output=True, text=True, check=True).stdout
    needed = {line.split()[0] for line in listed.splitlines() if "xcb" in line.split()[0]}
    needed = {n for n in needed if not n.startswith("libQt6")}
    assert needed
    assert needed <= set(display._XCB)


def test_help_needs_no_display():
    done = _start("--help")
    assert done.returncode == 0
    assert "--project" in done.stdout


def test_a_defect_is_told_in_the_window_and_on_stderr(open_window, make_project, capsys):
    parts = open_window(make_project(images=1))
    try:
        raise ZeroDivisionError("a defect")
    except ZeroDivisionError as error:
        app._tell_defects(parts)(ZeroDivisionError, error, error.__traceback__)
    assert "ZeroDivisionError: a defect" in parts.window.banners.text("defect")
    assert "Traceback" in capsys.readouterr().err
