"""Checks so small that they train in a second."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.labels import PET
from core.masks import write_mask

TINY = {
    "start": "scratch",
    "encoder": "",
    "width": 4,
    "depth": 1,
    "size": 32,
    "epochs": 2,
    "batch": 4,
    "min_steps": 6,
    "augment": "none",
    "threads": 1,
}


@pytest.fixture
def discs(tmp_path: Path) -> Path:
    """Twelve bright discs on dark noise with their masks; that of disc-5 is swapped."""
    root, rng = tmp_path / "discs", np.random.default_rng(0)
    (root / "images").mkdir(parents=True)
    for i in range(12):
        y, x = np.mgrid[:48, :48]
        row, column, radius = rng.integers(14, 34), rng.integers(14, 34), rng.integers(8, 14)
        mask = ((y - row) ** 2 + (x - column) ** 2 < radius**2).astype(np.uint8)
        pixels = rng.integers(0, 90, (48, 48, 3)) + mask[..., None] * 150
        Image.fromarray(pixels.astype(np.uint8)).save(root / "images" / f"disc-{i}.png")
        write_mask(root / "masks" / f"disc-{i}.png", 1 - mask if i == 5 else mask, PET)
    return root


@pytest.fixture(autouse=True)
def keeps_its_priority(monkeypatch: pytest.MonkeyPatch):
    """A check in the tests' own process must not slow down all tests after it."""
    monkeypatch.setattr(os, "nice", lambda _by: 0)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
