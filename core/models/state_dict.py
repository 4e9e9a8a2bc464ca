"""Weights without a description: read without running any code, recognised by names and shapes."""

from __future__ import annotations

import pickle
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.errors import BadInput
from core.labels import MAX_CLASSES
from core.modelfile import MAX_BYTES
from core.models.encoders import DECODERS, ENCODERS
from core.models.network import SegmentationNet, build_network
from core.models.unet import MOST_LEVELS

State = dict[str, Tensor]

_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "weights")
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "unet.")
_MOST_TENSORS = 20_000
_DAMAGE = (
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    OverflowError,
    struct.error,
)
"""What readers of zip files and pickles raise of damaged ones, besides their own errors."""
_KNOWN = (
    "PetSeg's own networks, Pytorch-UNet (inc, down1, up1, outc), the tutorials' U-Net (downs, "
    "bottleneck, ups, final_conv), and segmentation_models_pytorch's Unet on ResNet 18 or 34"
)


@dataclass(frozen=True)
class Recognised:
    """A network that foreign weights fit. normalised: whether they tell what input they expect."""

    net: SegmentationNet
    words: str
    normalised: bool


def read_state(path: Path) -> State:
    """The tensors of a .safetensors, .pt or .pth file, as float32 (whole numbers as they are).

    Names lose the prefixes that wrappers add (``module.``). No code of the file is run. Raises
    BadInput: damaged, holds more than weights, too large, numbers that are not finite.
    """
    if path.stat().st_size > MAX_BYTES:
        raise BadInput(f"{path.name} is larger than 2 GB: too large for a model here.")
    state = _without_prefix(_read_safetensors(path) or _read_torch(path))
    bad = next((k for k, v in state.items() if not bool(torch.isfinite(v).all())), None)
    if bad is not None:
        raise BadInput(
            f"{path.name} holds numbers that are not finite (in {bad}): its training has failed. "
            "Take an earlier state of it."
        )
    return state


def recognise(state: State, name: str) -> Recognised:
    """The network that these weights belong to, holding them, in eval mode.

    name: the file's, for messages. Raises BadInput where they fit none that is known here.
    """
    guess = next(filter(None, (look(state) for look in _LAYOUTS)), None)
    if guess is None:
        shown = ", ".join(f"{k} {_shape(v)}" for k, v in list(state.items())[:3])
        raise BadInput(
            f"{name} holds {len(state)} tensors ({shown}, ...), but of no network that can be "
            f"trained here. Known are {_KNOWN}. Other networks can be imported as ONNX files."
        )
    if guess.network["outputs"] > MAX_CLASSES:
        raise BadInput(
            f"{name} gives {guess.network['outputs']} numbers a pixel: more than classes can be."
        )
    try:
        # Without memory, until it is known that the file's tensors fill it.
        with torch.device("meta"):
            own = build_network(guess.network).state_dict()
    except (ValueError, TypeError, RuntimeError, ArithmeticError) as error:
        raise BadInput(f"{name} looks like {guess.words}, but its shapes fit none.") from error
    _check_fit(name, guess, own, state)
    net = build_network(guess.network)
    mapped = {k: state[old] for k, old in guess.names(own).items() if old in state}
    net.load_state_dict(net.state_dict() | mapped)
    return Recognised(net.eval(), guess.words, {"mean", "std"} <= mapped.keys())


@dataclass(frozen=True)
class _Guess:
    """What weights seem to be. names: our names of a state dict -> theirs."""

    words: str
    network: dict[str, Any]
    names: Callable[[Mapping[str, Tensor]], dict[str, str]]


def _check_fit(name: str, guess: _Guess, own: Mapping[str, Tensor], state: State) -> None:
    """Raises BadInput unless every tensor of ours has its like in the file, and none is left."""
    theirs = guess.names(own)
    for key, wanted in own.items():
        found = state.get(theirs.get(key, key))
        if found is None:
            if key in ("mean", "std") or key.endswith("num_batches_tracked"):
                continue  # what a new network has serves
            raise BadInput(
                f"{name} looks like {guess.words}, but {theirs.get(key, key)} is missing."
            )
        if found.shape != wanted.shape:
            raise BadInput(
                f"{name} looks like {guess.words}, but {theirs.get(key, key)} is "
                f"{_shape(found)} where {_shape(wanted)} was expected."
            )
    used = set(theirs.values())
    left = [k for k, v in state.items() if k not in used and v.ndim > 0]
    if left:
        raise BadInput(
            f"{name} looks like {guess.words}, but has {len(left)} tensors more, such as {left[0]}."
        )


# The layouts


def _own(state: State) -> _Guess | None:
    """A network of PetSeg's, saved by ``torch.save(net.state_dict())``."""
    body = "body." if "body.head.weight" in state else ""
    if f"{body}head.weight" not in state:
        return None
    outputs = _channels(state[f"{body}head.weight"])

    def names(own: Mapping[str, Tensor]) -> dict[str, str]:
        return {k: body + k.removeprefix("body.") for k in own} | {"mean": "mean", "std": "std"}

    if f"{body}first.0.weight" in state:
        network = {
            "outputs": outputs,
            "width": _channels(state[f"{body}first.0.weight"]),
            "depth": _number(state, lambda n: f"{body}down.{n - 1}.1.0.weight"),
            "norm": "batch" if f"{body}first.1.running_mean" in state else "group",
            "upsampling": "transposed" if f"{body}up.0.up.weight" in state else "bilinear",
            "attention": f"{body}up.0.gate.signal.weight" in state,
        }
        return _Guess("a U-Net of PetSeg's", network, names)
    shapes = {k: v.shape for k, v in state.items() if k.startswith(f"{body}stages.")}
    for encoder, decoder in product(ENCODERS, DECODERS):
        with torch.device("meta"):  # shapes are all that is asked for
            one = build_network({"outputs": 1, "encoder": encoder, "decoder": decoder}).body
        own = one.state_dict()
        stages = {f"{body}{k}": v.shape for k, v in own.items() if k.startswith("stages.")}
        if stages == shapes and _alike_but_for_outputs(own, state, body):
            classes = outputs // _channels(own["head.weight"])
            network = {"outputs": classes, "encoder": encoder, "decoder": decoder}
            return _Guess(f"a U-Net of PetSeg's on {encoder}", network, names)
    return None


def _alike_but_for_outputs(own: State, state: State, body: str) -> bool:
    """Whether the decoder of a network of one output is that of the state dict."""
    parts = ("context.", "decoder.")
    wanted = {f"{body}{k}": v.shape for k, v in own.items() if k.startswith(parts)}
    found = {k: v.shape for k, v in state.items() if k.removeprefix(body).startswith(parts)}
    return wanted == found and state[f"{body}head.weight"].shape[1:] == own["head.weight"].shape[1:]


@dataclass(frozen=True)
class _Plain:
    """How a plain U-Net names its parts; n counts levels from 1, m is n - 1."""

    words: str
    first: str
    down: str
    bottom: str
    up: str
    join: str
    head: str


_PLAIN = (
    _Plain(
        "a U-Net of Pytorch-UNet",
        "inc.double_conv",
        "down{n}.maxpool_conv.1.double_conv",
        "",
        "up{n}.up",
        "up{n}.conv.double_conv",
        "outc.conv",
    ),
    _Plain(
        "a U-Net of an older Pytorch-UNet",
        "inc.conv.conv",
        "down{n}.mpconv.1.conv",
        "",
        "up{n}.up",
        "up{n}.conv.conv",
        "outc.conv",
    ),
    _Plain(
        "the tutorials' U-Net",
        "downs.0.conv",
        "downs.{n}.conv",
        "bottleneck.conv",
        "ups.{even}",
        "ups.{odd}.conv",
        "final_conv",
    ),
)


def _plain(layout: _Plain, state: State) -> _Guess | None:
    levels = _number(state, lambda n: f"{layout.down.format(n=n)}.0.weight")
    downs = [layout.first, *(layout.down.format(n=n) for n in range(1, levels + 1))]
    if layout.bottom:
        downs.append(layout.bottom)
    numbers = range(1, len(downs))
    ups = [layout.up.format(n=n, even=2 * n - 2) for n in numbers]
    joins = [layout.join.format(n=n, odd=2 * n - 1) for n in numbers]
    convolutions = [f"{block}.{i}.weight" for block in (*downs, *joins) for i in (0, 3)]
    if not ups or any(k not in state for k in (*convolutions, f"{layout.head}.weight")):
        return None

    def channels(block: str) -> list[int]:
        return [_channels(state[f"{block}.{i}.weight"]) for i in (0, 3)]

    network = {
        "layout": "plain",
        "outputs": _channels(state[f"{layout.head}.weight"]),
        "down": [channels(block) for block in downs],
        "up": [channels(block) for block in joins],
        "upsampling": "transposed" if f"{ups[0]}.weight" in state else "bilinear",
        "bias": f"{downs[0]}.0.bias" in state,
    }
    parts = {"body.head": layout.head}
    for kind, blocks in (("down", downs), ("up", ups), ("join", joins)):
        parts |= {f"body.{kind}.{i}": block for i, block in enumerate(blocks)}
    return _Guess(layout.words, network, lambda own: _renamed(own, parts))


def _resnet(state: State) -> _Guess | None:
    """segmentation_models_pytorch's Unet."""
    blocks = [f"decoder.blocks.{i}" for i in range(5)]
    wanted = [f"{b}.{c}.0.weight" for b in blocks for c in ("conv1", "conv2")]
    head = "segmentation_head.0"
    if any(k not in state for k in (*wanted, f"{head}.weight", "encoder.layer1.0.conv1.weight")):
        return None
    parts = {"body.encoder": "encoder", "body.head": head}
    for i, block in enumerate(blocks):
        for j, part in enumerate(("conv1.0", "conv1.1", "", "conv2.0", "conv2.1")):
            parts[f"body.decoder.{i}.{j}"] = f"{block}.{part}"
    network = {
        "layout": "resnet",
        "encoder": "resnet34" if "encoder.layer1.2.conv1.weight" in state else "resnet18",
        "outputs": _channels(state[f"{head}.weight"]),
        "decoder": [_channels(state[f"{b}.conv1.0.weight"]) for b in blocks],
    }
    words = "a U-Net of segmentation_models_pytorch"
    return _Guess(words, network, lambda own: _renamed(own, parts))


_LAYOUTS: tuple[Callable[[State], _Guess | None], ...] = (
    _own,
    *(lambda state, layout=layout: _plain(layout, state) for layout in _PLAIN),
    _resnet,
)


def _renamed(own: Mapping[str, Tensor], parts: Mapping[str, str]) -> dict[str, str]:
    """Our names -> theirs, by the longest of ``parts`` that a name begins with."""
    names = {}
    for key in own:
        words = key.split(".")
        for end in range(len(words) - 1, 0, -1):
            part = parts.get(".".join(words[:end]))
            if part is not None:
                names[key] = ".".join([part, *words[end:]])
                break
    return names


def _channels(weight: Tensor) -> int:
    """The outputs of a layer; 0 where it is no layer's weight."""
    return len(weight) if weight.ndim else 0


def _number(state: State, key: Callable[[int], str]) -> int:
    """How many levels from 1 on there are."""
    return next(n for n in range(MOST_LEVELS + 1) if n == MOST_LEVELS or key(n + 1) not in state)


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "a number"


# Reading


def _read_safetensors(path: Path) -> State | None:
    """The tensors of a .safetensors file, None where it is none."""
    with open(path, "rb") as file:
        start = file.read(9)
    if len(start) < 9 or start[8:] != b"{":
        return None
    try:
        with safe_open(path, framework="pt") as file:
            return {k: _plain_numbers(file.get_tensor(k)) for k in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise BadInput(f"{path.name} is damaged ({error}). Copy it again.") from error


def _read_torch(path: Path) -> State:
    """The tensors of what ``torch.save`` wrote. Raises BadInput."""
    if _is_zip(path):
        _check_archive(path)
    elif not _is_pickle(path):
        raise BadInput(
            f"{path.name} is no model file: it is neither safetensors, nor ONNX, nor what "
            "torch.save writes."
        )
    try:
        # As a file, not by its name: torch takes whatever ends in .safetensors for that.
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice is for whoever wrote the file
            saved = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BadInput(
            f"{path.name} holds Python objects besides weights, or is damaged. It was not opened, "
            "since such a file can run any code. Save the weights alone: "
            "torch.save(model.state_dict(), FILE)."
        ) from error
    except _DAMAGE as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(f"{path.name} is damaged ({first[:200]}). Copy it again.") from error
    return {k: _plain_numbers(v) for k, v in _tensors(path, saved)}


def _tensors(path: Path, saved: object) -> Iterator[tuple[str, Tensor]]:
    """The state dict inside what was saved, whatever else a training put beside it."""
    for key in _WRAPPERS:
        if isinstance(saved, dict) and isinstance(saved.get(key), dict):
            saved = saved[key]
    found = (
        {k: v for k, v in saved.items() if isinstance(k, str) and isinstance(v, Tensor)}
        if isinstance(saved, dict)
        else {}
    )
    if not found:
        raise BadInput(f"{path.name} holds no weights: a state dict was expected.")
    # A few bytes can claim to be a tensor of any size: none is copied before this is known.
    claimed = sum(v.numel() * v.element_size() for v in found.values() if v.layout is torch.strided)
    if claimed > MAX_BYTES or len(found) > _MOST_TENSORS:
        raise BadInput(f"{path.name} holds more than 2 GB of weights: too large for a model here.")
    return iter(found.items())


def _is_zip(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def _is_pickle(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(1) == b"\x80"


def _check_archive(path: Path) -> None:
    """Raises BadInput where what is packed is no weights, or more than may be unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, *_DAMAGE) as error:
        raise BadInput(f"{path.name} is damaged or incomplete. Copy it again.") from error
    if sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise BadInput(f"{path.name} unpacks to more than 2 GB: too large for a model here.")
    if any("/code/" in entry.filename for entry in entries):
        raise BadInput(
            f"{path.name} is TorchScript, which is code: it was not opened. Export the network "
            "as ONNX, or save its weights: torch.save(model.state_dict(), FILE)."
        )


def _plain_numbers(tensor: Tensor) -> Tensor:
    if tensor.is_sparse or tensor.is_quantized or tensor.is_complex():
        raise BadInput("It holds sparse, quantised or complex numbers: weights are plain ones.")
    return tensor.float().contiguous() if tensor.is_floating_point() else tensor


def _without_prefix(state: State) -> State:
    """Names without what DataParallel, torch.compile and Lightning put before all of them."""
    while prefix := next((p for p in _PREFIXES if all(k.startswith(p) for k in state)), None):
        state = {k.removeprefix(prefix): v for k, v in state.items()}
    return state
