"""Seg-Grad-CAM: which places of a deep layer spoke for a class in a region.

Vinogradova, Dibrov, Myers: Towards Interpretable Semantic Segmentation via Gradient-Weighted Class
Activation Mapping, AAAI 2020; it extends Grad-CAM (Selvaraju et al. 2017) from a class's score to
the sum of its scores over a set of pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from core.errors import BadInput
from core.explanation.answer import Explanation
from core.explanation.look import Detail, Look, Question, asked_about
from core.inference.view import Fitted
from core.modelfile import ModelDescription, read_description
from core.models.weights import load_model

Score = Callable[[Tensor], Tensor]
"""Logits N x C x H x W -> the number that is explained."""


def explain_by_gradients(
    model: Path, look: Look, question: Question, detail: Detail
) -> Explanation:
    """Seg-Grad-CAM of a model file for a class in a region.

    Raises ModelFileError, BadInput (the model does not know the class, or has no weights to look
    into).
    """
    description = read_description(model)
    if not description.trainable:
        raise BadInput(
            f"{description.name} was imported from an ONNX file and has no weights to look into. "
            "Occlusion works with it."
        )
    members = list(question.members(description.scheme))
    net = load_model(model).requires_grad_(False)
    height, width = look.pixels.shape[:2]
    side = description.size
    fitted = Fitted(side, (side - width) // 2, (side - height) // 2, width, height)
    image = _tensor(fitted.place(look.pixels))
    logits = _logits(net(image), description)
    plane = fitted.cut((logits / description.temperature).softmax(1)[0, members].sum(0).numpy())
    region, about = asked_about(look, plane, question.name)
    where = np.zeros((side, side), bool)
    fitted.cut(where)[:] = region
    inside = torch.from_numpy(where)

    def score(raw: Tensor) -> Tensor:
        # The log of the classes' joint weight in the softmax; of one class it is its logit.
        return _logits(raw, description)[0, members].logsumexp(0)[inside].sum()

    levels = decoder_levels(net, image)
    layer = levels[{Detail.COARSE: 0, Detail.MEDIUM: len(levels) // 2, Detail.FINE: -1}[detail]]
    cam = seg_grad_cam(net, layer, image, score).numpy()
    grain = side / cam.shape[1] * (look.box[2] - look.box[0]) / width
    large = cv2.resize(cam, (side, side), interpolation=cv2.INTER_LINEAR)
    values = np.ascontiguousarray(fitted.cut(large))
    peak = float(values.max())
    return Explanation(values / (peak or 1.0), look.box, peak, about, grain)


def seg_grad_cam(net: nn.Module, layer: nn.Module, image: Tensor, score: Score) -> Tensor:
    """The class activation map at a layer's resolution: float32, h x w, 0 or more.

    relu(sum_k a_k A_k), A_k the layer's k-th channel, a_k the mean of the gradient of the score
    with respect to it (equations 1 and 2 of the paper). image: N x 3 x H x W, N = 1; the net's
    weights need no gradients.
    """
    seen: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: Tensor) -> Tensor:
        seen.append(output.detach().requires_grad_())
        return seen[-1]

    hook = layer.register_forward_hook(keep)
    try:
        with torch.enable_grad():
            value = score(net(image))
            (gradient,) = torch.autograd.grad(value, seen[-1])
    finally:
        hook.remove()
    weights = gradient.mean((2, 3), keepdim=True)
    cam: Tensor = (weights * seen[-1].detach()).sum(1).relu()[0]
    return cam


@torch.no_grad()
def decoder_levels(net: nn.Module, image: Tensor) -> list[nn.Module]:
    """From the coarsest features on, the last module of each resolution; without the last layer.

    Of a U-Net: the bottleneck, then each level of the decoder. What is known of the picture as a
    whole (one place) is no level. image: as the net takes it.
    """
    names = dict(net.named_modules())
    outputs: list[tuple[str, int]] = []

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_: nn.Module, __: object, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4:
                outputs.append((name, output.shape[2] * output.shape[3]))

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in names.items()]
    try:
        net(image)
    finally:
        for hook in hooks:
            hook.remove()
    leaves = [name for name, _ in outputs if not any(names[name].children())]
    # The last layer gives the logits, and so do all that hold it.
    around = {"", *accumulate(leaves[-1].split("."), "{}.{}".format)}
    features = [(name, area) for name, area in outputs if name not in around and area > 1]
    if not features:
        raise BadInput("This network has a single layer: there are no features to look into.")
    coarsest = min(area for _, area in features)
    start = max(i for i, (_, area) in enumerate(features) if area == coarsest)
    last: dict[int, str] = {}
    for name, area in features[start:]:
        if area >= max(last, default=0):
            last[area] = name
    return [names[last[area]] for area in sorted(last)]


def _logits(raw: Tensor, description: ModelDescription) -> Tensor:
    """One plane a class: of a sigmoid's single logit x, -x/2 and x/2 give the same softmax."""
    return torch.cat([-raw / 2, raw / 2], 1) if description.activation == "sigmoid" else raw


def _tensor(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])).float()
