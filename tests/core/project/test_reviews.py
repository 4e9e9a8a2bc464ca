"""reviews.jsonl: the last word counts, and no damage to the file costs the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.project.reviews import Review, Status, append_review, read_reviews


def test_the_last_review_of_an_image_counts(tmp_path: Path):
    path = tmp_path / "reviews.jsonl"
    first = Review("a.jpg", Status.EDITED, mask="ab", model="m", seconds=1.5, strokes=3)
    last = Review("a.jpg", Status.APPROVED, mask="cd", model="m", seconds=2.5, strokes=4)
    other = Review("b.jpg", Status.REJECTED)
    for review in (first, other, last):
        append_review(path, review)
    assert read_reviews(path) == {"a.jpg": last, "b.jpg": other}


def test_every_review_stays_in_the_file_with_its_time(tmp_path: Path):
    path = tmp_path / "reviews.jsonl"
    for status in (Status.EDITED, Status.APPROVED):
        append_review(path, Review("ä.jpg", status))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["status"] for line in lines] == ["edited", "approved"]
    assert all(line["time"] for line in lines)


def test_a_torn_last_line_costs_only_itself(tmp_path: Path):
    path = tmp_path / "reviews.jsonl"
    append_review(path, Review("a.jpg", Status.APPROVED))
    with open(path, "ab") as file:
        file.write(b'{"time":"2026-01-01","image":"a.jpg","sta')
    assert read_reviews(path)["a.jpg"].status is Status.APPROVED
    append_review(path, Review("b.jpg", Status.EDITED))
    assert set(read_reviews(path)) == {"a.jpg", "b.jpg"}


@pytest.mark.parametrize(
    "line",
    [
        '{"image": "b.jpg"}',
        '{"image": "b.jpg", "status": "splendid"}',
        '{"image": "b.jpg", "status": []}',
        '{"image": "b.jpg", "status": {"a": 1}}',
        '{"image": 5, "status": "approved"}',
        '{"status": "approved"}',
        "[]",
        "null",
        "not json",
    ],
)
def test_a_line_that_is_no_review_is_left_out(tmp_path: Path, line: str):
    path = tmp_path / "reviews.jsonl"
    path.write_text(line + '\n{"image": "a.jpg", "status": "approved"}\n')
    assert set(read_reviews(path)) == {"a.jpg"}


@pytest.mark.parametrize("number", ['"many"', "null", "NaN", "Infinity", "1" + "0" * 400, "[]"])
def test_a_damaged_number_does_not_cost_the_judgement(tmp_path: Path, number: str):
    path = tmp_path / "reviews.jsonl"
    line = '{"image": "a.jpg", "status": "approved", "seconds": %s, "strokes": %s}\n'
    path.write_text(line % (number, number))
    assert read_reviews(path)["a.jpg"].status is Status.APPROVED


def test_without_a_file_there_is_no_review(tmp_path: Path):
    assert read_reviews(tmp_path / "reviews.jsonl") == {}
