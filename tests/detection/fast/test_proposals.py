"""What Hyperscan is asked finds at least what RE2 finds."""

from __future__ import annotations

import re

import hyperscan
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.detection.fast.literals import search_for
from fsoc.detection.fast.proposals import UnsureError, literal, propose

ALPHABET = 'abAB k_09-./\\"{}\t\n\v'
CHARACTERS = st.sampled_from([*"abAkK09_-", *map(re.escape, '.\\"'), r"\t", r"\v", r"\x41", " "])
CLASSES = st.sampled_from(
    ["[ab]", "[^a]", "[a-k]", "[A-Z0-9]", r"[\w-]", r"[^\s\d]", r"[\W_]", "[]a]", "[^]a]", "[a-]", r"[\-a]", r"[+|\s]"]
)
ATOMS = st.one_of(CHARACTERS, CLASSES, st.sampled_from([".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S"]))
REPEATS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,3}", "{1,2}?"])
ANCHORS = st.sampled_from(["", "", "", "", "^", "$", r"\b", r"\A", r"\z"])


def _sequence(part):
    return st.lists(st.builds("{}{}{}".format, ANCHORS, part, REPEATS), min_size=1, max_size=4).map("".join)


PATTERNS = st.builds(
    "{}{}".format,
    st.sampled_from(["", "", "(?i)", "(?s)", "(?is)"]),
    st.recursive(
        _sequence(ATOMS),
        lambda inner: st.one_of(
            st.builds("({})".format, inner),
            st.builds("(?:{})".format, inner),
            st.builds("{}|{}".format, inner, inner),
            _sequence(inner.map("(?:{})".format)),
        ),
        max_leaves=4,
    ),
)


@settings(deadline=None)
@given(PATTERNS, st.lists(st.text(ALPHABET, max_size=12), min_size=1, max_size=8))
def test_what_re2_finds_in_ascii_is_proposed(pattern, texts):
    try:
        compiled = re2.compile(pattern)
        proposal = propose(pattern)
    except (re2.error, UnsureError):
        return
    search, refused = search_for({}, {proposal: 7})
    if refused:
        return
    for text in texts:
        if compiled.search(text.encode()):
            folded = text.casefold()
            assert list(search(folded, folded.encode())) == [7]


@pytest.mark.parametrize(
    "pattern",
    [
        "(?m)^a$",
        "(?i:a)",
        "a(?i)b",
        r"\pL",
        r"\Qa\E",
        r"[[:alpha:]]",
        "ſ",
        "(?i)[ß]",
        "a{,2}",
        r"\Ba",
        r"\C",
        r"\x{41}",
        "a++",
        r"[a-\d]",
        "[z-a]",
        r"\07",
        "(" * 40 + "a" + ")" * 40,
        "^*",
        "(a",
        "[a",
        "a)",
        "*a",
    ],
)
def test_what_could_be_read_in_two_ways_is_not_proposed(pattern):
    with pytest.raises(UnsureError):
        propose(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"a\sb", "a\tb"),
        (r"a[^\s]b", "a\vb"),  # to RE2 a vertical tab is no space
        (r"x$", "x"),
        (r"(?i)K[A-C]+", "kAbC"),
        (r"\$\{?x\}?", "$x}"),
        (r"[^\W]z", "Qz"),
        (r"A{2,3}B", "aaAAB"),
    ],
)
def test_a_proposal_is_found_where_the_pattern_is(pattern, text):
    assert re2.search(pattern, text)
    search, refused = search_for({}, {propose(pattern): 1})
    assert not refused
    assert list(search(text.casefold(), text.casefold().encode())) == [1]


def test_counts_within_counts_do_not_multiply():
    assert propose("(?:(?:(?:a{1,99}b){1,99}c){0,99}d){9}") == r"(?:(?:(?:\x61+\x62)+\x63)*\x64)+"


def test_what_hyperscan_refuses_is_named_and_the_rest_is_found():
    search, refused = search_for({"abc": 0}, {propose("x*"): 1, propose("yy"): 2})
    assert refused == {1}
    assert sorted(search("abc yy", b"abc yy")) == [0, 2]


def test_a_pattern_and_a_text_written_alike_are_both_found():
    search, _ = search_for({"abc": 0}, {propose("abc"): 1})
    assert sorted(search("xabc", b"xabc")) == [0, 1]


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=40, unique=True), st.text(max_size=20))
def test_texts_are_found_exactly(texts, hay):
    search, _ = search_for({text: number for number, text in enumerate(texts)}, {})
    found = search(hay, hay.encode("utf-8", "surrogatepass"))
    assert sorted(found) == [number for number, text in enumerate(texts) if text in hay]


def test_a_literal_has_no_characters_of_its_own():
    assert literal("a.*\0\n") == r"\x61\x2e\x2a\x00\x0a"
    assert hyperscan.__version__
