"""Builders for correlation tests: only what a test is about is spelled out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fsoc.correlation.entries import Entry
from fsoc.correlation.past import HOUR_MS
from fsoc.correlation.reader import parse
from fsoc.correlation.rules import CorrelationRule

ORDERS = {"tactic": ("access", "execution", "impact")}


def build_entry(at: int, institution: str, ticket_id: str = "t", **changes) -> Entry:
    fields = {
        "event_time_ms": at,
        "institution": institution,
        "ticket_id": ticket_id,
        "revision": 1,
        "values": ((institution,),),
        "member": institution,
        "severity": 3,
        "attack": (("initial-access", "T1566"),),
        "rules": ("detection",),
    }
    return Entry(**{**fields, **changes})


def build_document(**correlation) -> SimpleNamespace:
    body = {
        "type": "value_count",
        "rules": ["detection"],
        "group-by": ["indicator"],
        "timespan": "10s",
        "condition": {"gte": 3, "field": "institution"},
    }
    fsoc = correlation.pop("fsoc", {})
    data = {"title": "Three see one", "id": "rule-1", "correlation": {**body, **correlation}, "fsoc": fsoc}
    return SimpleNamespace(path="rule.yml", line=1, data=data)


def build_rule(**correlation) -> CorrelationRule:
    named = correlation.get("rules", ["detection"])
    documents = [build_document(**correlation)]
    rules, problems = parse(documents, [SimpleNamespace(id=name, name=None) for name in named], orders=ORDERS)
    assert not problems, problems
    return rules[0]


@pytest.fixture(scope="session")
def refusals():
    """What is wrong with a document, as texts; nothing else was read of it."""

    def read(document) -> list[str]:
        rules, problems = parse([document], [SimpleNamespace(id="detection", name=None)], orders=ORDERS)
        assert rules == ()
        return [problem.text for problem in problems]

    return read


@pytest.fixture(scope="session")
def entry():
    return build_entry


@pytest.fixture(scope="session")
def rule():
    return build_rule


@pytest.fixture(scope="session")
def document():
    return build_document


@pytest.fixture
def at(entry):
    """An entry so many hours after the epoch; its ticket is named by when it was."""
    return lambda hours, institution="aa", name=None: entry(int(hours * HOUR_MS), institution, name or f"{hours}")


@pytest.fixture
def heard(entry):
    """Intel, so many hours after the epoch."""
    return lambda hours, institution="aa", name=None: entry(
        int(hours * HOUR_MS), institution, name or f"heard {hours}", member="", values=()
    )
