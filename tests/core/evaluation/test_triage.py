"""The list in order, and what the images' files say."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.evaluation.measuring import facts_of, measure, stamp_of, stored_look
from core.evaluation.search import parse
from core.evaluation.triage import ORDERS, Known, arrange
from core.evaluation.useful import fingerprint
from core.labels import VOID
from core.project.facts import Facts
from core.project.index import Index
from core.project.predictions import PredictionRecord
from core.project.project import open_project
from core.project.reviews import Review, Status
from core.project.split import Subset

NAMES = ["a.jpg", "b/b.jpg", "b/c.jpg", "d.jpg"]
STATUS = {
    "a.jpg": Status.APPROVED,
    "b/b.jpg": Status.PREDICTED,
    "b/c.jpg": Status.UNLABELLED,
    "d.jpg": Status.EDITED,
}
KNOWN = Known(
    STATUS.__getitem__,
    {"a.jpg": Subset.VAL, "d.jpg": Subset.TRAIN},
    {
        "a.jpg": Facts(bytes=30, modified=9e8, uncertainty=0.1, disagreement=0.4, parts=2),
        "b/b.jpg": Facts(bytes=10, modified=8e8, uncertainty=0.3, object_share=0.2, parts=1),
        "d.jpg": Facts(bytes=30, modified=7e8, disagreement=0.1, object_share=0.1, parts=1),
    },
)


@pytest.mark.parametrize(
    ("key", "rising", "falling"),
    [
        ("name", "abcd", "dcba"),
        ("date", "dbac", "abdc"),
        ("size", "badc", "adbc"),  # of equals the order of names stays
        ("status", "cbda", "adbc"),
        ("split", "dabc", "adbc"),
        ("uncertainty", "abcd", "bacd"),  # what is not known comes last, either way
        ("disagreement", "dabc", "adbc"),
        ("dice", "abcd", "abcd"),  # of val images alone
        ("object", "dbac", "bdac"),
        ("parts", "bdac", "abdc"),
    ],
)
def test_the_list_is_sorted_by_what_is_known(key, rising, falling):
    assert key in [order.key for order in ORDERS]
    for descending, wanted in ((False, rising), (True, falling)):
        names = arrange(NAMES, parse(""), key, descending, KNOWN).names
        assert "".join(name.rpartition("/")[2][0] for name in names) == wanted


def test_search_and_order_go_together():
    found = arrange(NAMES, parse("-split:val uncertainty<1"), "uncertainty", True, KNOWN)
    assert found.names == ["b/b.jpg"]
    assert arrange(NAMES, parse("dice<0.7"), "name", False, KNOWN).names == ["a.jpg"]


def test_a_year_that_no_calendar_has_is_not_known():
    known = Known(facts={"a.jpg": Facts(modified=1e15), "d.jpg": Facts(modified=9e8)})
    assert arrange(NAMES, parse("date>=1990"), "date", True, known).names == ["d.jpg"]
    assert arrange(NAMES, parse(""), "date", True, known).names[:2] == ["a.jpg", "d.jpg"]


def test_bars_are_shares_of_the_highest_value_or_of_one():
    assert arrange(NAMES, parse(""), "name", False, KNOWN).longest == 0.3
    assert arrange(NAMES, parse(""), "size", False, KNOWN).longest == 30
    assert arrange(NAMES, parse(""), "dice", False, KNOWN).longest == 1
    assert arrange([], parse(""), "parts", True, Known()).longest == 0


@pytest.fixture
def project(make_project):
    return open_project(make_project(images=2, masked=1))


def _look(project, name="animal-0.png"):
    return facts_of(project, measure(project, name, stamp_of(project, name)))


def test_facts_are_those_of_the_files(project):
    mask = project.read_mask("animal-0.png")
    said = np.zeros_like(mask)
    said[:20] = 1
    record = PredictionRecord("animal-0.png", "m", "My model", uncertainty=0.25)
    project.save_prediction("animal-0.png", said, record)
    facts = _look(project)
    hit = ((mask == 1) & (said == 1)).sum()
    assert facts.disagreement == pytest.approx(1 - 2 * hit / ((mask == 1).sum() + said.sum()))
    assert facts.object_share == pytest.approx((mask == 1).mean())
    assert (facts.width, facts.height) == (48, 48)
    assert facts.bytes == project.image_path("animal-0.png").stat().st_size
    assert (facts.uncertainty, facts.model) == (0.25, "My model")


def test_the_prediction_counts_where_there_is_no_mask(project):
    said = np.zeros((48, 48), np.uint8)
    said[2:10, 2:10] = said[30:40, 30:40] = 1
    said[47, 47] = 1  # a speck is no part
    project.save_prediction("animal-1.png", said, PredictionRecord("animal-1.png", "m"))
    facts = _look(project, "animal-1.png")
    assert facts.object_share == pytest.approx((64 + 100 + 1) / 48**2)
    assert facts.parts == 2
    assert facts.disagreement is None


def test_void_pixels_count_for_nothing(project):
    mask = np.full((48, 48), VOID, np.uint8)
    mask[:, :12], mask[:, 12:24] = 1, 0
    project.save_mask("animal-0.png", mask, Review("animal-0.png", Status.EDITED))
    assert _look(project).object_share == 0.5


def test_what_cannot_be_read_leaves_its_facts_open(project):
    path = project.image_path("animal-0.png")
    path.write_text("not an image")
    facts = _look(project)
    assert (facts.bytes, facts.width, facts.object_share) == (12, None, None)
    path.unlink()
    assert _look(project) == Facts()


def test_the_stamp_changes_with_mask_prediction_and_photo(project):
    stamps = [stamp_of(project, "animal-0.png")]
    name, zeros = "animal-0.png", np.zeros((48, 48), np.uint8)
    project.save_prediction(name, zeros, PredictionRecord(name, "m"))
    stamps.append(stamp_of(project, name))
    project.save_mask(name, zeros, Review(name, Status.EDITED))
    stamps.append(stamp_of(project, name))
    Image.new("RGB", (9, 9)).save(project.image_path(name))
    stamps.append(stamp_of(project, name))
    assert len(set(stamps)) == 4
    assert stamp_of(project, name) == stamps[-1]


def test_a_look_is_read_from_the_photo_once(project, tmp_path):
    name, index = "animal-0.png", Index(tmp_path / "index.sqlite")
    first = stored_look(project, index, name)
    assert first.fingerprint == fingerprint(np.asarray(Image.open(project.image_path(name))))
    assert first.objects is None
    index.keep([measure(project, name, stamp_of(project, name))])
    again = stored_look(project, index, name)
    assert (again.photo == first.photo.ravel()).all()
    assert again.objects.mean() / 255 == pytest.approx(_look(project).object_share, abs=0.01)
    Image.new("RGB", (9, 9), "red").save(project.image_path(name))
    assert stored_look(project, index, name).fingerprint is None
