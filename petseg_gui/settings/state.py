"""Where a person left off: folders, images, zoom, tool, and how the window stood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.errors import BadInput

RECENT = 10
_REMEMBERED = 50
_FARTHEST = 1e9  # pixels; no image is as large

ViewState = tuple[float, float, float]
"""Zoom, and the image point in the canvas's middle."""


@dataclass(frozen=True)
class Visit:
    """A folder that was open, and where one left it. view: None where the image was fitted."""

    folder: str
    store: str = ""
    image: str = ""
    view: ViewState | None = None


@dataclass(frozen=True)
class State:
    """visits: the latest first. geometry and docks: what Qt says of the window, in Base64.

    fast_offered: whether the fast model was offered; that is done once.
    """

    visits: tuple[Visit, ...] = ()
    tool: str = ""
    geometry: str = ""
    docks: str = ""
    fast_offered: bool = False

    @property
    def recent(self) -> tuple[Visit, ...]:
        """The folders that the menu offers."""
        return self.visits[:RECENT]

    def visit(self, folder: str) -> Visit | None:
        """Where one left a folder, None where it was never open."""
        return next((visit for visit in self.visits if visit.folder == folder), None)

    def visited(self, visit: Visit) -> State:
        """The same with this visit as the latest one, in place of an older one of its folder."""
        others = tuple(v for v in self.visits if v.folder != visit.folder)
        return replace(self, visits=(visit, *others)[:_REMEMBERED])


def parse_state(raw: Mapping[str, Any]) -> State:
    """State from a file's JSON. Raises BadInput."""
    visits = raw.get("visits", [])
    words = {key: raw.get(key, "") for key in ("tool", "geometry", "docks")}
    if not isinstance(visits, list) or not all(isinstance(w, str) for w in words.values()):
        raise BadInput("The list of recent folders is damaged.")
    kept = tuple(_visit(v) for v in visits[:_REMEMBERED])
    return State(visits=kept, fast_offered=raw.get("fast_offered") is True, **words)


def state_json(state: State) -> dict[str, Any]:
    """State as it is written; the inverse of ``parse_state``."""
    return asdict(state)


def _visit(raw: object) -> Visit:
    if isinstance(raw, dict):
        words = {key: raw.get(key, "") for key in ("folder", "store", "image")}
        if words["folder"] and all(isinstance(word, str) for word in words.values()):
            return Visit(**words, view=_view(raw.get("view")))
    raise BadInput("The list of recent folders is damaged.")


def _view(raw: object) -> ViewState | None:
    if raw is None:
        return None
    if (
        isinstance(raw, list)
        and len(raw) == 3
        and all(isinstance(n, int | float) and abs(n) <= _FARTHEST for n in raw)
        and raw[0] > 0
    ):
        return float(raw[0]), float(raw[1]), float(raw[2])
    raise BadInput("The list of recent folders is damaged.")
