"""Tickets on ATT&CK 17, 18 and 19 about one technique that moved are one joint alert: the whole way, by a shipped rule.

3 d before   each institution's everyday, so that its past is known (two days of it)
fi-a  t=0      T1562.001 under defense_evasion        ATT&CK 17
fi-b  t=30m    T1562.001 under TA0005                 ATT&CK 18
fi-c  t=60m    T1685 under defense-impairment         ATT&CK 19
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.runtime.rules import load_ruleset
from fsoc.tickets.sample import ticket

SAME_TECHNIQUE = "2f7e1f5a-8b5c-4a2f-9f1d-3c5b8a7e1d10"
START_MS = 1_772_409_600_000
MINUTE_MS = 60_000
DAY_MS = 86_400_000
DDOS = [{"tactic": "impact", "technique": "T1498"}]
EVERYDAY = {"severity": 1, "category": "information-gathering.scanner", "attack": [], "attack_unmapped_reason": "none"}


@pytest.fixture(scope="module")
def ruleset():
    return load_ruleset()


def said(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def sent(institution: str, number: int, at_ms: int, **changes: Any) -> Record:
    times = {name: said(at_ms + 10_000) for name in ("detected_at", "created_at", "sent_at")}
    body = ticket(
        institution=institution,
        seq=number + 1,
        ticket_id=f"{institution}-{number}",
        occurred_from=said(at_ms),
        occurred_to=said(at_ms),
        evidence=[],
        observables=[],
        **{**times, **changes},
    )
    return Record(number, at_ms + MINUTE_MS, None, orjson.dumps(body))


def joint(ruleset: Any, told: list[tuple[str, str, str, str]]) -> list[dict[str, Any]]:
    """The alerts of the rule. told: (institution, ATT&CK version, tactic, technique), half an hour apart."""
    registry = Registry.open()
    direct = Direct(Pipeline(ruleset, registry, ends=True))
    slices: dict[str, list[Record]] = {}
    for place, (institution, version, tactic, technique) in enumerate(told):
        registry.get(institution)
        attack = [{"tactic": tactic, "technique": technique, "confidence": 80}]
        slices[institution] = [
            sent(institution, 0, START_MS - 3 * DAY_MS, **EVERYDAY),
            sent(
                institution, 1, START_MS + place * 30 * MINUTE_MS, severity=3, category="intrusions.system-compromise",
                attack_version=version, attack=attack, assets=[{"ref": "a", "type": "server", "criticality": 4}],
            ),
        ]  # fmt: skip
    direct.work(slices)
    direct.finish()
    assert direct.counts().used == 2 * len(told)
    return [alert for alert in direct.newest_alerts() if alert["rule_id"] == SAME_TECHNIQUE]


def test_tickets_on_17_18_and_19_about_a_technique_that_moved_are_one_joint_alert(ruleset):
    [alert] = joint(
        ruleset,
        [
            ("fi-a", "17.1", "defense_evasion", "T1562.001"),
            ("fi-b", "18.1", "TA0005", "T1562.001"),
            ("fi-c", "19", "defense-impairment", "T1685"),
        ],
    )

    assert alert["institutions"] == ["fi-a", "fi-b", "fi-c"]
    assert alert["group"]["technique"] == "T1685"
    # 19 took it out of what was Defense Evasion: who is still on 17 tells of no tactic more.
    assert alert["attack"] == [{"tactic": "defense-impairment", "technique": "T1685"}]
    assert [row["tactic"] for row in alert["timeline"]] == ["defense-impairment"]


def test_a_sub_technique_that_became_another_joins_by_its_new_id(ruleset):
    [alert] = joint(
        ruleset,
        [
            ("fi-a", "17.0", "defense-evasion", "T1070.001"),
            ("fi-b", "18", "TA0005", "T1070.001"),
            ("fi-c", "19", "TA0112", "T1685.005"),
        ],
    )

    assert alert["attack"] == [{"tactic": "defense-impairment", "technique": "T1685.005"}]


def test_an_id_that_stayed_and_only_changed_its_tactic_joins_under_the_new_one(ruleset):
    [alert] = joint(
        ruleset,
        [
            ("fi-a", "17.1", "defense_evasion", "T1112"),
            ("fi-b", "18.1", "defense_evasion", "T1112"),
            ("fi-c", "19", "defense-impairment", "T1112"),
        ],
    )

    assert alert["attack"] == [{"tactic": "defense-impairment", "technique": "T1112"}]


def test_two_techniques_that_only_look_alike_do_not_join(ruleset):
    told = [
        ("fi-a", "17.1", "defense_evasion", "T1562.001"),
        ("fi-b", "18.1", "defense_evasion", "T1562.002"),  # it became T1685.001
        ("fi-c", "19", "defense-impairment", "T1685"),
    ]

    assert joint(ruleset, told) == []


def test_what_does_not_fit_together_is_told_on_the_receipt_and_counted_and_the_ticket_is_used(ruleset):
    receipts: list[dict[str, Any]] = []
    registry = Registry.open()
    registry.get("fi-a")

    def watch(told: Any) -> None:
        if told.topic.startswith("receipts."):
            receipts.extend(orjson.loads(told.value))

    direct = Direct(Pipeline(ruleset, registry, ends=True), watch)
    odd = {"category": "fraud.phishing", "attack": [{"tactic": "discovery", "technique": "T1486"}]}
    records = [sent("fi-a", 0, START_MS, **odd), sent("fi-a", 1, START_MS, category="availability.ddos", attack=DDOS)]
    direct.work({"fi-a": [*records, Record(2, START_MS + MINUTE_MS, None, records[0].value)]})

    first, second, again = receipts
    assert [note["code"] for note in first["notes"]] == ["attack.tactic-unlikely", "category.technique-unlikely"]
    assert all(note["hint"] and note["hint_zh"] and note["reason_zh"] for note in first["notes"])
    assert (first["outcome"], first["faults"]) == ("accepted", [])
    assert "notes" not in second
    assert again["outcome"] == "duplicate"
    assert "notes" not in again
    ledger = direct.intakes["fi-a"].ledger
    list(ledger.quality.changed())
    [day] = [orjson.loads(record) for record in ledger.quality.all().values()]
    assert (day["feeds"]["siem"]["used"], day["feeds"]["siem"]["noted"]) == (2, 1)
