"""How class ids become colours: a colour table, and patterns for what a colour cannot say.

A code is a class id, or stands for part of a pattern; the colour table knows both. So patterns
cost a few operations on bytes, and colouring is one conversion by Qt.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import qRgba

from core.labels import BACKGROUND, VOID, LabelScheme, default_colour
from petseg_gui.canvas.appearance import Appearance, Colours, Mode

_STRIPE = 254  # what no class has as its id
_LIGHT, _DARK, _CLEAR = 0, 1, 2  # of a cut-out

VOID_COLOUR = (96, 96, 96)
_STRIPE_COLOUR = (235, 235, 235)
_LIGHT_COLOUR = (255, 255, 255)
_DARK_COLOUR = (204, 204, 204)
_CHECKER = 8.0  # device pixels a square
_STRIPES = 8.0  # device pixels from stripe to stripe


def colour_table(scheme: LabelScheme, appearance: Appearance) -> list[int]:
    """256 colours (QRgb) by code; the background and ids that are no class show nothing.

    Outlines and the squares of a cut-out cover the photo, whatever the opacity.
    """
    table = [0] * 256
    fill = round(255 * appearance.opacity)
    if appearance.mode is Mode.CUTOUT:
        table[_LIGHT] = qRgba(*_LIGHT_COLOUR, 255)
        table[_DARK] = qRgba(*_DARK_COLOUR, 255)
        table[_STRIPE] = qRgba(*_STRIPE_COLOUR, fill)
        return table
    alpha = 255 if appearance.mode is Mode.OUTLINE else fill
    for label in scheme.classes:
        if label.id != BACKGROUND:
            safe = appearance.colours is Colours.SAFE
            colour = default_colour(label.id) if safe else label.colour
            table[label.id] = qRgba(*colour, alpha)
    table[VOID] = qRgba(*VOID_COLOUR, alpha)
    table[_STRIPE] = qRgba(*_STRIPE_COLOUR, alpha)
    return table


def codes(
    ids: np.ndarray,
    appearance: Appearance,
    origin: tuple[int, int] = (0, 0),
    density: float = 1.0,
) -> np.ndarray:
    """What is shown of each sample of a mask, for the colour table: uint8, height x width.

    ids: uint8, height x width; origin: the first sample's place among all samples, so that
    patterns stay where they are; density: samples a device pixel. An outline is right only as far
    from the edges of ``ids`` as it is wide.
    """
    shown = ids
    void = ids == VOID
    if void.any():
        period = max(3, round(_STRIPES * density))
        stripes = diagonals(ids.shape, origin, period)
        shown = np.where(void & stripes, np.uint8(_STRIPE), ids)
    if appearance.mode is Mode.OUTLINE:
        shown = shown * _near_border(ids, max(1, round(appearance.outline_width * density)))
    elif appearance.mode is Mode.CUTOUT:
        dark = _squares(ids.shape, origin, max(1, round(_CHECKER * density)))
        seen = np.where(shown == _STRIPE, np.uint8(_STRIPE), np.uint8(_CLEAR))
        shown = np.where(ids == BACKGROUND, dark.view(np.uint8), seen)  # True is _DARK
    return shown


def photo_table(appearance: Appearance) -> list[int] | None:
    """256 greys (QRgb): how each value of the photo is shown; None where as it is."""
    if not appearance.brightness and not appearance.contrast:
        return None
    values = np.arange(256) - 127.5
    shown = values * 4.0**appearance.contrast + 127.5 + 128 * appearance.brightness
    return [qRgba(v, v, v, 255) for v in np.rint(shown).clip(0, 255).astype(int).tolist()]


def diagonals(shape: tuple[int, ...], origin: tuple[int, int], period: int) -> np.ndarray:
    """Slanting stripes, a third of the period wide: bool, height x width."""
    height, width = shape
    along = (np.arange(width + height - 1) + origin[0] + origin[1]) % period < period // 3
    windows: np.ndarray = np.lib.stride_tricks.sliding_window_view(along, width)
    return windows


def _squares(shape: tuple[int, ...], origin: tuple[int, int], side: int) -> np.ndarray:
    """Every other square of a checkerboard: bool, height x width."""
    height, width = shape
    columns = (np.arange(width) + origin[0]) // side % 2 == 1
    rows = (np.arange(height) + origin[1]) // side % 2 == 1
    squares: np.ndarray = columns[None, :] ^ rows[:, None]
    return squares


def _near_border(ids: np.ndarray, width: int) -> np.ndarray:
    """Which samples lie within ``width`` of one of another class, across or down: bool."""
    near = np.zeros(ids.shape, bool)
    across, down = ids[:, 1:] != ids[:, :-1], ids[1:] != ids[:-1]
    near[:, 1:] |= across
    near[:, :-1] |= across
    near[1:] |= down
    near[:-1] |= down
    reached = 1
    while reached < width:
        step = min(reached, width - reached)  # no farther, or gaps would stay
        near[:, step:] |= near[:, :-step].copy()
        near[:, :-step] |= near[:, step:].copy()
        near[step:] |= near[:-step].copy()
        near[:-step] |= near[step:].copy()
        reached += step
    return near
