"""Prediction on ONNX Runtime: the network's own answer, at any size, in any project's classes."""

from __future__ import annotations

import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest

from core.errors import BadInput
from core.inference import prediction as prediction_module
from core.inference.prediction import Prediction, mask_rule
from core.inference.predictor import PredictionStopped, Predictor
from core.inference.view import fit_whole
from core.labels import PET, TRIMAP, VOID, BorderRule, LabelScheme, decide, scheme_of
from core.modelfile import ModelFileError, onnx_path, read_description
from core.models.weights import load_model

MakeModel = Callable[..., Path]
THREE = scheme_of("custom", ["background", "cat", "dog"])


def noise(height: int, width: int) -> np.ndarray:
    """A picture with structure at every size."""
    rng = np.random.default_rng(height * 1000 + width)
    coarse = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(int)
    return np.clip(picture + rng.integers(-30, 30, picture.shape), 0, 255).astype(np.uint8)


def with_torch(path: Path, pixels: np.ndarray) -> np.ndarray:
    """Probabilities as torch gives them, C x height x width, by the model's view."""
    import torch

    description = read_description(path)
    fitted = fit_whole(*pixels.shape[:2], description.size)
    image = torch.from_numpy(fitted.place(pixels)).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        logits = load_model(path)(image)
    if description.activation == "sigmoid":
        foreground = torch.sigmoid(logits)
        both = torch.cat([1 - foreground, foreground], 1)
    else:
        both = torch.softmax(logits, 1)
    planes = fitted.cut(both[0].numpy())
    size = (pixels.shape[1], pixels.shape[0])
    return np.stack([cv2.resize(p, size, interpolation=cv2.INTER_LINEAR) for p in planes])


@pytest.mark.parametrize(("height", "width"), [(48, 48), (37, 91), (1, 1), (3, 400), (201, 77)])
@pytest.mark.parametrize(
    ("scheme", "activation"), [(PET, "sigmoid"), (PET, "softmax"), (TRIMAP, "softmax")]
)
def test_the_twin_says_what_torch_says(
    make_model: MakeModel, scheme: LabelScheme, activation: str, height: int, width: int
):
    path = make_model(scheme, activation=activation)
    pixels = noise(height, width)
    prediction = Predictor(path, threads=1).predict(pixels)
    probabilities = prediction.probabilities
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (len(scheme.classes), height, width)
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-5)
    np.testing.assert_allclose(probabilities, with_torch(path, pixels), atol=1e-3)


def test_a_mask_has_the_photos_own_size(tiny_model: Path, animal):
    pixels, _ = animal(0, 131, 97)
    prediction = Predictor(tiny_model).predict(pixels)
    mask = prediction.mask(PET, BorderRule.FOREGROUND)
    assert mask.shape == (97, 131)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 1}
    assert prediction.model == "tiny-0"


@pytest.mark.parametrize(("height", "width"), [(48, 48), (48, 36), (96, 160), (50, 100)])
def test_with_flip_the_mirrored_photo_has_the_mirrored_answer(
    tiny_model: Path, height: int, width: int
):
    predictor = Predictor(tiny_model, threads=1)
    pixels = noise(height, width)
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    one = predictor.predict(pixels, flip=True).small
    other = predictor.predict(mirrored, flip=True).small[..., ::-1]
    # Shrinking rounds a little differently from either side.
    np.testing.assert_allclose(one, other, atol=5e-3)
    # Without it this network's answers differ: the test above is not empty.
    plain = predictor.predict(pixels).small - predictor.predict(mirrored).small[..., ::-1]
    assert np.abs(plain).max() > 0.05


def test_an_answer_does_not_depend_on_the_photos_memory_layout(tiny_model: Path):
    predictor = Predictor(tiny_model, threads=1)
    pixels = noise(60, 80)
    view = np.asfortranarray(pixels)
    np.testing.assert_array_equal(predictor.predict(pixels).small, predictor.predict(view).small)


def test_uncertainty_runs_from_sure_to_clueless():
    sure = np.zeros((3, 4, 4), np.float32)
    sure[0] = 1
    even = np.full((3, 4, 4), 1 / 3, np.float32)
    assert Prediction(sure, (4, 4), TRIMAP, "").uncertainty == pytest.approx(0, abs=1e-5)
    assert Prediction(even, (4, 4), TRIMAP, "").uncertainty == pytest.approx(1)


def said(scheme: LabelScheme, *probabilities: float) -> Prediction:
    planes = np.array(probabilities, np.float32).reshape(-1, 1, 1)
    return Prediction(planes, (1, 1), scheme, "")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (BorderRule.FOREGROUND, 1),
        (BorderRule.CLASS, 1),  # two classes are asked for: there is no third
        (BorderRule.IGNORE, 0),
        (BorderRule.BACKGROUND, 0),
    ],
)
def test_a_trimap_model_serves_a_project_of_two_classes(rule: BorderRule, expected: int):
    assert said(TRIMAP, 0.4, 0.35, 0.25).mask(PET, rule).tolist() == [[expected]]


def test_a_trimap_model_serves_a_trimap():
    assert said(TRIMAP, 0.3, 0.3, 0.4).mask(TRIMAP, BorderRule.FOREGROUND).tolist() == [[2]]


@pytest.mark.parametrize("rule", BorderRule)
def test_a_model_of_two_classes_serves_a_trimap_without_its_border(rule: BorderRule):
    assert said(PET, 0.4, 0.6).mask(TRIMAP, rule).tolist() == [[1]]
    assert said(PET, 0.6, 0.4).mask(TRIMAP, rule).tolist() == [[0]]


@pytest.mark.parametrize(
    ("model", "project"),
    [
        (PET, THREE),
        (THREE, PET),
        (PET, scheme_of("x", list("abcd"))),
        (TRIMAP, scheme_of("x", list("abcd"))),
    ],
)
def test_classes_that_have_nothing_to_do_with_each_other_are_refused(
    model: LabelScheme, project: LabelScheme
):
    with pytest.raises(BadInput, match=r"This model knows background.*Train a model"):
        mask_rule(model, project, BorderRule.FOREGROUND)


def test_of_254_classes_eight_are_named():
    many = scheme_of("x", [f"class {i}" for i in range(254)])
    with pytest.raises(BadInput, match=r"class 6, class 7 \.\.\. and 246 more\. Train a model"):
        mask_rule(PET, many, BorderRule.FOREGROUND)


# --- Masks band by band, and the probability of one class --------------------------------------


def random_prediction(scheme: LabelScheme, height: int, width: int, size: tuple[int, int]):
    rng = np.random.default_rng(height * width)
    coarse = rng.random((len(scheme.classes), 5, 4), np.float32) ** 3
    planes = np.stack([cv2.resize(p, (width, height)) for p in coarse])
    return Prediction(planes / planes.sum(0), size, scheme, "")


@pytest.mark.parametrize("band", [1, 5000, 1 << 20])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 300), (300, 1), (30, 20), (48, 36), (401, 299), (640, 480)]
)
@pytest.mark.parametrize(
    ("scheme", "wanted", "rule"),
    [
        (PET, PET, BorderRule.CLASS),
        (TRIMAP, TRIMAP, BorderRule.CLASS),
        (TRIMAP, PET, BorderRule.FOREGROUND),
        (TRIMAP, PET, BorderRule.IGNORE),
        (TRIMAP, PET, BorderRule.BACKGROUND),
    ],
)
def test_a_mask_made_in_bands_is_the_mask_of_all_probabilities(
    monkeypatch: pytest.MonkeyPatch,
    scheme: LabelScheme,
    wanted: LabelScheme,
    rule: BorderRule,
    size: tuple[int, int],
    band: int,
):
    monkeypatch.setattr(prediction_module, "_BAND", band)
    prediction = random_prediction(scheme, 36, 48, size)
    whole = decide(prediction.probabilities, scheme, rule)
    np.testing.assert_array_equal(prediction.mask(wanted, rule), whole)


def test_a_large_mask_takes_little_memory():
    """100 megapixels in floats would be 1.2 GB."""
    prediction = random_prediction(TRIMAP, 36, 48, (8000, 6000))
    tracemalloc.start()
    mask = prediction.mask(PET, BorderRule.FOREGROUND)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most - mask.nbytes < 64e6


@pytest.mark.parametrize(
    ("scheme", "wanted"), [(PET, PET), (TRIMAP, PET), (THREE, THREE), (PET, TRIMAP)]
)
@pytest.mark.parametrize("rule", BorderRule)
def test_the_likeliest_class_is_the_masks(
    scheme: LabelScheme, wanted: LabelScheme, rule: BorderRule
):
    prediction = random_prediction(scheme, 36, 48, (48, 36))
    planes = [prediction.probability_of(c.id, wanted, rule) for c in wanted.classes]
    np.testing.assert_allclose(np.sum(planes, axis=0), 1, atol=1e-5)
    mask = prediction.mask(wanted, rule)
    np.testing.assert_array_equal(np.argmax(planes, axis=0), mask)
    assert len(np.unique(mask)) > 1
    assert all(p.shape == (36, 48) and p.dtype == np.float32 for p in planes)


def test_the_border_joins_what_the_rule_says():
    one = said(TRIMAP, 0.4, 0.35, 0.25)
    wanted = {
        BorderRule.FOREGROUND: 0.6,
        BorderRule.CLASS: 0.6,
        BorderRule.BACKGROUND: 0.35,
        BorderRule.IGNORE: 0.35 / 0.75,
    }
    for rule, expected in wanted.items():
        assert one.probability_of(1, PET, rule).item() == pytest.approx(expected)
        assert one.probability_of(0, PET, rule).item() == pytest.approx(1 - expected)


@pytest.mark.parametrize("rule", BorderRule)
def test_void_is_never_likely(rule: BorderRule):
    assert said(TRIMAP, 0.4, 0.35, 0.25).probability_of(VOID, PET, rule).item() == 0
    assert said(PET, 0.4, 0.6).probability_of(VOID, PET, rule).item() == 0


def test_a_probability_of_classes_unknown_to_the_model_is_refused_like_a_mask():
    with pytest.raises(BadInput, match="This model knows"):
        said(THREE, 0.2, 0.3, 0.5).probability_of(1, PET, BorderRule.FOREGROUND)


# --- Tiles, and models that look at an image at its own scale ----------------------------------


@pytest.fixture(scope="module")
def crops_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, described anew as one of the view ``crops``."""
    from core.models.export import describe_anew

    path = tmp_path_factory.mktemp("crops") / tiny_model.name
    for file in (tiny_model, onnx_path(tiny_model)):
        shutil.copy(file, path.parent)
    describe_anew(path, read_description(path).model_copy(update={"view": "crops"}))
    return path


@pytest.mark.parametrize(
    ("height", "width", "apart"), [(48, 48, 1e-3), (48, 201, 0.02), (150, 201, 0.02)]
)
def test_a_model_of_crops_looks_at_every_pixel_at_its_own_scale(
    crops_model: Path, height: int, width: int, apart: float
):
    import torch

    pixels = noise(height, width)
    prediction = Predictor(crops_model, threads=1).predict(pixels)
    assert prediction.planes.shape == (2, height, width)
    assert prediction.planes.dtype == np.float32
    np.testing.assert_allclose(prediction.small.sum(0), 1, atol=1e-5)
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        untiled = torch.softmax(load_model(crops_model)(image), 1)[0].numpy()
    # What lies beyond a window's edge it cannot see: there the answers differ a little.
    assert np.abs(prediction.small - untiled).mean() < apart
    assert (prediction.mask(PET, BorderRule.CLASS) == untiled.argmax(0)).mean() > 0.95


def test_tiles_show_a_large_image_larger(tiny_model: Path):
    predictor = Predictor(tiny_model, threads=1)
    pixels = noise(120, 160)
    sides = [max(predictor.predict(pixels, tiles=n).planes.shape) for n in (1, 2, 3, 32)]
    assert sides == [48, 48 + 36, 48 + 72, 160]
    prediction = predictor.predict(pixels, tiles=3)
    assert prediction.size == (160, 120)
    assert prediction.mask(PET, BorderRule.CLASS).shape == (120, 160)
    np.testing.assert_allclose(prediction.small.sum(0), 1, atol=1e-5)


def test_more_tiles_than_a_small_image_has_room_for_are_no_more_than_one(tiny_model: Path):
    predictor = Predictor(tiny_model, threads=1)
    pixels = noise(40, 48)
    np.testing.assert_array_equal(
        predictor.predict(pixels, tiles=9).planes, predictor.predict(pixels).planes
    )


@pytest.mark.parametrize("size", [(1, 1), (20_000, 40), (40, 20_000), (3, 5000)])
@pytest.mark.parametrize("crops", [False, True])
def test_any_shape_has_a_mask(
    tiny_model: Path, crops_model: Path, crops: bool, size: tuple[int, int]
):
    predictor = Predictor(crops_model if crops else tiny_model, threads=1)
    pixels = np.full((size[1], size[0], 3), 90, np.uint8)
    prediction = predictor.predict(pixels, tiles=2)
    assert prediction.mask(PET, BorderRule.CLASS).shape == (size[1], size[0])


# --- Stopping ----------------------------------------------------------------------------------


def test_a_prediction_is_stopped_from_another_thread_and_the_next_one_runs(crops_model: Path):
    predictor = Predictor(crops_model, threads=1)
    pixels = np.zeros((4000, 4000, 3), np.uint8)  # ten thousand windows
    ended: list[str] = []

    def predict() -> None:
        with pytest.raises(PredictionStopped):
            predictor.predict(pixels)
        ended.append("stopped")

    thread = Thread(target=predict)
    thread.start()
    while thread.is_alive():  # it may not have begun
        predictor.stop()
    thread.join()
    assert ended == ["stopped"]
    assert predictor.predict(noise(40, 40)).size == (40, 40)


def test_where_nothing_runs_nothing_is_stopped(tiny_model: Path):
    predictor = Predictor(tiny_model, threads=1)
    predictor.stop()
    assert predictor.predict(noise(40, 40)).size == (40, 40)


# --- Files that cannot be run ------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path: Path, tiny_model: Path) -> Path:
    for path in (tiny_model, onnx_path(tiny_model)):
        shutil.copy(path, tmp_path)
    return tmp_path / tiny_model.name


@pytest.mark.parametrize("garbage", [b"", b"not a graph", bytes(500), b"\xff" * 500])
def test_a_twin_that_is_no_network_is_named_though_its_hash_is_right(copied: Path, garbage: bytes):
    from core.files import sha256
    from core.models.export import describe_anew

    onnx_path(copied).write_bytes(garbage)
    description = read_description(copied)
    describe_anew(copied, description.model_copy(update={"onnx_sha256": sha256(garbage)}))
    with pytest.raises(ModelFileError, match=r"^tiny\.safetensors: its ONNX twin cannot be run"):
        Predictor(copied)


def test_a_twin_that_gives_other_classes_than_its_model_says_is_named(copied: Path):
    from core.models.export import describe_anew

    description = read_description(copied)
    describe_anew(copied, description.model_copy(update={"scheme": THREE}))
    with pytest.raises(ModelFileError, match=r"^tiny\.safetensors: .* not 3 classes"):
        Predictor(copied).predict(noise(40, 40))


@pytest.mark.parametrize("at", [0.1, 0.5, 0.99])
def test_a_twin_that_is_damaged_in_the_middle_is_named(copied: Path, at: float):
    data = bytearray(onnx_path(copied).read_bytes())
    data[int(len(data) * at)] ^= 1
    onnx_path(copied).write_bytes(data)
    with pytest.raises(ModelFileError, match=r"^tiny\.onnx is damaged, or belongs to another"):
        Predictor(copied)


def test_a_model_without_its_twin_is_named(copied: Path):
    onnx_path(copied).unlink()
    with pytest.raises(ModelFileError, match="needs its twin"):
        Predictor(copied)


def test_what_is_no_model_is_named(tmp_path: Path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"weights")
    with pytest.raises(ModelFileError, match="not a model file"):
        Predictor(path)
