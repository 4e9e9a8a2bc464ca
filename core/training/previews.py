"""The same few validation images, predicted before the first step and after each epoch."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from core.errors import PetSegError
from core.files import write_bytes
from core.images import image_size
from core.inference.view import fit_whole
from core.labels import BorderRule, LabelScheme, apply_border_rule, decide
from core.models.network import SegmentationNet
from core.training import events
from core.training.config import TrainConfig
from core.training.run import Run
from core.training.trainer import TrainState, kept_network, predict

FOLDER = "previews"
COUNT = 6


def show_previews(run: Run, state: TrainState) -> None:
    """Predict the images with the network as it is after the last epoch, and tell it.

    A preview that cannot be written is noticed once; it ends no run.
    """
    if not run.ranks.first:
        return
    rows = chosen_rows(len(run.val))
    net = kept_network(state, run.options)
    try:
        for place, row in enumerate(rows):
            _write(run, state, net, run.folder / FOLDER / str(place), row)
    except (PetSegError, OSError) as error:
        run.notice(f"The validation images cannot be shown: {error}", "previews")
        return
    names = tuple(run.val.loaded[row].name for row in rows)
    run.say(events.Preview(epoch=state.stopping.epoch, step=state.step, images=names))


def chosen_rows(images: int) -> list[int]:
    """The places of at most COUNT of so many images, spread over all."""
    return sorted({i * images // COUNT for i in range(COUNT)}) if images else []


def shown_rule(scheme: LabelScheme, options: TrainConfig) -> BorderRule:
    """How the border is shown: in a project that has none, as the scores count it.

    scheme: the project's. A border that only the network knows is in nobody's masks.
    """
    return options.score_border if scheme.border_id is None else BorderRule.CLASS


def _write(run: Run, state: TrainState, net: SegmentationNet, folder: Path, row: int) -> None:
    images, masks = run.val.take(torch.tensor([row]))
    width, height = image_size(run.project.image_path(run.val.loaded[row].name))
    box = fit_whole(height, width, run.options.size)
    rule = shown_rule(run.project.settings.scheme, run.options)
    said = decide(predict(net, images[0], state.half), run.scheme, rule)
    if state.step == 0:
        photo = box.cut(images[0].numpy()).transpose(1, 2, 0)
        _write_png(folder / "photo.png", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))
        truth = apply_border_rule(masks[0].numpy(), run.scheme, rule)
        _write_png(folder / "truth.png", box.cut(truth))
    _write_png(folder / f"epoch-{state.stopping.epoch:04}.png", box.cut(said))


def _write_png(path: Path, pixels: np.ndarray) -> None:
    """Atomically. pixels: uint8, H x W or H x W x 3 (BGR). Raises WriteError."""
    _, data = cv2.imencode(".png", np.ascontiguousarray(pixels))
    write_bytes(path, data.tobytes())
