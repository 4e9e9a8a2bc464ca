"""The mean of several models' weights: often better than each, and never slower than one.

Wortsman et al., "Model soups", ICML 2022. It works where they were all trained from the same model:
weights of trainings that began apart do not fit together.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import torch

from core.errors import BadInput
from core.modelfile import ModelDescription, read_description
from core.models.export import save_model
from core.models.network import parameter_count
from core.models.weights import load_model


def average_models(
    models: Sequence[Path], shares: Sequence[float], out: Path, name: str
) -> ModelDescription:
    """Write the mean of models of one network and the same classes as a model file and its twin.

    shares: positive, one a model; only how they compare counts. The mean sees pictures of the
    first one's size; its temperature is the mean, its figures are unknown. Raises BadInput (too
    few, shares that do not fit, different networks, inputs or classes), ModelFileError, WriteError.
    """
    if len(models) < 2:
        raise BadInput("A mean needs two models at least.")
    if len(shares) != len(models) or not all(0 < s < math.inf for s in shares):
        raise BadInput(f"{len(models)} models need as many shares, each more than 0.")
    about = [read_description(path) for path in models]
    nets = [load_model(path) for path in models]
    first = about[0]
    for path, other, net in zip(models, about, nets, strict=True):
        same_input = torch.equal(net.mean, nets[0].mean) and torch.equal(net.std, nets[0].std)
        if _kind(other) != _kind(first) or not same_input:
            raise BadInput(
                f"{path} has another network, input or other classes than {models[0]}: only "
                "models that were trained from the same one have a mean."
            )
    parts = [share / sum(shares) for share in shares]
    states = [net.state_dict() for net in nets]
    for key, value in states[0].items():
        if value.is_floating_point():
            value.copy_(sum(p * state[key] for p, state in zip(parts, states, strict=True)))
    description = first.model_copy(
        update={
            "id": f"mean-{uuid.uuid4().hex[:12]}",
            "name": name,
            "parameters": parameter_count(nets[0]),
            "start": ", ".join(path.name for path in models),
            "created": datetime.now().astimezone().isoformat(timespec="seconds"),
            "data": first.data if all(a.data == first.data for a in about) else {},
            "metrics": {},
            "temperature": sum(p * a.temperature for p, a in zip(parts, about, strict=True)),
        }
    )
    return save_model(nets[0], description, out)


def _kind(about: ModelDescription) -> tuple[object, ...]:
    return about.network, about.scheme.names, about.border_rule, about.activation, about.view
