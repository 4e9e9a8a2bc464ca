"""Imports that take long, made in the background by several lanes."""

from __future__ import annotations

from threading import RLock

import PySide6.QtCore  # noqa: F401  (brings shibokensupport along)
from shibokensupport import feature  # type: ignore[import-not-found]

HEAVY = RLock()
"""Held while pydantic, ONNX Runtime and what stands on them are imported.

Two threads in the middle of packages that import each other are let through with half a module
(Python's way out of a deadlock of import locks), and one of them fails.
"""

# After every import PySide reads the module's source, to see whether it might switch on one of
# PySide's features; nothing of ours does. A thread that it skips while it looks at another's module
# leaves pydantic.errors to be looked at too late: then that import fails.
feature._mod_uses_pyside = lambda module: False
