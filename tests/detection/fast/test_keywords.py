"""Where keywords may be, told from a line and from values."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.detection.event import Event
from fsoc.detection.fast.keywords import FOLDED_TO_ASCII, Keywords
from fsoc.detection.program import EVERYTHING, Number, Text, Wildcards, matcher_of

WORDS = [
    "key",
    "KeyWord",
    "straße",
    'a "quote"',
    "C:\\users",
    "\\update",
    "1e5",
    "inf",
    "nan-x",
    "ſick",
    "\u212aey",
    "ab\ncd",
    "…",
]
TEXTS = st.sampled_from(WORDS) | st.text('kKſ\u212asSß\\u/"e yé1.5', max_size=10)
VALUES = st.recursive(
    TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


def _written(event, draw):
    return json.dumps(event, ensure_ascii=draw).encode()


@settings(deadline=None)
@given(
    st.lists(TEXTS.filter(bool), min_size=1, max_size=5),
    st.sampled_from(["whole", "start", "end", "anywhere"]),
    st.dictionaries(st.sampled_from("abc"), VALUES, min_size=1),
    st.booleans(),
)
def test_what_holds_is_proposed(texts, place, event, escaped):
    clauses = {number: Text(EVERYTHING, text.casefold(), place) for number, text in enumerate(texts)}
    clauses[100] = Wildcards(EVERYTHING, (0, texts[0].casefold(), 0, "e", 0))
    keywords = Keywords(clauses)
    seen = Event(event)
    holding = {n for n, clause in clauses.items() if matcher_of(None, clause)(seen.everything(), seen)}
    texts_of = [value.text for value in seen.everything() if value.text is not None]
    assert holding <= {*keywords.proposed(texts_of), *keywords.always}
    in_line = keywords.proposed_in(_written(event, escaped))
    if in_line is not None:
        assert holding <= {*in_line, *keywords.always, *keywords.not_in_lines}
    read = orjson.loads(_written(event, escaped))
    assert read == event


def test_every_character_that_folds_to_ascii_is_known():
    assert set(FOLDED_TO_ASCII) == {
        chr(code) for code in range(0x80, 0x110000) if any(each.isascii() for each in chr(code).casefold())
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (rb'{"a": "C:\\users"}', True),
        (rb'{"a": "C:\\\users"}', False),
        (rb'{"a": "\u006bey"}', False),
        ('{"a": "\u212aey"}'.encode(), False),
        ('{"a": "é"}'.encode(), True),
    ],
)
def test_a_line_that_hides_its_letters_tells_nothing(line, told):
    keywords = Keywords({0: Text(EVERYTHING, "key", "anywhere")})
    assert (keywords.proposed_in(line) is not None) is told


def test_what_cannot_be_looked_for_is_set_apart():
    clauses = {
        0: Text(EVERYTHING, "5", "whole", number="5"),
        1: Number(EVERYTHING, "5"),
        2: Text(EVERYTHING, "", "anywhere"),
        3: Text(EVERYTHING, "1e-5", "anywhere"),
        4: Text(EVERYTHING, "a\\b", "anywhere"),
        5: Text(EVERYTHING, "word", "anywhere"),
    }
    keywords = Keywords(clauses)
    assert keywords.always == [0, 1, 2]
    assert keywords.not_in_lines == [3, 4]
    assert list(keywords.proposed_in(b'{"a": "WORD"}')) == [5]
    assert sorted(keywords.proposed(["a\\B", "Word", 1e-5])) == [4, 5]
