"""``petseg demo``."""

from __future__ import annotations

from pathlib import Path

from core.cli.loop import run_loop
from core.cli.output import DONE, progress, say
from core.demo import draw_demo


def demo_command(folder: Path, images: int, masked: int, seed: int, loop: bool) -> int:
    """Draw the demo; with ``loop`` then segment, train two epochs, segment again."""
    if loop and (folder / "images").is_dir():
        say(f"Using the demo in {folder}")
    else:
        for _ in progress(draw_demo(folder, images, masked, seed), images, "drawing"):
            pass
        say(f"Drew {images} animals, {min(masked, images)} of them with masks, in {folder}")
    return run_loop(folder) if loop else DONE
