"""What a run keeps on the disk: the checkpoint to go on from, and the best model."""

from __future__ import annotations

import io
import pickle
import shutil
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from core import files
from core.data.cache import delete_cache
from core.errors import PetSegError
from core.evaluation.metrics import Scores
from core.inference.catalogue import RUN_MODEL
from core.modelfile import ModelDescription, onnx_path
from core.models.export import save_model
from core.models.network import build_network, build_to_fit, parameter_count
from core.training import events
from core.training.config import RunConfig
from core.training.joining import Join
from core.training.optimise import scale_rate
from core.training.previews import FOLDER as PREVIEWS
from core.training.run import CACHE, Run
from core.training.trainer import TrainState, checkpoint, kept_network, new_state, restore

CHECKPOINT = "last.ckpt"
"""Of the last epoch's end: where a run goes back to. There is one from the first step on."""
PAUSED = "paused.ckpt"
"""Of a step after that one, where there is such a checkpoint."""
RESCUES = 2
"""So often a run goes back and tries with half the learning rate."""


@dataclass(frozen=True)
class Saved:
    """A checkpoint as it was read. threads: of the worker that wrote it."""

    path: Path
    threads: int
    joined: tuple[Join, ...]
    values: dict[str, Any]


def save_epoch(run: Run, state: TrainState) -> None:
    """Write everything that an interrupted run needs to go on, or back. Raises WriteError."""
    _save(run, state, CHECKPOINT)
    if run.ranks.first:
        (run.folder / PAUSED).unlink(missing_ok=True)


def save_pause(run: Run, state: TrainState) -> None:
    """The same within an epoch: to go on from, not to go back to. Raises WriteError."""
    _save(run, state, PAUSED)


def _save(run: Run, state: TrainState, name: str) -> None:
    if not run.ranks.first:
        return
    buffer = io.BytesIO()
    torch.save(checkpoint(state) | {"threads": torch.get_num_threads()}, buffer)
    files.write_bytes(run.folder / name, buffer.getvalue())
    run.say(events.Checkpoint(epoch=state.stopping.epoch, step=state.step))


def last_checkpoint(folder: Path) -> Saved | None:
    """What a run goes on from, None without one. Raises PetSegError where it is damaged."""
    paused = folder / PAUSED
    return _read(paused if paused.exists() else folder / CHECKPOINT)


def _read(path: Path) -> Saved | None:
    if not path.exists():
        return None
    try:
        _check_archive(path)
        values = torch.load(path, map_location="cpu", weights_only=True)
        if _takes_more_than(path.stat().st_size, values):
            raise ValueError("it would take more memory than it holds")
        joined = tuple(Join(*j) for j in values["joined"])
        return Saved(path, int(values["threads"]), joined, values)
    except (OSError, *_DAMAGE) as error:
        raise _unusable(path, error) from error


def _check_archive(path: Path) -> None:
    """Raises ValueError, zipfile.BadZipFile for what ``_save`` has not written: that packs nothing.

    A few bytes of a stranger's can unpack to any size.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
            raise ValueError("it unpacks to more than it holds")


def _takes_more_than(limit: int, values: object) -> bool:
    """Whether values take more bytes than that, once each is written out on its own.

    Tensors can be views of any size of a few numbers, and lists hold each other many times.
    """
    total, left = 0, [values]
    while left and total <= limit:
        one = left.pop()
        if isinstance(one, torch.Tensor):
            total += one.numel() * one.element_size()
        elif isinstance(one, dict | list | tuple):
            total += len(one)
            left += one.values() if isinstance(one, dict) else one
    return total > limit


def resumed_state(run: Run, saved: Saved) -> TrainState:
    """The state where the checkpoint left it. Raises PetSegError where that cannot be."""
    values = saved.values
    try:
        net = build_to_fit(values["network"], values["net"])
        net.to(run.setup.device).to(memory_format=torch.channels_last)
        state = new_state(net, run.options, int(values["epoch_steps"]))
        restore(state, values)
    except _DAMAGE as error:
        raise _unusable(saved.path, error) from error
    # A run may go on on a machine without a GPU.
    state.half = state.half and run.setup.device.type == "cuda"
    return state


def go_back(run: Run, state: TrainState) -> None:
    """Back to the last epoch's end with half the learning rate, which is told.

    Raises PetSegError where that was done RESCUES times already.
    """
    lost = state.step
    saved = _read(run.folder / CHECKPOINT)
    if saved is None:
        raise PetSegError(f"{run.folder / CHECKPOINT} is gone. Start a new training.")
    restore(state, saved.values)
    run.ranks.wait()  # until all have read it
    if state.rescues == RESCUES:
        raise PetSegError(
            f"The loss became infinite at step {lost}, also with a quarter of the learning rate. "
            "Start again with a smaller learning rate or another loss, and look for masks that do "
            "not belong to their photos."
        )
    state.rescues += 1
    scale_rate(state.optimizer, state.schedule, 0.5)
    run.say(
        events.Notice(
            text=f"The loss became infinite at step {lost}: back to step {state.step}, with half "
            "the learning rate."
        )
    )
    if run.ranks.first:
        # It was before the fall: who goes on from it would fall once more.
        (run.folder / PAUSED).unlink(missing_ok=True)
    save_epoch(run, state)
    run.say(events.Resumed(step=state.step))


def take_smaller(run: Run, state: TrainState) -> None:
    """Take half as many images at once from now on, which is told and kept.

    Raises PetSegError where it is one already.
    """
    if run.setup.device.type == "cuda":
        torch.cuda.empty_cache()
    if run.setup.at_once(state.parts) == 1:
        raise PetSegError(
            "Out of memory, even with one image at once: choose a smaller size or network, or "
            "close other programs, and start again."
        )
    state.parts *= 2
    run.say(
        events.Notice(
            text=f"Memory ran out: batches of {run.options.batch} are now taken in {state.parts} "
            f"parts of {run.setup.at_once(state.parts) * run.ranks.size}."
        )
    )
    save_pause(run, state)


def save_best(run: Run, state: TrainState, scores: Scores) -> None:
    """Write the network as the run's model, in place of the one before.

    Raises WriteError, PetSegError (its ONNX twin differs).
    """
    if not run.ranks.first:
        return
    options, config = run.options, run.config
    best = build_network(state.net.network)
    best.load_state_dict(kept_network(state, options).state_dict())
    description = ModelDescription(
        id=f"{config.run}-{state.stopping.best_epoch}",
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
            "fingerprint": fingerprint(config),
            "scored": options.score_border.value,
        },
        metrics=metrics(scores),
    )
    save_model(best, description, run.folder / RUN_MODEL)


def fingerprint(config: RunConfig) -> str:
    """Short, and the same for two models that learnt from the same masks of the same images."""
    lines = sorted(f"{s.source} {s.image} {s.mask}" for s in config.train_samples)
    return files.sha256("\n".join(lines).encode("utf-8", "surrogateescape"))[:12]


def metrics(scores: Scores) -> dict[str, float]:
    """The figures that a model file tells of itself, all on validation images."""
    return {
        "val_iou": scores.iou,
        "val_dice": scores.dice,
        "val_pixel_accuracy": scores.pixel_accuracy,
        "val_dataset_iou": scores.dataset_iou,
    }


def tidy(folder: Path) -> None:
    """Delete what only a run that goes on needs: checkpoints and decoded images."""
    for name in (CHECKPOINT, PAUSED):
        (folder / name).unlink(missing_ok=True)
    delete_cache(folder / CACHE)


def discard(folder: Path) -> None:
    """Delete the run's model, previews and checkpoint; its events stay."""
    model = folder / RUN_MODEL
    for path in (model, onnx_path(model)):
        path.unlink(missing_ok=True)
    shutil.rmtree(folder / PREVIEWS, ignore_errors=True)
    events.write_event(folder, events.Finished(reason="discarded"))
    tidy(folder)


_DAMAGE = (
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


def _unusable(path: Path, error: Exception) -> PetSegError:
    return PetSegError(f"{path} cannot be used to go on ({error}). Start a new training.")
