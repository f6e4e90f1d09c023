"""Expressions that are searched for, written for engines that match whole values: the same values match."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.baseline.conversion.regex import CannotSayError, lucene, whole

ATOMS = st.sampled_from(
    ["a", "B", "7", "-", r"\.", r"\\", r"\d", r"\w", r"\s", "[ab]", "[^a]", "[A-Z]", r"[\d_]", ".", "&", "#", "~", '"']
)
REPEATED = st.tuples(ATOMS, st.sampled_from(["", "", "*", "+", "?", "{1,2}"])).map("".join)


def group(inner):
    return st.tuples(st.sampled_from(["(", "(?:"]), st.lists(inner, min_size=1, max_size=3)).map(
        lambda made: made[0] + "|".join(made[1]) + ")"
    )


BODIES = st.recursive(
    REPEATED, lambda inner: st.one_of(group(inner), st.tuples(inner, inner).map("".join)), max_leaves=6
)
PATTERNS = st.tuples(st.sampled_from(["", "^"]), BODIES, st.sampled_from(["", "$", r"\b"])).map("".join)
TEXTS = st.text(alphabet='aAbB7-._ \\&#~"', max_size=12)


def of_lucene(pattern: str, text: str) -> bool:
    """Lucene's syntax that is left is Python's, but for `.`, which is any character there."""
    return re.fullmatch(pattern, text, re.DOTALL | re.ASCII) is not None


def searched(pattern: str, text: str) -> bool:
    """As Sigma's `re`. A `$` is the end and not before a last line break; RE2 and Lucene know no other."""
    if pattern.endswith("$"):
        pattern = pattern[:-1] + r"\Z"
    return re.search(pattern, text, re.DOTALL | re.ASCII) is not None


@given(PATTERNS, TEXTS)
def test_what_is_found_by_searching_is_matched_whole(pattern, text):
    if pattern.endswith(r"\b"):  # behind what is no word it would be a beginning; nobody writes that
        pattern = pattern[:-2] + r"7\b"
    try:
        written = lucene(pattern)
    except CannotSayError:
        return

    assert of_lucene(written, text) == searched(pattern, text), written


@given(PATTERNS, TEXTS)
def test_re2s_needs_but_the_ends(pattern, text):
    assert (re.fullmatch(whole(pattern).replace("(?s:.*)", r"[\s\S]*"), text, re.ASCII) is not None) == (
        re.search(pattern, text, re.ASCII) is not None
    )


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("abc", ".*abc.*"),
        ("^abc$", "abc"),
        (r"^S-1-5-21-.*-(512|518)$", r"S-1-5-21-.*-(512|518)"),
        ("(?:a|b)c", ".*(a|b)c.*"),
        ("a|b", ".*(a|b).*"),
        ("(?i)Ab7", ".*[aA][bB]7.*"),
        ("(?i)[a-z0-9]", ".*[A-Za-z0-9].*"),
        (r"no\b", r".*no([^A-Za-z0-9_].*)?"),
        (r"cost\$", r".*cost\$.*"),
        ("a&b", r".*a\&b.*"),
    ],
)
def test_what_is_written_can_be_read(pattern, written):
    assert lucene(pattern) == written


@pytest.mark.parametrize(
    "pattern", ["(?=a)b", "(?!a)b", r"a\bc", "a^b", "a$b", "a*?", r"\p{L}", "^a|b", "(?i)[b-f]", "(?P<x>a)"]
)
def test_what_lucene_cannot_say_is_refused(pattern):
    with pytest.raises(CannotSayError):
        lucene(pattern)


def test_flags_stay_in_front():
    assert whole("(?i)a") == "(?i)(?s:.*)(?:a)(?s:.*)"
