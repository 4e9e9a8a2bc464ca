"""A run and what its worker has read for it: projects, images and masks, the device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from core.data.samples import Samples, load_samples
from core.errors import BadInput
from core.labels import LabelScheme, scheme_under
from core.project.project import Project, open_project
from core.training import events
from core.training.config import RunConfig, Sample, TrainConfig, trained_scheme
from core.training.pace import Watch
from core.training.start import choose_device
from core.training.trainer import steps_per_epoch


@dataclass
class Run:
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


def load_run(folder: Path, config: RunConfig) -> Run:
    """Open the run's projects and decode its images; bad ones are told as notices.

    Raises BadInput (nothing could be read), Ended.
    """
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
    run = Run(folder, config, projects[0], train, val, device, watch, scheme)
    for samples, purpose in ((train, "train"), (val, "validate")):
        for name, reason in samples.skipped:
            say(events.Notice(text=f"Skipped {name}: {reason}"))
        if len(samples) == 0:
            raise BadInput(f"None of the masks to {purpose} on could be read.")
    present = set(torch.unique(train.masks).tolist())
    own = projects[0].settings.scheme.names
    held = [own[c.id] if c.id < len(own) else c.name for c in run.scheme.classes if c.id in present]
    if len(held) == 1:
        text = f"Every mask holds only {held[0]}: nothing else can be learnt. Paint other classes."
        say(events.Notice(text=text))
    return run
