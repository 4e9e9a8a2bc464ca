"""Temperature: a network that is too sure of itself is taken down to what it knows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.optimize import minimize_scalar

from core.data.samples import Samples, SampleStore, load_samples
from core.errors import BadInput
from core.evaluation.assess import assess
from core.evaluation.sources import answers_of
from core.inference.bundled import bundled_model
from core.inference.predictor import Predictor
from core.labels import PET, TRIMAP, VOID, BorderRule, LabelScheme, scheme_of
from core.masks import write_mask
from core.modelfile import ModelDescription, onnx_path, read_description
from core.models.export import describe_anew, save_model
from core.models.weights import load_model
from core.project.project import Project, open_project
from core.training.calibrating import (
    HIGHEST,
    LOWEST,
    calibrate,
    decoding_for,
    fit_temperature,
)
from core.training.config import read_run_config

from .conftest import MODEL, new_run, worker_here

SIDE = 32  # of the photos and of the network: it sees what is scored


@pytest.fixture(scope="module", params=["ce_dice", "bce_dice"])
def run(request, animal, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training on drawn animals, a strip of each mask unlabelled."""
    root = tmp_path_factory.mktemp(request.param)
    (root / "images").mkdir()
    for i in range(16):
        pixels, mask = animal(i, SIDE, SIDE)
        labelled = np.where(np.arange(SIDE) < 7, VOID, mask).astype(np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{i}.png")
        write_mask(root / "masks" / f"{i}.png", labelled, PET)
    made = new_run(root, loss=request.param, size=SIDE, learning_rate=1e-2, epochs=4)
    with worker_here() as work:
        assert work(made)
    return made


def folder_of(run: Path) -> tuple[Project, list[str]]:
    config = read_run_config(run)
    return open_project(Path(config.sources[0].folder)), [s.image for s in config.val_samples]


def samples_of(run: Path) -> Samples:
    project, names = folder_of(run)
    store = SampleStore(decoding_for(read_description(run / MODEL), PET))
    return load_samples([(project, n) for n in names], store, lambda: None)


def loss_of(model: Path, run: Path, at: float = 1.0) -> float:
    """Mean negative log-likelihood of the labelled pixels, its probabilities taken to 1 / at."""
    project, names = folder_of(run)
    predictor, lost = Predictor(model), []
    for name in names:
        said = predictor.predict(project.read_image(name).pixels).planes.astype(np.float64)
        truth = project.read_mask(name, (SIDE, SIDE))
        warmer = said.clip(1e-9) ** (1 / at)
        right = np.take_along_axis(warmer, truth.clip(max=1)[None].astype(int), 0)[0]
        lost.append(-np.log(right / warmer.sum(0))[truth != VOID])
    return float(np.concatenate(lost).mean())


def sharpened(run: Path, out: Path, by: float) -> Path:
    """The run's network, all its logits that many times larger."""
    net = load_model(run / MODEL)
    with torch.no_grad():
        net.body.head.weight.mul_(by)
        net.body.head.bias.mul_(by)
    plain = read_description(run / MODEL).model_copy(update={"temperature": 1.0})
    save_model(net, plain, out / MODEL)
    return out / MODEL


def test_a_training_ends_with_the_temperature_that_fits_its_validation_images(
    run: Path, tmp_path: Path
):
    model = sharpened(run, tmp_path, 1)
    best = minimize_scalar(
        lambda t: loss_of(model, run, np.exp(t)), bounds=np.log((LOWEST, HIGHEST)), method="bounded"
    )
    assert read_description(run / MODEL).temperature == pytest.approx(np.exp(best.x), rel=0.01)


def test_an_overconfident_network_is_cooled_down(run: Path, tmp_path: Path):
    model = sharpened(run, tmp_path, 2)
    loss = loss_of(model, run)
    before = read_description(model)
    fitted = calibrate(model, samples_of(run), lambda: None)
    wanted = min(HIGHEST, 2 * read_description(run / MODEL).temperature)
    assert fitted == pytest.approx(wanted, rel=0.02)
    assert fitted > 1
    assert read_description(model) == before.model_copy(update={"temperature": fitted})
    assert loss_of(model, run) < loss
    assert calibrate(model, samples_of(run), lambda: None) == fitted  # whatever it was before


def test_probabilities_of_the_default_model_can_be_taken_at_their_word(
    make_project: Callable[..., Path], tmp_path: Path
):
    model, own = tmp_path / MODEL, bundled_model()
    for file in (own, onnx_path(own)):
        shutil.copy(file, model.with_suffix(file.suffix))
    about = read_description(own)
    project = open_project(make_project(8, width=160, height=120, first_seed=100))
    names, rule = list(project.names), BorderRule.FOREGROUND

    def ece() -> float:
        answers = answers_of(project, rule, model=model)
        return assess(project, names, answers, "all", rule).evaluation.calibration.ece

    describe_anew(model, about.model_copy(update={"temperature": 0.3}))
    too_sure = ece()
    store = SampleStore(decoding_for(about, project.settings.scheme))
    calibrate(model, load_samples([(project, n) for n in names], store, lambda: None), lambda: None)
    assert ece() < 0.8 * too_sure


def test_what_ends_it_leaves_the_file_as_it_was(run: Path, tmp_path: Path):
    model = sharpened(run, tmp_path, 3)
    before = model.read_bytes()

    def end() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(model, samples_of(run), end)
    assert model.read_bytes() == before


@pytest.mark.parametrize("factor", [0.5, 1, 3])
@pytest.mark.parametrize("classes", [1, 3])
def test_the_temperature_that_logits_were_multiplied_by_is_found(factor: float, classes: int):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, classes)).astype(np.float32)
    scores = np.concatenate([np.zeros_like(logits), logits], 1) if classes == 1 else logits
    # The largest of logits with Gumbel noise is drawn by their softmax.
    truth = (scores + rng.gumbel(size=scores.shape)).argmax(1).astype(np.uint8)
    assert fit_temperature(logits * np.float32(factor), truth) == pytest.approx(factor, rel=0.05)


@pytest.mark.parametrize(
    ("logits", "truth", "wanted"),
    [
        ([-5, 5], [0, 1], LOWEST),  # all right: certainty would fit best
        ([-5, 5], [1, 0], HIGHEST),  # all wrong: knowing nothing would
        ([-5, 5], [1, 1], 1),
        ([], [], 1),
    ],
)
def test_what_tells_too_little_gives_no_extreme(logits, truth, wanted):
    values = np.array(logits, np.float32).reshape(-1, 1)
    assert fit_temperature(values, np.array(truth, np.uint8)) == pytest.approx(wanted, rel=1e-3)


HENS = scheme_of("hens", ["ground", "hen", "egg", "nest"])


@pytest.mark.parametrize(
    ("model", "rule", "folder", "scheme", "learnt"),
    [
        (PET, BorderRule.CLASS, PET, PET, BorderRule.CLASS),
        (PET, BorderRule.IGNORE, TRIMAP, TRIMAP, BorderRule.IGNORE),
        (PET, BorderRule.CLASS, TRIMAP, TRIMAP, BorderRule.FOREGROUND),
        (TRIMAP, BorderRule.CLASS, PET, TRIMAP, BorderRule.CLASS),
        (HENS, BorderRule.FOREGROUND, HENS, HENS, BorderRule.CLASS),
    ],
)
def test_a_folders_masks_are_seen_as_the_model_learnt_them(
    tiny_model: Path, model: LabelScheme, rule, folder: LabelScheme, scheme: LabelScheme, learnt
):
    about = _described(tiny_model, scheme=model, border_rule=rule)
    made = decoding_for(about, folder)
    assert (made.scheme, made.rule, made.size) == (scheme, learnt, about.size)
    assert made.classes == len(model.classes)


@pytest.mark.parametrize("changes", [{"scheme": HENS}, {"view": "crops"}])
def test_a_model_of_other_classes_or_in_tiles_is_refused(tiny_model: Path, changes):
    with pytest.raises(BadInput):
        decoding_for(_described(tiny_model, **changes), PET)


def _described(model: Path, **changes: object) -> ModelDescription:
    return read_description(model).model_copy(update=changes)
