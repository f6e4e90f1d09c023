"""What is asked of a feed: read whole, every error with its line; breaches are told exactly at the edge."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest

from fsoc.errors import RefusedToStart
from fsoc.feeds.contract import NAMES, TIERS, Breach, Contract, breaches
from fsoc.feeds.figures import Figures
from fsoc.feeds.quality import FeedDay
from fsoc.feeds.words import MEASURES, offset_said, ranges_said, roc, share_said, span_said
from fsoc.runtime.feeds import SHIPPED_CONTRACT, contract_of

TEXT = Path(SHIPPED_CONTRACT).read_text(encoding="utf-8")


def figures(**changes):
    return Figures("fi-001", "siem", FeedDay({"used": 100, **changes}))


def test_the_contract_that_is_shipped_has_every_term_of_every_tier_and_asks_more_of_the_more_critical():
    contract = contract_of(None)

    assert tuple(contract.tiers) == TIERS
    for name in NAMES:
        values = [getattr(contract.of(tier), name) for tier in TIERS]
        assert values == sorted(values, reverse=name == "heartbeats"), name


@pytest.mark.parametrize(
    ("change", "to", "at", "said"),
    [
        ("late: 0.5%", "late: 0.5", "    late: 0.5%", "late: '0.5' is no share; expected per cent"),
        ("late: 0.5%", "late: 101%", "    late: 0.5%", "is no share"),
        ("silence: 15m", "silence: soon", "    silence: 15m", "silence: 'soon' is no duration"),
        ("clock_offset: 1s", "clock_offset: 0", "    clock_offset: 1s", "0 can be kept by nobody"),
        ("duplicate: 2%", "dupe: 2%", "    duplicate: 2%", '"dupe" is unknown'),
        ("duplicate: 2%", "dupe: 2%", "  1:", "tier 1: duplicate: is required and missing"),
        ("  3:", "  4:", "  3:", '"4" is unknown'),
        ("tiers:", "tier:", "tiers:", "expected a mapping with the key tiers"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(change, to, at, said):
    line = TEXT.splitlines().index(at) + 1
    with pytest.raises(RefusedToStart) as refused:
        Contract.parse(TEXT.replace(change, to, 1), "c.yml")

    assert any(p.where == f"c.yml:{line}" and said in p.text for p in refused.value.problems), refused.value.problems


def test_every_error_is_told_at_once():
    text = TEXT.replace("late: 0.5%", "late: x").replace("silence: 15m", "silence: x")
    with pytest.raises(RefusedToStart) as refused:
        Contract.parse(text, "c.yml")

    assert len(refused.value.problems) == 4  # one late, and the silence of three tiers


@pytest.mark.parametrize(
    ("kept", "broken", "measure"),
    [
        ({"late": 0}, {"late": 2}, "late"),
        ({"quarantined": 0}, {"quarantined": 2}, "rejected"),
        ({"duplicate": 2}, {"duplicate": 3}, "duplicate"),
        ({"asked": 5, "closed": 5}, {"asked": 5, "closed": 4}, "missing"),
        ({"clock_ms": [-1000, 3, 3]}, {"clock_ms": [-1001, 3, 3]}, "clock_offset"),
        ({"sent": [0] * 72 + [1]}, {"sent": [0] * 73 + [1]}, "detected_to_sent_p95"),
        ({"received": [0] * 59 + [1]}, {"received": [0] * 60 + [1]}, "sent_to_received_p95"),
    ],
)
def test_a_term_is_broken_past_its_edge_and_not_before(kept, broken, measure):
    terms = contract_of(None).of(1)

    assert breaches(figures(**kept), terms) == []
    assert [one.measure for one in breaches(figures(**broken), terms)] == [measure]


def test_silence_and_heartbeats_are_judged_where_they_are_asked_for():
    terms = contract_of(None).of(1)

    assert breaches(figures(), terms, silent_ms=terms.silence, heartbeats=terms.heartbeats) == []
    assert breaches(figures(), terms, silent_ms=math.inf, heartbeats=0.98) == [
        Breach("silence", math.inf, terms.silence),
        Breach("heartbeats", 0.98, 0.99),
    ]
    assert breaches(Figures.nothing("fi-001", "siem"), terms) == []


@pytest.mark.parametrize(
    ("span_ms", "said"),
    [
        (None, "–"),
        (math.inf, "∞"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1500, "1.5 s"),
        (59_000, "59 s"),
        (119_000, "119 s"),
        (120_000, "2 min"),
        (7_199_000, "2 h"),
        (7_260_000, "2 h 1 min"),
        (172_800_000, "2 d"),
        (180_000_000, "2 d 2 h"),
    ],
)
def test_a_span_is_said_in_the_unit_it_is_thought_of(span_ms, said):
    assert span_said(span_ms) == said


def test_shares_offsets_ranges_and_days_are_said_as_they_are():
    assert [share_said(each) for each in (None, 0, 0.00001, 0.0005, 1)] == [
        "–",
        "0.00 %",
        "< 0.01 %",
        "0.05 %",
        "100.00 %",
    ]
    assert [offset_said(each) for each in (None, (-12, 3), (0, 3))] == ["–", "-12 ms", "+3 ms"]
    assert ranges_said((("e1", 1, 3), ("e1", 5, 5), ("e2", 7, 8)), 2) == "e1: 1-3, 5 … +1"
    assert [roc(date(*day)) for day in ((2026, 3, 2), (1912, 1, 1), (1911, 12, 31))] == [
        "民國115年3月2日",
        "民國1年1月1日",
        "民國前1年12月31日",
    ]
    assert all(word.en != word.zh for word in MEASURES.values())
