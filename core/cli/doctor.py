"""``petseg doctor``: is this installation sound, and what is in a folder."""

from __future__ import annotations

import os
import platform
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from core import masks
from core.cli.output import DONE, FAILED, open_for_cli, progress, report_skipped, say
from core.errors import BadInput
from core.inference.bundled import bundled_model, fast_model
from core.inference.predictor import providers
from core.labels import VOID, listed
from core.masks import MaskEncoding
from core.modelfile import ModelFileError, read_description, read_onnx
from core.project.layout import unpaired_masks
from core.project.project import Project

_LIBRARIES = (
    "petseg",
    "torch",
    "torchvision",
    "onnxruntime",
    "onnx",
    "PySide6-Essentials",
    "numpy",
    "opencv-python-headless",
    "pillow",
)


def doctor_command(data: Path | None, store: Path | None, encoding: MaskEncoding | None) -> int:
    """Examine the installation, then the folder."""
    _versions()
    code = _models()
    if data is None:
        return code
    return _folder(open_for_cli(data, store, encoding)) or code


def _versions() -> None:
    say(f"Python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} cores")
    say(", ".join(f"{name} {version(name)}" for name in _LIBRARIES))


def _models() -> int:
    import torch

    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    say(f"Training devices: {', '.join(devices)}")
    say(f"Prediction providers: {', '.join(providers())}")
    own = [bundled_model(), *(path for path in [fast_model()] if path.is_file())]
    return max([_sound(path) for path in own])


def _sound(path: Path) -> int:
    """Whether one of PetSeg's own models says the same in torch and in its twin: an exit code."""
    import torch

    from core.models.export import TOLERANCE, parity
    from core.models.network import parameter_count
    from core.models.weights import load_model

    try:
        description = read_description(path)
        net = load_model(path)
        twin = read_onnx(path, description)
    except ModelFileError as error:
        say(f"Bundled model: {error}")
        return FAILED
    with torch.no_grad():
        for height, width in ((description.size, description.size), (37, 91)):
            shape = tuple(net(torch.zeros(1, 3, height, width)).shape)
            say(f"Forward pass: (1, 3, {height}, {width}) -> {shape}")
    difference = parity(net, twin, description.activation)
    sound = difference <= TOLERANCE
    say(
        f"Bundled model {description.name!r}: {parameter_count(net) / 1e6:.1f} M parameters; "
        f"ONNX against torch: {difference:.1e} in probability, {'fine' if sound else 'TOO FAR'}"
    )
    return DONE if sound else FAILED


def _folder(project: Project) -> int:
    settings = project.settings
    say(
        f"{project.folder}: {len(project.names)} images ({project.layout.kind} layout), classes "
        f"{listed(settings.scheme.names)}, masks as {settings.mask_encoding}, "
        f"{'writable' if project.writable else 'read-only'}, project in {project.store}"
    )
    skipped: list[tuple[str, str]] = []
    sizes: list[tuple[int, int]] = []
    values: Counter[int] = Counter()
    for name in progress(project.names, len(project.names), "examining"):
        try:
            image = project.read_image(name)
            size = (image.pixels.shape[1], image.pixels.shape[0])
            mask = project.read_mask(name, size)
        except BadInput as error:
            skipped.append((name, str(error)))
            continue
        sizes.append(size)
        for note in image.notes:
            say(f"{name}: {note}")
        if mask is not None:
            for value in masks.present_values(mask):
                values[value] += int((mask == value).sum())
    _sizes(sizes)
    _values(project, values)
    statuses = Counter(project.status(name) for name in project.names)
    say("Status: " + ", ".join(f"{n} {status}" for status, n in statuses.most_common()))
    used = [p for n in project.names if (p := project.mask_source(n)) is not None]
    lonely = unpaired_masks(project.layout, used)
    skipped += [(str(p), "a mask that belongs to no image, or to two") for p in lonely]
    unread = (problem.rpartition(": ") for problem in project.unreadable)
    skipped += [(f"{at}/", f"this folder cannot be read ({reason})") for at, _, reason in unread]
    return report_skipped(skipped)


def _sizes(sizes: list[tuple[int, int]]) -> None:
    if sizes:
        small, large = min(sizes, key=_area), max(sizes, key=_area)
        say(f"Sizes: {small[0]} x {small[1]} to {large[0]} x {large[1]}")


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def _values(project: Project, values: Counter[int]) -> None:
    labelled = sum(n for value, n in values.items() if value != VOID)
    if not labelled:
        say("Masks: none that holds a class")
        return
    names = {c.id: c.name for c in project.settings.scheme.classes}
    shares = [f"{names[v]} {n / labelled:.1%}" for v, n in sorted(values.items()) if v in names]
    void = values[VOID] / sum(values.values())
    say(f"Mask values: {', '.join(shares)} of the labelled pixels; void {void:.1%} of all")
    say(f"Foreground: {1 - values[0] / labelled:.1%}")
