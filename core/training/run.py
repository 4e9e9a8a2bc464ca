"""A run and what its worker has read for it: projects, images and masks, the device."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import torch

from core.data.decoding import Decoding
from core.data.samples import Samples, SampleStore, load_samples
from core.errors import BadInput, PetSegError
from core.evaluation.groups import group_of
from core.labels import LabelScheme, scheme_under
from core.project.project import Project, open_project
from core.training import events
from core.training.config import RunConfig, Sample, TrainConfig, trained_scheme
from core.training.joining import Approvals, Join, approvals_since, find_joins
from core.training.pace import Ended, Watch
from core.training.ranks import Ranks
from core.training.start import choose_device
from core.training.trainer import Scoring, Setup, TrainState

T = TypeVar("T")

CACHE = "cache"
_LOADING_SECONDS = 2.0
_NAMED = 3  # images that a notice names before it only counts


@dataclass
class Run:
    """A run and what its worker read for it. ``full_scheme``: the classes before the border rule.

    start_images: so many trained when the run began; the rest joined it.
    """

    folder: Path
    config: RunConfig
    projects: Sequence[Project]
    full_scheme: LabelScheme
    setup: Setup
    watch: Watch
    store: SampleStore
    approvals: Approvals
    train: Samples
    val: Samples
    start_images: int
    _noticed: set[str] = field(default_factory=set)

    @property
    def project(self) -> Project:
        """The run's own; the others are those that train along."""
        return self.projects[0]

    @property
    def options(self) -> TrainConfig:
        return self.config.train

    @property
    def ranks(self) -> Ranks:
        return self.setup.ranks

    @property
    def scheme(self) -> LabelScheme:
        """The classes that are trained."""
        return scheme_under(self.full_scheme, self.options.border)

    def say(self, event: events.Event) -> None:
        """Only the first rank's words are written. Raises WriteError."""
        if self.ranks.first:
            events.write_event(self.folder, event)

    def notice(self, text: str, topic: str = "") -> None:
        """Say something that a person should know: once a topic, or once in the same words."""
        if (topic or text) not in self._noticed:
            self._noticed.add(topic or text)
            self.say(events.Notice(text=text))


def load_run(
    folder: Path, config: RunConfig, ranks: Ranks, joined: Sequence[Join], watch: Watch
) -> Run:
    """Open the run's projects and decode its images; bad and changed ones are told as notices.

    joined: the masks that joined it so far. Raises BadInput (nothing could be read), WriteError,
    Ended.
    """
    options = config.train
    projects = [open_project(Path(s.folder), Path(s.store)) for s in config.sources]
    scheme = trained_scheme(options, projects[0].settings.scheme)
    device = choose_device(options.device, ranks)
    scoring = Scoring(scheme_under(scheme, options.border), options.score_border)
    store = SampleStore(
        Decoding(options.size, scheme, options.border),
        folder / CACHE,
        options.memory * 2**20,
        torch.get_num_threads(),
    )
    said = _Progress(folder, ranks, len(config.train_samples) + len(config.val_samples))
    later = tuple(Sample(source=0, image=j.image, mask=j.mask) for j in joined)

    def load() -> tuple[Samples, Samples, Samples]:
        wanted = (config.train_samples, config.val_samples, later)
        train, val, more = (_load(w, projects, store, watch.peek, said) for w in wanted)
        return train, val, more

    train, val, more = _in_turn(load, ranks, watch)
    run = Run(
        folder,
        config,
        projects,
        scheme,
        Setup(options, scoring, device, ranks),
        watch,
        store,
        approvals_since(config),
        train + more,
        val,
        len(train),
    )
    _tell_of_masks(run, config.train_samples, train)
    _tell_of_masks(run, config.val_samples, val)
    _tell_of_masks(run, later, more)
    for samples, purpose in ((train, "train"), (val, "validate")):
        if len(samples) == 0:
            raise BadInput(f"None of the masks to {purpose} on could be read.")
    _tell_of_one_class(run)
    return run


def let_join(run: Run, state: TrainState) -> None:
    """Masks that were approved meanwhile train from the next epoch on, which is told.

    Where the folder cannot be read just now, they wait for a later epoch.
    """
    epoch = state.stopping.epoch + 1
    if not run.options.join:
        return
    joins = run.ranks.tell(_find(run, epoch) if run.ranks.first else [])
    if not joins:
        return
    source = run.config.sources[0]
    projects = [open_project(Path(source.folder), Path(source.store))]
    wanted = [Sample(source=0, image=j.image, mask=j.mask) for j in joins]
    more = _in_turn(
        lambda: _load(wanted, projects, run.store, run.watch.touch), run.ranks, run.watch
    )
    _tell_of_masks(run, wanted, more)
    taken = [Join(epoch, s.name, s.content.mask) for s in more.loaded]
    run.train = run.train + more
    state.joined += taken
    if taken:
        names = tuple(j.image for j in taken)
        run.say(events.Joined(epoch=epoch, step=state.step, images=names))


def train_groups(run: Run) -> list[str]:
    """The species of each train image, "" where its folder knows none."""
    samples = run.config.train_samples
    sources = [samples[s.index].source for s in run.train.loaded[: run.start_images]]
    sources += [0] * (len(run.train) - run.start_images)  # those that joined
    return [
        group_of(run.projects[source], sample.name)
        for source, sample in zip(sources, run.train.loaded, strict=True)
    ]


def _find(run: Run, epoch: int) -> list[Join]:
    known = {s.image for s in run.config.val_samples}
    known |= {s.image for s in run.config.train_samples if s.source == 0}
    known |= {s.name for s in run.train.loaded[run.start_images :]}
    try:
        return find_joins(run.config, run.approvals, known, epoch)
    except PetSegError as error:
        run.notice(f"New masks cannot join just now: {error}")
        return []


def _in_turn(load: Callable[[], T], ranks: Ranks, watch: Watch) -> T:
    """The first rank loads, and fills the cache; then the others, who find it. Raises Ended."""
    loaded = []
    for turn in (True, False) if ranks.size > 1 else (True,):
        ended = None
        if ranks.first is turn:
            try:
                loaded.append(load())
            except Ended as error:
                ended = error.wanted
        watch.settle(ended)
    return loaded[0]


def _load(
    samples: Sequence[Sample],
    projects: Sequence[Project],
    store: SampleStore,
    alive: Callable[[], None],
    read: Callable[[], None] = lambda: None,
) -> Samples:
    return load_samples([(projects[s.source], s.image) for s in samples], store, alive, read)


class _Progress:
    """Says now and then how many images were read."""

    def __init__(self, folder: Path, ranks: Ranks, images: int) -> None:
        self._folder, self._ranks, self._images = folder, ranks, images
        self._done, self._said = 0, time.monotonic()

    def __call__(self) -> None:
        """One more was."""
        self._done += 1
        if self._ranks.first and time.monotonic() - self._said >= _LOADING_SECONDS:
            self._said = time.monotonic()
            done = min(self._done, self._images)
            events.write_event(self._folder, events.Loading(done=done, images=self._images))


def _tell_of_masks(run: Run, wanted: Sequence[Sample], samples: Samples) -> None:
    for name, reason in samples.skipped:
        run.notice(f"Skipped {name}: {reason}")
    then = [(s.name, s.content.mask, wanted[s.index].mask) for s in samples.loaded]
    changed = [name for name, now, before in then if before not in ("", now)]
    if changed:
        named = ", ".join(changed[:_NAMED]) + (", ..." if len(changed) > _NAMED else "")
        masks = "1 mask was" if len(changed) == 1 else f"{len(changed)} masks were"
        run.notice(f"{masks} changed since this run was made, and trains as it is now: {named}")


def _tell_of_one_class(run: Run) -> None:
    present = run.train.counts.sum(0).nonzero()[0]
    if len(present) == 1:
        own, only = run.project.settings.scheme.names, run.scheme.classes[int(present[0])]
        held = own[only.id] if only.id < len(own) else only.name
        text = f"Every mask holds only {held}: nothing else can be learnt. Paint other classes."
        run.notice(text)
