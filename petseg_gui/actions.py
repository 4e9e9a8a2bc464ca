"""Every command once: what it is called, how it looks, which keys start it.

Menus, tool bar and the shortcuts sheet all read this table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence, QPalette

from petseg_gui import icons


@dataclass(frozen=True)
class Command:
    """One command.

    shortcuts: the usual ones, at most two; the first is the one that menus show.
    at_image: its keys act while canvas or list have the keyboard; elsewhere they mean other things.
    """

    id: str
    text: str
    tip: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    checkable: bool = False
    at_image: bool = False
    checked_icon: str = ""


@dataclass(frozen=True)
class Menu:
    """A menu's title and what stands in it, in order: commands, menus; "-" draws a line."""

    title: str
    commands: tuple[str | Menu, ...]

    def walk(self) -> Iterator[str]:
        """The commands of the menu and of the menus in it, in order."""
        for item in self.commands:
            if isinstance(item, Menu):
                yield from item.walk()
            elif item != "-":
                yield item


COMMANDS = (
    Command("open", "Open folder…", "Open a folder of photos", ("Ctrl+O",), "open"),
    Command("open_demo", "Open the demo", "Open the animals that PetSeg draws itself"),
    Command(
        "keep_elsewhere",
        "Keep masks elsewhere…",
        "Choose another folder for masks, settings and trainings of this folder",
    ),
    Command("clear_recent", "Clear recent folders", "Forget which folders were open"),
    Command(
        "import",
        "Import annotations…",
        "Take over masks made with another tool: COCO, VOC, YOLO, labelme, CVAT, PNG",
        ("Ctrl+I",),
    ),
    Command(
        "export",
        "Export…",
        "Write masks for another tool, as pictures, or as a table",
        ("Ctrl+Shift+X",),
    ),
    Command("settings", "Settings…", "Theme, saving, colours, memory", ("Ctrl+,",)),
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
        "Say that this mask is right: approved masks train the model; once more takes it back",
        ("A",),
        "approve",
    ),
    Command(
        "approve_next",
        "Approve and go to next",
        "Approve this mask and show the next image",
        ("Return", "Ctrl+Return"),
        at_image=True,
    ),
    Command("previous", "Previous image", "Show the image before", ("PgUp",), "previous"),
    Command("next", "Next image", "Show the image after", ("PgDown", "N"), "next"),
    Command(
        "next_unlabelled",
        "Next unlabelled",
        "Go to the next image in the list that has no mask",
        ("U",),
    ),
    Command(
        "next_to_review",
        "Next to review",
        "Go to the next image whose mask is predicted or edited and not approved yet",
        ("V",),
    ),
    Command(
        "next_useful",
        "Next most useful",
        "Go to the image whose mask would teach the model most",
        ("M",),
    ),
    Command(
        "reject",
        "Reject prediction",
        "Say that this prediction is wrong: the image is to be drawn, or skipped",
        ("J",),
        "rejected",
    ),
    Command(
        "contact_sheet",
        "Contact sheet…",
        "Glance over all masks at once; approve and reject with a key",
        ("Ctrl+Shift+C",),
    ),
    Command("search", "Search", "Search the list of images", ("Ctrl+F",), "search"),
    Command(
        "update_list",
        "Update the list",
        "Search and sort the list anew: images may have changed since",
        ("F5",),
    ),
    Command("brush", "Brush", "Paint the class onto the mask", ("B",), "brush", True),
    Command("eraser", "Eraser", "Paint background onto the mask", ("E",), "eraser", True),
    Command(
        "edge_brush",
        "Edge-aware brush",
        "Paint only where the image is like the point where the stroke begins",
        ("D",),
        "edge-brush",
        True,
    ),
    Command(
        "click",
        "Click to correct",
        "A click adds what belongs to the class there, a right click removes it",
        ("C",),
        "click",
        True,
    ),
    Command(
        "grabcut",
        "Box (GrabCut)",
        "Draw a box to get the animal in it; strokes refine it",
        ("G",),
        "grabcut",
        True,
    ),
    Command(
        "segment_box",
        "Segment in a box",
        "Draw a box: the model looks at it alone, and larger",
        ("Shift+B",),
        "segment-box",
        True,
    ),
    Command("wand", "Magic wand", "Choose what is coloured like the point", ("W",), "wand", True),
    Command(
        "scissors",
        "Scissors",
        "Draw an outline that clings to edges from click to click",
        ("I",),
        "scissors",
        True,
    ),
    Command(
        "fill",
        "Fill",
        "Fill the closed outline that is clicked",
        ("K",),
        "fill",
        True,
    ),
    Command(
        "polygon",
        "Polygon",
        "Draw an outline corner by corner; Enter closes it, Backspace removes the last corner",
        ("P",),
        "polygon",
        True,
    ),
    Command("lasso", "Lasso", "Draw an outline in one stroke", ("L",), "lasso", True),
    Command("rectangle", "Rectangle", "Draw a rectangle", ("R",), "rectangle", True),
    Command("ellipse", "Ellipse", "Draw an ellipse", ("O",), "ellipse", True),
    Command("smaller", "Smaller brush", "Less of the tool's size or tolerance", ("[",)),
    Command("larger", "Larger brush", "More of the tool's size or tolerance", ("]",)),
    Command(
        "switch_operation",
        "Add or remove",
        "Switch between adding to the class and taking from it",
        ("X",),
    ),
    Command(
        "paint_void",
        "Paint void",
        "Paint void: unlabelled, never trained on and never scored",
        ("Shift+V",),
    ),
    Command(
        "lock_class",
        "Lock or unlock class",
        "Strokes neither add to a locked class nor take from it",
        ("Ctrl+L",),
    ),
    Command("classes", "Classes…", "Names, colours and keys of the classes", ("Ctrl+K",)),
    Command("select_none", "Select nothing", "Drop the selection", ("Ctrl+Shift+A",)),
    Command("fill_holes", "Fill holes…", "Fill holes of the class up to a size"),
    Command("remove_islands", "Remove islands…", "Remove pieces of the class below a size"),
    Command("keep_largest", "Keep the largest…", "Keep only the class's largest piece"),
    Command("grow", "Grow…", "Make the class larger by some pixels"),
    Command("shrink", "Shrink…", "Make the class smaller by some pixels"),
    Command("smooth", "Smooth the border…", "Round off the class's border"),
    Command(
        "refine_edge",
        "Refine edge…",
        "Redraw the class's border along fur, in a band around it",
        ("Ctrl+E",),
    ),
    Command("invert", "Invert…", "Swap the class and the background"),
    Command("clear", "Clear…", "Turn the class into background"),
    Command(
        "copy_previous",
        "Copy mask from previous image",
        "Take the mask of the image before in the list; can be undone",
        ("Ctrl+Shift+V",),
    ),
    Command("fit", "Fit in window", "Show the whole image", ("Ctrl+0", "F"), "fit"),
    Command("actual", "100 %", "Show one image pixel as one screen pixel", ("Ctrl+1",), "actual"),
    Command("zoom_in", "Zoom in", "Show the image larger", ("Ctrl++", "Ctrl+="), "zoom-in"),
    Command("zoom_out", "Zoom out", "Show the image smaller", ("Ctrl+-",), "zoom-out"),
    Command(
        "appearance",
        "Appearance…",
        "Opacity, outline, cut-out and colours of the mask; brightness of the photo",
        ("Shift+A",),
        "appearance",
    ),
    Command(
        "outline_only", "Outline only", "Show where the classes end", ("Shift+O",), checkable=True
    ),
    Command(
        "cut_out",
        "Cut-out",
        "Show a checkerboard in place of the background",
        ("Shift+C",),
        checkable=True,
    ),
    Command("brighter", "Brighter photo", "Show the photo brighter", ("Shift+Up",), at_image=True),
    Command("darker", "Darker photo", "Show the photo darker", ("Shift+Down",), at_image=True),
    Command(
        "more_contrast",
        "More contrast",
        "Show the photo with more contrast",
        ("Shift+Right",),
        at_image=True,
    ),
    Command(
        "less_contrast",
        "Less contrast",
        "Show the photo with less contrast",
        ("Shift+Left",),
        at_image=True,
    ),
    Command(
        "pixel_grid",
        "Pixel grid",
        "Show the borders of the pixels from 800 % on",
        ("Shift+G",),
        checkable=True,
    ),
    Command(
        "reset_appearance",
        "Reset appearance",
        "Show photo and mask as at first",
        ("Shift+R",),
    ),
    Command(
        "navigator",
        "Navigator",
        "Show the whole image in a corner while only a part of it is in sight",
        ("Shift+N",),
        checkable=True,
    ),
    Command(
        "segment", "Segment image", "Have the model find the pet in this image", ("S",), "segment"
    ),
    Command(
        "segment_selected",
        "Segment selected",
        "Segment the images that are selected in the list",
        ("Shift+S",),
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
        "models",
        "Models…",
        "All models: what each is, compare, import, export, choose",
        ("Ctrl+M",),
    ),
    Command(
        "evaluate",
        "Evaluate…",
        "Score the model on masks it was not trained on",
        ("Ctrl+Shift+E",),
    ),
    Command(
        "explain",
        "Why this mask…",
        "Which parts of the photo spoke for a class, as heat maps",
        ("Shift+W",),
    ),
    Command(
        "check_labels",
        "Find bad masks…",
        "Look for approved masks that the model confidently disagrees with",
        ("Ctrl+Shift+B",),
    ),
    Command(
        "corrections",
        "Corrections over time…",
        "How much each approved mask differed from the prediction, and how long it took",
        ("Ctrl+Shift+R",),
    ),
    Command(
        "compare_off",
        "Mask alone",
        "Show the photo with its mask, to be edited",
        ("Alt+1",),
        checkable=True,
    ),
    Command(
        "compare_side",
        "Side by side",
        "Photo, mask, prediction and difference beside each other",
        ("Alt+2",),
        "compare",
        checkable=True,
    ),
    Command(
        "compare_slider",
        "Under a slider",
        "Mask on the left, prediction on the right of a line that can be moved",
        ("Alt+3",),
        checkable=True,
    ),
    Command(
        "compare_difference",
        "Difference",
        "What the prediction missed, invented and agreed on",
        ("Alt+4",),
        checkable=True,
    ),
    Command(
        "heat_probability",
        "Probability",
        "How sure the model is of the class, as a heat map",
        ("Alt+5",),
        checkable=True,
    ),
    Command(
        "heat_uncertainty",
        "Uncertainty",
        "Where the model is unsure, as a heat map",
        ("Alt+6",),
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
        "pause_training",
        "Pause training",
        "Free the processor; the training goes on later where it was",
        icon="pause",
        checkable=True,
        checked_icon="resume",
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
    Command(
        "learn_as_you_go",
        "Learn as you go",
        "Train a short while by itself after every few approvals; better models take over",
        checkable=True,
    ),
    Command(
        "runs",
        "Trainings…",
        "All trainings of this folder: compare, rename, use, go on with, or delete them",
        ("Ctrl+Shift+T",),
    ),
    Command("cheat_sheet", "All keys", "Show all keys on one sheet", ("F1",), "keyboard"),
    Command("shortcuts", "Keyboard shortcuts…", "Choose the keys of the commands"),
    Command("diagnostics", "Diagnostics…", "Versions, devices and the log, to be copied"),
    Command("about", "About PetSeg", "Versions and licence"),
)

TOOLS = (
    "brush",
    "eraser",
    "edge_brush",
    "-",
    "click",
    "grabcut",
    "segment_box",
    "wand",
    "scissors",
    "fill",
    "-",
    "polygon",
    "lasso",
    "rectangle",
    "ellipse",
)
"""The bar beside the canvas: one of these is in hand."""

CLEAN_UPS = (
    "refine_edge",
    "smooth",
    "grow",
    "shrink",
    "-",
    "fill_holes",
    "remove_islands",
    "keep_largest",
    "-",
    "invert",
    "clear",
)
"""Changes of the whole mask that are shown first, as the Mask menu has them."""

COMPARE = (
    "compare_off",
    "-",
    "compare_side",
    "compare_slider",
    "compare_difference",
    "-",
    "heat_probability",
    "heat_uncertainty",
)
"""Ways to look at mask and prediction: one of these holds."""

STEER_TRAINING = ("pause_training", "stop_training", "discard_training")

MENUS = (
    Menu(
        "&File",
        (
            "open",
            Menu("Open &recent", ("clear_recent",)),
            "open_demo",
            "keep_elsewhere",
            "-",
            "import",
            "export",
            "-",
            "settings",
            "-",
            "quit",
        ),
    ),
    Menu(
        "&Edit",
        (
            "undo",
            "redo",
            "-",
            "select_none",
            "-",
            "classes",
            "-",
            "approve",
            "approve_next",
            "reject",
        ),
    ),
    Menu(
        "&Tools",
        (
            *TOOLS,
            "-",
            "smaller",
            "larger",
            "switch_operation",
            "-",
            "paint_void",
            "lock_class",
        ),
    ),
    Menu(
        "M&ask",
        (
            *CLEAN_UPS,
            "-",
            "replace",
            "copy_previous",
        ),
    ),
    Menu(
        "&View",
        (
            "previous",
            "next",
            "next_unlabelled",
            "next_to_review",
            "next_useful",
            "search",
            "update_list",
            "contact_sheet",
            "-",
            Menu("&Compare", COMPARE),
            "fit",
            "actual",
            "zoom_in",
            "zoom_out",
            "-",
            Menu(
                "&Appearance",
                (
                    "appearance",
                    "-",
                    "outline_only",
                    "cut_out",
                    "pixel_grid",
                    "-",
                    "brighter",
                    "darker",
                    "more_contrast",
                    "less_contrast",
                    "-",
                    "reset_appearance",
                ),
            ),
            "navigator",
            "-",
        ),
    ),
    Menu(
        "&Model",
        (
            "segment",
            "segment_selected",
            "segment_all",
            "segment_on_opening",
            "-",
            "models",
            "evaluate",
            "corrections",
            "-",
            "explain",
            "check_labels",
        ),
    ),
    Menu("T&rain", ("train", "runs", "learn_as_you_go", "-", *STEER_TRAINING)),
    Menu("&Help", ("cheat_sheet", "shortcuts", "-", "diagnostics", "about")),
)

TOOLBAR = ("open", "-", "previous", "next", "-", "undo", "redo", "-", "segment", "segment_all")
TOOLBAR_RIGHT = ("train", "approve")

HELD_KEYS = (
    ("H", "Hide the mask"),
    ("Space", "Move the image with the mouse"),
)
"""Keys that act while they are held, so they are no commands; for the shortcuts sheet."""

GESTURES = (
    ("Left button", "Paint"),
    ("Right button, Alt", "Erase"),
    ("Shift", "Straight line"),
    ("Ctrl+wheel", "Brush size"),
    ("Wheel", "Zoom"),
    ("Middle button", "Move the image"),
    ("Arrows", "Move the image"),
    ("0 to 9", "Choose the class"),
    ("Enter", "Take what is shown"),
    ("Esc", "Leave what is under way"),
)
"""What mouse and keys do on the canvas beside the commands; for the shortcuts sheet."""


def make_actions(owner: QObject, palette: QPalette) -> dict[str, QAction]:
    """A QAction for each command, by its id."""
    actions = {}
    for command in COMMANDS:
        action = QAction(command.text, owner)
        action.setObjectName(command.id)
        action.setCheckable(command.checkable)
        if command.at_image:
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        actions[command.id] = action
    set_shortcuts(actions, {})
    set_icons(actions, palette)
    return actions


def shortcuts_of(chosen: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The keys of every command: the chosen ones, else the usual ones that nobody else was given.

    chosen: command's id -> keys; commands that are not there any more are passed over.
    """
    taken = {QKeySequence(key) for keys in chosen.values() for key in keys}
    return {
        command.id: chosen[command.id]
        if command.id in chosen
        else tuple(key for key in command.shortcuts if QKeySequence(key) not in taken)
        for command in COMMANDS
    }


def set_shortcuts(actions: Mapping[str, QAction], chosen: Mapping[str, tuple[str, ...]]) -> None:
    """Give the commands their keys; see ``shortcuts_of``."""
    now = shortcuts_of(chosen)
    for command in COMMANDS:
        action = actions[command.id]
        action.setShortcuts([QKeySequence(key) for key in now[command.id]])
        shown = ", ".join(shortcut_texts(action))
        action.setToolTip(f"{command.tip} ({shown})" if shown else command.tip)


def set_icons(actions: Mapping[str, QAction], palette: QPalette) -> None:
    """Draw the icons in the palette's colours (again, when it changed)."""
    for command in COMMANDS:
        if command.icon:
            drawn = icons.icon(command.icon, palette, command.checked_icon)
            actions[command.id].setIcon(drawn)


def shortcut_texts(action: QAction) -> list[str]:
    """The command's keys as this system writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return [keys.toString(native) for keys in action.shortcuts()]
