"""Imports that take long, made in the background by several lanes."""

from __future__ import annotations

from threading import RLock

HEAVY = RLock()
"""Held while pydantic, ONNX Runtime and what stands on them are imported.

Two threads in the middle of packages that import each other are let through with half a module
(Python's way out of a deadlock of import locks), and one of them fails.
"""
