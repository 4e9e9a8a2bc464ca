"""What an explanation looks at: the part of the image, the place, the class."""

from __future__ import annotations

import numpy as np
import pytest

from core.editing.region import Region
from core.errors import BadInput
from core.explanation.answer import Explanation
from core.explanation.look import Question, asked_about, look_at
from core.explanation.parcel import packed, packed_region, unpacked, unpacked_region
from core.labels import PET, TRIMAP, BorderRule, LabelScheme, scheme_of
from core.modelfile import ModelDescription, read_description


def region(x0: int, y0: int, x1: int, y1: int) -> Region:
    return Region((x0, y0, x1, y1), np.ones((y1 - y0, x1 - x0), bool))


@pytest.fixture
def crops(tiny_model) -> ModelDescription:
    """The tiny model as if it had been trained on crops of 48 px."""
    return read_description(tiny_model).model_copy(update={"view": "crops"})


@pytest.mark.parametrize(
    ("model", "rule", "background", "pet"),
    [
        (PET, BorderRule.IGNORE, (0,), (1,)),
        (TRIMAP, BorderRule.FOREGROUND, (0,), (1, 2)),
        (TRIMAP, BorderRule.CLASS, (0,), (1, 2)),
        (TRIMAP, BorderRule.BACKGROUND, (0, 2), (1,)),
        (TRIMAP, BorderRule.IGNORE, (0,), (1,)),
    ],
)
def test_a_class_of_the_project_is_these_of_the_model(
    model: LabelScheme, rule: BorderRule, background: tuple[int, ...], pet: tuple[int, ...]
) -> None:
    assert Question(0, PET, rule).members(model) == background
    assert Question(1, PET, rule).members(model) == pet


def test_a_class_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(BadInput, match="does not know border"):
        Question(2, TRIMAP, BorderRule.CLASS).members(PET)
    with pytest.raises(BadInput, match="knows background, pet"):
        Question(1, scheme_of("c", ["background", "a", "b"]), BorderRule.CLASS).members(PET)


def test_a_model_of_whole_photos_sees_the_photo_fitted(tiny_model) -> None:
    pixels = np.zeros((96, 192, 3), np.uint8)
    look = look_at(pixels, read_description(tiny_model), region(96, 0, 192, 96))
    assert look.pixels.shape == (24, 48, 3)
    assert look.box == (0, 0, 192, 96)
    assert not look.region[:, :24].any()
    assert look.region[:, 24:].all()


@pytest.mark.parametrize("at", [(100, 50, 101, 51), (0, 0, 1, 1), (191, 95, 192, 96)])
def test_a_place_smaller_than_what_the_model_sees_is_not_lost(tiny_model, at) -> None:
    look = look_at(np.zeros((96, 192, 3), np.uint8), read_description(tiny_model), region(*at))
    assert look.region.sum() == 1
    assert look.region[at[1] * 24 // 96, at[0] * 48 // 192]


def test_a_model_of_crops_sees_a_window_around_the_place(crops: ModelDescription) -> None:
    pixels = np.arange(100 * 300 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 300, 3)
    look = look_at(pixels, crops, region(150, 90, 160, 98))
    assert look.box == (131, 52, 179, 100)
    assert np.array_equal(look.pixels, pixels[52:100, 131:179])
    assert np.array_equal(np.argwhere(look.region)[[0, -1]], [[38, 19], [45, 28]])
    with pytest.raises(BadInput, match="part by part"):
        look_at(pixels, crops, None)
    assert look_at(pixels[:40, :48], crops, None).box == (0, 0, 48, 40)


def test_without_a_place_it_is_asked_about_what_the_model_sees(tiny_model) -> None:
    look = look_at(np.zeros((48, 48, 3), np.uint8), read_description(tiny_model), None)
    plane = np.zeros((48, 48))
    assert asked_about(look, plane, "pet")[0].all()
    assert "sees no pet" in asked_about(look, plane, "pet")[1]
    plane[3:9, 4] = 0.6
    where, about = asked_about(look, plane, "pet")
    assert np.array_equal(where, plane > 0)
    assert about == "where the model sees pet"


def test_a_window_lies_where_it_belongs_in_a_map_of_the_image() -> None:
    found = Explanation(np.ones((8, 8), np.float32), (4000, 1000, 4800, 1800), 1.0, "", 100)
    whole = found.over_image((8192, 4096))
    assert whole.shape == (1024, 2048)
    assert (whole[250:450, 1000:1200] == 255).all()
    assert int(whole.astype(int).sum()) == 200 * 200 * 255


def test_regions_and_explanations_survive_their_journey() -> None:
    inside = np.random.default_rng(0).random((37, 53)) > 0.5
    region_ = Region((5, 6, 58, 43), inside)
    back = unpacked_region(packed_region(region_))
    assert back.box == region_.box
    assert np.array_equal(back.inside, inside)
    assert unpacked_region(packed_region(None)) is None

    large = unpacked_region(packed_region(region(0, 0, 5000, 3000)))
    assert large.inside.shape == (3000, 5000)
    assert large.inside.all()

    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    found = unpacked(packed(Explanation(values, (1, 2, 9, 8), 0.4, "it", 2.5)))
    assert found.values == pytest.approx(values, abs=1 / 500)
    assert (found.box, found.peak, found.about, found.grain) == ((1, 2, 9, 8), 0.4, "it", 2.5)
