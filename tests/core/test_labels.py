"""Label schemes, and what each border rule makes of masks and probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.labels import (
    MAX_CLASSES,
    PET,
    TRIMAP,
    VOID,
    BorderRule,
    LabelClass,
    LabelScheme,
    _lab,
    apply_border_rule,
    decide,
    default_colour,
    listed,
    scheme_of,
    scheme_under,
)

THREE = scheme_of("custom", ["background", "cat", "dog"])


def test_ids_run_from_0_without_gaps():
    two = LabelClass(id=2, name="b", colour=(0, 0, 0))
    zero = LabelClass(id=0, name="a", colour=(0, 0, 0))
    with pytest.raises(ValueError, match="without gaps"):
        LabelScheme(name="x", classes=(zero, two))


def test_two_classes_of_one_name_are_refused():
    with pytest.raises(ValueError, match="must differ"):
        scheme_of("x", ["background", "pet", "pet"])


def test_a_single_class_is_no_scheme():
    with pytest.raises(ValueError, match="2 to 254"):
        scheme_of("x", ["background"])


def test_as_many_classes_as_a_mask_file_can_hold():
    assert len(scheme_of("x", [str(i) for i in range(MAX_CLASSES)]).classes) == MAX_CLASSES
    with pytest.raises(ValueError, match="254"):
        scheme_of("x", [str(i) for i in range(MAX_CLASSES + 1)])


def test_every_class_has_its_own_colour():
    colours = [default_colour(i) for i in range(60)]
    assert len(set(colours)) == 60
    assert all(0 <= v <= 255 for colour in colours for v in colour)


def test_254_default_colours_can_be_told_apart():
    colours = [default_colour(i) for i in range(MAX_CLASSES)]
    void = (128, 128, 128)
    lab = _lab(np.array([*colours, void], float))
    distances = np.linalg.norm(lab[:, None] - lab, axis=-1) + 1000 * np.eye(len(lab))
    assert distances.min() > 10  # about ten times what an eye can just tell apart
    assert distances[:40, :40].min() > 25


def test_the_lightness_of_colours_is_that_of_the_standard():
    # White, black, and sRGB's pure red as tables of CIELAB (D65) give them.
    lab = _lab(np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0]], float))
    assert lab == pytest.approx(np.array([[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]), abs=0.1)


def test_long_lists_are_cut_short():
    assert listed(["a", "b"]) == "a, b"
    assert listed(range(8)) == "0, 1, 2, 3, 4, 5, 6, 7"
    assert listed(range(254)) == "0, 1, 2, 3, 4, 5, 6, 7 ... and 246 more"


def with_keys(*keys: str) -> LabelScheme:
    return LabelScheme("x", tuple(LabelClass(i, f"c{i}", (0, 0, 0), k) for i, k in enumerate(keys)))


def test_a_class_is_chosen_by_its_own_key_or_by_its_digit():
    assert with_keys("", "", "q").keys == {0: "0", 1: "1", 2: "q"}
    assert with_keys("", "2", "").keys == {0: "0", 1: "2"}, "a digit serves one class"
    assert set(with_keys(*[""] * 12).keys) == set(range(10))


def test_keys_say_nothing_of_what_a_class_is():
    assert with_keys("", "q") == with_keys("", "")


@pytest.mark.parametrize("keys", [("", "ab"), ("", " "), ("q", "Q")])
def test_keys_are_single_characters_and_differ(keys: tuple[str, str]):
    with pytest.raises(ValueError, match="key"):
        with_keys(*keys)


def test_only_a_trimap_has_a_border():
    assert TRIMAP.border_id == 2
    assert PET.border_id is None
    assert THREE.border_id is None


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (BorderRule.FOREGROUND, [0, 1, 1, VOID]),
        (BorderRule.IGNORE, [0, 1, VOID, VOID]),
        (BorderRule.BACKGROUND, [0, 1, 0, VOID]),
        (BorderRule.CLASS, [0, 1, 2, VOID]),
    ],
)
def test_the_border_of_a_trimap_counts_as_the_rule_says(rule: BorderRule, expected: list[int]):
    mask = np.array([[0, 1, 2, VOID]], np.uint8)
    ruled = apply_border_rule(mask, TRIMAP, rule)
    assert ruled.tolist() == [expected]
    assert ruled.dtype == np.uint8


@pytest.mark.parametrize("rule", BorderRule)
@pytest.mark.parametrize("scheme", [PET, THREE])
def test_the_rule_touches_no_scheme_without_a_border(scheme: LabelScheme, rule: BorderRule):
    mask = np.array([[0, 1, 2, VOID]], np.uint8)
    np.testing.assert_array_equal(apply_border_rule(mask, scheme, rule), mask)
    assert scheme_under(scheme, rule) == scheme


@pytest.mark.parametrize("rule", BorderRule)
def test_the_classes_left_are_those_that_masks_hold(rule: BorderRule):
    left = scheme_under(TRIMAP, rule)
    ruled = apply_border_rule(np.array([0, 1, 2], np.uint8), TRIMAP, rule)
    assert set(ruled[ruled != VOID].tolist()) <= {c.id for c in left.classes}
    assert left.names == ["background", "pet", "border"][: len(left.classes)]
    assert len(left.classes) == (3 if rule is BorderRule.CLASS else 2)


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [  # background, pet, border -> foreground, ignore, background, class
        ((0.6, 0.3, 0.1), (0, 0, 0, 0)),
        ((0.4, 0.35, 0.25), (1, 0, 0, 0)),  # pet and border together are likelier
        ((0.3, 0.3, 0.4), (1, 1, 0, 2)),
        ((0.1, 0.3, 0.6), (1, 1, 0, 2)),
        ((0.2, 0.6, 0.2), (1, 1, 1, 1)),
        ((0.5, 0.25, 0.25), (1, 0, 0, 0)),  # a tie goes to the foreground, as with two classes
    ],
)
def test_border_probability_joins_the_side_that_the_rule_names(
    probabilities: tuple[float, ...], expected: tuple[int, ...]
):
    planes = np.array(probabilities, np.float32).reshape(3, 1, 1)
    said = tuple(
        int(decide(planes, TRIMAP, rule)[0, 0])
        for rule in (
            BorderRule.FOREGROUND,
            BorderRule.IGNORE,
            BorderRule.BACKGROUND,
            BorderRule.CLASS,
        )
    )
    assert said == expected


@given(
    hnp.arrays(np.float64, (3, 4, 5), elements=st.floats(0.01, 1)),
    st.sampled_from(list(BorderRule)),
)
def test_decisions_against_the_definition(weights: np.ndarray, rule: BorderRule):
    probabilities = weights / weights.sum(0)
    background, pet, border = probabilities
    expected = {
        BorderRule.FOREGROUND: pet + border >= background,
        BorderRule.BACKGROUND: pet >= background + border,
        BorderRule.IGNORE: pet >= background,
        BorderRule.CLASS: probabilities.argmax(0),
    }[rule]
    # Exact ties are a matter of rounding.
    tie = np.abs(pet + border - background) < 1e-9
    tie |= np.abs(background + border - pet) < 1e-9
    said = decide(probabilities, TRIMAP, rule)
    assert said.dtype == np.uint8
    np.testing.assert_array_equal(said[~tie], expected.astype(np.uint8)[~tie])


def test_two_classes_are_split_at_one_half():
    foreground = np.array([[0.49, 0.5, 0.51]])
    said = decide(np.stack([1 - foreground, foreground]), PET, BorderRule.FOREGROUND)
    assert said.tolist() == [[0, 1, 1]]


def test_a_batch_is_decided_at_once():
    batch = np.random.default_rng(0).dirichlet(np.ones(3), (2, 4, 5)).transpose(0, 3, 1, 2)
    both = decide(batch, TRIMAP, BorderRule.IGNORE)
    assert both.shape == (2, 4, 5)
    np.testing.assert_array_equal(both[1], decide(batch[1], TRIMAP, BorderRule.IGNORE))
