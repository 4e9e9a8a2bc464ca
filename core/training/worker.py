"""The process that trains one run: reads config.json, writes events, checkpoints and the model."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from core import files
from core.data.samples import Samples, load_samples
from core.errors import BadInput, PetSegError
from core.evaluation.evaluate import Report, evaluate
from core.evaluation.metrics import Scores, score
from core.inference.catalogue import RUN_MODEL
from core.inference.predictor import Predictor
from core.labels import LabelScheme, scheme_under
from core.modelfile import ModelDescription, onnx_path, read_description
from core.models.export import describe_anew, save_model
from core.models.network import build_network, parameter_count
from core.project.project import Project, open_project
from core.training import control, events
from core.training.config import (
    RunConfig,
    Sample,
    TrainConfig,
    outputs_for,
    read_run_config,
    trained_scheme,
)
from core.training.control import Wanted
from core.training.pace import Ended, Pace, Watch
from core.training.start import be_polite, choose_device, start_network
from core.training.trainer import (
    Scoring,
    Tally,
    TrainState,
    batches,
    checkpoint,
    new_state,
    restore,
    steps_per_epoch,
    train_step,
    validate,
)

CHECKPOINT = "last.ckpt"


@dataclass
class _Run:
    """A run and what its worker read for it."""

    folder: Path
    config: RunConfig
    project: Project
    train: Samples
    val: Samples
    device: torch.device
    watch: Watch
    full_scheme: LabelScheme
    """The classes before the border rule."""

    @property
    def options(self) -> TrainConfig:
        return self.config.train

    @property
    def scheme(self) -> LabelScheme:
        """The classes that are trained."""
        return scheme_under(self.full_scheme, self.options.border)

    @property
    def epoch_steps(self) -> int:
        return steps_per_epoch(self.options, len(self.train))

    @property
    def total_steps(self) -> int:
        return self.options.epochs * self.epoch_steps

    def say(self, event: events.Event) -> None:
        events.write_event(self.folder, event)


def work(folder: Path) -> bool:
    """Train a run to its end, or until it is told otherwise. Returns whether it succeeded.

    Goes on from the run's checkpoint where there is one. A failure is told by a ``failed``
    event. Raises AlreadyRunning, BadInput (no run folder).
    """
    config = read_run_config(folder)
    with control.taken(folder):
        return _work(folder, config)


def _work(folder: Path, config: RunConfig) -> bool:
    try:
        _train(folder, config)
    except PetSegError as error:
        events.write_event(folder, events.Failed(reason=str(error)))
        return False
    except (MemoryError, torch.OutOfMemoryError):
        reason = "Out of memory: choose a smaller size or batch and start again."
        events.write_event(folder, events.Failed(reason=reason))
        return False
    return True


def _train(folder: Path, config: RunConfig) -> None:
    be_polite(config.train.threads)
    try:
        run = _load(folder, config)
    except Ended as ended:
        _end_while_loading(folder, ended.wanted)
        return
    outputs = outputs_for(run.options, run.full_scheme)
    net = start_network(run.options, outputs, run.train.images)
    net.to(run.device).to(memory_format=torch.channels_last)
    state = new_state(net, run.options, run.total_steps)
    run.say(
        events.Started(
            epochs=run.options.epochs,
            steps=run.total_steps,
            train_images=len(run.train),
            val_images=len(run.val),
            parameters=parameter_count(net),
            device=run.device.type,
            threads=torch.get_num_threads(),
            score_border=run.options.score_border,
        )
    )
    if (folder / CHECKPOINT).exists():
        _resume(run, state)
    try:
        _train_epochs(run, state)
    except Ended as ended:
        _end_early(run, state, ended.wanted)
    else:
        _finish(run, state, "done")


def _train_epochs(run: _Run, state: TrainState) -> None:
    """All epochs that are left. Raises Ended when told so."""
    scoring = Scoring(run.scheme, run.options.score_border)
    pace = Pace(run.say, state.step, run.total_steps, run.epoch_steps)
    for epoch in range(state.step // run.epoch_steps + 1, run.options.epochs + 1):
        order = batches(run.options, len(run.train), epoch)
        for batch in order[state.step % run.epoch_steps :]:
            run.watch.look()
            loss = train_step(state, run.train, batch, run.options, scoring, run.device)
            pace.stepped(len(batch), state.step, epoch, loss)
        val = validate(state.net, run.val, run.options, scoring, run.device, run.watch.touch)
        pace.validated()
        _end_epoch(run, state, epoch, val, pace)


def _end_epoch(run: _Run, state: TrainState, epoch: int, val: Tally, pace: Pace) -> None:
    train_scores, val_scores = _scores(state.tally), _scores(val)
    state.tally = Tally()
    best = val_scores.scores.iou > state.best_iou
    if best:
        state.best_iou, state.best_epoch = val_scores.scores.iou, epoch
        _save_best(run, state, val_scores.scores)
    _save_checkpoint(run, state)
    run.say(
        events.Epoch(
            epoch=epoch,
            epochs=run.options.epochs,
            step=state.step,
            train=train_scores,
            val=val_scores,
            images_per_second=pace.images_per_second,
            seconds_left=pace.seconds_left(state.step),
            best=best,
        )
    )


def _end_early(run: _Run, state: TrainState, wanted: Wanted) -> None:
    if wanted is Wanted.PAUSE:
        _save_checkpoint(run, state)
    elif wanted is Wanted.STOP:
        _finish(run, state, "stopped")
    else:
        _discard(run.folder)


def _end_while_loading(folder: Path, wanted: Wanted) -> None:
    """The run ends before this worker took a step; an earlier one may have left a model."""
    if wanted is Wanted.DISCARD:
        _discard(folder)
    elif wanted is Wanted.STOP:
        best = [e for e in events.read_events(folder)[0] if isinstance(e, events.Epoch) and e.best]
        kept = events.Finished(reason="stopped")
        if best and (folder / RUN_MODEL).exists():
            epoch, val = best[-1].epoch, best[-1].val.scores
            kept = events.Finished(reason="stopped", model=RUN_MODEL, best_epoch=epoch, val=val)
        events.write_event(folder, kept)


def _discard(folder: Path) -> None:
    model = folder / RUN_MODEL
    for path in (model, onnx_path(model), folder / CHECKPOINT):
        path.unlink(missing_ok=True)
    events.write_event(folder, events.Finished(reason="discarded"))


def _finish(run: _Run, state: TrainState, reason: Literal["done", "stopped"]) -> None:
    """Score the best model at the images' own size and write that into its file."""
    if state.best_epoch == 0:
        run.say(events.Finished(reason=reason))
        return
    path = run.folder / RUN_MODEL
    scores = _score_model(run, path).scores
    describe_anew(path, read_description(path).model_copy(update={"metrics": _metrics(scores)}))
    run.say(
        events.Finished(reason=reason, model=RUN_MODEL, best_epoch=state.best_epoch, val=scores)
    )


def _score_model(run: _Run, path: Path) -> Report:
    rule = run.options.score_border
    wanted = scheme_under(run.project.settings.scheme, rule)
    predictor = Predictor(path, threads=torch.get_num_threads())

    def predict(_name: str, pixels: np.ndarray) -> np.ndarray:
        run.watch.touch()
        return predictor.predict(pixels).mask(wanted, rule)

    names = [s.image for s in run.config.val_samples]
    return Report(wanted, rule, tuple(evaluate(run.project, names, predict, rule)))


def _load(folder: Path, config: RunConfig) -> _Run:
    projects = [open_project(Path(s.folder), Path(s.store)) for s in config.sources]

    def say(event: events.Event) -> None:
        events.write_event(folder, event)

    watch = Watch(folder, say)
    scheme = trained_scheme(config.train, projects[0].settings.scheme)

    def load(samples: tuple[Sample, ...]) -> Samples:
        pairs = [(projects[s.source], s.image) for s in samples]
        return load_samples(pairs, config.train.size, scheme, config.train.border, watch.look)

    train, val = load(config.train_samples), load(config.val_samples)
    device = choose_device(config.train.device)
    run = _Run(folder, config, projects[0], train, val, device, watch, scheme)
    for samples, purpose in ((train, "train"), (val, "validate")):
        for name, reason in samples.skipped:
            say(events.Notice(text=f"Skipped {name}: {reason}"))
        if len(samples) == 0:
            raise BadInput(f"None of the masks to {purpose} on could be read.")
    present = set(torch.unique(train.masks).tolist())
    held = [c.name for c in run.scheme.classes if c.id in present]
    if len(held) == 1:
        text = f"Every mask holds only {held[0]}: nothing else can be learnt. Paint other classes."
        say(events.Notice(text=text))
    return run


def _save_checkpoint(run: _Run, state: TrainState) -> None:
    buffer = io.BytesIO()
    torch.save(checkpoint(state), buffer)
    files.write_bytes(run.folder / CHECKPOINT, buffer.getvalue())
    run.say(events.Checkpoint(epoch=state.step // run.epoch_steps, step=state.step))


def _resume(run: _Run, state: TrainState) -> None:
    path = run.folder / CHECKPOINT
    try:
        restore(state, torch.load(path, map_location=run.device, weights_only=True))
    except (RuntimeError, KeyError, ValueError, TypeError, EOFError, pickle.UnpicklingError) as e:
        raise PetSegError(f"{path} cannot be used to go on ({e}). Start a new training.") from e
    run.say(events.Resumed(step=state.step))


def _save_best(run: _Run, state: TrainState, scores: Scores) -> None:
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
        metrics=_metrics(scores),
    )
    save_model(best, description, run.folder / RUN_MODEL)


def _metrics(scores: Scores) -> dict[str, float]:
    return {
        "val_iou": scores.iou,
        "val_dice": scores.dice,
        "val_pixel_accuracy": scores.pixel_accuracy,
        "val_dataset_iou": scores.dataset_iou,
    }


def _scores(tally: Tally) -> events.SubsetScores:
    try:
        scores = score(np.stack(tally.counts))
    except ValueError as error:
        raise BadInput("The masks hold no labelled pixel: everything in them is void.") from error
    return events.SubsetScores(loss=tally.loss / tally.images, scores=scores)
