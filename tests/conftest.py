"""What all tests share: drawn photos, small projects, tiny models, the real data where it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from core.drawing.animal_photo import draw_animal
from core.labels import PET, BorderRule, LabelScheme
from core.masks import MaskEncoding, write_mask

if TYPE_CHECKING:
    from core.models.network import SegmentationNet

# The same examples in every run: a test that fails sometimes tells nobody anything.
settings.register_profile("petseg", deadline=None, derandomize=True, database=None, max_examples=60)
settings.load_profile("petseg")

SHARED = Path(os.environ.get("PETSEG_SHARED") or Path(__file__).parents[2] / "shared")

MakeProject = Callable[..., Path]
MakeModel = Callable[..., Path]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos (oxford-iiit-pet, ...); without it the test is skipped."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}: set PETSEG_SHARED to the folder that holds data/")
    return folder


@cache
def _drawn(seed: int, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    pixels, mask = draw_animal(seed, width, height)
    pixels.flags.writeable = mask.flags.writeable = False
    return pixels, mask


@pytest.fixture(scope="session")
def animal() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """animal(seed=0, width=48, height=48) -> (pixels uint8 RGB, mask uint8 of 0 and 1)."""

    def draw(seed: int = 0, width: int = 48, height: int = 48) -> tuple[np.ndarray, np.ndarray]:
        return _drawn(seed, width, height)

    return draw


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """make_project(images=4, masked=4, ...) -> the folder: images/*.png and masks/*.png."""

    def make(
        images: int = 4,
        masked: int | None = None,
        *,
        folder: str = "photos",
        width: int = 48,
        height: int = 48,
        scheme: LabelScheme = PET,
        encoding: MaskEncoding = MaskEncoding.IDS,
        change: Callable[[np.ndarray], np.ndarray] = np.copy,
        first_seed: int = 0,
    ) -> Path:
        root = tmp_path / folder
        (root / "images").mkdir(parents=True)
        for i in range(images):
            pixels, mask = _drawn(first_seed + i, width, height)
            Image.fromarray(pixels).save(root / "images" / f"animal-{i}.png")
            if masked is None or i < masked:
                target = root / "masks" / f"animal-{i}.png"
                write_mask(target, change(mask), scheme, encoding)
        return root

    return make


def _balanced_net(network: dict[str, Any], seed: int) -> SegmentationNet:
    """A network with random weights whose answers vary over a picture, each class somewhere."""
    import torch

    from core.models.network import build_network

    torch.manual_seed(seed)
    net = build_network(network).train()
    photos = np.stack([_drawn(s, 48, 48)[0] for s in range(6)]).transpose(0, 3, 1, 2)
    images = torch.from_numpy(np.ascontiguousarray(photos)).float()
    with torch.no_grad():
        for _ in range(12):  # the norms' statistics become those of photos
            net(images)
        net.eval()
        logits = net(images)
        scale = 3 / logits.std((0, 2, 3))
        centre = logits.transpose(0, 1).flatten(1).median(1).values
        head = net.body.head
        head.weight.mul_(scale.view(-1, 1, 1, 1))
        head.bias.copy_((head.bias - centre) * scale)
    return net


@pytest.fixture(scope="session")
def balanced_net() -> Callable[..., SegmentationNet]:
    """balanced_net(network, seed=0): eval mode; both sure and unsure pixels of every class."""

    def make(network: dict[str, Any], seed: int = 0) -> SegmentationNet:
        return _balanced_net(network, seed)

    return make


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """make_model(scheme=PET, ...) -> a tiny .safetensors with its .onnx twin beside it."""

    @cache
    def make(
        scheme: LabelScheme = PET,
        *,
        activation: str = "softmax",
        size: int = 48,
        seed: int = 0,
        name: str = "Tiny",
    ) -> Path:
        from core.modelfile import ModelDescription
        from core.models.export import save_model
        from core.models.network import parameter_count

        outputs = 1 if activation == "sigmoid" else len(scheme.classes)
        network = {"outputs": outputs, "width": 4, "depth": 2}
        net = _balanced_net(network, seed)
        path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
        description = ModelDescription(
            id=f"tiny-{seed}",
            name=name,
            scheme=scheme,
            border_rule=BorderRule.CLASS,
            activation=activation,
            size=size,
            network=network,
            parameters=parameter_count(net),
        )
        save_model(net, description, path)
        return path

    return make


@pytest.fixture(scope="session")
def tiny_model(make_model: MakeModel) -> Path:
    """A two-class model file (do not write to it)."""
    return make_model()


def tree(folder: Path) -> dict[str, tuple[bytes | None, int]]:
    """Every path below a folder with its bytes (None: a folder) and its time of change."""
    return {
        str(p.relative_to(folder)): (p.read_bytes() if p.is_file() else None, p.stat().st_mtime_ns)
        for p in [folder, *folder.rglob("*")]
    }


@pytest.fixture(scope="session")
def snapshot() -> Callable[[Path], dict[str, tuple[bytes | None, int]]]:
    """snapshot(folder): equal before and after means that nothing was written there."""
    return tree
