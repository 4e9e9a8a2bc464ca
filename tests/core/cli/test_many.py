"""Many processes on one batch, killed ones among them: each image once, the results of one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.cli import evaluate, predict

_PATIENCE = 60.0


@pytest.fixture
def photos(tmp_path: Path, animal) -> Path:
    """Twenty drawn photos in two folders, and one that is none."""
    root = tmp_path / "photos"
    for i in range(20):
        path = root / ("a" if i % 2 else "b") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(animal(i)[0]).save(path)
    (root / "a" / "text.png").write_text("no image")
    return root


@pytest.fixture
def as_rank(petseg, monkeypatch: pytest.MonkeyPatch):
    """as_rank(rank, size, *words): a command as a scheduler starts it."""

    def run(rank: int, size: int, *words: object):
        with monkeypatch.context() as patch:
            patch.setenv("RANK", str(rank))
            patch.setenv("WORLD_SIZE", str(size))
            return petseg(*words)

    return run


def masks(out: Path) -> dict[str, tuple[bytes, int]]:
    """Each mask with its bytes and the time it was made (ns)."""
    return {
        p.relative_to(out).as_posix(): (p.read_bytes(), p.stat().st_mtime_ns)
        for p in out.rglob("*.png")
    }


def contents(out: Path) -> dict[str, bytes]:
    return {name: data for name, (data, _) in masks(out).items()}


def report_of(path: Path) -> dict:
    """A JSON report without what the place of the masks says."""
    value = json.loads(path.read_text())
    for row in value["images"]:
        del row["mask"]
    return value


@pytest.fixture
def alone(petseg, photos: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The masks and the report of one process that did it all."""
    out, report = tmp_path / "alone", tmp_path / "alone.json"
    assert petseg("predict", photos, "--out", out, "--json", report).code == 3
    assert len(masks(out)) == 20
    return out, report


def test_ranks_share_the_photos_and_the_last_tells_of_all(
    as_rank, photos: Path, alone: tuple[Path, Path], tmp_path: Path
):
    out, report = tmp_path / "out", tmp_path / "report.json"
    words = ("predict", photos, "--out", out, "--json", report)
    made: dict[str, tuple[bytes, int]] = {}
    for rank in (2, 0, 1):
        assert not report.exists()
        outcome = as_rank(rank, 3, *words)
        now = masks(out)
        assert made.items() <= now.items()  # none was made twice
        assert 0 < len(now) - len(made) < 20
        assert ("left to other processes" in outcome.out) == (rank != 1)
        assert outcome.code == (3 if rank == 1 else 0)
        assert ("text.png" in outcome.err) == (rank == 1)
        made = now
    assert contents(out) == contents(alone[0])
    assert report_of(report) == report_of(alone[1])


def test_the_share_of_a_rank_that_never_ran_is_taken_up_by_another_number_of_them(
    as_rank, petseg, photos: Path, alone: tuple[Path, Path], tmp_path: Path
):
    out = tmp_path / "out"
    words = ("predict", photos, "--out", out)
    as_rank(0, 4, *words)
    as_rank(2, 4, *words)
    before = masks(out)
    assert 0 < len(before) < 20
    as_rank(0, 2, *words)
    outcome = petseg(*words)
    assert outcome.code == 3
    assert before.items() <= masks(out).items()
    assert contents(out) == contents(alone[0])


def test_workers_make_the_same_masks(
    petseg, photos: Path, alone: tuple[Path, Path], tmp_path: Path, tiny_model: Path
):
    out, report = tmp_path / "out", tmp_path / "report.json"
    outcome = petseg("predict", photos, "--out", out, "--workers", 2, "--json", report)
    assert outcome.code == 3
    assert contents(out) == contents(alone[0])
    assert report_of(report) == report_of(alone[1])


def start(*words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "core.cli", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def until(true: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    end = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def children_of(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    if not path.exists():
        pytest.skip("this system does not tell a process's children")
    return [int(number) for number in path.read_text().split()]


def is_alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("workers", [1, 2])
def test_after_a_kill_the_same_command_goes_on(
    petseg, photos: Path, tmp_path: Path, tiny_model: Path, workers: int
):
    slow = ("--model", tiny_model, "--tiles", 24, "--flip", "--workers", workers)
    words = ("predict", photos, "--out", tmp_path / "out", *slow)
    killed = start(*words)
    until(lambda: len(masks(tmp_path / "out")) >= 3)
    team = children_of(killed.pid)
    killed.kill()
    killed.wait()
    assert len(team) == (workers if workers > 1 else 0)
    until(lambda: not any(map(is_alive, team)))
    before = masks(tmp_path / "out")
    assert 3 <= len(before) < 20
    outcome = petseg(*words)
    assert outcome.code == 3
    after = masks(tmp_path / "out")
    assert len(after) == 20
    kept = [name for name in before if after[name] == before[name]]
    # What was written, but not yet noted as done, is made again: some a worker's thread at most.
    assert len(kept) >= len(before) - 8
    assert f"; {len(kept)} were done before" in outcome.out


def test_ctrl_c_ends_it_and_the_same_command_goes_on(
    petseg, photos: Path, tmp_path: Path, tiny_model: Path
):
    words = ("predict", photos, "--out", tmp_path / "out", "--model", tiny_model, "--tiles", 24)
    process = subprocess.Popen(
        [sys.executable, "-m", "core.cli", *map(str, (*words, "--workers", 2))],
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: len(masks(tmp_path / "out")) >= 2)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=_PATIENCE)[1]
    assert process.returncode == 1
    assert "the same command goes on where it stopped" in said
    assert "Traceback" not in said
    assert petseg(*words).code == 3
    assert len(masks(tmp_path / "out")) == 20
    assert not list((tmp_path / "out").rglob("*.tmp"))


def test_other_options_or_another_model_are_refused(
    petseg, photos: Path, tmp_path: Path, make_model, alone: tuple[Path, Path]
):
    out = alone[0]
    before = masks(out)
    for words, reason in (
        (("--flip",), "flip: no, now yes"),
        (("--model", make_model(seed=3)), "model: tiny-0, now tiny-3"),
        (("--overlay",), "overlay: no, now yes"),
    ):
        outcome = petseg("predict", photos, "--out", out, *words)
        assert outcome.code == 2
        assert reason in outcome.err
        assert "--anew" in outcome.err
        assert masks(out) == before
    outcome = petseg("predict", photos, "--out", out, "--flip", "--anew")
    assert outcome.code == 3
    assert not masks(out).items() & before.items()


def test_a_photo_that_is_new_or_changed_or_whose_mask_is_gone_is_done_alone(
    petseg, photos: Path, alone: tuple[Path, Path], animal
):
    out = alone[0]
    before = masks(out)
    Image.fromarray(animal(30)[0]).save(photos / "a" / "new.png")
    Image.fromarray(animal(31)[0]).save(photos / "b" / "0.png")
    (out / "a" / "3.png").unlink()
    outcome = petseg("predict", photos, "--out", out)
    assert "Segmented 3 images" in outcome.out
    assert "18 were done before" in outcome.out
    changed = {name for name, made in masks(out).items() if before.get(name) != made}
    assert changed == {"a/new.png", "b/0.png", "a/3.png"}


def test_a_mask_that_is_not_ours_is_never_overwritten_unasked(petseg, photos: Path, tmp_path: Path):
    out = tmp_path / "out"
    (out / "a").mkdir(parents=True)
    (out / "a" / "3.png").write_bytes(b"mine")
    outcome = petseg("predict", photos, "--out", out)
    assert outcome.code == 2
    assert "a/3.png" in outcome.err
    assert list(masks(out)) == ["a/3.png"]
    assert petseg("predict", photos, "--out", out, "--anew").code == 3
    assert len(masks(out)) == 20


def test_another_photo_of_the_same_name_does_not_take_its_mask(
    petseg, photos: Path, tmp_path: Path, animal
):
    out, other = tmp_path / "out", tmp_path / "other" / "1.png"
    other.parent.mkdir()
    Image.fromarray(animal(30)[0]).save(other)
    assert petseg("predict", photos / "a" / "1.png", "--out", out).code == 0
    before = masks(out)
    outcome = petseg("predict", other, "--out", out)
    assert outcome.code == 2
    assert "has not made" in outcome.err
    assert masks(out) == before


def test_masks_that_were_made_among_the_photos_are_not_taken_for_photos(
    petseg, photos: Path, alone: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(photos)
    words = ("predict", ".", "--out", "masks made/here")
    assert petseg(*words).code == 3
    (photos / "masks made" / "here" / "a" / "3.png").unlink()
    outcome = petseg(*words)
    assert "Segmented 1 image " in outcome.out
    assert "19 were done before" in outcome.out
    assert contents(photos / "masks made" / "here") == contents(alone[0])


@pytest.mark.parametrize("out", [".", "a"])
def test_masks_do_not_go_where_photos_are(petseg, photos: Path, out: str, snapshot):
    before = snapshot(photos)
    outcome = petseg("predict", photos, "--out", photos / out)
    assert outcome.code == 2
    assert "is a folder of photos" in outcome.err
    assert snapshot(photos) == before


def test_what_a_killed_process_left_half_written_is_swept_up_later(
    petseg, photos: Path, alone: tuple[Path, Path]
):
    old, fresh = (alone[0] / "a" / f".petseg-{name}.tmp" for name in ("old", "fresh"))
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert petseg("predict", photos, "--out", alone[0]).code == 3
    assert not old.exists()
    assert fresh.exists()  # another rank may be writing it


def test_ranks_cannot_begin_anew_and_need_a_place_to_meet(as_rank, photos: Path, make_project):
    outcome = as_rank(0, 2, "predict", photos, "--out", photos.parent / "out", "--anew")
    assert outcome.code == 2
    assert "--anew is for one process" in outcome.err
    outcome = as_rank(0, 2, "evaluate", make_project(2), "--subset", "all")
    assert outcome.code == 2
    assert "the same --out DIR" in outcome.err


# Evaluations


@pytest.fixture
def scored(petseg, make_project, tmp_path: Path) -> tuple[Path, Path]:
    """A folder of thirty approved masks, one of them damaged, and one process's evaluation."""
    root, out = make_project(30), tmp_path / "alone"
    (root / "images" / "animal-7.png").write_text("no image")
    assert petseg("evaluate", root, "--subset", "all", "--out", out).code == 3
    return root, out


def told(out: Path) -> dict:
    value = json.loads((out / "evaluation.json").read_text())
    del value["made"]
    return value


def assert_same_evaluation(out: Path, other: Path) -> None:
    assert told(out) == told(other)
    assert (out / "images.csv").read_bytes() == (other / "images.csv").read_bytes()
    worst = sorted((out / "worst").iterdir())
    assert len(worst) == 24
    for picture in worst:
        assert picture.read_bytes() == (other / "worst" / picture.name).read_bytes()


def test_ranks_score_what_one_process_scores_to_the_last_digit(
    as_rank, scored: tuple[Path, Path], tmp_path: Path
):
    root, alone = scored
    out, report = tmp_path / "out", tmp_path / "report.html"
    words = ("evaluate", root, "--subset", "all", "--out", out, "--report", report)
    for rank in (1, 0, 2):
        assert not report.exists()
        outcome = as_rank(rank, 3, *words)
        assert outcome.code == (3 if rank == 2 else 0)
    assert "skipped animal-7.png" in outcome.err
    assert_same_evaluation(out, alone)
    assert report.exists()


def test_workers_score_what_one_process_scores(
    petseg, scored: tuple[Path, Path], tmp_path: Path, tiny_model: Path
):
    root, alone = scored
    words = ("evaluate", root, "--subset", "all", "--out", tmp_path / "out")
    assert petseg(*words, "--workers", 2).code == 3
    assert_same_evaluation(tmp_path / "out", alone)


def test_after_a_kill_an_evaluation_goes_on(
    petseg, scored: tuple[Path, Path], tmp_path: Path, tiny_model: Path
):
    root, alone = scored
    out = tmp_path / "out"
    words = ("evaluate", root, "--subset", "all", "--out", out, "--model", tiny_model)
    killed = start(*words)
    ledger = out / evaluate.STATE / "0"
    until(lambda: sum(p.read_bytes().count(b"\n") for p in ledger.glob("*")) >= 3)
    killed.kill()
    killed.wait()
    assert not (out / "evaluation.json").exists()
    outcome = petseg(*words)
    assert "were scored before" in outcome.out
    assert_same_evaluation(out, alone)


def test_a_mask_that_changed_is_scored_again_and_no_other(
    petseg, scored: tuple[Path, Path], animal
):
    root, out = scored
    before = told(out)
    Image.fromarray(animal(40)[1]).save(root / "masks" / "animal-3.png")
    outcome = petseg("evaluate", root, "--subset", "all", "--out", out)
    assert "28 images were scored before" in outcome.out
    rows = zip(before["rows"], told(out)["rows"], strict=True)
    assert [a["image"] for a, b in rows if a != b] == ["animal-3.png"]


def test_images_that_are_among_the_worst_since_others_got_better_have_their_pictures(
    petseg, scored: tuple[Path, Path], tmp_path: Path
):
    root, out = scored
    (ledger,) = (out / evaluate.STATE / "0").glob("*.rows.jsonl")
    assert '"picture":null' in ledger.read_text()
    worst = [row["image"] for row in sorted(told(out)["rows"], key=lambda row: row["iou"])]
    assert petseg("predict", root / "images", "--out", tmp_path / "made").code == 3
    for name in worst[:5]:
        (root / "masks" / name).write_bytes((tmp_path / "made" / name).read_bytes())
    for place in (out, tmp_path / "anew"):
        assert petseg("evaluate", root, "--subset", "all", "--out", place).code == 3
    assert_same_evaluation(out, tmp_path / "anew")


@pytest.mark.parametrize("name", ["images.csv", "worst", "evaluation.json"])
def test_what_an_evaluation_has_not_made_is_not_overwritten_unasked(
    petseg, scored: tuple[Path, Path], tmp_path: Path, name: str
):
    root, _ = scored
    mine = tmp_path / "mine" / name
    mine.mkdir(parents=True)
    outcome = petseg("evaluate", root, "--subset", "all", "--out", tmp_path / "mine")
    assert outcome.code == 2
    assert f"has not made {mine}" in outcome.err
    assert list((tmp_path / "mine").rglob("*")) == [mine]


def test_two_models_are_compared_by_many_as_by_one(
    petseg, as_rank, scored: tuple[Path, Path], tmp_path: Path, make_model
):
    root, _ = scored
    words = ("evaluate", root, "--subset", "all", "--compare", make_model(seed=3, name="Other"))
    alone = petseg(*words).out
    as_rank(0, 2, *words, "--out", tmp_path / "out")
    assert as_rank(1, 2, *words, "--out", tmp_path / "out").out == alone


def test_another_evaluation_is_not_overwritten_unasked(petseg, scored: tuple[Path, Path]):
    root, out = scored
    before = told(out)
    outcome = petseg("evaluate", root, "--subset", "all", "--threshold", 0.4, "--out", out)
    assert outcome.code == 2
    assert "threshold: none, now 0.4" in outcome.err
    assert told(out) == before
    words = ("--subset", "all", "--threshold", 0.4, "--out", out, "--anew")
    assert petseg("evaluate", root, *words).code == 3
    assert told(out)["threshold"] == 0.4


def test_predictions_of_a_folder_are_scored_by_many(
    petseg, as_rank, scored: tuple[Path, Path], tmp_path: Path
):
    root, alone = scored
    made = tmp_path / "made"
    assert petseg("predict", root, "--out", made).code == 3
    assert (made / predict.STATE).is_dir()
    words = ("evaluate", root, "--subset", "all", "--predictions", made)
    assert petseg(*words, "--out", tmp_path / "one").code == 3
    for rank in range(2):
        as_rank(rank, 2, *words, "--out", tmp_path / "two", "--workers", 2)
    assert_same_evaluation(tmp_path / "two", tmp_path / "one")
    assert told(tmp_path / "two")["per_image"] == told(alone)["per_image"]


def test_what_a_scheduler_gives_a_process_is_all_that_it_takes(monkeypatch: pytest.MonkeyPatch):
    from core.batch.shares import Share, cores_of

    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(12)), raising=False)
    assert cores_of(Share(0, 4)) == 12
    assert cores_of(Share(0, 4, beside=5)) == 2
    assert cores_of(Share(0, 40, beside=40)) == 1
