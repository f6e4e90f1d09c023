"""What one institution can do to itself and to the sector: silence, wrong clocks, floods; and what it costs whom."""

from __future__ import annotations

from collections import defaultdict

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.correlation.progress import Claim
from fsoc.correlation.ruleset import Feeder, RuleSet
from fsoc.feeds import lateness, live
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.tickets.sample import ticket
from fsoc.tickets.times import milliseconds, rfc3339
from tests.builders import VERSION, EveryTicket, NoTechniques, correlation_rule, said

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = milliseconds("2026-04-01T00:00:00Z")


def build_pipeline(*institutions, allowed_lateness="1h"):
    """One partition; two institutions with one attacker in an hour are an alert."""
    entries = [
        {"id": name, "name": name, "sector": "bank", "tier": 1, "feeds": ["siem"], "allowed_lateness": allowed_lateness}
        for name in institutions
    ]
    registry = Registry.parse(orjson.dumps({"institutions": entries}).decode(), "institutions.yml")
    rule = correlation_rule()
    rules = RuleSet(
        EveryTicket(), 1, {"rule": rule}, Feeder([rule]), NoTechniques(), {}, {}, VERSION, rule.retention_ms
    )
    return Pipeline(rules, registry, detections_partitions=1)


def sent(institution, at_ms, attacker="evil.example", **changes):
    """A ticket of that event time; its id is made of who, what and when."""
    at = rfc3339(at_ms)
    fields = {
        "institution": institution,
        "ticket_id": f"{institution}-{attacker}-{at_ms}",
        "detected_at": at,
        "created_at": at,
        "sent_at": at,
        "observables": [{"type": "domain", "value": attacker, "role": "attacker"}],
    }
    return orjson.dumps(ticket(**{**fields, **changes}))


class Sector:
    """Every institution's intake and one partition of correlation; what intake writes is correlated at once."""

    def __init__(self, *institutions, **options):
        self.pipeline = build_pipeline(*institutions, **options)
        self.stages = {name: self.pipeline.intake(name) for name in institutions}
        self.offsets = dict.fromkeys(institutions, 0)
        self.correlate = self.pipeline.correlate(0)
        self.correlate.restored()
        self.outcomes = defaultdict(list)
        self.faults = defaultdict(set)
        self.alerts = {}
        self.closed_ms = []
        for name in institutions:
            self.idle(name)

    def take(self, institution, received_ms, *payloads, idle=True):
        """One slice. idle: the log is read to its end afterwards."""
        first = self.offsets[institution]
        self.offsets[institution] += len(payloads)
        records = [Record(first + at, received_ms, None, payload) for at, payload in enumerate(payloads)]
        self._correlate(self.stages[institution].work(records))
        if idle:
            self.idle(institution)

    def idle(self, institution):
        self._correlate(self.stages[institution].idle())

    def _correlate(self, made):
        detections = [Record(0, 0, item.key, item.value) for item in made.published if item.topic == "detections"]
        for item in made.published:
            if item.topic.startswith("receipts."):
                for receipt in orjson.loads(item.value):
                    name = item.topic.removeprefix("receipts.")
                    self.outcomes[name].append(receipt["outcome"])
                    self.faults[name] |= {fault["code"] for fault in receipt["faults"]}
        outputs = self.correlate.work(detections)
        for item in outputs.published:
            if item.topic == "alerts":
                alert = orjson.loads(item.value)
                self.alerts[alert["group"]["indicator"]] = alert
        header = orjson.loads(dict(outputs.state)[b"header"])
        self.closed_ms.append(header["closed_until_ms"])


def ordinary(sector, institutions, hours, minute=0):
    """Each of them sends a ticket an hour, each of its own attacker."""
    for hour in hours:
        for name in institutions:
            at = START + hour * HOUR + minute * MINUTE
            sector.take(name, at, sent(name, at, f"{name}.example"))


def test_an_institution_silent_for_a_day_holds_nobody_up_and_is_heard_when_it_is_back():
    sector = Sector("aa", "bb", "cc")
    ordinary(sector, ["aa", "bb", "cc"], [0])
    ordinary(sector, ["aa", "bb"], range(1, 25))
    sector.take("aa", START + 25 * HOUR, sent("aa", START + 25 * HOUR))
    assert sector.closed_ms[-1] == START + 24 * HOUR

    backlog = [sent("cc", START + hour * HOUR, "cc.example") for hour in range(1, 25)]
    sector.take("cc", START + 25 * HOUR, *backlog, sent("cc", START + 25 * HOUR))

    assert set(sector.outcomes["cc"]) == {"accepted"}
    assert sector.alerts["evil.example"]["institutions"] == ["aa", "cc"]
    assert sector.closed_ms[-1] == START + 24 * HOUR


def test_who_sends_the_newest_first_after_a_day_has_made_the_rest_late():
    """It is its own watermark that its backlog is held against, nobody else's."""
    sector = Sector("aa", "bb")
    now = START + DAY
    backlog = [sent("aa", START + hour * HOUR, "aa.example") for hour in range(24)]
    sector.take("aa", now, sent("aa", now), *backlog)

    assert sector.outcomes["aa"] == ["accepted", *["late"] * 23, "accepted"]


def test_a_clock_a_day_behind_is_believed_and_delays_nobody_whose_log_is_read_to_the_end():
    sector = Sector("aa", "bb", "cc")
    for hour in range(24, 30):
        ordinary(sector, ["aa", "bb"], [hour])
        at = START + hour * HOUR
        sector.take("cc", at, sent("cc", at - DAY, "cc.example"))

    assert set(sector.outcomes["cc"]) == {"accepted"}
    assert sector.closed_ms[-1] == START + 28 * HOUR
    assert sector.closed_ms[-1] == max(closed for closed in sector.closed_ms if closed is not None)


@pytest.mark.parametrize("ahead", [5 * MINUTE + 1, DAY, milliseconds("9999-12-31T23:59:59Z") - START])
def test_a_clock_ahead_is_refused_moves_no_watermark_and_is_forgiven_once_mended(ahead):
    sector = Sector("aa", "bb")
    ordinary(sector, ["aa", "bb"], [0])
    before = sector.closed_ms[-1]
    sector.take("bb", START, *[sent("bb", START + ahead, f"{number}.example") for number in range(5)])

    assert sector.outcomes["bb"] == ["accepted", *["quarantined"] * 5]
    assert sector.faults["bb"] == {"time.future"}
    assert sector.closed_ms[-1] == before
    ordinary(sector, ["aa", "bb"], [1])
    assert sector.outcomes["bb"][-1] == "accepted"
    assert sector.closed_ms[-1] == START


def test_times_without_an_offset_are_refused_and_move_no_watermark():
    sector = Sector("aa", "bb")
    naive = rfc3339(START + DAY).removesuffix("Z")
    sector.take("bb", START, sent("bb", START, detected_at=naive), sent("bb", START, occurred_from=naive))

    assert sector.outcomes["bb"] == ["quarantined"] * 2
    assert sector.faults["bb"] == {"time.naive"}
    assert sector.stages["bb"].ledger.watermark_ms is None


def test_one_ticket_five_minutes_ahead_costs_its_own_sender_five_minutes_of_lateness_for_five_minutes():
    """
    received     |
    ahead        |----> +5        what is settled lies 55 min back, not 60, until honest tickets have come that far
    """
    sector = Sector("aa", "bb")
    now = START + DAY
    sector.take("aa", now, sent("aa", now + 5 * MINUTE, "ahead.example"))
    sector.take("aa", now, sent("aa", now - 55 * MINUTE, "in-time.example"))
    sector.take("aa", now, sent("aa", now - 56 * MINUTE, "lost.example"))
    assert sector.outcomes["aa"] == ["accepted", "accepted", "late"]

    sector.take("bb", now, sent("bb", now - 60 * MINUTE, "in-time.example"), sent("bb", now, "ahead.example"))
    assert sector.outcomes["bb"] == ["accepted"] * 2
    later = now + 5 * MINUTE
    sector.take("aa", later, sent("aa", later), sent("aa", later - 60 * MINUTE, "again.example"))
    assert sector.outcomes["aa"][-2:] == ["accepted", "accepted"]


def test_a_flood_forgets_the_floods_own_tickets_and_changes_nothing_for_others(monkeypatch):
    monkeypatch.setattr(live, "LIVE_TICKETS_MAX", 50)
    calm, flooded = Sector("aa", "bb", "cc"), Sector("aa", "bb", "cc")
    for sector in (calm, flooded):
        for hour in range(3):
            ordinary(sector, ["aa", "bb"], [hour])
            if sector is flooded:
                at = START + hour * HOUR
                flood = [sent("cc", at + number, f"{number % 7}.example") for number in range(100)]
                sector.take("cc", at, *flood)
            for name in ("aa", "bb"):
                sector.take(name, START + hour * HOUR, sent(name, START + hour * HOUR))
    counts = flooded.stages["cc"].ledger.counts

    assert (counts.received, counts.used) == (300, 300)
    assert len(flooded.stages["cc"].ledger._live) == 50
    assert flooded.stages["cc"].ledger.forgotten_live == 250
    assert {name: flooded.outcomes[name] for name in ("aa", "bb")} == dict(calm.outcomes)
    assert flooded.alerts["evil.example"] == calm.alerts["evil.example"]
    assert flooded.alerts.keys() == calm.alerts.keys()


FORTY = [f"fi-{number:03}" for number in range(40)]


def test_ten_of_forty_that_are_silent_are_not_waited_for_and_the_slowest_of_the_others_is():
    sector = Sector(*FORTY)
    silent, slow, others = FORTY[:10], FORTY[10], FORTY[11:]
    ordinary(sector, silent[:5], [0])  # the other five have never said anything
    for hour in range(1, 25):
        at = START + hour * HOUR
        for name in others:
            sector.take(name, at, sent(name, at, f"{name}.example"))
        sector.take(slow, at, sent(slow, at - 2 * HOUR, f"{slow}.example"), idle=False)

    assert sector.closed_ms[-1] == START + 24 * HOUR - 3 * HOUR
    sector.idle(slow)
    assert sector.closed_ms[-1] == START + 23 * HOUR


def test_ten_that_come_back_take_back_no_progress_and_are_waited_for_from_then_on():
    sector = Sector(*FORTY)
    silent, others = FORTY[:10], FORTY[10:]
    ordinary(sector, silent, [0])
    ordinary(sector, others, range(1, 25))
    closed = sector.closed_ms[-1]
    for name in silent:
        sector.take(name, START + 24 * HOUR, sent(name, START + 2 * HOUR, f"{name}.example"), idle=False)
    ordinary(sector, others, [25])

    assert sector.closed_ms[-1] == closed == START + 23 * HOUR
    for name in silent:
        sector.take(name, START + 25 * HOUR, sent(name, START + 25 * HOUR, f"{name}.example"), idle=False)
    ordinary(sector, others, [25], minute=1)
    assert sector.closed_ms[-1] == START + 24 * HOUR


@pytest.mark.parametrize("behind", [None, 400 * DAY])
def test_who_sends_garbage_or_by_a_clock_a_year_behind_without_pause_holds_progress_up_for_a_day_at_most(behind):
    sector = Sector("aa", "bb")
    for hour in range(50):
        at = START + hour * HOUR
        sector.take("bb", at, b"{" if behind is None else sent("bb", at - behind, "bb.example"), idle=False)
        sector.take("aa", at, sent("aa", at, "aa.example"))

    assert set(sector.outcomes["bb"]) == {"quarantined" if behind is None else "accepted"}
    assert sector.closed_ms[-1] == START + 49 * HOUR - HOUR - DAY


SENT = st.lists(st.tuples(st.integers(-300, 90), st.integers(1, 4)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(sizes=SENT, restart=st.integers(0, 60), raised=st.sampled_from(["30m", "2h", "4h"]))
def test_no_ticket_is_used_below_what_was_said_to_be_settled_also_when_more_is_allowed(sizes, restart, raised):
    """The promise others' progress rests on: by what is adopted, and by a registry that is changed at a restart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lateness, "SAMPLES_MIN", 4)
        stage, state, newest, offset, settled = build_pipeline("aa").intake("aa"), {}, START, 0, None
        for number, (minutes, count) in enumerate(sizes):
            if number == restart:
                stage = build_pipeline("aa", allowed_lateness=raised).intake("aa")
                for key, value in state.items():
                    stage.restore(key, value)
                stage.restored()
            at = newest + minutes * MINUTE
            newest = max(newest, at)
            payloads = [sent("aa", at + extra, f"{number}.example") for extra in range(count)]
            outputs = stage.work([Record(offset + extra, newest, None, one) for extra, one in enumerate(payloads)])
            offset += count
            state.update({key: value for key, value in outputs.state if value is not None})
            words = [said(item) for item in outputs.published if item.topic == "detections"]
            used = [word["event_time_ms"] for word in words if word["op"] == "put"]
            assert settled is None or all(event_time >= settled for event_time in used)
            for word in words:
                if word["op"] == "progress":
                    now = Claim(*word["institutions"]["aa"]).settled_ms
                    assert now is not None
                    assert settled is None or now >= settled
                    settled = now


def test_a_rise_of_what_is_allowed_takes_nothing_back_and_the_alert_it_lets_through_is_right():
    """From hour 4 on, tickets two hours behind are used; one of them completes an alert of hour 3."""
    sector = Sector("aa", "bb")
    slow = [
        sent("aa", START + 3 * HOUR + number * 500 - (number % 2) * 100 * MINUTE, f"{number}.example")
        for number in range(lateness.SAMPLES_MIN)
    ]
    sector.take("bb", START + 3 * HOUR, sent("bb", START + 3 * HOUR))
    sector.take("aa", START + 3 * HOUR, *slow, idle=False)
    assert "late" in sector.outcomes["aa"]
    closed = []
    for minute in (60, 90, 119):
        at = START + 3 * HOUR + minute * MINUTE
        for name in ("aa", "bb"):
            sector.take(name, at, sent(name, at, f"{name}.example"), idle=False)
        closed.append(sector.closed_ms[-1])
    sector.take("aa", START + 5 * HOUR, sent("aa", START + 3 * HOUR + 15 * MINUTE), idle=False)

    assert sector.stages["aa"].ledger.lateness.allowed_ms == 140 * MINUTE
    assert closed == sorted(closed)
    assert sector.outcomes["aa"][-1] == "accepted"
    assert sector.alerts["evil.example"]["institutions"] == ["aa", "bb"]
    assert sector.alerts["evil.example"]["raised_at_event_time"] == rfc3339(START + 3 * HOUR + 15 * MINUTE)
