"""Training as a person meets it: what it tells, what it leaves, how it is stopped and goes on."""

from __future__ import annotations

import json
import os
import shutil
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
from core.modelfile import METADATA_KEY, read_description
from core.project.project import open_project
from core.project.settings import ProjectSettings, write_settings
from core.training import control, events
from core.training.config import read_run_config
from core.training.control import Wanted
from core.training.launch import create_run
from core.training.plan import plan_training
from core.training.previews import chosen_rows

from .conftest import (
    FULL,
    MODEL,
    Work,
    ask_at,
    draw_easy,
    epochs_of,
    finished,
    new_run,
    notices,
    numbers,
    reason_of,
    same_weights,
    story,
    tiny_config,
)

MakeModel = Callable[..., Path]

# --- A whole run -------------------------------------------------------------------------------


def test_a_run_tells_its_story_in_order(uninterrupted: Path):
    told = events.read_events(uninterrupted)[0]
    assert {e.run for e in told} == {uninterrupted.name}
    assert [e.time for e in told] == sorted(e.time for e in told)
    kinds = [e.type for e in told if e.type != "step"]
    begun, epoch = ["started", "preview", "checkpoint"], ["epoch", "preview", "checkpoint"]
    assert kinds == [*begun, *epoch * 4, "finished"]
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


# --- What a run notes of itself ----------------------------------------------------------------


def started(run: Path) -> events.Started:
    return next(e for e in story(run) if isinstance(e, events.Started))


def test_a_run_notes_what_its_numbers_depend_on(uninterrupted: Path, easy: Path, work: Work):
    about = started(uninterrupted)
    assert about.versions["torch"] == torch.__version__
    assert {"petseg", "python", "numpy", "opencv", "platform"} <= set(about.versions)
    assert about.start_val is None, "it started from no model"
    run = new_run(easy, epochs=1)
    assert work(run)
    assert started(run).fingerprint == about.fingerprint, "the same images and masks"
    name = next(p for p in (easy / "masks").iterdir())
    write_mask(name, np.ones((48, 48), np.uint8), PET)
    other = new_run(easy, epochs=1)
    assert work(other)
    assert started(other).fingerprint != about.fingerprint


def test_each_epoch_tells_its_rate_its_images_and_the_memory(uninterrupted: Path):
    told = epochs_of(uninterrupted)
    rates = [e.learning_rate for e in told]
    assert max(rates) <= FULL["learning_rate"]
    assert rates[-1] < rates[1], "OneCycle ends low"
    assert {e.train_images for e in told} == {started(uninterrupted).train_images}
    assert all(50e6 < e.memory < 20e9 for e in told)
    assert all(0 < e.val.truth_foreground < 1 for e in told)


def test_the_starting_model_is_scored_before_it_learns(easy: Path, work: Work, make_model):
    # At this rate no weight moves: the model scores at the end what it did before.
    options = {"loss": "ce", "learning_rate": 1e-12, "epochs": 1, "norm": "group"}
    run = new_run(easy, start=str(make_model(PET, size=32)), **options)
    assert work(run)
    before, after = started(run).start_val, finished(run).val
    assert before is not None
    assert before.iou == pytest.approx(after.iou, abs=0.05)


def test_a_starting_model_of_other_classes_has_no_score(easy: Path, work: Work, make_model):
    other = scheme_of("x", list("abcd"))
    run = new_run(easy, start=str(make_model(other)), loss="ce", epochs=1)
    assert work(run)
    assert started(run).start_val is None


# --- Previews ----------------------------------------------------------------------------------


def test_the_same_validation_images_are_shown_after_each_epoch(tmp_path: Path, work: Work):
    root = draw_easy(tmp_path / "easy", images=40)
    for path in (root / "images").iterdir():  # wide photos: what pads them is not shown
        Image.open(path).crop((0, 0, 48, 30)).save(path)
        mask = np.array(Image.open(root / "masks" / path.name))[:30]
        write_mask(root / "masks" / path.name, mask, PET)
    run = new_run(root, epochs=2, loss="bce_dice", learning_rate=1e-2, min_steps=10)
    assert work(run)
    shown = [e for e in story(run) if isinstance(e, events.Preview)]
    assert [(e.epoch, e.step) for e in shown] == [(0, 0), (1, 10), (2, 20)]
    val = [s["image"] for s in json.loads((run / "config.json").read_text())["val_samples"]]
    assert len({e.images for e in shown}) == 1
    assert len(shown[0].images) == min(6, len(val))
    assert set(shown[0].images) <= set(val)
    for place, name in enumerate(shown[0].images):
        folder = run / "previews" / str(place)
        photo = np.array(Image.open(folder / "photo.png"))
        assert photo.shape == (20, 32, 3)
        own = np.array(Image.open(root / "images" / name).resize((32, 20)), np.int16)
        assert np.abs(photo - own).mean() < 30
        truth = np.array(Image.open(folder / "truth.png"))
        for epoch in range(3):
            said = np.array(Image.open(folder / f"epoch-{epoch:04}.png"))
            assert said.shape == truth.shape == (20, 32)
            assert set(np.unique(said)) <= {0, 1}
        assert (said == truth).mean() > 0.7, "the last one has learnt"


def test_a_border_that_only_the_network_knows_is_not_shown(
    easy: Path, work: Work, make_model: MakeModel
):
    run = new_run(easy, start=str(make_model(TRIMAP)), border="class", loss="ce_dice", epochs=1)
    assert work(run)
    assert len(read_description(run / MODEL).scheme.classes) == 3
    for name in ("truth.png", "epoch-0000.png", "epoch-0001.png"):
        shown = [np.array(Image.open(path)) for path in (run / "previews").glob(f"*/{name}")]
        assert shown
        assert set(np.unique(shown)) <= {0, 1}


@pytest.mark.parametrize("images", [0, 1, 2, 5, 6, 7, 100, 3680])
def test_few_images_are_shown_all_and_many_in_even_steps(images: int):
    rows = chosen_rows(images)
    assert len(rows) == min(images, 6)
    steps = np.diff(rows)
    assert len(steps) == 0 or steps.max() - steps.min() <= 1
    assert all(0 <= row < images for row in rows)


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


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(lambda path: path.write_bytes(b""), "empty"), (Path.unlink, "No such file")],
    ids=["empty", "deleted"],
)
def test_a_bad_image_is_skipped_and_named(tmp_path: Path, work: Work, spoil: Any, reason: str):
    root = draw_easy(tmp_path / "easy", images=14)
    run = new_run(root, epochs=1)
    made = read_run_config(run)
    bad = [made.train_samples[0].image, made.val_samples[0].image]
    for name in bad:
        spoil(root / "images" / name)
    assert work(run)
    assert len(notices(run)) == 2
    for name, said in zip(bad, notices(run), strict=True):
        assert name in said
        assert reason in said
    about = started(run)
    assert about.train_images == len(made.train_samples) - 1
    assert about.val_images == len(made.val_samples) - 1
    assert finished(run).reason == "done"


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


def test_a_share_of_the_starting_model_stays_in_what_is_kept(
    easy: Path, work: Work, make_model, monkeypatch: pytest.MonkeyPatch
):
    path = make_model(PET)
    options = {"start": str(path), "loss": "ce", "learning_rate": 0.01, "epochs": 1}
    whole, shared = new_run(easy, **options), new_run(easy, **options, start_share=0.25)
    assert work(whole)
    with monkeypatch.context() as patch:
        ask_at(patch, shared, 1, Wanted.PAUSE)
        assert work(shared)
    assert work(shared), "it goes on from its pause"
    before, after = load_file(path), load_file(whole / MODEL)
    for name, value in load_file(shared / MODEL).items():
        if value.is_floating_point():
            torch.testing.assert_close(value, 0.25 * before[name] + 0.75 * after[name])
    assert epochs_of(shared)[0].val.loss != epochs_of(whole)[0].val.loss, "it is validated, too"


def test_a_share_needs_a_starting_model_of_the_same_classes(tmp_path: Path, work: Work, make_model):
    """As many others are no reason to keep half of what the last layer said of these."""
    root = draw_easy(tmp_path)
    scheme = scheme_of("farm", ["background", "hen", "object"])
    open_project(root).change_settings(scheme=scheme)
    start = str(make_model(TRIMAP))
    options = {"loss": "ce", "learning_rate": 0.01, "epochs": 1, "start": start}
    whole, shared = new_run(root, **options), new_run(root, **options, start_share=0.25)
    assert work(whole)
    assert work(shared)
    assert same_weights(whole, shared)
    assert any("No start share" in text for text in notices(shared))
    assert not any("No start share" in text for text in notices(whole))


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


def test_a_starting_model_that_is_gone_fails_in_words(
    easy: Path, tmp_path: Path, work: Work, tiny_model: Path
):
    path = Path(shutil.copy(tiny_model, tmp_path / "gone.safetensors"))
    run = new_run(easy, start=str(path))
    path.unlink()
    assert not work(run)
    assert "No model at" in reason_of(run)


@pytest.mark.parametrize("network", [{"encoder": "lenet"}, {"width": 0}, {"teeth": 3}])
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
    other.change_settings(scheme=scheme_of("x", list("abcd")))
    run = create_run(project, tiny_config(), plan_training(project), also=[other])
    assert not work(run)
    assert "are not background, object" in reason_of(run)
