"""The search line's language: what is found, what is refused, what is offered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.search import (
    EXAMPLES,
    KEYS,
    DateTerm,
    NameTerm,
    NumberTerm,
    Query,
    SearchError,
    WordTerm,
    completions,
    matcher,
    parse,
    render,
)

IMAGES = {
    "cats/cat 1.jpg": {"status": "predicted", "uncertainty": 0.3, "date": "2026-05-17"},
    "cats/Tom [2].png": {"status": "approved", "uncertainty": 0.1, "split": "val", "dice": 0.7},
    "dogs/rex.jpg": {"status": "unlabelled", "size": 2_500_000, "date": "2025-12-31"},
}


def found(text: str) -> list[str]:
    fits = matcher(parse(text), lambda name, key: _value(name, key))
    return [name.rpartition("/")[2] for name in IMAGES if fits(name)]


def _value(name: str, key: str) -> object:
    return name.rpartition("/")[0] if key == "folder" else IMAGES[name].get(key)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ["cat 1.jpg", "Tom [2].png", "rex.jpg"]),
        ("CAT", ["cat 1.jpg", "Tom [2].png"]),  # the folder is part of the name
        ("cat*", ["cat 1.jpg", "Tom [2].png"]),
        ("t?m*", ["Tom [2].png"]),
        ("*.jpg", ["cat 1.jpg", "rex.jpg"]),
        ("[2]", ["Tom [2].png"]),
        ("*[2]*", ["Tom [2].png"]),
        ('"cat 1"', ["cat 1.jpg"]),
        ("cat -tom", ["cat 1.jpg"]),
        ("status:predicted,approved", ["cat 1.jpg", "Tom [2].png"]),
        ("STATUS:Pred*", ["cat 1.jpg"]),
        ("-status:approved", ["cat 1.jpg", "rex.jpg"]),
        ("folder:dogs", ["rex.jpg"]),
        ("uncertainty>0.2", ["cat 1.jpg"]),
        ("uncertainty<=10%", ["Tom [2].png"]),
        ("uncertainty:0.3", ["cat 1.jpg"]),
        ("uncertainty=0.3", ["cat 1.jpg"]),
        ("-uncertainty>0.2", ["Tom [2].png", "rex.jpg"]),
        ("size>2MB", ["rex.jpg"]),
        ("size>2500kb", []),
        ("date:2026", ["cat 1.jpg"]),
        ("date<2026-01", ["rex.jpg"]),
        ("date>=2026-05-17", ["cat 1.jpg"]),
        ("date>2026-05", []),  # the month as a whole
        ("split:val dice<0.8", ["Tom [2].png"]),
    ],
)
def test_a_search_finds_what_it_says(text, names):
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour:red", ["colour", "status"]),
        ("status:", ["status:predicted"]),
        ("status:done", ["done", "approved"]),
        ("status>3", ["colon"]),
        ("uncertainty>", ["uncertainty>0.2"]),
        ("uncertainty>high", ["number"]),
        ("parts>3%", ["parts>1"]),
        ("size>1e999", ["number"]),
        ("date>yesterday", ["date>=2026-01"]),
        ('"cat', ["quote"]),
    ],
)
def test_what_means_nothing_is_told_with_an_example(text, words):
    with pytest.raises(SearchError) as error:
        parse(text)
    for word in words:
        assert word in str(error.value)


_PIECES = st.sampled_from([*KEYS, *':<>=-" *?.%,', "1", "x"])


@given(st.text(max_size=40) | st.lists(_PIECES).map("".join))
def test_any_text_is_understood_or_refused(text):
    try:
        query = parse(text)
    except SearchError:
        return
    assert parse(render(query)) == query
    matcher(query, lambda name, key: None)("a/b.jpg")


_WORDS = st.text(max_size=12).filter(lambda text: '"' not in text)
_OPERATORS = st.sampled_from([":", "<", ">", "<=", ">="])
_TERMS = st.one_of(
    st.builds(NameTerm, _WORDS, st.booleans()),
    st.builds(
        WordTerm,
        st.sampled_from(["model", "folder"]),
        st.lists(_WORDS.filter(bool), min_size=1, max_size=3).map(tuple),
        st.booleans(),
    ),
    st.builds(
        NumberTerm,
        st.sampled_from(["uncertainty", "parts", "size"]),
        _OPERATORS,
        st.floats(min_value=0, allow_infinity=False, allow_nan=False),
        st.booleans(),
    ),
    st.builds(DateTerm, st.just("date"), _OPERATORS, st.dates().map(str), st.booleans()),
)


@given(st.lists(_TERMS, max_size=4).map(lambda terms: Query(tuple(terms))))
def test_a_query_written_down_is_read_as_the_same(query):
    assert parse(render(query)) == query


def test_the_examples_in_the_help_can_be_searched():
    for text in [*(example for example, _ in EXAMPLES), *(key.example for key in KEYS.values())]:
        parse(text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("st", ["status:"]),
        ("cat -unc", ["cat -uncertainty>"]),
        ("status:pre", ["status:predicted"]),
        ("status:edited,app", ["status:edited,approved"]),
        ("status:edited", []),  # it is whole
        ("model:", ["model:Quick", 'model:"U-Net 5"']),
        ("d", []),  # a letter begins a name more often
        ("rex", []),
        ("foo:bar uncertainty>x", []),  # a number is being typed
        ('"st', []),
    ],
)
def test_the_last_word_is_completed(text, lines):
    values = {"status": KEYS["status"].values, "model": ("Quick", "U-Net 5")}
    assert completions(text, lambda key: values.get(key, ())) == lines
