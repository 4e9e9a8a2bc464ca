"""events.jsonl and control.json: what a window and a worker say to each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import BadInput
from core.evaluation.metrics import Scores
from core.training import control, events
from core.training.control import AlreadyRunning, Wanted
from core.training.events import read_events, write_event

SCORES = Scores(0.5, 0.6, 0.7, 0.5, 0.6, 0.7)
SUBSET = events.SubsetScores(loss=0.25, scores=SCORES)
ALL = [
    events.Started(
        epochs=1,
        steps=2,
        train_images=3,
        val_images=1,
        parameters=9,
        device="cpu",
        threads=1,
        score_border="foreground",
    ),
    events.Step(epoch=1, step=1, steps=2, loss=0.1, images_per_second=1, seconds_left=1),
    events.Epoch(
        epoch=1,
        epochs=1,
        step=2,
        train=SUBSET,
        val=SUBSET,
        images_per_second=1,
        seconds_left=0,
        best=True,
    ),
    events.Checkpoint(epoch=1, step=2),
    events.Notice(text="Übersprungen: 猫.jpg"),
    events.Control(counter=1, state="stop"),
    events.Resumed(step=2),
    events.Finished(reason="done", model="best.safetensors", best_epoch=1, val=SCORES),
    events.Failed(reason="x"),
]


def test_every_event_comes_back_with_its_run_and_time(tmp_path: Path):
    run = tmp_path / "run-1"
    for event in ALL:
        write_event(run, event)
    back, _ = read_events(run)
    assert [type(e) for e in back] == [type(e) for e in ALL]
    assert back == [e.model_copy(update={"run": "run-1"}) for e in ALL]
    assert all(e.time > 1.7e9 for e in back)
    lines = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert all({"type", "time", "run"} <= set(line) for line in lines)


def test_a_reader_that_tails_ignores_torn_and_foreign_lines(tmp_path: Path):
    write_event(tmp_path, ALL[0])
    path = tmp_path / "events.jsonl"
    with open(path, "ab") as file:
        file.write(b'{"type":"from the future","time":1}\n{"type":"epoch"}\n{"type":"failed","rea')
    first, offset = read_events(tmp_path)
    assert [e.type for e in first] == ["started"]
    with open(path, "ab") as file:
        file.write(b'son":"disk full"}\n')
    second, offset = read_events(tmp_path, offset)
    assert [e.type for e in second] == ["failed"]
    assert read_events(tmp_path, offset)[0] == []


def test_a_run_that_has_said_nothing_yet_has_no_events(tmp_path: Path):
    assert read_events(tmp_path) == ([], 0)


# --- Control -----------------------------------------------------------------------------------


def test_each_request_has_a_number_of_its_own(tmp_path: Path):
    assert control.read_request(tmp_path) == (Wanted.RUN, 0)
    assert control.request(tmp_path, Wanted.PAUSE) == 1
    assert control.request(tmp_path, Wanted.STOP) == 2
    assert control.read_request(tmp_path) == (Wanted.STOP, 2)


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"wanted": "fly", "counter": 1}', "{}"])
def test_a_damaged_request_is_named(tmp_path: Path, text: str):
    (tmp_path / "control.json").write_text(text)
    with pytest.raises(BadInput, match=r"control\.json is damaged"):
        control.read_request(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"pid": "x"}', '{"pid": 0}', '{"pid": -1}', '{"pid": 999999999}']
)
def test_what_a_dead_worker_left_does_not_lock_a_run(tmp_path: Path, text: str):
    (tmp_path / "worker.json").write_text(text)
    assert not control.worker_alive(tmp_path)
    with control.taken(tmp_path):
        assert json.loads((tmp_path / "worker.json").read_text())["pid"] == os.getpid()
    assert not (tmp_path / "worker.json").exists()


def test_a_run_that_was_given_back_can_be_taken_again(tmp_path: Path):
    first = control.taken(tmp_path)
    with first:
        with pytest.raises(AlreadyRunning), control.taken(tmp_path):
            pass
        assert (tmp_path / "worker.json").exists()
    with control.taken(tmp_path):  # while ``first`` is still around
        pass
    del first


def test_a_worker_that_fails_gives_its_run_back(tmp_path: Path):
    with pytest.raises(KeyError), control.taken(tmp_path):
        raise KeyError
    with control.taken(tmp_path):
        pass


def test_another_process_of_the_dead_workers_number_does_not_lock_a_run(tmp_path: Path):
    (tmp_path / "worker.json").write_text(json.dumps({"pid": os.getppid()}))
    assert not control.worker_alive(tmp_path)


_TAKER = """
import contextlib, pathlib, sys
from core.training import control
held = contextlib.ExitStack()
for run in map(pathlib.Path, sys.argv[2:]):
    while not (run / "go").exists():
        pass
    try:
        held.enter_context(control.taken(run))
        print("took", flush=True)
    except control.AlreadyRunning:
        print("refused", flush=True)
sys.stdin.read()
"""


def test_of_workers_that_start_at_once_only_one_gets_the_run(tmp_path: Path):
    runs = [tmp_path / f"run-{i}" for i in range(25)]
    for run in runs:
        run.mkdir()
        (run / "worker.json").write_text('{"pid": 999999999}')  # a dead one's
    takers = [
        subprocess.Popen(
            # With the words by which a worker is known.
            [sys.executable, "-c", _TAKER, "core.training", *map(str, runs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    try:
        for run in runs:
            (run / "go").touch()
            said = sorted(taker.stdout.readline().strip() for taker in takers)
            assert said == ["refused"] * 3 + ["took"], f"in {run.name}"
    finally:
        for taker in takers:
            taker.kill()
            taker.communicate()
