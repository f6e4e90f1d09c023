"""Evaluation against its plain twin, and against the score of exercises, whatever is drawn."""

from __future__ import annotations

import evaluation_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.evaluation.evaluate import evaluate
from fsoc.evaluation.records import Alert, Sent, TruthLine
from fsoc.evaluation.tickets import Tickets
from fsoc.evaluation.truth import LabelledTwice, Truth
from fsoc.exercise import PlantedCampaign, score
from fsoc.tickets.times import rfc3339

INSTITUTIONS = "abcd"
IDS = ("1", "2", "3")
START_MS = 1_772_409_600_000

_keys = st.tuples(st.sampled_from(INSTITUTIONS), st.sampled_from(IDS))
_times = st.integers(0, 20).map(lambda minutes: START_MS + minutes * 60_000)


@st.composite
def alerts_drawn(draw):
    by: dict[str, tuple[str, ...]] = {}
    for institution, ticket in draw(st.sets(_keys, min_size=1, max_size=5)):
        by[institution] = (*by.get(institution, ()), ticket)
    raised_ms = draw(_times)
    return Alert(
        id=draw(st.sampled_from("uvwxyz")),
        revision=draw(st.integers(1, 3)),
        status=draw(st.sampled_from(["open", "final", "final", "retracted", "merged"])),
        kind=draw(st.sampled_from(["joint", "joint", "joint", "local"])),
        rule_id=draw(st.sampled_from(["one", "two"])),
        rule_title="Rule",
        rule_title_zh="規則",
        campaign_id=draw(st.sampled_from([None, None, "c", "d"])),
        continues=draw(st.sampled_from([None, None, "u", "v", "gone"])),
        first_ms=START_MS,
        last_ms=raised_ms,
        raised_ms=raised_ms,
        institutions=frozenset(by),
        tickets=by,
    )


_lines = st.builds(
    TruthLine,
    st.sampled_from(IDS),
    st.sampled_from(["kit", "flood", None]),
    st.sampled_from([None, *INSTITUTIONS]),
)


def said_once(lines):
    """The lines without those that contradict one before."""
    truth, kept = Truth(), []
    for line in lines:
        try:
            truth.take(line)
        except LabelledTwice:
            continue
        kept.append(line)
    return kept


@settings(max_examples=400)
@given(
    st.lists(alerts_drawn(), max_size=7),
    st.lists(_lines, max_size=8).map(said_once),
    st.dictionaries(_keys, st.tuples(_times, _times), max_size=10),
)
def test_every_share_time_and_story_is_what_its_definition_says(alerts, lines, sent):
    tickets = Tickets.of(
        (Sent(key, 1, None, event_ms, received_ms) for key, (event_ms, received_ms) in sent.items()), lambda _: 0
    )
    found = evaluate(alerts, Truth.of(lines), tickets)
    asked = oracle.figures(alerts, lines, sent)

    assert (found.precision.hits, found.precision.total) == asked["precision"]
    assert (found.recall.hits, found.recall.total) == asked["recall"]
    assert {label.name: label.after_first_s for label in found.labels} == asked["first"]
    by_rule = {rule.rule_id: (rule.precision.hits, rule.precision.total) for rule in found.rules}
    assert {rule: shares for rule, shares in by_rule.items() if shares[1]} == asked["by_rule"]
    assert (found.load.stories if found.load else 0) == asked["stories"]
    days = found.load.by_day if found.load else ()
    assert sum(day.true + day.false for day in days) == found.precision.total


@settings(max_examples=300)
@given(
    st.lists(alerts_drawn(), max_size=7, unique_by=lambda alert: alert.id),
    st.lists(st.sets(_keys, min_size=2, max_size=6), max_size=2),
)
def test_where_ids_are_unique_it_says_what_the_score_of_an_exercise_says(alerts, planted):
    """Campaigns of two institutions or more, ids of the form `a1`, and one label a ticket."""
    taken: set[tuple[str, str]] = set()
    campaigns = []
    for number, keys in enumerate(planted):
        own = sorted(keys - taken)
        taken.update(keys)
        institutions = tuple(dict.fromkeys(institution for institution, _ in own))
        if len(institutions) >= 2:
            ids = tuple("".join(key) for key in own)
            campaigns.append(PlantedCampaign(f"c{number}", "kind", "title", institutions, ids, START_MS, START_MS))
    wire, read = [], []
    for alert in alerts:
        named = {name: tuple(name + ticket for ticket in ids) for name, ids in alert.tickets.items()}
        kept = "final" if alert.status == "merged" else alert.status  # the score knows no campaigns that merge
        read.append(_with(alert, named, kept))
        wire.append(
            {
                "alert_id": alert.id,
                "status": kept,
                "kind": alert.kind,
                "institutions": sorted(alert.institutions),
                "ticket_ids": [ticket for ids in named.values() for ticket in ids],
                "raised_at_event_time": rfc3339(alert.raised_ms),
            }
        )
    lines = [TruthLine(ticket, one.id, ticket[0]) for one in campaigns for ticket in one.ticket_ids]
    scored, found = score(campaigns, wire), evaluate(read, Truth.of(lines))

    assert (found.recall.hits, found.recall.total) == (scored.found, len(campaigns))
    assert [alarm.alert_id for alarm in found.false_alarms] == list(scored.false_alarms)
    assert [label.alert_ids for label in found.labels] == [one.alert_ids for one in scored.campaigns]
    assert found.apart.get("retracted", 0) == scored.retracted
    assert found.apart.get("local", 0) == scored.local


def _with(alert, tickets, status):
    from dataclasses import replace

    return replace(alert, tickets=tickets, status=status)
