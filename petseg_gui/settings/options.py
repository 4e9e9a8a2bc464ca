"""What a person can set, each with the words and the range from which the dialog is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.errors import BadInput

Keys = Mapping[str, tuple[str, ...]]
"""A command's id -> its shortcuts as portable text, for the commands that differ from the table."""

_MOST_KEYS = 2
_LONGEST_KEY = 60


@dataclass(frozen=True)
class Choice:
    """One of a few values; each with the words for it."""

    words: Mapping[str, str]


@dataclass(frozen=True)
class Range:
    """A whole number from low to high. lowest: words that stand for the lowest number."""

    low: int
    high: int
    unit: str = ""
    lowest: str = ""


@dataclass(frozen=True)
class Option:
    """A field of Settings: how the dialog names it, explains it and bounds it."""

    id: str
    label: str
    help: str
    kind: Choice | Range


@dataclass(frozen=True)
class Settings:
    """A person's settings, the same for all folders."""

    theme: str = "system"
    colours: str = "scheme"
    autosave_seconds: int = 2
    undo_megabytes: int = 200
    threads: int = 0
    learn_after: int = 10
    keys: Keys = field(default_factory=dict)


OPTIONS = (
    Option(
        "theme",
        "Theme",
        "Light or dark, or as the system is.",
        Choice({"system": "As the system", "light": "Light", "dark": "Dark"}),
    ),
    Option(
        "colours",
        "Mask colours",
        "A project's own are colour-blind safe too, unless somebody changed them.",
        Choice({"scheme": "The project's own", "safe": "Colour-blind safe"}),
    ),
    Option(
        "autosave_seconds",
        "Save after",
        "How long after the last stroke a mask is saved. The journal keeps each stroke until then.",
        Range(1, 60, " s"),
    ),
    Option(
        "undo_megabytes",
        "Memory for undo",
        "Over all images; where it is used up, the oldest steps are forgotten.",
        Range(20, 4000, " MB"),
    ),
    Option(
        "threads",
        "Threads for segmenting",
        "Processor threads that the model may use.",
        Range(0, 64, lowest="All"),
    ),
    Option(
        "learn_after",
        "Learn as you go after",
        "So many approvals start a short training by themselves, where that is switched on.",
        Range(2, 1000, " approvals"),
    ),
)


def parse_settings(raw: Mapping[str, Any]) -> Settings:
    """Settings from a file's JSON; what is missing is as usual. Raises BadInput."""
    values: dict[str, Any] = {}
    for option in OPTIONS:
        if option.id in raw:
            value = raw[option.id]
            if not _fits(value, option.kind):
                raise BadInput(f"The setting {option.id!r} cannot be {str(value)[:40]!r}.")
            values[option.id] = value
    return Settings(**values, keys=parse_keys(raw.get("keys", {})))


def parse_keys(raw: object) -> dict[str, tuple[str, ...]]:
    """Shortcuts from a file's JSON: {command's id: [keys, ...]}. Raises BadInput."""
    if not isinstance(raw, dict):
        raise BadInput("The shortcuts are not a list of commands with their keys.")
    for command, keys in raw.items():
        if not (
            isinstance(keys, list)
            and len(keys) <= _MOST_KEYS
            and all(isinstance(key, str) and 0 < len(key) <= _LONGEST_KEY for key in keys)
        ):
            raise BadInput(f"The keys of the command {command[:40]!r} cannot be read.")
    return {command: tuple(keys) for command, keys in raw.items()}


def settings_json(settings: Settings) -> dict[str, Any]:
    """Settings as they are written; the inverse of ``parse_settings``."""
    return asdict(settings)


def _fits(value: object, kind: Choice | Range) -> bool:
    if isinstance(kind, Choice):
        return isinstance(value, str) and value in kind.words
    # True would pass as 1.
    return type(value) is int and kind.low <= value <= kind.high
