"""The demo project that the program draws itself: no photo is shipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.drawing.animal_photo import draw_animal
from core.errors import BadInput
from core.files import write_bytes
from core.images import encode_jpeg
from core.labels import PET
from core.masks import write_mask
from core.project.project import STORE_NAME
from core.project.settings import ProjectSettings, write_settings

IMAGES = 32
MASKED = 24
FIRST_TRAINING_SEED = 10_000
"""The shipped demo draws the seeds below; those from here on may be trained on."""


def draw_demo(
    folder: Path, images: int = IMAGES, masked: int = MASKED, first_seed: int = 0
) -> Iterator[int]:
    """Draw animals into ``folder``/images, with exact masks for the first ``masked`` of them.

    Yields the number drawn after each. Raises BadInput where the folder holds images already,
    WriteError.
    """
    if (folder / "images").exists():
        raise BadInput(f"{folder} holds images already; choose a new folder for the demo.")
    write_settings(folder / STORE_NAME / "project.json", ProjectSettings(scheme=PET))
    for i in range(images):
        pixels, mask = draw_animal(first_seed + i)
        name = f"animal-{first_seed + i + 1:02d}"
        if i < masked:
            write_mask(folder / "masks" / f"{name}.png", mask, PET)
        write_bytes(folder / "images" / f"{name}.jpg", encode_jpeg(pixels))
        yield i + 1
