"""The process that trains one run: its course from the first step to the finished model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import torch

from core.errors import BadInput, PetSegError
from core.evaluation.evaluate import Report, evaluate
from core.evaluation.metrics import Scores, score
from core.files import WriteError
from core.inference.catalogue import RUN_MODEL
from core.inference.predictor import Predictor
from core.labels import scheme_under
from core.modelfile import read_description
from core.models.export import describe_anew
from core.models.network import SegmentationNet, parameter_count
from core.training import control, events, record
from core.training.calibrating import calibrate
from core.training.config import RunConfig, Start, outputs_for, read_run_config, start_model
from core.training.control import Wanted
from core.training.estimate import step_costs, steps_per_epoch, threads_of
from core.training.keeping import (
    discard,
    go_back,
    last_checkpoint,
    metrics,
    resumed_state,
    save_best,
    save_epoch,
    save_pause,
    take_smaller,
    tidy,
)
from core.training.losses import balanced_weights
from core.training.memory import MemoryRanOut, ran_out
from core.training.pace import Ended, Pace, Watch
from core.training.precision import choose_half, step_seconds
from core.training.previews import show_previews
from core.training.progress import RunState
from core.training.ranks import Ranks, joined_ranks
from core.training.run import Run, let_join, load_run, train_groups
from core.training.start import NORM_IMAGES, be_polite, start_network
from core.training.trainer import (
    Tally,
    TrainState,
    balanced,
    batches,
    is_sound,
    new_state,
    train_step,
    validate,
)

T = TypeVar("T")
Reason = Literal["done", "early", "stopped"]


def work(folder: Path) -> bool:
    """Train a run to its end, or until it is told otherwise. Returns whether it succeeded.

    Goes on from the run's checkpoint where there is one; a run that is over stays as it is. A
    failure is told by a ``failed`` event. Raises AlreadyRunning, BadInput (no run folder).
    """
    config = read_run_config(folder)
    with joined_ranks() as ranks, control.taken(folder) if ranks.first else nullcontext():
        try:
            _train(folder, config, ranks)
        except PetSegError as error:
            return _fail(folder, ranks, str(error))
        except (MemoryError, RuntimeError) as error:
            if not ran_out(error):
                raise
            return _fail(folder, ranks, "Out of memory: choose a smaller size and start again.")
    return True


def _fail(folder: Path, ranks: Ranks, reason: str) -> bool:
    if ranks.first:
        try:
            events.write_event(folder, events.Failed(reason=reason))
        except WriteError as error:
            # A full disk, say: the log may still take it.
            sys.stderr.write(f"{reason}\n{error}\n")
    return False


def _train(folder: Path, config: RunConfig, ranks: Ranks) -> None:
    said = events.read_events(folder)[0]
    told = _story(folder, said)
    if told.finished is not None:
        if ranks.first:
            tidy(folder)
        return
    saved = last_checkpoint(folder)
    # Another number of threads would round otherwise.
    be_polite(saved.threads if saved else max(1, threads_of(config.train) // ranks.beside))
    watch = _watch(folder, ranks, said)
    try:
        run = load_run(folder, config, ranks, saved.joined if saved else (), watch)
        start_val = told.started.start_val if told.started else _score_start(run)
    except Ended as ended:
        if ranks.first:
            _end_while_loading(folder, ended.wanted, told)
        return
    state = resumed_state(run, saved) if saved else _first_state(run)
    ranks.take_first([*state.net.parameters(), *state.net.buffers()])
    run.say(
        events.Started(
            epochs=run.options.epochs,
            steps=run.options.epochs * state.epoch_steps,
            train_images=run.start_images,
            val_images=len(run.val),
            parameters=parameter_count(state.net),
            device=run.setup.device.type,
            threads=torch.get_num_threads(),
            score_border=run.options.score_border,
            ranks=ranks.size,
            fingerprint=record.fingerprint(run.train.loaded[: run.start_images], run.val.loaded),
            versions=record.versions(),
            start_val=start_val,
        )
    )
    if saved:
        run.say(events.Resumed(step=state.step))
    else:
        let_join(run, state)
        show_previews(run, state)
        save_epoch(run, state)
    _take_its_course(run, state)


def _first_state(run: Run) -> TrainState:
    options, device = run.options, run.setup.device
    outputs = outputs_for(options, run.full_scheme)
    if options.start == Start.IMAGENET and not options.weights:
        run.notice(f"ImageNet weights of {options.encoder}: torchvision downloads them once.")
    some = torch.arange(min(NORM_IMAGES, len(run.train)))
    with run.watch.beating():
        net = start_network(options, outputs, run.train.take(some)[0])
    net.to(device).to(memory_format=torch.channels_last)
    state = new_state(net, options, steps_per_epoch(options, len(run.train)))
    if options.start_share > 0:
        if _begins_as(run, net):
            state.start = {name: value.clone() for name, value in net.state_dict().items()}
        else:
            run.notice("No start share: this does not start from a model of the same classes.")
    if options.class_weights == "balanced":
        state.weights = balanced_weights(run.train.counts)
    half = choose_half(options, device, partial(step_seconds, net, options, device))
    state.half = bool(run.ranks.largest(half))
    return state


def _begins_as(run: Run, net: SegmentationNet) -> bool:
    """Whether a network has all its weights from the starting model, for the same classes.

    Two classes are alike whatever they are called.
    """
    model = start_model(run.options.start)
    if model is None:
        return False
    about = read_description(model)
    names, own = about.scheme.names, run.scheme.names
    return about.network == net.network and (names == own or len(names) == len(own) == 2)


def _take_its_course(run: Run, state: TrainState) -> None:
    """From the present step to the run's end, or until somebody wants it to pause."""
    try:
        reason: Reason = _train_epochs(run, state)
    except Ended as ended:
        if ended.wanted is not Wanted.STOP:
            _leave(run, state, ended.wanted)
            return
        reason = "stopped"
    if not run.ranks.first:
        return
    try:
        _finish(run, state, reason)
    except Ended as ended:
        _leave(run, state, ended.wanted)


def _train_epochs(run: Run, state: TrainState) -> Reason:
    """All epochs that are left. Raises Ended when told so."""
    options = run.options
    pace = Pace(run.say, step_costs(options), state.epoch_steps)
    while state.stopping.epoch < options.epochs and not state.stopping.should_stop:
        if not _train_epoch(run, state, pace):
            go_back(run, state)
    return "done" if state.stopping.epoch == options.epochs else "early"


def _train_epoch(run: Run, state: TrainState, pace: Pace) -> bool:
    """What is left of an epoch. Returns whether all numbers in it were numbers."""
    epoch = state.stopping.epoch + 1
    weights = balanced(train_groups(run)) if run.options.balance else None
    order = batches(run.options, len(run.train), epoch, state.epoch_steps, weights)
    for batch in order[state.step - (epoch - 1) * state.epoch_steps :]:
        run.watch.look()
        step = partial(train_step, state, run.train, batch, run.setup)
        loss = _fitted(run, state, step)
        if not is_sound(loss, state.net):
            return False
        pace.stepped(len(batch), state.step, epoch, loss)
    # Who stops now wants the best of what was trained, this epoch included.
    alive = partial(run.watch.look, but=Wanted.STOP)
    val = _fitted(run, state, partial(validate, state, run.val, run.setup, alive))
    if not is_sound(val.loss, state.net):
        return False
    pace.validated()
    _end_epoch(run, state, val, pace)
    pace.epoch_ended()
    return True


def _fitted(run: Run, state: TrainState, action: Callable[[], T]) -> T:
    """What the action gives, in smaller parts where memory runs out."""
    while True:
        try:
            return action()
        except MemoryRanOut:
            pass  # and let go of what it held
        take_smaller(run, state)


def _end_epoch(run: Run, state: TrainState, val: Tally, pace: Pace) -> None:
    """Tell the epoch, keep its model where it is the best, and settle who trains in the next.

    The checkpoint comes last: after a crash before it, all of this is done and told again.
    """
    train_scores, val_scores = _scores(state.tally), _scores(val)
    state.tally = Tally()
    state.stopping = state.stopping.after(val_scores.scores.iou)
    if state.stopping.improved:
        save_best(run, state, val_scores.scores)
    run.say(
        events.Epoch(
            epoch=state.stopping.epoch,
            epochs=run.options.epochs,
            step=state.step,
            train=train_scores,
            val=val_scores,
            images_per_second=pace.images_per_second,
            seconds_left=pace.seconds_left(state.step),
            best=state.stopping.improved,
            train_images=len(run.train),
            learning_rate=state.optimizer.param_groups[0]["lr"],
            memory=record.peak_memory(run.setup.device),
        )
    )
    show_previews(run, state)
    if state.stopping.epoch < run.options.epochs and not state.stopping.should_stop:
        let_join(run, state)
    save_epoch(run, state)


def _leave(run: Run, state: TrainState, wanted: Wanted) -> None:
    """Pause (also to wait in the queue), or discard."""
    if wanted is not Wanted.DISCARD:
        save_pause(run, state)
    elif run.ranks.first:
        discard(run.folder)


def _end_while_loading(folder: Path, wanted: Wanted, told: RunState) -> None:
    """The run ends before this worker took a step; an earlier one may have left a model."""
    if wanted is Wanted.DISCARD:
        discard(folder)
    elif wanted is Wanted.STOP:
        best = [e for e in told.epochs if e.best]
        kept = events.Finished(reason="stopped")
        if best and (folder / RUN_MODEL).exists():
            epoch, val = best[-1].epoch, best[-1].val.scores
            kept = events.Finished(reason="stopped", model=RUN_MODEL, best_epoch=epoch, val=val)
        events.write_event(folder, kept)
        tidy(folder)


def _finish(run: Run, state: TrainState, reason: Reason) -> None:
    """Calibrate the best model, score it at the images' own size, write that into its file.

    Raises Ended.
    """
    end = events.Finished(reason=reason)
    if state.stopping.best_epoch > 0:
        path = run.folder / RUN_MODEL
        alive = partial(run.watch.peek, but=Wanted.STOP)
        calibrate(path, run.val, alive, torch.get_num_threads())
        scores = _score_model(run, path)
        describe_anew(path, read_description(path).model_copy(update={"metrics": metrics(scores)}))
        best = state.stopping.best_epoch
        end = events.Finished(reason=reason, model=RUN_MODEL, best_epoch=best, val=scores)
    run.say(end)
    tidy(run.folder)


def _score_start(run: Run) -> Scores | None:
    """The starting model's scores, None without one or where it knows other classes.

    Raises Ended, on all ranks.
    """
    model = start_model(run.options.start)
    scores = ended = None
    if run.ranks.first and model is not None:
        try:
            scores = _score_model(run, model)
        except BadInput:
            pass  # what is wrong with it, ``start_network`` says
        except Ended as error:
            ended = error.wanted
    run.watch.settle(ended)
    return scores


def _score_model(run: Run, path: Path) -> Scores:
    """Scores on the validation images at their own size. Raises BadInput, Ended."""
    rule = run.options.score_border
    wanted = scheme_under(run.project.settings.scheme, rule)
    predictor = Predictor(path, threads=torch.get_num_threads())

    def predict(_name: str, pixels: np.ndarray) -> np.ndarray:
        run.watch.peek(but=Wanted.STOP)
        return predictor.predict(pixels).mask(wanted, rule)

    names = [s.image for s in run.config.val_samples]
    return Report(wanted, tuple(evaluate(run.project, names, predict, rule))).scores


def _scores(tally: Tally) -> events.SubsetScores:
    counts = np.stack(tally.counts)
    try:
        scores = score(counts)
    except ValueError as error:
        raise BadInput("The masks hold no labelled pixel: everything in them is void.") from error
    pixels = counts.sum(0)
    return events.SubsetScores(
        loss=tally.loss / tally.images,
        scores=scores,
        foreground=float(pixels[:, 1:].sum() / pixels.sum()),
        truth_foreground=float(pixels[1:].sum() / pixels.sum()),
    )


def _story(folder: Path, said: Sequence[events.Event]) -> RunState:
    """What the run's events tell of it so far."""
    told = RunState(folder)
    for event in said:
        told.take(event)
    return told


def _watch(folder: Path, ranks: Ranks, said: Sequence[events.Event]) -> Watch:
    obeyed = max((e.counter for e in said if isinstance(e, events.Control)), default=-1)

    def say(event: events.Event) -> None:
        if ranks.first:
            events.write_event(folder, event)

    if ranks.first and control.read_request(folder)[0] is Wanted.QUEUE:
        control.request(folder, Wanted.RUN)  # its turn has come
    return Watch(folder, say, ranks, obeyed)
