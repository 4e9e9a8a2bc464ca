"""Every command once: what it is called, how it looks, which keys start it.

Menus, tool bar and the shortcuts sheet all read this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence, QPalette

from petseg_gui import icons


@dataclass(frozen=True)
class Command:
    """One command. shortcuts: the first is the one that menus show."""

    id: str
    text: str
    tip: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False


@dataclass(frozen=True)
class Menu:
    """A menu's title and its commands in order; "-" draws a line."""

    title: str
    commands: tuple[str, ...]


COMMANDS = (
    Command("open", "Open folder…", "Open a folder of photos", ("Ctrl+O",), "open"),
    Command("open_demo", "Open the demo", "Open the animals that PetSeg draws itself"),
    Command(
        "keep_elsewhere",
        "Keep masks elsewhere…",
        "Choose another folder for masks, settings and trainings of this folder",
    ),
    Command("quit", "Quit", "Save and close the window", ("Ctrl+Q",)),
    Command("undo", "Undo", "Take back the last edit", ("Ctrl+Z",), "undo"),
    Command("redo", "Redo", "Do the edit again", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
    Command(
        "replace",
        "Replace mask with prediction",
        "Take the model's mask in place of this one; can be undone",
        ("Ctrl+R",),
        "replace",
    ),
    Command(
        "approve",
        "Approve mask",
        "Say that this mask is right: approved masks train the model",
        ("A",),
        "approve",
    ),
    Command(
        "approve_next",
        "Approve and go to next",
        "Approve this mask and show the next image",
        ("Ctrl+Return",),
    ),
    Command("previous", "Previous image", "Show the image before", ("PgUp", "P"), "previous"),
    Command("next", "Next image", "Show the image after", ("PgDown", "N"), "next"),
    Command("search", "Search by name", "Search the list of images", ("Ctrl+F",), "search"),
    Command("brush", "Brush", "Paint the class onto the mask", ("B",), "brush", True),
    Command("eraser", "Eraser", "Paint background onto the mask", ("E",), "eraser", True),
    Command("smaller", "Smaller brush", "Make brush and eraser smaller", ("[",)),
    Command("larger", "Larger brush", "Make brush and eraser larger", ("]",)),
    Command("fit", "Fit in window", "Show the whole image", ("Ctrl+0", "F"), "fit"),
    Command("actual", "100 %", "Show one image pixel as one screen pixel", ("Ctrl+1",), "actual"),
    Command("zoom_in", "Zoom in", "Show the image larger", ("Ctrl++", "Ctrl+="), "zoom-in"),
    Command("zoom_out", "Zoom out", "Show the image smaller", ("Ctrl+-",), "zoom-out"),
    Command(
        "segment", "Segment image", "Have the model find the pet in this image", ("S",), "segment"
    ),
    Command(
        "segment_all",
        "Segment all",
        "Segment every image that has no mask of yours",
        ("Ctrl+Shift+S",),
        "segment-all",
    ),
    Command(
        "segment_on_opening",
        "Segment on opening",
        "Segment an unlabelled image as soon as it is shown",
        checkable=True,
    ),
    Command(
        "train",
        "Start training…",
        "Train the model on the approved masks, in the background",
        ("Ctrl+T",),
        "train",
    ),
    Command(
        "stop_training",
        "Stop training",
        "End the training and keep its best model",
        icon="stop",
    ),
    Command(
        "discard_training",
        "Discard training",
        "End the training and keep nothing of it",
        icon="discard",
    ),
    Command("shortcuts", "Keyboard shortcuts", "Show all keys", ("F1",), "keyboard"),
    Command("about", "About PetSeg", "Versions and licence"),
)

MENUS = (
    Menu("&File", ("open", "open_demo", "keep_elsewhere", "-", "quit")),
    Menu("&Edit", ("undo", "redo", "-", "replace", "-", "approve", "approve_next")),
    Menu("&Tools", ("brush", "eraser", "-", "smaller", "larger")),
    Menu(
        "&View",
        ("previous", "next", "search", "-", "fit", "actual", "zoom_in", "zoom_out", "-"),
    ),
    Menu("&Model", ("segment", "segment_all", "-", "segment_on_opening")),
    Menu("T&rain", ("train", "-", "stop_training", "discard_training")),
    Menu("&Help", ("shortcuts", "about")),
)

TOOLBAR = ("open", "-", "previous", "next", "-", "undo", "redo", "-", "segment", "segment_all")
TOOLBAR_RIGHT = ("train", "approve")

HELD_KEYS = (
    ("H", "Hide the mask while the key is held"),
    ("Space", "Move the image with the mouse while the key is held"),
)
"""Keys that act while they are held, so they are no commands; for the shortcuts sheet."""


def make_actions(owner: QObject, palette: QPalette) -> dict[str, QAction]:
    """A QAction for each command, by its id."""
    actions = {}
    for command in COMMANDS:
        action = QAction(command.text, owner)
        action.setObjectName(command.id)
        action.setCheckable(command.checkable)
        action.setShortcuts([QKeySequence(keys) for keys in command.shortcuts])
        keys = ", ".join(shortcut_texts(command))
        action.setToolTip(f"{command.tip} ({keys})" if keys else command.tip)
        actions[command.id] = action
    set_icons(actions, palette)
    return actions


def set_icons(actions: Mapping[str, QAction], palette: QPalette) -> None:
    """Draw the icons in the palette's colours (again, when it changed)."""
    for command in COMMANDS:
        if command.icon:
            actions[command.id].setIcon(icons.icon(command.icon, palette))


def shortcut_texts(command: Command) -> list[str]:
    """The command's keys as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return [QKeySequence(keys).toString(native) for keys in command.shortcuts]
