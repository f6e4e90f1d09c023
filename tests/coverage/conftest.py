"""A small baseline of four items over two tactics; institutions, heartbeats and tickets that name its items."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from fsoc.baseline.model import Baseline, Item, Trigger
from fsoc.coverage.judge import Norm, judge
from fsoc.coverage.seen import Seen
from fsoc.institutions.registry import Institution
from fsoc.runtime.attack_files import read_techniques
from fsoc.tickets import sample
from fsoc.tickets.decode import Message, decode

NOW_MS = 1_796_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TRIGGER = Trigger(1, 600_000, None, 3, "intrusions.system-compromise", "server", ("evidence",))


def item(
    name: str, technique: str, tactic: str, tiers: tuple[int, ...] = (1, 2, 3), rules: tuple[str, ...] = ()
) -> Item:
    title, title_zh = f"Item {name}", f"項目 {name}"
    rules = rules or (f"rule-{name}",)
    words: Any = ("general",)
    seen, place = ("Process Creation",), "items.yml:1"
    return Item(
        name, title, title_zh, technique, tactic, "why", "理由", words, tiers, seen, rules, (), TRIGGER, (), (), place
    )


ITEMS = [
    item("FB-0001", "T1490", "impact"),
    item("FB-0002", "T1059.001", "execution"),
    item("FB-0003", "T1059", "execution", tiers=(1,)),
    item("FB-0004", "T1562.001", "defense-impairment", rules=("rule-wide",)),
]
RULES = [SimpleNamespace(id="rule-wide", tags=("attack.t1562.001", "attack.t1486"))]


def said(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def ticket_body(number: int, at_ms: int, rule: str | None = None, institution: str = "fi-001", **changes: Any) -> dict:
    """rule: the baseline's that triggered it; None is a local one."""
    trigger = {"kind": "local", "rule_id": "own"}
    if rule is not None:
        trigger = {"kind": "baseline", "rule_id": rule, "baseline_version": changes.pop("version", "2026.4")}
    times = dict.fromkeys(("detected_at", "created_at", "sent_at", "occurred_from", "occurred_to"), said(at_ms))
    body = {"institution": institution, "ticket_id": f"t-{number}", "seq": number, "environment": "production"}
    return sample.ticket(**{**body, **times, "trigger": trigger, **changes})


def heartbeat_body(at_ms: int, version: str | None = "2026.4", institution: str = "fi-001", feed: str = "siem") -> dict:
    times = {"period_from": said(at_ms - HOUR_MS), "period_to": said(at_ms), "sent_at": said(at_ms)}
    body = sample.source_status(institution=institution, feed=feed, environment="production", **times)
    body.pop("baseline_version")
    return {**body, "baseline_version": version} if version is not None else body


def message(body: dict) -> Message:
    return decode(orjson.dumps(body), institution=body["institution"])


@pytest.fixture(scope="session")
def techniques():
    return read_techniques()


@pytest.fixture(scope="session")
def baseline() -> Baseline:
    return Baseline("2026.4", "19", ITEMS)


@pytest.fixture(scope="session")
def norm(baseline, techniques) -> Norm:
    return Norm.of(baseline, techniques, RULES, [Baseline("2026.2", "18.1", ITEMS[:2])])


@pytest.fixture
def read(norm):
    """What is seen of these bodies, in their order."""

    def read_all(*bodies: dict, since_ms: int = 0) -> Seen:
        seen = Seen()
        for body in bodies:
            seen.take(message(body), norm.baselines, norm.techniques, since_ms)
        return seen

    return read_all


@pytest.fixture
def member(norm, read):
    """An institution that sent these bodies, judged."""

    def judged(*bodies: dict, tier: int = 1, name: str = "fi-001", sector: str = "bank", **options: Any):
        institution = Institution(name, f"Bank {name}", f"銀行 {name}", sector, tier, None, ("siem",))
        return judge(institution, read(*bodies), norm, now_ms=NOW_MS, **options)

    return judged
