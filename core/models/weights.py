"""Starting weights: ImageNet's (downloaded by torchvision, or from a file) or a model file's."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
import torchvision
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from core.errors import BadInput, PetSegError
from core.modelfile import ModelFileError, read_description, require_trainable
from core.models.encoders import EncoderUNet, batch_norms
from core.models.network import SegmentationNet, build_to_fit
from core.models.state_dict import read_state


def load_imagenet(net: SegmentationNet, file: str = "") -> None:
    """Give the network's encoder ImageNet weights, from a file or by torchvision's download.

    A file's ``input`` metadata (``RGB x/127.5-1``) sets the normalisation. Raises BadInput: the
    network has no encoder, the file does not fit; PetSegError: the download failed.
    """
    if not isinstance(net.body, EncoderUNet):
        raise BadInput(
            "ImageNet weights need an encoder: choose a preset with one (quick, transfer) or "
            "--set encoder=mobilenet_v2."
        )
    state = _read_state(Path(file)) if file else _download(net.body.encoder_name)
    try:
        net.body.load_encoder(state)
    except ValueError as error:
        raise BadInput(f"{file or 'The download'}: {error}.") from error
    if file and _input_of(Path(file)).endswith("x/127.5-1"):
        net.set_normalisation((127.5,) * 3, (127.5,) * 3)


def load_model(path: Path, device: torch.device | str = "cpu") -> SegmentationNet:
    """The network of a model file, with its weights, in eval mode. Raises ModelFileError."""
    description = read_description(path)
    require_trainable(description)
    try:
        state = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}
        net = build_to_fit(description.network, state)
    except (ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelFileError(f"{path.name}: its weights do not fit its description.") from error
    return net.to(device)


def take_over(net: SegmentationNet, old: SegmentationNet) -> None:
    """Start from the weights of a network that differs in its classes at most.

    Where they differ, all but the last layer is taken.
    """
    state, fresh = old.state_dict(), net.state_dict()
    if old.network["outputs"] != net.network["outputs"]:
        state = {k: fresh[k] if k.startswith("body.head") else v for k, v in state.items()}
    net.load_state_dict(state)


def has_identity_norms(encoder: nn.Module) -> bool:
    """Whether every batch norm has the statistics it was born with (folded weights)."""
    norms = batch_norms(encoder)
    return bool(norms) and all(
        n.running_mean is not None
        and n.running_var is not None
        and bool((n.running_mean == 0).all())
        and bool(((n.running_var - 1).abs() < 1e-2).all())
        for n in norms
    )


@torch.no_grad()
def restore_norms(encoder: nn.Module, images: Tensor) -> None:
    """Give identity batch norms the statistics of real images, leaving the function the same.

    In train mode an identity norm would normalise what was never meant to be, and wreck the
    weights. ``encoder`` takes ``images`` as its input; 32 or more are enough.
    """
    seen: dict[nn.Module, _InputStatistics] = {n: _InputStatistics() for n in batch_norms(encoder)}

    def collect(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[norm].add(inputs[0])

    hooks = [n.register_forward_pre_hook(collect) for n in seen]
    encoder.eval()
    for batch in torch.split(images, 16):
        encoder(batch)
    for hook in hooks:
        hook.remove()
    for norm in batch_norms(encoder):
        mean, var = seen[norm].mean_and_variance()
        # The function before: weight * (x - old mean) / sqrt(old var + eps) + bias.
        scale = norm.weight.double() / (_tensor(norm.running_var).double() + norm.eps).sqrt()
        bias = norm.bias.double() + scale * (mean - _tensor(norm.running_mean).double())
        norm.weight.copy_(scale * (var + norm.eps).sqrt())
        norm.bias.copy_(bias)
        _tensor(norm.running_mean).copy_(mean)
        _tensor(norm.running_var).copy_(var)


class _InputStatistics:
    """Mean and variance of each channel over everything that was added."""

    def __init__(self) -> None:
        self.count = 0
        self.total = torch.zeros(1, dtype=torch.float64)
        self.squares = torch.zeros(1, dtype=torch.float64)

    def add(self, x: Tensor) -> None:
        values = x.transpose(0, 1).flatten(1).double()
        self.count += values.shape[1]
        self.total = self.total + values.sum(1)
        self.squares = self.squares + values.square().sum(1)

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        mean = self.total / self.count
        return mean, (self.squares / self.count - mean.square()).clamp_min(1e-6)


def _tensor(value: Tensor | None) -> Tensor:
    if value is None:
        raise ValueError("a batch norm without running statistics")
    return value


def _download(encoder: str) -> dict[str, Tensor]:
    weights = torchvision.models.get_model_weights(encoder).DEFAULT
    try:
        state: dict[str, Tensor] = weights.get_state_dict(
            progress=True, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError, pickle.UnpicklingError) as error:
        raise PetSegError(
            f"The ImageNet weights of {encoder} could not be downloaded from {weights.url} "
            f"({error}). Connect to the internet, or give them as a file: --set weights=FILE."
        ) from error
    return state


def _read_state(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise BadInput(f"No weights at {path}.")
    try:
        return read_state(path)
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror or error}.") from error


def _input_of(path: Path) -> str:
    """What a .safetensors file says of its input; "" where it says nothing, or is none."""
    try:
        with safe_open(path, framework="pt") as file:
            return str((file.metadata() or {}).get("input", ""))
    except SafetensorError:
        return ""
