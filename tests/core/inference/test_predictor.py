"""Prediction on ONNX Runtime: the network's own answer at any size, stopped at any moment."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest

from core.inference.predictor import PredictionStopped, Predictor
from core.inference.view import fit_whole
from core.labels import PET, TRIMAP, BorderRule, LabelScheme, scheme_of
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


# --- Tiles, and models that look at an image at its own scale ----------------------------------


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


@pytest.mark.parametrize("stop", [None, Event()])
def test_a_prediction_is_stopped_from_another_thread_and_the_next_one_runs(
    crops_model: Path, stop: Event | None
):
    predictor = Predictor(crops_model, threads=1)
    pixels = np.zeros((4000, 4000, 3), np.uint8)  # ten thousand windows
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(predictor.predict, pixels, stop=stop)
        while not ended.done():  # it may not have begun
            predictor.stop(stop)
        with pytest.raises(PredictionStopped):
            ended.result()
    assert predictor.predict(noise(40, 40)).size == (40, 40)


def test_a_stop_that_comes_before_its_prediction_is_not_lost(tiny_model: Path):
    predictor = Predictor(tiny_model, threads=1)
    stop = Event()
    stop.set()
    predictor.stop(stop)
    with pytest.raises(PredictionStopped):
        predictor.predict(noise(40, 40), stop=stop)
    assert predictor.predict(noise(40, 40), stop=Event()).size == (40, 40)


def test_a_stop_of_others_does_not_end_a_prediction(crops_model: Path):
    predictor = Predictor(crops_model, threads=1)
    with ThreadPoolExecutor(1) as pool:
        said = pool.submit(predictor.predict, noise(500, 400), stop=Event())
        while not said.done():
            predictor.stop(Event())
        assert said.result().size == (400, 500)


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


def test_a_twin_whose_numbers_overflow_is_named(make_model: MakeModel, tmp_path: Path):
    """Else its uncertainty would be NaN, and its masks whatever NaN becomes."""
    import onnx

    from core.files import sha256
    from core.models.export import describe_anew

    source = make_model()
    path = tmp_path / source.name
    shutil.copy(source, path)
    graph = onnx.load(onnx_path(source))
    for weights in graph.graph.initializer:
        values = onnx.numpy_helper.to_array(weights)
        if values.dtype == np.float32:
            huge = np.full_like(values, np.inf)
            weights.CopyFrom(onnx.numpy_helper.from_array(huge, weights.name))
    onnx.save(graph, onnx_path(path))
    twin = onnx_path(path).read_bytes()
    changed = read_description(path).model_copy(update={"onnx_sha256": sha256(twin)})
    describe_anew(path, changed)
    with pytest.raises(ModelFileError, match="NaN or infinite"):
        Predictor(path).predict(noise(40, 40))


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
