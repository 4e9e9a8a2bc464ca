"""The simulated annotator: what it plans mends every mask, spoils nothing, and takes its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.annotator import Study, Way, draw, work
from benchmarks.annotator_hands import (
    Action,
    Command,
    Drag,
    Outline,
    Stroke,
    all_seconds,
    paint,
    seconds,
)
from benchmarks.annotator_planner import Offer, Truth, brush_strokes, cheapest, outlines
from benchmarks.annotator_report import (
    Arm,
    Course,
    Progress,
    Round,
    plots,
    print_tables,
    share,
)
from benchmarks.smart_photos import true_photos
from core.labels import VOID
from core.project.project import Project, open_project
from core.project.reviews import Status
from core.project.split import Subset
from core.training.runs import State, list_runs

HEIGHT, WIDTH = 90, 120
MIDDLE = (WIDTH / 2, HEIGHT / 2)


def blobs(seed: int, count: int = 4) -> np.ndarray:
    """Ellipses with holes in them, some over the edge: bool, HEIGHT x WIDTH."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
    for value in [1] * count + [0] * (count // 2):
        centre = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
        axes = int(rng.integers(3, 40)), int(rng.integers(3, 30))
        cv2.ellipse(drawn, centre, axes, float(rng.integers(0, 180)), 0, 360, value, -1)
    return drawn.astype(bool)


def truth_of(seed: int, border: int = 5) -> Truth:
    """Blobs with void along their border, so many pixels wide."""
    pet = blobs(seed)
    values = pet.astype(np.uint8)
    if border:
        kernel = np.ones((border, border), np.uint8)
        values[cv2.morphologyEx(values, cv2.MORPH_GRADIENT, kernel) > 0] = VOID
    return Truth(values)


def done(mask: np.ndarray, actions: Sequence[Stroke | Outline]) -> np.ndarray:
    after = mask.copy()
    for action in actions:
        paint(after, action)
    return after


def time_of(actions: Sequence[Action]) -> float:
    return sum(all_seconds(actions, MIDDLE, HEIGHT))


seeds = st.integers(0, 10_000)
borders = st.sampled_from((0, 3, 7))


@settings(max_examples=25)
@given(seeds, seeds, borders)
def test_strokes_mend_all_and_spoil_nothing(seed: int, other: int, border: int):
    truth = truth_of(seed, border)
    mask = blobs(other).astype(np.uint8)
    strokes = brush_strokes(mask, truth, MIDDLE)
    after = done(mask, strokes)
    assert truth.wrong_count(after) == 0
    assert bool(strokes) == bool(truth.wrong_count(mask))
    for stroke in strokes:
        touched = done(np.full_like(mask, 2), [stroke]) == stroke.value
        assert not (touched & truth.sure[1 - stroke.value]).any(), "right pixels were painted over"


@given(seeds, borders)
def test_outlines_mend_all(seed: int, border: int):
    truth = truth_of(seed, border)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    assert truth.wrong_count(done(mask, outlines(mask, truth))) == 0


def test_what_lies_within_2_px_of_the_border_is_left():
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[20:60, 20:80] = 1
    mask = np.zeros_like(values)
    mask[22:58, 22:78] = 1
    assert brush_strokes(mask, Truth(values), MIDDLE) == []
    mask[22:58, 22] = 0
    assert brush_strokes(mask, Truth(values), MIDDLE) != []


def test_void_is_never_wrong():
    values = np.full((HEIGHT, WIDTH), VOID, np.uint8)
    assert brush_strokes(blobs(0).astype(np.uint8), Truth(values), MIDDLE) == []


@pytest.mark.parametrize("plan", [lambda m, t: brush_strokes(m, t, MIDDLE), outlines])
def test_larger_errors_take_longer(plan: Callable[[np.ndarray, Truth], Sequence[Action]]):
    times = []
    for count in range(4):
        values = np.zeros((HEIGHT, WIDTH), np.uint8)
        for number in range(count):
            values[20:60, 10 + 40 * number : 35 + 40 * number] = 1
        times.append(time_of(plan(np.zeros_like(values), Truth(values))))
    assert times[0] == 0
    assert times == sorted(set(times))


def test_a_wide_field_is_painted_with_a_wide_brush_and_a_thin_one_with_a_thin_one():
    wide, thin = (np.zeros((HEIGHT, WIDTH), np.uint8) for _ in range(2))
    wide[10:80, 10:110] = 1
    thin[40:48, 10:110] = 1
    sizes = [
        max(stroke.size for stroke in brush_strokes(np.zeros_like(v), Truth(v), MIDDLE))
        for v in (wide, thin)
    ]
    assert sizes[0] >= 3 * sizes[1]
    strokes = brush_strokes(np.zeros_like(wide), Truth(wide), MIDDLE)
    assert time_of(strokes) < 3, "the whole field, in not much more than a second and a half"


def test_a_rectangle_takes_few_corners():
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[20:60, 20:80] = 1
    (outline,) = outlines(np.zeros_like(values), Truth(values))
    assert 4 <= len(outline.corners) <= 6


@pytest.mark.parametrize("angle", range(0, 180, 15))
def test_an_ellipse_takes_one_outline(angle: int):
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(values, (60, 45), (40, 10), angle, 0, 360, 1, -1)
    assert len(outlines(np.zeros_like(values), Truth(values))) == 1, "it cuts into what it holds"


def test_the_largest_gain_a_second_comes_first():
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[5:15, 100:115] = 1
    values[40:80, 10:60] = 1
    first, *_ = brush_strokes(np.zeros_like(values), Truth(values), (100.0, 10.0))
    assert first.points[0][1] > 30


# --- Offers ------------------------------------------------------------------------------------


def test_an_offer_is_taken_where_it_saves_time():
    truth = truth_of(3)
    empty = np.zeros((HEIGHT, WIDTH), np.uint8)
    perfect = Offer((Command("Magic"),), (truth.values == 1).astype(np.uint8))
    spoilt = Offer((Command("Trouble"),), blobs(4).astype(np.uint8))
    dear = Offer((Command("Magic"),) * 200, perfect.mask)
    assert cheapest(empty, truth, [spoilt, perfect], MIDDLE) == (perfect, [])
    taken, strokes = cheapest(empty, truth, [dear], MIDDLE)
    assert taken.actions == ()
    assert strokes == brush_strokes(empty, truth, MIDDLE)


def test_where_nothing_is_wrong_nothing_is_done():
    truth = truth_of(3)
    right = (truth.values == 1).astype(np.uint8)
    offer = Offer((Command("Refine edge"),), right)
    taken, strokes = cheapest(right, truth, [offer], MIDDLE)
    assert (taken.actions, strokes) == ((), [])


# --- Seconds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "taken", "pointer"),
    [
        # 80 px of way, the search, 40 px of drawing
        (Stroke(((80.0, 0.0), (120.0, 0.0)), 5, 1), 0.1 + 0.2 + 0.1, (120.0, 0.0)),
        (Stroke(((0.0, 0.0),), 5, 1), 0.2, (0.0, 0.0)),
        # a triangle's three corners and the first again
        (Outline(((0.0, 0.0), (80.0, 0.0), (80.0, 60.0)), 1), 0.3 + 4 * 0.2, (0.0, 0.0)),
        (Drag((0.0, 0.0), (40.0, 30.0)), 0.2 + 0.125, (40.0, 30.0)),
        # to the middle of the left side
        (Command("Clear"), 0.05 + 0.2, (0.0, 40.0)),
    ],
)
def test_seconds(action: Action, taken: float, pointer: tuple[float, float]):
    assert seconds(action, (0.0, 0.0), 80) == (pytest.approx(taken), pointer)


# --- Figures -----------------------------------------------------------------------------------


def course(*steps: tuple[float, float]) -> Course:
    return Course("a.jpg", "cats", list(steps), 1, 0, 0)


def test_seconds_to_a_mean_iou():
    progress = Progress(
        [course((0.2, 0.5), (1.0, 0.8), (3.0, 1.0)), course((0.2, 0.9)), course((0.2, 0.8), (2, 1))]
    )
    assert progress.once(0.7) == pytest.approx(0.2)
    assert progress.once(0.80) == pytest.approx((1.0 + 0.2 + 0.2) / 3), "(0.8 + 0.9 + 0.8) / 3"
    assert progress.once(0.90) == pytest.approx((1.0 + 0.2 + 2.0) / 3)
    assert progress.once(0.96) == pytest.approx((3.0 + 0.2 + 2.0) / 3)
    assert progress.once(0.97) == np.inf
    twice_the_second = progress.seconds_to(0.85, np.array([[1.0, 2.0, 1.0]]))
    assert twice_the_second == pytest.approx([(1.0 + 2 * 0.2 + 0.2) / 4])


def test_a_share_lies_within_its_interval():
    quick = [course((0.2, 0.9), (0.5 + number / 10, 1.0)) for number in range(8)]
    slow = [course((0.2, 0.0), (4.0, 0.97), (5.0 + number / 10, 1.0)) for number in range(8)]
    arms = [Arm("", [Round(courses, "", False, "")]) for courses in (quick, slow)]
    value, low, high = share(arms[0], arms[1], 0.95)
    assert 0 < low <= value <= high < 0.3


# --- The whole ---------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Project:
    """Thirty photos of blobs, laid out as Oxford-IIIT Pet."""
    folder = tmp_path / "data"
    for part in ("images", "annotations/trimaps"):
        (folder / part).mkdir(parents=True)
    for number in range(30):
        truth = truth_of(number).values
        noise = np.random.default_rng(number).integers(0, 60, (HEIGHT, WIDTH, 3))
        colours = np.random.default_rng(number).integers(0, 190, (3, 3))
        pixels = noise + colours[np.minimum(truth, 2)]
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"images/Blob_{number}.png")
        trimap = np.choose(np.minimum(truth, 2), (2, 1, 3)).astype(np.uint8)
        Image.fromarray(trimap).save(folder / f"annotations/trimaps/Blob_{number}.png")
    return open_project(folder)


def test_photos_are_drawn_from_those_that_validate_alone(data: Project, tmp_path: Path):
    split = data.split(data.names)
    first, again, other = (
        draw(data, tmp_path / folder, 4, seed) for folder, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first == again != other
    assert len(set(first)) == 4
    assert all(split[name] is Subset.VAL for name in first + other)


def test_a_loop_trains_after_ten_photos_and_what_is_done_is_not_done_again(
    data: Project, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
):
    study = Study(data, data.names[:12], tmp_path / "out", 0)
    ways = [
        Way("loop", "loop", model=tiny_model),
        Way("brush", "brush", "brush"),
        Way("polygons", "polygons", "polygons"),
    ]
    arms = [Arm(way.title, work(study, way)) for way in ways]
    assert [[c.image for c in arm.courses] for arm in arms] == [study.photos] * 3
    for way in ways:
        masked = open_project(study.out / way.folder / "photos")
        for photo in true_photos(data, study.photos):
            mask = masked.read_mask(photo.name, (WIDTH, HEIGHT))
            assert Truth(photo.truth).wrong_count(mask) == 0
    assert [c.corners > 0 for c in arms[2].courses] == [True] * 12
    made = open_project(study.out / "loop" / "photos")
    assert made.named([Status.APPROVED]) == sorted(study.photos, key=made.names.index)
    (run,) = list_runs(made.runs)
    used = run.config.train_samples + run.config.val_samples if run.config is not None else ()
    assert {sample.image for sample in used} == set(study.photos[:10])
    assert run.state is State.DONE
    assert [bool(each.learnt) for each in arms[0].rounds] == [True, False]

    assert [Arm(way.title, work(study, way)) for way in ways] == arms
    assert len(list_runs(made.runs)) == 1
    print_tables(arms, arms[1], arms[2])
    assert "polygons" in capsys.readouterr().out
    # In a process of its own: the plots take a QApplication.
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        other.submit(plots, tmp_path, arms).result()
    assert {p.name for p in tmp_path.glob("*.png")} == {"annotator.png", "annotator-rounds.png"}
