"""Whether a window can be shown here at all; asked before Qt is loaded, since Qt only aborts."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Mapping

# What Qt's libraries and its xcb plugin are linked against, as ldd lists it: the library and the
# Debian package that holds it.
_QT = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libX11.so.6": "libx11-6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
_XCB = {
    "libxcb.so.1": "libxcb1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
_WAYLAND = {
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
_WITHOUT_WINDOW = "start one, run `xvfb-run petseg-gui`, or use the `petseg` command instead"


def why_no_window(environ: Mapping[str, str]) -> str:
    """One line: why no window can be opened here and what to do; "" where one can."""
    if not sys.platform.startswith("linux"):
        return ""
    platform = environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    display, wayland = environ.get("DISPLAY"), environ.get("WAYLAND_DISPLAY")
    if not platform and not display and not wayland:
        return f"petseg-gui needs a display (DISPLAY is not set): {_WITHOUT_WINDOW}."
    missing = _missing(_QT)
    if missing:
        return missing_message(missing)
    if platform == "xcb" or (not platform and display):
        # Under Wayland Qt needs no X server, so that one alone is no reason to give up.
        if not (wayland and not platform and not _missing(_WAYLAND)):
            missing = _missing(_XCB)
            if missing:
                return missing_message(missing)
            if not _can_connect():
                shown = display or "not set"
                return (
                    f"petseg-gui cannot connect to the display (DISPLAY={shown}): "
                    f"{_WITHOUT_WINDOW}."
                )
    elif platform == "wayland" or (not platform and wayland):
        missing = _missing(_WAYLAND)
    return missing_message(missing) if missing else ""


def missing_library(error: ImportError) -> str:
    """The line for an ImportError of Qt that names a library which is not there; "" otherwise."""
    found = re.match(r"(\S+\.so[.\d]*): cannot open shared object file", str(error))
    if found is None:
        return ""
    return missing_message([found[1]])


def missing_message(libraries: list[str]) -> str:
    """One line that names the packages of these libraries."""
    known = _QT | _XCB | _WAYLAND
    packages = " ".join(dict.fromkeys(known.get(name, name) for name in libraries))
    return (
        f"petseg-gui needs system libraries that are missing ({', '.join(libraries)}): "
        f"sudo apt install {packages}"
    )


def _missing(table: Mapping[str, str]) -> list[str]:
    return [name for name in table if not _loads(name)]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _can_connect() -> bool:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed
