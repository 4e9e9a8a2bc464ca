"""``petseg demo``."""

from __future__ import annotations

from pathlib import Path

from core.cli.output import DONE, progress, say
from core.demo import draw_demo


def demo_command(folder: Path, images: int, masked: int, seed: int, loop: bool) -> int:
    """Draw the demo; with ``loop`` then segment, train two epochs, segment again."""
    for _ in progress(draw_demo(folder, images, masked, seed), images, "drawing"):
        pass
    say(f"Drew {images} animals, {min(masked, images)} of them with masks, in {folder}")
    if loop:
        from core.cli.loop import run_loop

        return run_loop(folder)
    return DONE
