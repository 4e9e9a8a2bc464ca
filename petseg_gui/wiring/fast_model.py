"""On a slow machine the fast model is offered: once, and never chosen unasked."""

from __future__ import annotations

from dataclasses import replace

from core.inference.bundled import bundled_model, fast_model
from petseg_gui.banner import Choice, Level
from petseg_gui.parts import Parts

_KEY = "fast-model"
_SLOW = 0.15  # seconds a photo from which on the next image and each change are waited for


def wire_fast_model(parts: Parts) -> None:
    """Offer the fast model where the default one turns out to be slow."""
    parts.desk.segmented.connect(lambda _: _offer(parts))
    parts.models.changed.connect(lambda: _withdraw(parts))


def _offer(parts: Parts) -> None:
    models, state = parts.models, parts.state
    # While a training works, the processor's speed says nothing of the machine.
    if state.state.fast_offered or parts.watcher.training or models.path != bundled_model():
        return
    seconds = parts.shelf.quickest(models.path)
    fast = next((e for e in models.entries if e.path == fast_model()), None)
    if seconds is None or seconds < _SLOW or fast is None:
        return
    parts.window.banners.show_message(
        _KEY,
        Level.INFO,
        f"A photo takes {seconds:.2f} s to segment on this machine. {fast.title} is quicker, and a "
        "little less exact.",
        [Choice(f"Use {fast.title}", lambda: models.choose(fast.path))],
    )
    state.change(replace(state.state, fast_offered=True))
    state.write()


def _withdraw(parts: Parts) -> None:
    if parts.models.path != bundled_model():
        parts.window.banners.remove(_KEY)
