"""How far the sector's event time is settled: who is waited for, and who is not."""

from __future__ import annotations

import msgspec
import orjson
from hypothesis import given
from hypothesis import strategies as st

from fsoc.correlation.progress import IDLE_HOLDS_MS, WAITED_MAX_MS, Claim, Progress, in_one, progress_record, since_of
from fsoc.feeds.ledger import END_MS
from tests.builders import VERSION

AB = frozenset("ab")


def claim(watermark, offset=1, *, idle=False, lateness=10, read_until=None):
    return Claim(watermark, offset, lateness, idle, read_until)


def closed(institutions=AB, **claims):
    progress = Progress()
    for name, one in claims.items():
        progress.take(name, one, 0)
    progress.advance(institutions)
    return progress.closed_until_ms


def test_the_slowest_that_is_not_idle_decides_less_its_allowed_lateness():
    assert closed(a=claim(100), b=claim(50)) == 40
    assert closed(a=claim(100), b=claim(50, idle=True)) == 90
    assert closed(a=claim(100, lateness=80), b=claim(50)) == 20


def test_an_institution_not_heard_of_is_waited_for():
    assert closed(a=claim(100)) is None


def test_an_institution_that_has_read_nothing_yet_is_waited_for_unless_idle():
    assert closed(a=claim(100), b=claim(None)) is None
    assert closed(a=claim(100), b=claim(None, idle=True)) == 90


def plainly(institutions, claims):
    """The same, by looking at every claim anew."""
    if not institutions or any(name not in claims for name in institutions):
        return None
    running = [claims[name] for name in institutions if claims[name].watermark_ms != END_MS]
    told = [one.settled_ms for one in running if one.settled_ms is not None]
    waited_for = [one.waited_for_ms for one in running if not one.idle]
    if not running:
        return END_MS
    return min([max(told), *waited_for]) if told and None not in waited_for else None


TIMES = st.none() | st.integers(0, 50) | st.just(END_MS)
CLAIMS = st.builds(claim, TIMES, st.just(1), idle=st.booleans(), lateness=st.integers(0, 9), read_until=TIMES)


@given(
    said=st.lists(st.tuples(st.sampled_from("abcd"), CLAIMS), max_size=12),
    known=st.frozensets(st.sampled_from("abcd")),
)
def test_what_is_kept_of_claims_says_what_looking_at_all_of_them_does(said, known):
    """Of each institution's claims the newest counts, also where it has taken back that it had ended or was idle."""
    progress, claims = Progress(), {}
    for offset, (name, one) in enumerate(said):
        claims[name] = one._replace(offset=offset)
        progress.take(name, claims[name], 0)
    restored = Progress()
    restored.restore(msgspec.json.decode(msgspec.json.encode(progress.state())))
    restored.advance(known)
    assert restored.closed_until_ms == plainly(known, {name: one._replace(idle=False) for name, one in claims.items()})
    for one in (progress, restored):
        for name, newest in claims.items():
            one.take(name, newest, 0)
        one.advance(known)
        assert one.closed_until_ms == plainly(known, claims)


DAY = WAITED_MAX_MS


def test_who_sends_by_a_clock_that_is_far_behind_is_waited_for_a_day_and_no_longer():
    """
    a's log and b's are read until day 9; b's watermark lies at day 2, though it never pauses
    """
    ahead = claim(9 * DAY, read_until=9 * DAY)
    assert closed(a=ahead, b=claim(2 * DAY, read_until=9 * DAY)) == 8 * DAY - 10
    assert closed(a=ahead, b=claim(2 * DAY, read_until=9 * DAY, lateness=DAY)) == 7 * DAY
    assert closed(a=ahead, b=claim(9 * DAY - 60, read_until=9 * DAY)) == 9 * DAY - 70


def test_who_sends_nothing_that_can_be_used_without_end_is_not_waited_for_either():
    assert closed(a=claim(9 * DAY), b=claim(None, read_until=9 * DAY)) == 8 * DAY - 10


def test_where_we_are_behind_in_somebodys_log_it_is_waited_for_however_far():
    """b's log is read until day 2 only, be it for an outage of ours: what it holds was sent in time."""
    assert closed(a=claim(9 * DAY), b=claim(2 * DAY, read_until=2 * DAY)) == 2 * DAY - 10


def test_a_log_whose_clock_runs_ahead_moves_nobody_beyond_the_furthest():
    assert closed(a=claim(100, read_until=100), b=claim(50, read_until=9 * DAY)) == 90
    assert closed(a=claim(None, idle=True), b=claim(None, read_until=9 * DAY)) is None


def closed_after(*told):
    """By claims that were told at times of the log's clock, in this order."""
    progress = Progress()
    for name, one, at in told:
        progress.take(name, one, at)
        progress.now(at)
    progress.advance(AB)
    return progress.closed_until_ms


def test_who_said_long_ago_that_it_is_idle_is_waited_for_until_it_says_so_anew():
    """Nobody worked for hours: what a has sent meanwhile is read first, b's log has not been begun.

    b idle  |---------)          holds
    a            ^    ^ its next claim
    """
    idle, ahead = claim(50, idle=True), claim(1_000, 2)
    assert closed_after(("b", idle, 0), ("a", ahead, IDLE_HOLDS_MS - 1)) == 990
    assert closed_after(("b", idle, 0), ("a", ahead, IDLE_HOLDS_MS)) == 40
    assert closed_after(("b", idle, 0), ("a", ahead, IDLE_HOLDS_MS), ("b", idle, IDLE_HOLDS_MS)) == 990
    assert closed_after(("b", idle, 0), ("b", idle, 9), ("a", ahead, IDLE_HOLDS_MS)) == 990


def test_a_word_of_idleness_that_is_read_late_has_run_out_already():
    assert closed_after(("a", claim(1_000), IDLE_HOLDS_MS), ("b", claim(50, idle=True), 0)) == 40


def test_of_many_that_are_idle_those_run_out_that_have_not_said_so_again():
    told = [(name, claim(50, idle=True), 0) for name in "ab"]
    again = ("a", claim(50, idle=True), IDLE_HOLDS_MS)
    assert closed_after(*told, again, ("b", claim(70, 2), IDLE_HOLDS_MS)) == 60
    assert closed_after(*told, ("a", claim(90, 2), IDLE_HOLDS_MS)) == 40


def test_where_all_are_idle_the_furthest_decides():
    assert closed(a=claim(100, idle=True), b=claim(50, idle=True)) == 90


def test_the_end_is_reached_when_everyone_has_ended_and_not_before():
    assert closed(a=claim(END_MS), b=claim(50, idle=True)) == 40
    assert closed(a=claim(END_MS, idle=True), b=claim(50)) == 40
    assert closed(a=claim(END_MS), b=claim(None, idle=True)) is None
    assert closed(a=claim(END_MS), b=claim(END_MS, idle=True)) == END_MS


def test_it_never_goes_back_and_an_overtaken_claim_changes_nothing():
    progress = Progress()
    progress.take("a", claim(100, idle=True), 0)
    progress.take("b", claim(50, 7, idle=True), 0)
    assert progress.advance(AB)
    progress.take("b", claim(40, 6), 0)
    assert progress.claims["b"] == claim(50, 7, idle=True)
    progress.take("b", claim(60, 8), 0)
    assert not progress.advance(AB)
    assert progress.closed_until_ms == 90


def test_who_has_left_the_registry_is_not_waited_for():
    assert closed(frozenset("a"), a=claim(100), b=claim(5)) == 90


CLAIMS = st.builds(
    Claim,
    st.none() | st.integers(0, 99),
    st.integers(0, 9),
    st.just(10),
    st.booleans(),
    st.none() | st.integers(0, 99),
    st.none() | st.integers(0, 99),
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), CLAIMS), min_size=1, max_size=8))
def test_said_in_one_or_one_after_another_what_institutions_claim_is_the_same(said):
    """Offsets rise, as they do in what one worker writes of an institution."""
    said = [
        {name: one._replace(offset=10 * number + one.offset) for name, one in claims.items()}
        for number, claims in enumerate(said)
    ]
    values = [progress_record(claims, VERSION) for claims in said]
    apart, together = Progress(), Progress()
    for value in values:
        apart.hear(value, 0)
    together.hear(in_one(values), 0)

    assert together.claims == apart.claims
    assert orjson.loads(in_one(values))["digest"] == VERSION.digest


def test_of_one_offset_the_claim_that_was_made_last_stands():
    """Read to the end after the last ticket: the same offset, now idle."""
    values = [progress_record({"a": claim(100, idle=idle)}, VERSION) for idle in (False, True)]

    progress = Progress()
    progress.hear(in_one(values), 0)

    assert progress.claims["a"].idle


def test_from_when_on_somebody_is_known_is_remembered_once_and_only_ever_lies_earlier():
    progress = Progress()
    for offset, since in enumerate([None, 700, 900, 300, 300]):
        progress.take("a", claim(1_000)._replace(offset=offset, since_ms=since), 0)
        said = list(progress.remember(offset))
        assert [since_of(value).since for _, value in said] == ([{"a": since}] if offset in (1, 3) else [])
        known = said[-1] if said else None
        if known is not None:
            again = Progress()
            again.restore_since(known[1])
            again.restore(progress.state())
            again.take("a", claim(1_000)._replace(offset=offset, since_ms=900), 0)
            assert (again.since, list(again.remember(offset))) == ({"a": since}, [])
