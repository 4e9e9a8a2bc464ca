"""What a run keeps on the disk: the checkpoint to go on from, and the best model."""

from __future__ import annotations

import io
import pickle
from datetime import datetime
from pathlib import Path

import torch

from core import files
from core.errors import PetSegError
from core.evaluation.metrics import Scores
from core.inference.catalogue import RUN_MODEL
from core.modelfile import ModelDescription, onnx_path
from core.models.export import save_model
from core.models.network import build_network, parameter_count
from core.training import events
from core.training.run import Run
from core.training.trainer import TrainState, checkpoint, restore

CHECKPOINT = "last.ckpt"


def save_checkpoint(run: Run, state: TrainState) -> None:
    """Write everything that an interrupted run needs to go on. Raises WriteError."""
    buffer = io.BytesIO()
    torch.save(checkpoint(state), buffer)
    files.write_bytes(run.folder / CHECKPOINT, buffer.getvalue())
    run.say(events.Checkpoint(epoch=state.step // run.epoch_steps, step=state.step))


def resume(run: Run, state: TrainState) -> None:
    """Take up the run where its checkpoint left it. Raises PetSegError where that cannot be."""
    path = run.folder / CHECKPOINT
    try:
        restore(state, torch.load(path, map_location=run.device, weights_only=True))
    except (RuntimeError, KeyError, ValueError, TypeError, EOFError, pickle.UnpicklingError) as e:
        raise PetSegError(f"{path} cannot be used to go on ({e}). Start a new training.") from e
    run.say(events.Resumed(step=state.step))


def save_best(run: Run, state: TrainState, scores: Scores) -> None:
    """Write the network as the run's model, in place of the one before.

    Raises WriteError, PetSegError (its ONNX twin differs).
    """
    options, config = run.options, run.config
    best = build_network(state.net.network)
    best.load_state_dict(state.net.state_dict())
    description = ModelDescription(
        id=f"{config.run}-{state.best_epoch}",
        name=config.name,
        scheme=run.scheme,
        border_rule=options.border,
        activation="sigmoid" if options.loss.startswith("bce") else "softmax",
        size=options.size,
        network=state.net.network,
        parameters=parameter_count(state.net),
        preset=options.preset,
        start=Path(options.start).name,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        data={
            "folders": [Path(s.folder).name for s in config.sources],
            "train": len(run.train),
            "val": len(run.val),
        },
        metrics=metrics(scores),
    )
    save_model(best, description, run.folder / RUN_MODEL)


def metrics(scores: Scores) -> dict[str, float]:
    """The figures that a model file tells of itself, all on validation images."""
    return {
        "val_iou": scores.iou,
        "val_dice": scores.dice,
        "val_pixel_accuracy": scores.pixel_accuracy,
        "val_dataset_iou": scores.dataset_iou,
    }


def discard(folder: Path) -> None:
    """Delete the run's model and checkpoint; its events stay."""
    model = folder / RUN_MODEL
    for path in (model, onnx_path(model), folder / CHECKPOINT):
        path.unlink(missing_ok=True)
    events.write_event(folder, events.Finished(reason="discarded"))
