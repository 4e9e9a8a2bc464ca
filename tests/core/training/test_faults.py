"""When memory runs out, numbers are none any more, the disk is full, or a worker hangs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.models.network import SegmentationNet, build_network
from core.training import control, events
from core.training.memory import MemoryRanOut, ran_out
from core.training.trainer import Scoring, Setup, TrainState, new_state, train_step, validate

from .conftest import (
    FULL,
    MODEL,
    Work,
    at_step,
    draw_easy,
    epochs_of,
    finished,
    new_run,
    notices,
    numbers,
    poisoned,
    reason_of,
    same_weights,
    scarce_from,
    story,
    tiny_config,
    wait_for,
    working,
)

# --- Memory ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "allocate", [lambda: torch.empty(2**60), lambda: np.empty(2**50)], ids=["torch", "numpy"]
)
def test_what_says_that_memory_ran_out_is_known(allocate: Any):
    with pytest.raises((MemoryError, RuntimeError)) as found:
        allocate()
    assert ran_out(found.value)


def test_other_errors_are_no_lack_of_memory():
    with pytest.raises(RuntimeError) as found:
        torch.zeros(2) @ torch.zeros(3)
    assert not ran_out(found.value)


def test_where_memory_runs_out_a_batch_is_taken_in_parts(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, loss="bce_dice", learning_rate=1e-2, min_steps=15)
    scarce_from(monkeypatch, 0, images=1)
    assert work(run)
    assert notices(run) == [
        "Memory ran out: batches of 4 are now taken in 2 parts of 2.",
        "Memory ran out: batches of 4 are now taken in 4 parts of 1.",
    ]
    assert [e.step for e in epochs_of(run)] == [15, 30, 45], "no step was left out"
    losses = [e.train.loss for e in epochs_of(run)]
    assert losses[-1] < losses[0] * 0.6


def test_where_one_image_is_too_much_the_run_fails_with_advice(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy)
    scarce_from(monkeypatch, 2, images=0)
    assert not work(run)
    assert "smaller size" in reason_of(run)
    monkeypatch.undo()
    assert work(run), "with memory again it goes on"
    assert finished(run).reason == "done"


class Drawn:
    """Samples of noise, of which some pixels are void."""

    def __init__(self, n: int, classes: int) -> None:
        generator = torch.Generator().manual_seed(3)
        self.images = torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=generator)
        masks = torch.randint(0, classes + 1, (n, 32, 32), generator=generator)
        self.masks = torch.where(masks == classes, 255, masks).to(torch.uint8)

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.images[rows], self.masks[rows]


def make_state(loss: str, parts: int, **changes: Any) -> tuple[TrainState, Setup]:
    from core.labels import PET, TRIMAP, BorderRule

    scheme = PET if loss.startswith("bce") else TRIMAP
    outputs = 1 if loss.startswith("bce") else 3
    config = tiny_config(loss=loss, batch=6, optimizer="sgd", epochs=1, **changes)
    torch.manual_seed(0)
    network = {"outputs": outputs, "width": 4, "depth": 2, "norm": "group"}
    state = new_state(build_network(network), config, 2)
    state.parts = parts
    return state, Setup(config, Scoring(scheme, BorderRule.CLASS), torch.device("cpu"))


@pytest.mark.parametrize("parts", [2, 4, 8])  # 3 + 3, 2 + 2 + 2, one by one
@pytest.mark.parametrize(
    ("loss", "changes"),
    [
        ("bce_dice", {}),
        ("ce_dice", {"augment": "full"}),
        ("bce", {"lovasz_epochs": 1}),
        ("ce", {"lovasz_epochs": 1}),
    ],
)
def test_parts_give_the_step_of_the_whole_batch(loss: str, changes: dict, parts: int):
    samples: Any = Drawn(6, 2 if loss.startswith("bce") else 3)
    whole, setup = make_state(loss, 1, **changes)
    parted, _ = make_state(loss, parts, **changes)
    batch = torch.tensor([4, 1, 5, 0, 2, 3])
    for _ in range(2):
        losses = [train_step(state, samples, batch, setup) for state in (whole, parted)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for a, b in zip(whole.net.parameters(), parted.net.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert all((a == b).all() for a, b in zip(whole.tally.counts, parted.tally.counts, strict=True))
    scores = [validate(s, samples, setup, lambda: None) for s in (whole, parted)]
    assert scores[0].loss == pytest.approx(scores[1].loss, rel=1e-5)


def test_half_precision_gives_nearly_the_same_loss_and_float32_weights():
    samples: Any = Drawn(6, 2)
    full, setup = make_state("bce_dice", 1)
    half, _ = make_state("bce_dice", 2)
    half.half = True
    losses = [train_step(s, samples, torch.arange(6), setup) for s in (full, half)]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    assert losses[0] != losses[1]
    assert all(p.dtype == torch.float32 for p in half.net.parameters())


def test_a_step_for_which_memory_ran_out_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch):
    samples: Any = Drawn(6, 2)
    config = {"norm": "batch", "width": 4, "depth": 2, "outputs": 1}
    state, setup = make_state("bce", 1)
    state = new_state(build_network(config), setup.config, 2)
    before = {k: v.clone() for k, v in state.net.state_dict().items()}
    real = SegmentationNet.forward

    def forward(self: SegmentationNet, x: torch.Tensor) -> torch.Tensor:
        logits = real(self, x)
        torch.empty(2**60)
        return logits

    with monkeypatch.context() as patch:
        patch.setattr(SegmentationNet, "forward", forward)
        with pytest.raises(MemoryRanOut):
            train_step(state, samples, torch.arange(6), setup)
    assert state.step == 0
    assert all(torch.equal(v, before[k]) for k, v in state.net.state_dict().items())


# --- A loss that is no number ------------------------------------------------------------------


def rates(run: Path) -> list[float]:
    return [e.learning_rate for e in epochs_of(run)]


def test_after_an_infinite_loss_a_run_goes_back_and_on_with_half_the_learning_rate(
    uninterrupted: Path, easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, **FULL)
    poisoned(monkeypatch, step=6, times=1)
    assert work(run)
    assert notices(run) == [
        "The loss became infinite at step 6: back to step 4, with half the learning rate."
    ]
    assert finished(run).reason == "done"
    assert numbers(run)[0] == numbers(uninterrupted)[0]
    assert [e.step for e in epochs_of(run)] == [4, 8, 12, 16]
    whole = rates(uninterrupted)
    assert rates(run) == pytest.approx([whole[0], *(rate / 2 for rate in whole[1:])])


def test_an_infinite_loss_is_forgiven_twice(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, **FULL)
    poisoned(monkeypatch, step=6, times=3)
    assert not work(run)
    assert len(notices(run)) == 2
    assert "smaller learning rate" in reason_of(run)
    assert (run / MODEL).exists(), "the best epoch's model is kept"


# --- The disk ----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 2 MB."""
    place = tmp_path / "small"
    place.mkdir()
    if shutil.which("mount") is None or os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only the superuser can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(place: Path) -> Path:
    """A file that takes all that is left."""
    path = place / "filler"
    with open(path, "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return path


def test_a_full_disk_keeps_the_last_checkpoint_and_the_run_goes_on_from_it(
    uninterrupted: Path, small_disk: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(draw_easy(small_disk / "easy"), **FULL)
    with monkeypatch.context() as patch:
        at_step(patch, 6, lambda: fill(small_disk))
        assert not work(run)
    assert "No space left on device" in reason_of(run)
    assert not list(run.rglob("*.tmp"))
    (small_disk / "filler").unlink()
    assert work(run)
    assert [e.step for e in story(run) if isinstance(e, events.Resumed)] == [4]
    assert numbers(run) == numbers(uninterrupted)
    assert same_weights(run, uninterrupted)


_IN_LITTLE_SPACE = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
runpy.run_module("core.training", run_name="__main__")
"""


def test_where_no_event_can_be_written_the_log_tells_why(easy: Path):
    run = new_run(easy)
    command = [sys.executable, "-c", _IN_LITTLE_SPACE, str(run)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 1
    assert "events.jsonl: File too large" in done.stderr
    assert "Traceback" not in done.stderr


def test_previews_that_cannot_be_written_end_no_run(easy: Path, work: Work):
    run = new_run(easy)
    (run / "previews").write_text("a file where a folder should be")
    assert work(run)
    assert len(notices(run)) == 1
    assert "cannot be shown" in notices(run)[0]
    assert finished(run).reason == "done"


# --- A worker that hangs -----------------------------------------------------------------------


def test_a_worker_that_hangs_is_silent_and_can_be_killed(easy: Path, work: Work):
    run = new_run(easy, epochs=200)
    with working(run) as process:
        wait_for(lambda: epochs_of(run), process)
        assert not control.worker_silent(run)
        os.kill(process.pid, signal.SIGSTOP)
        long_ago = 1_000_000_000
        os.utime(run / "worker.json", (long_ago, long_ago))
        assert control.worker_silent(run)
        assert control.kill_worker(run)
        assert process.wait(timeout=60) == -signal.SIGKILL
    assert not control.worker_silent(run)
    assert not control.kill_worker(run)
    with control.taken(run):
        pass
