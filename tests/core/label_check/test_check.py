"""A whole check: its plan, its networks, what it finds, and how it goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadInput
from core.inference.catalogue import list_models
from core.label_check.findings import (
    FINDINGS,
    Finding,
    read_findings,
    read_model_mask,
    said_right,
    say_right,
)
from core.label_check.plan import (
    check_config,
    checks_folder,
    divide,
    finish,
    fold_folder,
    is_done,
    last_check,
    make_check,
    make_fold,
    plan_check,
    read_plan,
)
from core.label_check.work import run_check
from core.labels import TRIMAP
from core.masks import MaskEncoding
from core.project.project import EncodingUnclear, Project, open_project
from core.training.config import read_run_config
from core.training.control import worker_alive
from core.training.runs import list_runs
from tests.core.label_check.conftest import TINY


def silent(_done: int, _total: int, _text: str) -> None:
    pass


class Left(Exception):
    """The process ends here."""


def leave_at(words: str, times: int = 1) -> Callable[[int, int, str], None]:
    left = [times]

    def tell(_done: int, _total: int, text: str) -> None:
        left[0] -= words in text
        if left[0] == 0:
            raise Left

    return tell


@pytest.fixture
def project(discs: Path) -> Project:
    return open_project(discs)


@pytest.fixture
def check(project: Project) -> Path:
    return make_check(project, plan_check(project, check_config(project, TINY), 2))


def test_a_swapped_mask_comes_first_and_nothing_of_the_persons_changes(
    project: Project, discs: Path, snapshot: Callable[[Path], object]
) -> None:
    config = check_config(project, TINY | {"min_steps": 24, "learning_rate": 0.03})
    check = make_check(project, plan_check(project, config, 2))
    before = snapshot(discs / "images"), snapshot(discs / "masks")
    told: list[tuple[int, int, str]] = []
    run_check(project, check, lambda *progress: told.append(progress))
    found = read_findings(check)
    assert found[0].image == "disc-5.png"
    assert found[0].score > found[1].score + 0.1
    assert {f.image for f in found} == set(project.names)
    assert len(found) == len(project.names)
    assert found[0].mask == project.mask_digest("disc-5.png")
    said = read_model_mask(check, project, "disc-5.png", (48, 48))
    mask = project.read_mask("disc-5.png")
    assert said is not None
    assert mask is not None
    assert (said != mask).mean() > 0.5
    assert (snapshot(discs / "images"), snapshot(discs / "masks")) == before
    assert sorted(p.name for p in (discs / ".petseg").iterdir()) == ["checks", "project.json"]
    assert any(text.startswith("Network 2 of 2 judges masks") for _, _, text in told)
    assert all(0 <= done <= total for done, total, _ in told)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


def test_its_networks_are_no_models_and_go_when_it_is_done(project: Project, check: Path) -> None:
    with pytest.raises(Left):
        run_check(project, check, leave_at("Network 2 of 2 judges"))
    assert (fold_folder(check, 0) / "best.safetensors").exists()
    assert list_models(project.runs) == list_models()  # only those of PetSeg
    assert list_runs(project.runs) == []
    run_check(project, check, silent)
    assert is_done(check)
    assert not fold_folder(check, 0).exists()
    other = make_check(project, read_plan(check))
    finish(other)
    assert not check.exists()  # the older one


def test_one_that_was_left_goes_on_where_it_was(project: Project, check: Path) -> None:
    with pytest.raises(Left):
        run_check(project, check, leave_at("Network 1 of 2 judges", times=3))
    trained = (fold_folder(check, 0) / "best.safetensors").stat().st_mtime_ns
    judged = (check / FINDINGS).read_text()
    assert len(judged.splitlines()) == 2
    assert not is_done(check)
    assert last_check(project) == check
    with pytest.raises(Left):
        run_check(project, check, leave_at("Network 2 of 2 judges"))
    assert (fold_folder(check, 0) / "best.safetensors").stat().st_mtime_ns == trained
    run_check(project, check, silent)
    lines = (check / FINDINGS).read_text().splitlines()
    assert "\n".join(lines).startswith(judged.strip())
    assert len({json.loads(line)["image"] for line in lines}) == len(lines) == 12


def test_a_training_of_the_persons_own_comes_first(project: Project, check: Path) -> None:
    run = project.runs / "mine"
    run.mkdir(parents=True)
    sleeping = [sys.executable, "-c", "input()", "core.training", run.name]
    worker = subprocess.Popen(sleeping, stdin=subprocess.PIPE)
    try:
        (run / "worker.json").write_text(json.dumps({"pid": worker.pid}))
        while not worker_alive(run):
            assert worker.poll() is None  # for a moment it lacks the words by which it is known
        with pytest.raises(Left):
            run_check(project, check, leave_at("Waiting for a training to end"))
        assert not fold_folder(check, 0).exists()
    finally:
        worker.communicate(b"\n")


def test_no_network_sees_a_mask_that_it_judges(project: Project, check: Path) -> None:
    plan = read_plan(check)
    judged = []
    for number in range(plan.folds):
        config = read_run_config(make_fold(check, plan, project, number))
        seen = {s.image for s in (*config.train_samples, *config.val_samples)}
        assert not seen & set(plan.fold(number))
        assert len(seen) == len(project.names) - len(plan.fold(number))
        assert config.val_samples
        assert not config.train.join
        judged += plan.fold(number)
    assert sorted(judged) == sorted(project.names)


def test_what_a_person_said_is_right_is_remembered_of_that_very_mask(project: Project) -> None:
    first = Finding(project.names[0], project.mask_digest(project.names[0]), 0.5, "why")
    say_right(project, first)
    assert said_right(project) == {(first.image, first.mask)}
    with open(checks_folder(project) / "right.jsonl", "ab") as file:
        file.write(b'{"image": "torn')
    assert said_right(project) == {(first.image, first.mask)}


def test_groups_stay_together_and_folds_are_even() -> None:
    names = [f"{i}.jpg" for i in range(21)]
    groups = dict.fromkeys(names[:5], "g") | dict.fromkeys(names[5:7], "h")
    divided = divide(names, groups, 4)
    assert len({divided[name] for name in names[:5]}) == 1
    assert len({divided[name] for name in names[5:7]}) == 1
    sizes = np.bincount(list(divided.values()))
    assert len(sizes) == 4
    assert max(sizes) - min(sizes) <= 1
    assert divide(list(reversed(names)), groups, 4) == divided


def test_too_few_masks_are_refused(make_project: Callable[..., Path]) -> None:
    project = open_project(make_project(images=12, masked=9))
    with pytest.raises(BadInput, match="9 approved masks are too few"):
        plan_check(project, check_config(project, TINY))


def test_models_that_may_have_learnt_the_masks_are_no_start(
    project: Project, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="trained in this folder"):
        check_config(project, {"start": str(project.runs / "r" / "best.safetensors"), "size": 32})
    oxford = tmp_path / "oxford"
    (oxford / "annotations" / "trimaps").mkdir(parents=True)
    (project.folder / "images").rename(oxford / "images")
    (oxford / "annotations" / "list.txt").write_text("")
    opened = open_project(oxford)
    assert check_config(opened, {}).start == "imagenet"
    with pytest.raises(BadInput, match="judge what it has learnt"):
        check_config(opened, {"start": "bundled"})


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b'{"folds": 99}', b'{"format": 99}'], ids=["empty", "list", "odd", "new"]
)
def test_a_damaged_plan_is_refused(check: Path, damage: bytes) -> None:
    (check / "check.json").write_bytes(damage)
    with pytest.raises(BadInput):
        read_plan(check)


def test_damaged_findings_are_left_out(check: Path) -> None:
    good = {"image": "a", "mask": "1", "score": 0.5, "why": "w"}
    odd = [{**good, "score": "nan"}, {"image": "b"}, {**good, "score": []}]
    lines = [*map(json.dumps, [good, *odd]), "no json"]
    (check / FINDINGS).write_text("\n".join(lines) + "\n")
    assert [f.image for f in read_findings(check)] == ["a"]


@pytest.fixture
def unclear(make_project: Callable[..., Path]) -> Path:
    """Masks of the values 1 and 2, which may be class ids or trimaps."""
    return make_project(images=10, scheme=TRIMAP, encoding=MaskEncoding.TRIMAP)


def test_what_the_masks_mean_is_written_down_for_the_trainings(unclear: Path) -> None:
    with pytest.raises(EncodingUnclear):
        open_project(unclear)
    project = open_project(unclear, encoding=MaskEncoding.TRIMAP)
    make_check(project, plan_check(project, check_config(project, TINY), 2))
    assert open_project(unclear).settings == project.settings


def test_the_window_s_child_process_refuses_in_words(unclear: Path) -> None:
    where = {"folder": str(unclear), "store": str(unclear / ".petseg"), "encoding": "trimap"}
    asked = json.dumps({**where, "check": "", "start": "no such model", "folds": 2})
    child = subprocess.Popen(
        [sys.executable, "-m", "core.label_check"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(asked + "\n")
    child.stdin.flush()
    answers = [json.loads(line) for line in child.stdout]
    child.stdin.close()
    child.stdout.close()
    assert child.wait() == 1
    assert "no such model" in answers[0]["problem"]
