"""The process that trains one run: its course from the first step to the finished model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch

from core.errors import BadInput, PetSegError
from core.evaluation.evaluate import Report, evaluate
from core.evaluation.metrics import score
from core.inference.catalogue import RUN_MODEL
from core.inference.predictor import Predictor
from core.labels import scheme_under
from core.modelfile import read_description
from core.models.export import describe_anew
from core.models.network import parameter_count
from core.training import control, events
from core.training.config import RunConfig, Start, outputs_for, read_run_config
from core.training.control import Wanted
from core.training.keeping import (
    CHECKPOINT,
    discard,
    metrics,
    resume,
    save_best,
    save_checkpoint,
)
from core.training.pace import Ended, Pace
from core.training.run import Run, load_run
from core.training.start import be_polite, start_network
from core.training.trainer import (
    Scoring,
    Tally,
    TrainState,
    batches,
    new_state,
    train_step,
    validate,
)


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
        run = load_run(folder, config)
    except Ended as ended:
        _end_while_loading(folder, ended.wanted)
        return
    outputs = outputs_for(run.options, run.full_scheme)
    if run.options.start == Start.IMAGENET and not run.options.weights:
        text = f"ImageNet weights of {run.options.encoder}: torchvision downloads them once."
        run.say(events.Notice(text=text))
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
        resume(run, state)
    try:
        _train_epochs(run, state)
    except Ended as ended:
        _end_early(run, state, ended.wanted)
    else:
        _finish(run, state, "done")


def _train_epochs(run: Run, state: TrainState) -> None:
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


def _end_epoch(run: Run, state: TrainState, epoch: int, val: Tally, pace: Pace) -> None:
    train_scores, val_scores = _scores(state.tally), _scores(val)
    state.tally = Tally()
    best = val_scores.scores.iou > state.best_iou
    if best:
        state.best_iou, state.best_epoch = val_scores.scores.iou, epoch
        save_best(run, state, val_scores.scores)
    save_checkpoint(run, state)
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


def _end_early(run: Run, state: TrainState, wanted: Wanted) -> None:
    if wanted is Wanted.PAUSE:
        save_checkpoint(run, state)
    elif wanted is Wanted.STOP:
        _finish(run, state, "stopped")
    else:
        discard(run.folder)


def _end_while_loading(folder: Path, wanted: Wanted) -> None:
    """The run ends before this worker took a step; an earlier one may have left a model."""
    if wanted is Wanted.DISCARD:
        discard(folder)
    elif wanted is Wanted.STOP:
        best = [e for e in events.read_events(folder)[0] if isinstance(e, events.Epoch) and e.best]
        kept = events.Finished(reason="stopped")
        if best and (folder / RUN_MODEL).exists():
            epoch, val = best[-1].epoch, best[-1].val.scores
            kept = events.Finished(reason="stopped", model=RUN_MODEL, best_epoch=epoch, val=val)
        events.write_event(folder, kept)


def _finish(run: Run, state: TrainState, reason: Literal["done", "stopped"]) -> None:
    """Score the best model at the images' own size and write that into its file."""
    if state.best_epoch == 0:
        run.say(events.Finished(reason=reason))
        return
    path = run.folder / RUN_MODEL
    scores = _score_model(run, path).scores
    describe_anew(path, read_description(path).model_copy(update={"metrics": metrics(scores)}))
    run.say(
        events.Finished(reason=reason, model=RUN_MODEL, best_epoch=state.best_epoch, val=scores)
    )


def _score_model(run: Run, path: Path) -> Report:
    rule = run.options.score_border
    wanted = scheme_under(run.project.settings.scheme, rule)
    predictor = Predictor(path, threads=torch.get_num_threads())

    def predict(_name: str, pixels: np.ndarray) -> np.ndarray:
        run.watch.touch()
        return predictor.predict(pixels).mask(wanted, rule)

    names = [s.image for s in run.config.val_samples]
    return Report(wanted, rule, tuple(evaluate(run.project, names, predict, rule)))


def _scores(tally: Tally) -> events.SubsetScores:
    try:
        scores = score(np.stack(tally.counts))
    except ValueError as error:
        raise BadInput("The masks hold no labelled pixel: everything in them is void.") from error
    return events.SubsetScores(loss=tally.loss / tally.images, scores=scores)
