"""Training as a person meets it: what it tells, what it leaves, how it is stopped and goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from core.evaluation.metrics import Scores
from core.inference.predictor import Predictor
from core.labels import PET, TRIMAP, VOID, BorderRule, scheme_of
from core.masks import write_mask
from core.modelfile import METADATA_KEY, onnx_path, read_description
from core.project.project import open_project
from core.project.settings import ProjectSettings, write_settings
from core.training import control, events, trainer, worker
from core.training import run as run_module
from core.training.control import AlreadyRunning, Wanted
from core.training.launch import create_run
from core.training.plan import plan_training

from .conftest import (
    draw_easy,
    epochs_of,
    new_run,
    numbers,
    story,
    tiny_config,
    wait_for,
    working,
)

Work = Callable[[Path], bool]
MODEL = "best.safetensors"

# Everything that could go astray over an interruption: dropout, augmentation, a schedule, an
# optimizer with a memory, epochs that draw images again.
FULL = {
    "loss": "bce_dice",
    "augment": "full",
    "dropout": 0.2,
    "optimizer": "adamw",
    "schedule": "onecycle",
    "learning_rate": 1e-2,
    "batch": 3,
    "min_steps": 4,
    "epochs": 4,
}


def reason_of(run: Path) -> str:
    last = events.read_events(run)[0][-1]
    assert isinstance(last, events.Failed), last
    return last.reason


def finished(run: Path) -> events.Finished:
    last = events.read_events(run)[0][-1]
    assert isinstance(last, events.Finished), last
    return last


def notices(run: Path) -> list[str]:
    return [e.text for e in events.read_events(run)[0] if isinstance(e, events.Notice)]


def same_weights(one: Path, other: Path) -> bool:
    a, b = load_file(one / MODEL), load_file(other / MODEL)
    return a.keys() == b.keys() and all(torch.equal(v, b[k]) for k, v in a.items())


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that a real worker took from its beginning to its end."""
    run = new_run(draw_easy(tmp_path_factory.mktemp("whole") / "easy"), **FULL)
    with working(run) as process:
        assert process.wait(timeout=180) == 0, (run / "worker.log").read_text()
    return run


# --- A whole run -------------------------------------------------------------------------------


def test_a_run_tells_its_story_in_order(uninterrupted: Path):
    told = events.read_events(uninterrupted)[0]
    assert {e.run for e in told} == {uninterrupted.name}
    assert [e.time for e in told] == sorted(e.time for e in told)
    kinds = [e.type for e in told if e.type != "step"]
    assert kinds == ["started", *["checkpoint", "epoch"] * 4, "finished"]
    started, end = told[0], told[-1]
    assert isinstance(started, events.Started)
    assert (started.epochs, started.threads, started.device) == (4, 1, "cpu")
    assert started.train_images + started.val_images == 8
    assert started.steps == epochs_of(uninterrupted)[-1].step
    assert [e.epoch for e in epochs_of(uninterrupted)] == [1, 2, 3, 4]
    steps = [e for e in told if isinstance(e, events.Step)]
    assert steps
    assert all(1 <= s.step <= s.steps == started.steps for s in steps)
    assert isinstance(end, events.Finished)
    assert (end.reason, end.model) == ("done", MODEL)


def test_the_best_epochs_are_those_that_were_better_than_all_before(uninterrupted: Path):
    best = -1.0
    for epoch in epochs_of(uninterrupted):
        assert epoch.best == (epoch.val.scores.iou > best)
        best = max(best, epoch.val.scores.iou)
    last_best = [e.epoch for e in epochs_of(uninterrupted) if e.best][-1]
    assert finished(uninterrupted).best_epoch == last_best


def test_the_model_says_where_it_comes_from_and_how_good_it_is(uninterrupted: Path):
    about = read_description(uninterrupted / MODEL)
    scores = finished(uninterrupted).val
    assert isinstance(scores, Scores)
    assert about.metrics["val_iou"] == pytest.approx(scores.iou)
    assert about.scheme.names == ["background", "object"]
    assert about.activation == "sigmoid"
    assert (about.size, about.preset, about.start) == (32, "baseline", "scratch")
    assert about.data["train"] + about.data["val"] == 8
    assert about.created
    Predictor(uninterrupted / MODEL)


def test_after_a_run_nothing_holds_its_folder(uninterrupted: Path):
    assert not control.worker_alive(uninterrupted)
    assert not (uninterrupted / "worker.json").exists()
    assert (uninterrupted / "worker.log").read_text() == ""
    assert not list(uninterrupted.glob("*.tmp"))


def test_an_easy_task_is_learnt_and_the_model_can_be_used(easy: Path, work: Work):
    run = new_run(easy, loss="bce_dice", learning_rate=1e-2, min_steps=15, epochs=4)
    assert work(run)
    losses = [e.train.loss for e in epochs_of(run)]
    assert losses[-1] < losses[0] * 0.6
    project = open_project(easy)
    predictor = Predictor(run / MODEL, threads=1)
    ious = []
    for name in project.names:
        truth = project.read_mask(name) == 1
        said = predictor.predict(project.read_image(name).pixels)
        pet = said.mask(PET, BorderRule.FOREGROUND) == 1
        ious.append((pet & truth).sum() / (pet | truth).sum())
    assert np.mean(ious) > 0.8
    assert finished(run).val.iou > 0.7


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(
    easy: Path, tmp_path: Path, work: Work
):
    runs = []
    for seed in (0, 0, 1):
        run = new_run(easy, **(FULL | {"epochs": 2, "seed": seed}))
        assert work(run)
        runs.append(run)
    assert numbers(runs[0]) == numbers(runs[1])
    assert same_weights(runs[0], runs[1])
    assert numbers(runs[0]) != numbers(runs[2])


# --- Interrupted runs --------------------------------------------------------------------------


def test_killed_in_the_middle_a_run_goes_on_to_the_same_numbers(
    uninterrupted: Path, tmp_path: Path
):
    run = new_run(draw_easy(tmp_path / "easy"), **FULL)
    with working(run) as process:
        wait_for(lambda: epochs_of(run), process)
        os.kill(process.pid, signal.SIGSTOP)  # frozen, so that it is surely in the middle
        assert len(epochs_of(run)) < 4
        assert control.worker_alive(run)
        with pytest.raises(AlreadyRunning, match="another process"):
            worker.work(run)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not control.worker_alive(run)
    with working(run) as process:
        assert process.wait(timeout=180) == 0, (run / "worker.log").read_text()
    assert any(isinstance(e, events.Resumed) for e in story(run))
    assert numbers(run) == numbers(uninterrupted)
    assert same_weights(run, uninterrupted)
    assert finished(run).val == finished(uninterrupted).val


def test_paused_a_run_gives_the_machine_back_and_goes_on_to_the_same_numbers(
    uninterrupted: Path, tmp_path: Path, work: Work
):
    run = new_run(draw_easy(tmp_path / "easy"), **FULL)
    with working(run) as process:
        wait_for(lambda: epochs_of(run), process)
        counter = control.request(run, Wanted.PAUSE)
        assert process.wait(timeout=60) == 0
    answers = [e for e in story(run) if isinstance(e, events.Control)]
    assert [(a.counter, a.state) for a in answers] == [(counter, "pause")]
    assert not any(isinstance(e, events.Finished | events.Failed) for e in story(run))
    control.request(run, Wanted.RUN)
    assert work(run)
    assert numbers(run) == numbers(uninterrupted)
    assert same_weights(run, uninterrupted)


def ask_at(monkeypatch: pytest.MonkeyPatch, run: Path, step: int, wanted: Wanted) -> None:
    """Asks for something in the middle of a step, as a person could."""
    real = trainer.train_step

    def step_and_ask(state: Any, *args: Any) -> float:
        loss = real(state, *args)
        if state.step == step:
            control.request(run, wanted)
        return loss

    monkeypatch.setattr(worker, "train_step", step_and_ask)


@pytest.mark.parametrize("step", [1, 4, 6])  # in the first epoch, at its end, in the second
def test_a_pause_at_any_step_changes_no_number(
    uninterrupted: Path, easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch, step: int
):
    run = new_run(easy, **FULL)
    ask_at(monkeypatch, run, step, Wanted.PAUSE)
    assert work(run)
    assert len(epochs_of(run)) < 4
    control.request(run, Wanted.RUN)
    assert work(run)
    assert numbers(run) == numbers(uninterrupted)
    assert same_weights(run, uninterrupted)


def test_stopped_a_run_keeps_its_best_model(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, epochs=50)
    ask_at(monkeypatch, run, 5, Wanted.STOP)
    assert work(run)
    end = finished(run)
    assert (end.reason, end.model) == ("stopped", MODEL)
    assert end.best_epoch in {e.epoch for e in epochs_of(run) if e.best}
    assert len(epochs_of(run)) < 5
    Predictor(run / MODEL)
    assert "val_iou" in read_description(run / MODEL).metrics


def test_stopped_before_the_first_epochs_end_there_is_no_model(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy)
    ask_at(monkeypatch, run, 1, Wanted.STOP)
    assert work(run)
    assert (finished(run).reason, finished(run).model) == ("stopped", "")
    assert not (run / MODEL).exists()


def test_discarded_a_run_leaves_no_model(easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch):
    run = new_run(easy, epochs=50)
    ask_at(monkeypatch, run, 5, Wanted.DISCARD)
    assert work(run)
    assert epochs_of(run)
    assert finished(run).reason == "discarded"
    left = {p.name for p in run.iterdir()} - {"worker.lock"}
    assert left == {"config.json", "control.json", "events.jsonl"}


def ask_while_loading(monkeypatch: pytest.MonkeyPatch, run: Path, wanted: Wanted) -> None:
    real = run_module.load_samples

    def ask_and_load(*args: Any) -> Any:
        control.request(run, wanted)
        return real(*args)

    monkeypatch.setattr(run_module, "load_samples", ask_and_load)


def test_paused_while_it_loads_a_run_can_still_go_on(
    easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    run = new_run(easy, epochs=1)
    with monkeypatch.context() as patch:
        ask_while_loading(patch, run, Wanted.PAUSE)
        assert work(run)
    assert not any(isinstance(e, events.Finished) for e in story(run)), "a pause is no end"
    control.request(run, Wanted.RUN)
    assert work(run)
    assert finished(run).reason == "done"


@pytest.fixture
def half_done(easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was paused after its second epoch."""
    run = new_run(easy, epochs=4)
    with monkeypatch.context() as patch:
        ask_at(patch, run, 4, Wanted.PAUSE)
        work(run)
    assert (run / MODEL).exists()
    return run


def test_stopped_while_it_loads_again_a_run_keeps_its_best_model(
    half_done: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    control.request(half_done, Wanted.RUN)
    ask_while_loading(monkeypatch, half_done, Wanted.STOP)
    assert work(half_done)
    assert (finished(half_done).reason, finished(half_done).model) == ("stopped", MODEL)


def test_discarded_while_it_loads_again_a_run_leaves_no_model(
    half_done: Path, work: Work, monkeypatch: pytest.MonkeyPatch
):
    control.request(half_done, Wanted.RUN)
    ask_while_loading(monkeypatch, half_done, Wanted.DISCARD)
    assert work(half_done)
    assert finished(half_done).reason == "discarded"
    assert not (half_done / MODEL).exists()
    assert not onnx_path(half_done / MODEL).exists()


def test_started_again_after_its_end_a_run_stays_what_it_was(easy: Path, work: Work):
    run = new_run(easy, epochs=1)
    assert work(run)
    first, before = finished(run), numbers(run)
    assert work(run)
    assert numbers(run) == before
    assert (finished(run).model, finished(run).val) == (first.model, first.val)


@pytest.mark.parametrize("data", [b"", b"half a check", b"PK\x03\x04" + bytes(100)])
def test_a_damaged_checkpoint_is_named(half_done: Path, work: Work, data: bytes):
    (half_done / "last.ckpt").write_bytes(data)
    control.request(half_done, Wanted.RUN)
    assert not work(half_done)
    assert "last.ckpt cannot be used to go on" in reason_of(half_done)


def test_a_checkpoint_that_would_run_a_program_is_not_run(half_done: Path, work: Work):
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(half_done / "owned"),)

    torch.save({"net": Payload()}, half_done / "last.ckpt")
    control.request(half_done, Wanted.RUN)
    assert not work(half_done)
    assert "last.ckpt" in reason_of(half_done)
    assert not (half_done / "owned").exists()


# --- Masks and images that are not as they should be -------------------------------------------


def repaint(root: Path, value: int) -> None:
    for path in (root / "masks").glob("*.png"):
        write_mask(path, np.full((48, 48), value, np.uint8), PET)


def test_masks_of_one_class_only_are_noticed(easy: Path, work: Work):
    repaint(easy, 0)
    run = new_run(easy, epochs=1)
    assert work(run)
    assert notices(run) == [
        "Every mask holds only background: nothing else can be learnt. Paint other classes."
    ]


def test_masks_of_both_classes_need_no_notice(easy: Path, work: Work):
    run = new_run(easy, epochs=1)
    assert work(run)
    assert notices(run) == []


def test_masks_without_a_label_fail_in_words(easy: Path, work: Work):
    repaint(easy, VOID)
    run = new_run(easy, epochs=1)
    assert not work(run)
    assert "no labelled pixel" in reason_of(run)


def test_a_bad_image_is_skipped_and_named(easy: Path, work: Work):
    run = new_run(easy, epochs=1)
    images = json.loads((run / "config.json").read_text())["train_samples"]
    name = images[0]["image"]
    (easy / "images" / name).write_bytes(b"")
    assert work(run)
    assert len(notices(run)) == 1
    assert name in notices(run)[0]
    assert "empty" in notices(run)[0]
    started = next(e for e in story(run) if isinstance(e, events.Started))
    assert started.train_images == len(images) - 1


def test_where_every_image_is_bad_the_run_fails_in_words(easy: Path, work: Work):
    run = new_run(easy)
    for path in (easy / "images").iterdir():
        path.write_bytes(b"")
    assert not work(run)
    assert reason_of(run) == "None of the masks to train on could be read."


def test_a_folder_that_is_gone_fails_in_words(easy: Path, tmp_path: Path, work: Work):
    project = open_project(easy)
    run = create_run(project, tiny_config(), plan_training(project), folder=tmp_path / "run")
    shutil.rmtree(easy)
    assert not work(run)
    assert "does not exist" in reason_of(run)
    assert not (run / "worker.json").exists()


def test_a_full_disk_fails_in_words(easy: Path, work: Work, monkeypatch: pytest.MonkeyPatch):
    run = new_run(easy)
    real = os.replace

    def full(source: str, target: Path) -> None:
        if str(target).endswith((".onnx", ".safetensors", ".ckpt")):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    assert not work(run)
    assert "No space left on device" in reason_of(run)


def test_a_folder_without_a_run_is_no_run(tmp_path: Path, work: Work):
    from core.errors import BadInput

    with pytest.raises(BadInput, match="is not a run folder"):
        work(tmp_path)


# --- Starting points and sources ---------------------------------------------------------------


def test_training_goes_on_from_a_model_of_the_same_classes(easy: Path, work: Work, make_model):
    path = make_model(PET)
    run = new_run(easy, start=str(path), loss="ce", learning_rate=1e-9, epochs=1)
    assert work(run)
    trained, before = load_file(run / MODEL), load_file(path)
    assert torch.equal(trained["body.head.weight"], before["body.head.weight"])
    about = read_description(run / MODEL)
    assert about.start == path.name
    assert about.activation == "softmax"
    assert about.network == read_description(path).network


@pytest.mark.parametrize("loss", ["bce", "ce"])
def test_training_starts_from_a_model_of_other_classes(
    easy: Path, work: Work, make_model, loss: str
):
    path = make_model(TRIMAP)
    run = new_run(easy, start=str(path), loss=loss, learning_rate=1e-9, epochs=1)
    assert work(run)
    trained, before = load_file(run / MODEL), load_file(path)
    assert torch.equal(trained["body.first.0.weight"], before["body.first.0.weight"])
    assert len(trained["body.head.weight"]) == (1 if loss == "bce" else 2)
    assert read_description(run / MODEL).scheme.names == ["background", "object"]


def test_a_starting_model_that_is_gone_fails_in_words(easy: Path, tmp_path: Path, work: Work):
    run = new_run(easy, start=str(tmp_path / "gone.safetensors"))
    assert not work(run)
    assert "No model at" in reason_of(run)


@pytest.mark.parametrize("network", [{"encoder": "lenet"}, {"width": 0}, {"teeth": 3}, {}])
def test_a_starting_model_of_no_known_network_fails_in_words(
    easy: Path, tmp_path: Path, work: Work, tiny_model: Path, network: dict
):
    path = tmp_path / "odd.safetensors"
    about = read_description(tiny_model).model_copy(update={"network": network})
    save_file(load_file(tiny_model), path, metadata={METADATA_KEY: about.model_dump_json()})
    run = new_run(easy, start=str(path))
    assert not work(run)
    assert "odd.safetensors" in reason_of(run)


def trimap_project(root: Path) -> Path:
    """The easy task with a border class, as a project of three classes."""
    draw_easy(root)
    for path in (root / "masks").glob("*.png"):
        mask = np.array(Image.open(path))
        ring = mask - (mask & np.roll(mask, 3, 0) & np.roll(mask, -3, 0))
        write_mask(path, mask + ring, TRIMAP)
    (root / ".petseg").mkdir()
    write_settings(root / ".petseg" / "project.json", ProjectSettings(scheme=TRIMAP))
    return root


def test_a_second_folder_of_two_classes_trains_a_trimap_but_never_validates(
    tmp_path: Path, work: Work
):
    project = open_project(trimap_project(tmp_path / "trimap"))
    other = open_project(draw_easy(tmp_path / "two", images=5))
    plan = plan_training(project)
    config = tiny_config(border="class", score_border="class", loss="ce_dice", epochs=1)
    run = create_run(project, config, plan, also=[other])
    assert work(run)
    assert notices(run) == []
    started = next(e for e in story(run) if isinstance(e, events.Started))
    assert started.train_images == len(plan.train) + 5
    assert started.val_images == len(plan.val)
    about = read_description(run / MODEL)
    assert about.scheme.names == ["background", "pet", "border"]
    assert about.data["folders"] == ["trimap", "two"]


def test_a_trimap_is_trained_as_two_classes_under_its_border_rule(tmp_path: Path, work: Work):
    project = open_project(trimap_project(tmp_path / "trimap"))
    config = tiny_config(border="ignore", score_border="ignore", loss="bce", epochs=1)
    run = create_run(project, config, plan_training(project))
    assert work(run)
    about = read_description(run / MODEL)
    assert about.scheme.names == ["background", "pet"]
    assert about.border_rule is BorderRule.IGNORE


def test_a_trimap_is_trained_with_its_border_and_scored_without(tmp_path: Path, work: Work):
    project = open_project(trimap_project(tmp_path / "trimap"))
    config = tiny_config(border="class", score_border="foreground", loss="ce", epochs=1)
    run = create_run(project, config, plan_training(project))
    assert work(run)
    assert len(read_description(run / MODEL).scheme.classes) == 3
    started = next(e for e in story(run) if isinstance(e, events.Started))
    assert started.score_border == "foreground"


def test_a_second_folder_of_other_classes_fails_in_words(tmp_path: Path, work: Work):
    project = open_project(draw_easy(tmp_path / "one"))
    other = open_project(draw_easy(tmp_path / "four"))
    four = ProjectSettings(scheme=scheme_of("x", list("abcd")))
    other.change_settings(four)
    run = create_run(project, tiny_config(), plan_training(project), also=[other])
    assert not work(run)
    assert "are not background, object" in reason_of(run)
