"""The report: one page that needs nothing else, where names stay text; and the CSV table."""

from __future__ import annotations

import csv
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from core.evaluation.assess import Assessment
from core.evaluation.comparison import compare
from core.evaluation.report import render, write_csv, write_report
from core.evaluation.sources import Answer
from core.evaluation.terms import FIGURES

HOSTILE = "<script>alert(1)</script>&amp;'\".png"
_VOID_TAGS = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """The tags of a page, its text, and whether each is closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID_TAGS:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def count(self, tag: str) -> int:
        return sum(t == tag for t, _ in self.tags)


@pytest.fixture
def done(masks_project, judge) -> Assessment:
    """Five images of three classes, one with a hostile name in a hostile folder."""
    truth = np.zeros((30, 40), np.uint8)
    truth[5:20, 5:20], truth[20:, 30:] = 1, 2
    folder = "$x^2$ =1+1"
    masks = {f"{i}.png": np.roll(truth, i, 1) for i in range(3)}
    masks |= {HOSTILE.replace("/", "_"): truth, f"{folder}/=cmd.png": truth}

    def say(_name: str, _pixels: np.ndarray) -> Answer:
        return Answer(truth, np.full(truth.shape, 240, np.uint8), 0.1)

    return judge(masks_project(masks), say, title="<b>Model</b>")


def test_the_page_is_whole_and_needs_nothing_else(done: Assessment, tmp_path: Path):
    write_report(tmp_path / "report.html", done.evaluation, done.pictures)
    page = Page((tmp_path / "report.html").read_text())
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "action", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/jpeg;base64,")), (tag, value)
    assert "@import" not in "".join(page.text)
    assert page.count("img") == 5
    assert page.count("svg") == 5  # three classes: no threshold curve
    for term in FIGURES:
        assert term.name in page.text
        assert term.meaning in page.text


def test_a_link_of_the_contents_leads_somewhere(done: Assessment):
    page = Page(render(done.evaluation, done.pictures))
    ids = {a.get("id") for _, a in page.tags}
    links = [a["href"] for t, a in page.tags if t == "a"]
    assert links
    assert all(link is not None and link[1:] in ids for link in links)


def test_names_stay_text(done: Assessment):
    page = Page(render(done.evaluation, done.pictures))
    assert page.count("script") == 1  # the page's own
    assert "<b>Model</b> on made" in page.text
    assert any("<script>alert(1)<_script>" in text for text in page.text)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_the_script_that_runs_is_the_one_that_was_meant(done: Assessment):
    import hashlib
    from base64 import b64encode

    text = render(done.evaluation, done.pictures)
    script = text[text.index("<script>") + 8 : text.index("</script>")]
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text


def test_two_classes_have_a_threshold_curve_and_a_comparison_is_shown(boxes, judge):
    def say(_name: str, pixels: np.ndarray) -> Answer:
        mask = np.zeros(pixels.shape[:2], np.uint8)
        mask[:20] = 1
        return Answer(mask, mask * np.uint8(230))

    done = judge(boxes, say)
    other = judge(boxes, lambda _n, p: Answer(np.zeros(p.shape[:2], np.uint8)), title="Other")
    comparison = compare(done.evaluation, other.evaluation)
    page = Page(render(done.evaluation, done.pictures, comparison))
    assert page.count("svg") == 6
    assert comparison.words in page.text
    assert any("void.png" in text for text in page.text)
    assert any("nothing in its mask is labelled" in text for text in page.text)


def test_one_image_without_probabilities_has_a_page_too(masks_project, judge):
    truth = np.eye(9, dtype=np.uint8)
    done = judge(masks_project({"a.png": truth}), lambda _n, _p: Answer(truth))
    assert Page(render(done.evaluation, {})).count("svg") == 4


def test_the_table_has_a_line_an_image_and_no_formulas(done: Assessment, tmp_path: Path):
    write_csv(tmp_path / "images.csv", done.evaluation)
    with (tmp_path / "images.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [r["image"] for r in rows] == [r.image for r in done.evaluation.rows]
    assert float(rows[0]["iou"]) == done.evaluation.rows[0].iou
    assert {r["folder"] for r in rows} == {".", "$x^2$ =1+1"}
    formula = done.evaluation.model_copy(
        update={"rows": [done.evaluation.rows[0].model_copy(update={"image": "=1+1.png"})]}
    )
    write_csv(tmp_path / "images.csv", formula)
    assert (tmp_path / "images.csv").read_text().splitlines()[1].startswith("./=1+1.png,")
