"""Writing a model: .safetensors and its ONNX twin, checked against each other first."""

from __future__ import annotations

import io
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from core import files
from core.errors import PetSegError
from core.modelfile import METADATA_KEY, ModelDescription, onnx_path
from core.models.network import SegmentationNet, build_network
from core.runtime import onnxruntime

OPSET = 17
TOLERANCE = 1e-3
"""The largest difference in probability between a model and its twin."""

# Odd sizes on purpose: padding and cutting are part of what is compared.
_CHECKED_SIZES = ((64, 64), (37, 91), (1, 1))


def save_model(net: SegmentationNet, description: ModelDescription, path: Path) -> ModelDescription:
    """Write ``path`` (.safetensors, float16 weights) and its .onnx twin.

    The twin is made of the rounded weights and agrees with them within TOLERANCE, or nothing is
    written and PetSegError raised. Returns the description with the twin's hash. Raises WriteError.
    """
    state = _rounded(net.state_dict())
    copy = build_network(net.network)
    copy.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    copy.eval()
    twin = to_onnx(copy)
    difference = parity(copy, twin, description.activation)
    if not difference <= TOLERANCE:
        raise PetSegError(
            f"The ONNX twin differs from the model by {difference:.2g} in probability; "
            "nothing was written."
        )
    description = description.model_copy(update={"onnx_sha256": files.sha256(twin)})
    text = json.dumps(description.model_dump(mode="json"))
    model = save(state, metadata={METADATA_KEY: text})
    files.write_together({onnx_path(path): twin, path: model})
    return description


def describe_anew(path: Path, description: ModelDescription) -> None:
    """Replace a model file's description; weights and twin stay. Raises WriteError."""
    text = json.dumps(description.model_dump(mode="json"))
    files.write_bytes(path, save(load_file(path), metadata={METADATA_KEY: text}))


def to_onnx(net: SegmentationNet) -> bytes:
    """The network in eval mode as ONNX: ``image`` float 1 x 3 x H x W -> ``logits``, any H, W."""
    buffer = io.BytesIO()
    example = torch.zeros(1, 3, 2 * net.body.stride - 1, 3 * net.body.stride + 1)
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but the only one that keeps any size and needs
        # half a second; it warns of each size it traces.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            (example,),
            buffer,  # type: ignore[arg-type]  # the tracing exporter takes a buffer
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes={"image": {0: "n", 2: "h", 3: "w"}, "logits": {0: "n", 2: "h", 3: "w"}},
        )
    return buffer.getvalue()


@torch.no_grad()
def parity(net: nn.Module, twin: bytes, activation: str) -> float:
    """The largest difference in probability between a network and its ONNX twin, at odd sizes."""
    session = onnxruntime.InferenceSession(twin, providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    worst = 0.0
    for height, width in _CHECKED_SIZES:
        image = generator.uniform(0, 255, (1, 3, height, width)).astype(np.float32)
        (theirs,) = session.run(None, {"image": image})
        ours = _probability(net(torch.from_numpy(image)), activation)
        difference = (ours - _probability(torch.from_numpy(theirs), activation)).abs().max()
        worst = max(worst, float(difference))
    return worst


def _probability(logits: Tensor, activation: str) -> Tensor:
    return torch.sigmoid(logits) if activation == "sigmoid" else torch.softmax(logits, dim=1)


def _rounded(state: dict[str, Tensor]) -> dict[str, Tensor]:
    # Norms' numbers stay whole: they are few, and variances can pass float16's range.
    return {
        k: (v.half() if v.is_floating_point() and v.ndim >= 2 else v).contiguous().cpu()
        for k, v in state.items()
    }
