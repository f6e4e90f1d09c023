"""What statements said once is kept within bounds, the newest first to stay."""

from __future__ import annotations

from fsoc.sharing.withdrawn import LETTERS_MAX, WITHDRAWN_MAX, withdrawn


def said(*values):
    return {"indicators": [{"type": "url", "value": one} for one in values], "hunt": [], "techniques": []}


def test_those_withdrawn_longest_ago_leave():
    known = ()
    for number in range(WITHDRAWN_MAX + 2):
        known = withdrawn(known, said(f"v-{number}"), said(f"v-{number + 1}"), number)

    assert [one.value for one in known] == [f"v-{number}" for number in range(2, WITHDRAWN_MAX + 2)]


def test_long_values_are_bounded_together():
    known = ()
    for number in range(100):
        known = withdrawn(known, said(f"{number:01000}"), said(f"{number + 1:01000}"), number)

    assert len(known) == LETTERS_MAX // 1_000
    assert known[-1].value == f"{99:01000}"
