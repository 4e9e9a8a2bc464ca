"""A small Oxford-IIIT Pet, drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.decoding import with_border
from core.labels import TRIMAP
from core.masks import MaskEncoding


@pytest.fixture
def pets(make_project: Callable[..., Path]) -> Path:
    """Twelve drawn animals with a border, arranged and named as Oxford-IIIT Pet: four are dogs."""
    root = make_project(
        12,
        width=160,
        height=120,
        scheme=TRIMAP,
        encoding=MaskEncoding.TRIMAP,
        change=lambda mask: with_border(mask, 2),
    )
    (root / "annotations").mkdir()
    (root / "masks").rename(root / "annotations" / "trimaps")
    for path in [*root.rglob("animal-*.png")]:
        number = int(path.stem.removeprefix("animal-"))
        breed = "beagle" if number % 3 == 0 else "Abyssinian"
        path.rename(path.with_name(f"{breed}_{number}.png"))
    return root
