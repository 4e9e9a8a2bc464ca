"""Runs of more images than fit into memory: the disk is asked first, reading says how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from core.data import cache
from core.data.cache import require_room
from core.data.decoding import Decoding
from core.data.samples import SampleStore, load_samples
from core.files import WriteError
from core.labels import PET, BorderRule
from core.project.project import open_project
from core.training import events, run
from core.training.estimate import disk_needed
from core.training.launch import create_run
from core.training.plan import plan_training
from core.training.presets import make_config
from tests.core.training.conftest import Work, new_run, story


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _folder: _Usage(1, 1, 1000))


def test_a_disk_without_room_is_said_before_anything_is_made(make_project, full_disk: None):
    project = open_project(make_project(6))
    plan = plan_training(project)
    with pytest.raises(WriteError, match=r"take 0\.0 GB.*Free some space"):
        create_run(project, make_config("baseline", size=512, memory=1), plan)
    assert not project.store.exists()
    create_run(project, make_config("baseline", size=512, memory=2048), plan)


def test_a_disk_that_has_filled_up_since_is_said_before_anything_is_decoded(
    make_project, tmp_path: Path, full_disk: None
):
    project = open_project(make_project(2))
    store = SampleStore(Decoding(64, PET, BorderRule.FOREGROUND), tmp_path / "cache")
    with pytest.raises(WriteError, match="Free some space"):
        load_samples([(project, n) for n in project.names], store, lambda: None)
    assert not (tmp_path / "cache").exists()


def test_the_disk_of_a_folder_that_is_to_be_made_is_asked(tmp_path: Path):
    require_room(tmp_path / "a" / "b", 1)
    with pytest.raises(WriteError, match="free"):
        require_room(tmp_path / "a" / "b", 2**80)


@pytest.mark.parametrize(("train", "val"), [(10, 2), (40, 2), (40, 20), (14, 3), (10, 20)])
def test_what_is_asked_is_what_is_taken(tmp_path: Path, train: int, val: int):
    config = make_config("baseline", size=128, memory=1)  # room for 16 images
    decoding = Decoding(128, PET, BorderRule.FOREGROUND)
    store = SampleStore(decoding, tmp_path, config.memory * 2**20)
    on_disk = sum(n for n in (train, val) if store.file_for(n) is not None)
    assert disk_needed(config, train, val) == on_disk * store.length


def test_reading_tells_how_far_it_is(easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run, "_LOADING_SECONDS", 0.0)
    made = new_run(easy, epochs=1)
    work(made)
    said = story(made)
    loading = [e for e in said if isinstance(e, events.Loading)]
    images = loading[0].images
    assert [e.done for e in loading] == list(range(1, images + 1))
    begun = next(i for i, e in enumerate(said) if isinstance(e, events.Started))
    assert said.index(loading[-1]) < begun
