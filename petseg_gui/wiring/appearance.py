"""How photo and mask look: commands, panel and strip; the navigator."""

from __future__ import annotations

from dataclasses import replace

from petseg_gui.canvas.appearance import Appearance, Mode
from petseg_gui.parts import Parts

_STEP = 0.1
_MODES = {"outline_only": Mode.OUTLINE, "cut_out": Mode.CUTOUT}
_STEPS = {
    "brighter": ("brightness", _STEP),
    "darker": ("brightness", -_STEP),
    "more_contrast": ("contrast", _STEP),
    "less_contrast": ("contrast", -_STEP),
}


def wire_appearance(parts: Parts) -> None:
    """Connect what shows and what sets the canvas's appearance."""
    actions, canvas = parts.actions, parts.canvas
    for command, mode in _MODES.items():
        actions[command].triggered.connect(lambda on, mode=mode: _show_as(parts, mode, on))
    for command, (quantity, step) in _STEPS.items():
        actions[command].triggered.connect(lambda _, q=quantity, s=step: _adjust(parts, q, s))
    actions["pixel_grid"].triggered.connect(lambda on: _change(parts, grid=on))
    actions["reset_appearance"].triggered.connect(lambda: canvas.set_appearance(Appearance()))
    actions["appearance"].triggered.connect(lambda: _open_panel(parts))
    actions["navigator"].setChecked(parts.navigator.wanted)
    actions["navigator"].toggled.connect(parts.navigator.set_wanted)
    parts.strip.opacity_set.connect(canvas.set_opacity)
    canvas.appearance_changed.connect(lambda: _show(parts))
    _show(parts)


def _show(parts: Parts) -> None:
    """Say everywhere how the canvas looks now."""
    appearance = parts.canvas.appearance
    for command, mode in _MODES.items():
        parts.actions[command].setChecked(appearance.mode is mode)
    parts.actions["pixel_grid"].setChecked(appearance.grid)
    parts.strip.set_opacity(appearance.opacity)


def _open_panel(parts: Parts) -> None:
    # Imported when it is asked for: the window's first photo does not wait for it.
    from petseg_gui.appearance_panel import AppearancePanel

    canvas = parts.canvas
    panel = parts.window.findChild(AppearancePanel)
    if panel is None:
        panel = AppearancePanel(parts.window)
        panel.appearance_set.connect(canvas.set_appearance)
        canvas.appearance_changed.connect(lambda: panel.show_appearance(canvas.appearance))
    panel.show_appearance(canvas.appearance)
    panel.open_below(parts.strip.appearance_button)


def _show_as(parts: Parts, mode: Mode, on: bool) -> None:
    _change(parts, mode=mode if on else Mode.FILL)


def _adjust(parts: Parts, quantity: str, step: float) -> None:
    value = round(getattr(parts.canvas.appearance, quantity) + step, 2)
    _change(parts, **{quantity: min(max(value, -1.0), 1.0)})


def _change(parts: Parts, **changes: object) -> None:
    canvas = parts.canvas
    canvas.set_appearance(replace(canvas.appearance, **changes))  # type: ignore[arg-type]
