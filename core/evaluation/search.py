"""What is typed into the search line: ``status:predicted uncertainty>0.2 cat*``.

Words and globs look at names, ``key:value`` and comparisons at what is known of an image, ``-``
negates, quotes keep together; all must hold. What is not known of an image meets no comparison.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from operator import eq, ge, gt, le, lt
from typing import Any

from core.errors import BadInput
from core.project.reviews import Status
from core.project.split import Subset

Value = float | str | None
"""What is known of an image under a key: a number, words or a date (ISO 8601), or nothing."""


class SearchError(BadInput):
    """A search that means nothing; the message says what is wrong, with an example."""


class Kind(Enum):
    """What the values of a key are."""

    WORD = "word"
    SHARE = "share"
    NUMBER = "number"
    BYTES = "bytes"
    DATE = "date"


@dataclass(frozen=True)
class Key:
    """Something that can be searched by. example: of what is typed; values: all there are."""

    name: str
    kind: Kind
    text: str
    example: str
    values: tuple[str, ...] = ()


_KEYS = (
    Key("status", Kind.WORD, "how far it has come", "status:predicted", tuple(Status)),
    Key("split", Kind.WORD, "what it is kept for", "split:val", tuple(Subset)),
    Key("uncertainty", Kind.SHARE, "how unsure the model is, 0 to 1", "uncertainty>0.2"),
    Key(
        "disagreement",
        Kind.SHARE,
        "how far your mask and the model's differ, 0 to 1",
        "disagreement>10%",
    ),
    Key("dice", Kind.SHARE, "how well the model does on a val image, 0 to 1", "dice<0.8"),
    Key("object", Kind.SHARE, "the object's share of the image", "object<5%"),
    Key("parts", Kind.NUMBER, "number of separate objects", "parts>1"),
    Key("width", Kind.NUMBER, "pixels", "width>=1000"),
    Key("height", Kind.NUMBER, "pixels", "height<500"),
    Key("size", Kind.BYTES, "of the file", "size>2MB"),
    Key("date", Kind.DATE, "when the file changed", "date>=2026-01"),
    Key("model", Kind.WORD, "that made the prediction", "model:quick*"),
    Key("folder", Kind.WORD, "that the image lies in", "folder:holiday*"),
)
KEYS = {key.name: key for key in _KEYS}

EXAMPLES = (
    ("cat", "names that hold cat"),
    ("cat*", "names that begin with cat"),
    ("status:predicted,edited", "masks that wait for review"),
    ("uncertainty>0.2", "the model is unsure"),
    ("disagreement>10% -split:test", "your mask and the model's differ; no test images"),
    ("object<1%", "next to nothing was found"),
    ("parts>1 width>=1000", "several objects in a large image"),
    ("date>=2026-05 size>2MB", "large files since May 2026"),
    ('folder:"summer 2026"', "quotes keep words together"),
)

_UNITS = {"": 1.0, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {":": eq, ">": gt, "<": lt, ">=": ge, "<=": le}
_TOKEN = re.compile(r'-?(?:"[^"]*"|[^\s"])+')
_COMPARISON = re.compile(r"([A-Za-z]+)(>=|<=|:|=|>|<)(.*)", re.DOTALL)
_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_NUMBER = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d{1,3}))?\s*(%|[a-zA-Z]*)")


@dataclass(frozen=True)
class NameTerm:
    """Names that hold a text, in capitals or not; with * or ? it is a glob."""

    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class WordTerm:
    """The key's value is one of these, in capitals or not; with * or ? they are globs."""

    key: str
    patterns: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class NumberTerm:
    """The key's value compared with a number, by ``:`` (equal), ``<``, ``>``, ``<=`` or ``>=``."""

    key: str
    operator: str
    number: float
    negated: bool = False


@dataclass(frozen=True)
class DateTerm:
    """The key's date compared with a year, a month or a day: 2026, 2026-05, 2026-05-17."""

    key: str
    operator: str
    date: str
    negated: bool = False


Term = NameTerm | WordTerm | NumberTerm | DateTerm


@dataclass(frozen=True)
class Query:
    """What is searched for: images for which all terms hold."""

    terms: tuple[Term, ...] = ()

    @property
    def keys(self) -> set[str]:
        """The keys that are asked for, beside the names."""
        return {term.key for term in self.terms if not isinstance(term, NameTerm)}


def parse(text: str) -> Query:
    """The query that a text stands for; an empty one finds everything. Raises SearchError."""
    if text.count('"') % 2:
        raise SearchError('A quote is not closed. For instance: "summer 2026"')
    return Query(tuple(_term(token) for token in _TOKEN.findall(text)))


def render(query: Query) -> str:
    """The text that stands for a query."""
    return " ".join(map(_rendered, query.terms))


def matcher(query: Query, value_of: Callable[[str, str], Value]) -> Callable[[str], bool]:
    """Tells of an image's name whether it is found.

    value_of: (name, key) -> what is known of the image.
    """
    tests = [_test(term, value_of) for term in query.terms]
    if len(tests) == 1:
        return tests[0]
    return lambda name: all(test(name) for test in tests)


def completions(text: str, values: Callable[[str], Sequence[str]]) -> list[str]:
    """The whole lines that the word being typed, the last, could become.

    values: key -> the values that there are of it.
    """
    begun = re.search(r'-?([A-Za-z]+)(:?)((?:[^\s"]*,)?)([^\s"]*)$', text)
    if begun is None or text[: begun.start()].count('"') % 2:
        return []
    word, colon, before, last = begun.groups()
    if not colon:
        if before or last:
            return []  # a number is being typed, or a name
        # Two letters: one alone begins a name more often than a key.
        found = [key for key in KEYS if len(word) > 1 and key.startswith(word.lower())]
        head = text[: begun.start(1)]
        return [head + key + (":" if KEYS[key].kind is Kind.WORD else ">") for key in found]
    head, typed = text[: begun.start(4)], last.casefold()
    known = values(word.lower()) if word.lower() in KEYS else ()
    fitting = [v for v in known if v.casefold().startswith(typed) and v.casefold() != typed]
    return [head + (f'"{v}"' if re.search(r"[\s,]", v) else v) for v in fitting if '"' not in v]


def last_word(line: str) -> str:
    """The last word of a line, with its quotes."""
    words = _TOKEN.findall(line)
    return words[-1] if words else ""


# Reading


def _term(token: str) -> Term:
    negated = token.startswith("-") and len(token) > 1
    bare = token[1:] if negated else token
    comparison = _COMPARISON.fullmatch(bare)
    if comparison is None:
        return NameTerm(_unquoted(bare), negated)
    name, operator, value = comparison.groups()
    key = KEYS.get(name.lower())
    if key is None:
        raise SearchError(
            f"There is no “{name}” to search by: there are {', '.join(KEYS)}. A name with such a "
            "character goes into quotes."
        )
    operator = ":" if operator == "=" else operator
    if key.kind is Kind.WORD:
        return _word_term(key, operator, value, negated)
    if key.kind is Kind.DATE:
        if _DATE.fullmatch(_unquoted(value)) is None:
            raise SearchError(f"A date is a year, a month or a day. For instance: {key.example}")
        return DateTerm(key.name, operator, _unquoted(value), negated)
    return NumberTerm(key.name, operator, _number(key, _unquoted(value)), negated)


def _word_term(key: Key, operator: str, value: str, negated: bool) -> WordTerm:
    if operator != ":":
        raise SearchError(f"“{key.name}” takes a colon. For instance: {key.example}")
    patterns = tuple(_unquoted(part) for part in re.findall(r'(?:"[^"]*"|[^,"])+', value))
    if not patterns or not all(patterns):
        raise SearchError(f"“{key.name}” of what? For instance: {key.example}")
    for pattern in patterns:
        if key.values and not any(_fits(value, pattern.casefold()) for value in key.values):
            raise SearchError(
                f"There is no {key.name} “{pattern}”: there are {', '.join(key.values)}."
            )
    return WordTerm(key.name, patterns, negated)


def _number(key: Key, text: str) -> float:
    wrong = SearchError(f"“{key.name}” needs a number. For instance: {key.example}")
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise wrong
    digits, exponent, unit = found.groups()
    number = float(f"{digits}e{exponent or 0}")
    if key.kind is Kind.BYTES and unit.lower() in _UNITS:
        number *= _UNITS[unit.lower()]
    elif key.kind is Kind.SHARE and unit == "%":
        number /= 100
    elif unit:
        raise wrong
    if number == float("inf"):
        raise wrong
    return number


def _unquoted(text: str) -> str:
    return text.replace('"', "")


# Writing


def _rendered(term: Term) -> str:
    sign = "-" if term.negated else ""
    if isinstance(term, NameTerm):
        safe = re.fullmatch(r"[^\s\"-][^\s\"]*", term.pattern)
        plain = safe and _COMPARISON.fullmatch(term.pattern) is None
        return sign + (term.pattern if plain else f'"{term.pattern}"')
    if isinstance(term, WordTerm):
        quoted = [p if re.fullmatch(r"[^\s\",]+", p) else f'"{p}"' for p in term.patterns]
        return f"{sign}{term.key}:{','.join(quoted)}"
    value = term.date if isinstance(term, DateTerm) else repr(term.number)
    return f"{sign}{term.key}{term.operator}{value}"


# Looking


def _test(term: Term, value_of: Callable[[str, str], Value]) -> Callable[[str], bool]:
    negated = term.negated
    if isinstance(term, NameTerm):
        named = _name_test(term.pattern.casefold())
        return lambda name: named(name) is not negated
    key = term.key
    if isinstance(term, WordTerm):
        patterns = [pattern.casefold() for pattern in term.patterns]

        def is_one(name: str) -> bool:
            value = value_of(name, key)
            return value is not None and any(_fits(str(value), p) for p in patterns)

        return lambda name: is_one(name) is not negated
    compare = _OPERATORS[term.operator]
    if isinstance(term, NumberTerm):
        number = term.number

        def compares(name: str) -> bool:
            value = value_of(name, key)
            return isinstance(value, float | int) and compare(value, number)

        return lambda name: compares(name) is not negated
    date = term.date

    def falls(name: str) -> bool:
        # A month or a year is compared as a whole: 2026-05-17 lies in 2026-05.
        value = value_of(name, key)
        return isinstance(value, str) and compare(value[: len(date)], date)

    return lambda name: falls(name) is not negated


def _name_test(pattern: str) -> Callable[[str], bool]:
    if not _is_glob(pattern):
        return lambda name: pattern in name.casefold()
    # cat* finds cat.jpg in any folder, and holiday/* a name as a whole.
    return lambda name: _fits(name.rpartition("/")[2], pattern) or _fits(name, pattern)


def _fits(value: str, pattern: str) -> bool:
    low = value.casefold()
    if not _is_glob(pattern):
        return low == pattern
    # Brackets are what they are: names such as "photo [1].jpg" are common.
    return fnmatchcase(low, pattern.replace("[", "[[]"))


def _is_glob(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern
