"""Which keys start which command: what a person changed, what is taken, files of shortcuts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtGui import QKeySequence

from core.errors import BadInput
from core.files import read_json, write_json
from petseg_gui.actions import COMMANDS, HELD_KEYS, shortcuts_of
from petseg_gui.settings.options import Keys, parse_keys

_LIMIT = 2**20
_FIXED = ("Esc", "Tab", "Shift+Tab", "Backspace", "Left", "Right", "Up", "Down")
_AT_IMAGE_ONLY = ("Return", "Enter")
_COMMANDS = {command.id: command for command in COMMANDS}


class KeyTaken(BadInput):
    """Another command has this key; ``owner`` is its id."""

    def __init__(self, key: str, owner: str) -> None:
        super().__init__(f"{key} is the key of {_COMMANDS[owner].text.rstrip('…')}.")
        self.owner = owner


def give(keys: Keys, command: str, wanted: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The chosen keys with these ones for a command.

    Raises KeyTaken where another command has one, BadInput where it has a meaning that stays.
    """
    names = tuple(dict.fromkeys(portable(key) for key in wanted if key))
    for name in names:
        _require_free(name, command)
        owner = owner_of(keys, name)
        if owner not in ("", command):
            raise KeyTaken(name, owner)
    return _without_usual({**keys, command: names})


def move(keys: Keys, command: str, wanted: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The same, taken from the commands that have them. Raises BadInput."""
    names = {portable(key) for key in wanted if key}
    now = shortcuts_of(keys)
    less = {
        other: tuple(key for key in has if _written(key) not in names)
        for other, has in now.items()
        if other != command
    }
    return give(_without_usual({**keys, **less}), command, wanted)


def reset(keys: Keys, command: str) -> dict[str, tuple[str, ...]]:
    """The chosen keys with the usual ones for a command. Raises KeyTaken."""
    return give(keys, command, _COMMANDS[command].shortcuts)


def owner_of(keys: Keys, key: str) -> str:
    """The id of the command that a key starts, "" where there is none."""
    name = portable(key)
    now = shortcuts_of(keys)
    return next((c for c, has in now.items() if name in map(_written, has)), "")


def portable(key: str) -> str:
    """A key as files have it, the same on every system. Raises BadInput where it is none."""
    name = _written(key)
    if not name:
        raise BadInput(f"{key!r} is no key.")
    return name


def _written(key: str) -> str:
    """The same without asking whether it is one: "" for what a settings file has that is none."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)


def write_keys(path: Path, keys: Keys) -> None:
    """Write the keys of all commands to a file that people can read. Raises WriteError."""
    write_json(path, {"petseg": "shortcuts", "keys": shortcuts_of(keys)})


def read_keys(path: Path) -> dict[str, tuple[str, ...]]:
    """The chosen keys from a file of ``write_keys``; commands that it leaves out are as usual.

    Raises BadInput where it is no such file, gives a key twice, or one whose meaning stays.
    """
    raw = read_json(path, _LIMIT)
    if not isinstance(raw, dict) or raw.get("petseg") != "shortcuts":
        raise BadInput(f"{path.name} is no file of PetSeg's shortcuts.")
    known = {
        command: tuple(map(portable, keys))
        for command, keys in parse_keys(raw.get("keys")).items()
        if command in _COMMANDS
    }
    times = Counter(key for keys in known.values() for key in keys)
    for command, keys in known.items():
        for key in keys:
            _require_free(key, command)
            if times[key] > 1:
                raise BadInput(f"{path.name} gives {key} to more than one command.")
    return _without_usual(known)


def _require_free(name: str, command: str) -> None:
    held = {portable(key): text for key, text in HELD_KEYS}
    if name in held:
        raise BadInput(f"{name} is held for something else: {held[name].lower()}.")
    if name in _FIXED or (name in _AT_IMAGE_ONLY and not _COMMANDS[command].at_image):
        raise BadInput(f"{name} means something else while tools and dialogs are in use.")


def _without_usual(keys: Keys) -> dict[str, tuple[str, ...]]:
    return {
        command: has
        for command, has in keys.items()
        if command not in _COMMANDS
        or tuple(map(_written, has)) != tuple(map(_written, _COMMANDS[command].shortcuts))
    }
