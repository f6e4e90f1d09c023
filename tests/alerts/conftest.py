"""What the tests of alerts build: entries, and alerts composed of them."""

from __future__ import annotations

import orjson
import pytest

from fsoc.alerts.compose import compose
from fsoc.correlation.conditions import Condition
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.window import satisfied
from tests.builders import correlation_rule

NOON = 1_772_452_800_000  # 2026-03-02T12:00Z
MINUTE = 60_000
TACTICS = {"initial-access": 0, "credential-access": 1, "lateral-movement": 2, "impact": 3}


def make_entry(institution, ticket, minutes=0, **changes):
    """A ticket of severity 3 that tells of phishing, so many minutes after noon."""
    return Entry(
        NOON + minutes * MINUTE,
        institution,
        ticket,
        1,
        ((institution,),),
        changes.pop("member", institution),
        changes.pop("severity", 3),
        changes.pop("attack", (("initial-access", "T1566.002"),)),
        changes.pop("rules", ("detection",)),
    )._replace(**changes)


def make_alert(entries, condition=(("gte", 2),), policy=None, novelty=None, group=("evil.example",), **rule):
    """The first alert of these entries, as it is read off the wire; None where there is none."""
    rule = correlation_rule(condition=Condition(condition), **rule)
    found = satisfied(rule, sorted(entries), None)
    if not found:
        return None
    more = {"policy": policy} if policy is not None else {}
    key = GroupKey(rule.id, "production", orjson.dumps(group).decode())
    body = compose(rule, key, found[0]._replace(novelty=novelty or {}), None, TACTICS, **more)
    return orjson.loads(orjson.dumps({**body, "revision": 1, "status": "open"}))


@pytest.fixture
def entry():
    return make_entry


@pytest.fixture
def alert_of():
    return make_alert
