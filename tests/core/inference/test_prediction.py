"""From probabilities to masks: threshold, classes and clean-ups, in any project's classes."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.inference import prediction as prediction_module
from core.inference.options import MOST_TILES, PredictOptions
from core.inference.prediction import Prediction, mask_rule
from core.labels import PET, TRIMAP, VOID, BorderRule, LabelScheme, decide, scheme_of

THREE = scheme_of("custom", ["background", "cat", "dog"])
SHARES = st.floats(0, 1)
TWO_CLASSES = [
    (PET, PET, BorderRule.CLASS),
    (TRIMAP, PET, BorderRule.FOREGROUND),
    (TRIMAP, PET, BorderRule.IGNORE),
    (TRIMAP, PET, BorderRule.BACKGROUND),
    (PET, TRIMAP, BorderRule.CLASS),
]


def random_prediction(
    scheme: LabelScheme, size: tuple[int, int] = (90, 70), seed: int = 0
) -> Prediction:
    rng = np.random.default_rng(seed)
    coarse = rng.random((len(scheme.classes), 6, 7), np.float32) ** 3
    planes = np.stack([cv2.resize(p, (45, 35), interpolation=cv2.INTER_LINEAR) for p in coarse])
    return Prediction(planes / planes.sum(0), size, scheme, "m")


@given(st.sampled_from(TWO_CLASSES), SHARES, SHARES, st.booleans())
def test_a_higher_threshold_never_adds_a_pixel(case, one: float, other: float, in_bytes: bool):
    scheme, wanted, rule = case
    said = random_prediction(scheme)
    said = said.quantised() if in_bytes else said
    low, high = (
        said.mask(wanted, rule, PredictOptions(threshold=t)) == 1 for t in sorted((one, other))
    )
    assert not (high & ~low).any()


@pytest.mark.parametrize(("scheme", "wanted", "rule"), TWO_CLASSES)
def test_the_object_begins_at_the_threshold(
    scheme: LabelScheme, wanted: LabelScheme, rule: BorderRule
):
    said = random_prediction(scheme, (45, 35))
    probability = said.probability_of(1, wanted, rule)
    for threshold in (0.2, 0.5, 0.83):
        mask = said.mask(wanted, rule, PredictOptions(threshold=threshold))
        sure = np.abs(probability - threshold) > 1e-6
        np.testing.assert_array_equal(mask[sure] == 1, (probability >= threshold)[sure])
        assert 0 < mask.mean() < 1
    np.testing.assert_array_equal(
        said.mask(wanted, rule), said.mask(wanted, rule, PredictOptions(threshold=0.5))
    )


@pytest.mark.parametrize("scheme", [THREE, TRIMAP])
def test_of_three_classes_the_likeliest_wins_whatever_the_threshold(scheme: LabelScheme):
    said = random_prediction(scheme)
    strict = said.mask(scheme, BorderRule.CLASS, PredictOptions(threshold=0.9))
    np.testing.assert_array_equal(strict, said.mask(scheme, BorderRule.CLASS))


@given(st.sets(st.integers(0, 2)), st.integers(0, 5))
def test_classes_that_are_left_out_become_background(kept: set[int], seed: int):
    said = random_prediction(THREE, seed=seed)
    plain = said.mask(THREE, BorderRule.CLASS)
    mask = said.mask(THREE, BorderRule.CLASS, PredictOptions(classes=tuple(kept)))
    assert set(np.unique(mask)) <= kept | {0}
    np.testing.assert_array_equal(mask, np.where(np.isin(plain, list(kept)), plain, 0))


def spots() -> Prediction:
    """An object of 400 px with a hole of 16 px, and islands of 9 and 4 px."""
    pet = np.zeros((40, 60), np.float32)
    pet[5:25, 5:25] = 1
    pet[10:14, 10:14] = 0
    pet[30:33, 30:33] = 1
    pet[35:37, 50:52] = 1
    return Prediction(np.stack([1 - pet, pet]), (60, 40), PET, "m")


@pytest.mark.parametrize(
    ("options", "area"),
    [
        (PredictOptions(), 384 + 9 + 4),
        (PredictOptions(fill_holes=16), 400 + 9 + 4),
        (PredictOptions(fill_holes=15), 384 + 9 + 4),
        (PredictOptions(remove_islands=9), 384 + 9),
        (PredictOptions(remove_islands=17), 400),
        (PredictOptions(keep_largest=True), 384),
        (PredictOptions(fill_holes=20, keep_largest=True), 400),
        (PredictOptions(fill_holes=20, classes=(0,)), 0),
    ],
)
def test_clean_ups_are_done_to_the_mask(options: PredictOptions, area: int):
    said = spots()
    assert said.mask(PET, BorderRule.CLASS, options).sum() == area
    # In pixels of the image, not of the model.
    larger = replace(said, size=(120, 80))
    doubled = replace(
        options, fill_holes=options.fill_holes * 4, remove_islands=options.remove_islands * 4
    )
    assert larger.mask(PET, BorderRule.CLASS, doubled).sum() == pytest.approx(4 * area, rel=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": -0.1},
        {"threshold": 1.1},
        {"threshold": float("nan")},
        {"tiles": 0},
        {"tiles": MOST_TILES + 1},
        {"fill_holes": -1},
        {"remove_islands": -1},
    ],
)
def test_options_that_mean_nothing_are_refused(wrong: dict):
    with pytest.raises(ValueError, match=next(iter(wrong)).split("_")[-1]):
        PredictOptions(**wrong)


# --- Bytes in place of floats ------------------------------------------------------------------


@pytest.mark.parametrize("scheme", [PET, TRIMAP, THREE])
def test_in_bytes_a_prediction_says_the_same_within_a_step(scheme: LabelScheme):
    said = random_prediction(scheme)
    small = said.quantised()
    assert small.planes.dtype == np.uint8
    assert small.quantised().planes is small.planes
    assert small.small.dtype == np.float32
    np.testing.assert_allclose(small.small, said.small, atol=0.51 / 255)
    np.testing.assert_allclose(small.probabilities, said.probabilities, atol=0.51 / 255)
    assert small.uncertainty == pytest.approx(said.uncertainty, abs=0.01)
    changed = small.mask(scheme, BorderRule.CLASS) != said.mask(scheme, BorderRule.CLASS)
    assert changed.mean() < 0.01


@pytest.mark.parametrize("band", [1, 700, 1 << 20])
@pytest.mark.parametrize("size", [(90, 70), (45, 35), (20, 15), (1, 1), (45, 200)])
def test_a_mask_of_bytes_does_not_depend_on_its_bands(
    monkeypatch: pytest.MonkeyPatch, band: int, size: tuple[int, int]
):
    said = random_prediction(TRIMAP, size).quantised()
    whole = said.mask(TRIMAP, BorderRule.CLASS)
    monkeypatch.setattr(prediction_module, "_BAND", band)
    bands = said.mask(TRIMAP, BorderRule.CLASS)
    # Rounding differs in the last digit: only where two classes are alike may one win or the other.
    first, second = np.sort(said.probabilities, axis=0)[[-1, -2]]
    np.testing.assert_array_equal(bands[first - second > 1e-5], whole[first - second > 1e-5])


def test_of_very_large_planes_a_lower_resolution_is_given(monkeypatch: pytest.MonkeyPatch):
    said = random_prediction(PET).quantised()
    whole = said.uncertainty
    monkeypatch.setattr(prediction_module, "MOST_FLOATS", said.planes.size // 3)
    assert said.small.shape == (2, 18, 23)
    assert said.probability_of(1, PET, BorderRule.CLASS).shape == (18, 23)
    assert said.uncertainty_map.shape == (18, 23)
    assert said.uncertainty == pytest.approx(whole, abs=0.05)
    assert said.mask(PET, BorderRule.CLASS).shape == (70, 90)


def test_a_mask_of_native_planes_takes_little_memory():
    planes = np.zeros((2, 4000, 6000), np.uint8)
    planes[1] = 255
    said = Prediction(planes, (6000, 4000), PET, "m")
    tracemalloc.start()
    mask = said.mask(PET, BorderRule.CLASS, PredictOptions(threshold=0.7))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert mask.all()
    assert most - mask.nbytes < 32e6


def test_the_uncertainty_map_is_high_where_classes_are_alike():
    planes = np.zeros((2, 1, 3), np.float32)
    planes[1] = [[1, 0.5, 0.9]]
    planes[0] = 1 - planes[1]
    said = Prediction(planes, (3, 1), PET, "m")
    entropy = -(0.9 * np.log2(0.9) + 0.1 * np.log2(0.1))
    np.testing.assert_allclose(said.uncertainty_map, [[0, 1, entropy]], atol=1e-5)
    assert said.uncertainty_map.dtype == np.float32
    assert said.uncertainty == pytest.approx(said.uncertainty_map.mean())


def test_uncertainty_runs_from_sure_to_clueless():
    sure = np.zeros((3, 4, 4), np.float32)
    sure[0] = 1
    even = np.full((3, 4, 4), 1 / 3, np.float32)
    assert Prediction(sure, (4, 4), TRIMAP, "").uncertainty == pytest.approx(0, abs=1e-5)
    assert Prediction(even, (4, 4), TRIMAP, "").uncertainty == pytest.approx(1)


# --- The classes of a model in a project of others ---------------------------------------------


def one_pixel(scheme: LabelScheme, *probabilities: float) -> Prediction:
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
    assert one_pixel(TRIMAP, 0.4, 0.35, 0.25).mask(PET, rule).tolist() == [[expected]]


def test_a_trimap_model_serves_a_trimap():
    assert one_pixel(TRIMAP, 0.3, 0.3, 0.4).mask(TRIMAP, BorderRule.FOREGROUND).tolist() == [[2]]


@pytest.mark.parametrize("rule", BorderRule)
def test_a_model_of_two_classes_serves_a_trimap_without_its_border(rule: BorderRule):
    assert one_pixel(PET, 0.4, 0.6).mask(TRIMAP, rule).tolist() == [[1]]
    assert one_pixel(PET, 0.6, 0.4).mask(TRIMAP, rule).tolist() == [[0]]


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


@pytest.mark.parametrize("band", [1, 5000, 1 << 20])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 300), (300, 1), (30, 20), (45, 35), (401, 299), (640, 480)]
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
    prediction = random_prediction(scheme, size)
    whole = decide(prediction.probabilities, scheme, rule)
    np.testing.assert_array_equal(prediction.mask(wanted, rule), whole)


def test_a_large_mask_takes_little_memory():
    """100 megapixels in floats would be 1.2 GB."""
    prediction = random_prediction(TRIMAP, (8000, 6000))
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
    prediction = random_prediction(scheme, (45, 35))
    planes = [prediction.probability_of(c.id, wanted, rule) for c in wanted.classes]
    np.testing.assert_allclose(np.sum(planes, axis=0), 1, atol=1e-5)
    mask = prediction.mask(wanted, rule)
    np.testing.assert_array_equal(np.argmax(planes, axis=0), mask)
    assert len(np.unique(mask)) > 1
    assert all(p.shape == (35, 45) and p.dtype == np.float32 for p in planes)


def test_the_border_joins_what_the_rule_says():
    one = one_pixel(TRIMAP, 0.4, 0.35, 0.25)
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
    assert one_pixel(TRIMAP, 0.4, 0.35, 0.25).probability_of(VOID, PET, rule).item() == 0
    assert one_pixel(PET, 0.4, 0.6).probability_of(VOID, PET, rule).item() == 0


def test_a_probability_of_classes_unknown_to_the_model_is_refused_like_a_mask():
    with pytest.raises(BadInput, match="This model knows"):
        one_pixel(THREE, 0.2, 0.3, 0.5).probability_of(1, PET, BorderRule.FOREGROUND)
