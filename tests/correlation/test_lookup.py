"""What a field name means in a ticket, where it is more than the ticket's own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fsoc.attack.techniques import Techniques
from fsoc.correlation.lookup import TicketFields
from fsoc.correlation.ruleset import RuleSet
from fsoc.detection import LogsourceMap, PlainDetector
from fsoc.runtime.content import shipped


@pytest.fixture(scope="module")
def rules():
    """One detection that names a technique as ATT&CK 18.1 did, without a tactic."""
    tables = [(path.name, path.read_text("utf-8")) for path in shipped("attack_mappings").glob("*.tsv")]
    detection = SimpleNamespace(id="cleared", name=None, tags=("attack.t1070.001",))
    return RuleSet.of(PlainDetector([], LogsourceMap()), [detection], [], Techniques.parse(tables), None)


def fields(rules, body, *matched):
    return TicketFields(body, "fi-001", lambda: rules.attack(body, matched))


def attack(*pairs):
    return {"attack": [{"tactic": tactic, "technique": technique} for tactic, technique in pairs]}


def test_techniques_of_two_versions_join(rules):
    older = fields(rules, attack(("defense_evasion", "T1070.001")))
    newer = fields(rules, attack(("defense-impairment", "T1685.005")))

    assert older(-1, "technique") == newer(-1, "technique") == ("T1685.005",)


def test_a_sub_technique_is_itself_and_its_parent(rules):
    found = fields(rules, attack(("initial-access", "T1566.001"), ("initial-access", "T1566.002")))

    assert found(-1, "technique") == ("T1566.001", "T1566.002")
    assert found(-1, "parent_technique") == ("T1566",)
    assert found(-1, "tactic") == ("initial-access",)


def test_what_matched_adds_its_techniques_to_the_tickets(rules):
    found = fields(rules, attack(("impact", "T1490")), "cleared")

    assert found(-1, "technique") == ("T1685.005", "T1490")
    assert found(0, "tactic") == ("defense-impairment", "impact")


def test_evidence_that_calls_a_field_so_is_not_believed(rules):
    body = {**attack(("impact", "T1490")), "evidence": [{"fields": {"technique": "T1", "observable:asn": "AS1"}}]}

    assert fields(rules, body)(0, "technique") == ("T1490",)
    assert fields(rules, body)(0, "observable:asn") == ()


def test_what_no_version_knows_stays_as_it_was_sent(rules):
    found = fields(rules, attack(("weather", "T9999.001")))

    assert (found(-1, "technique"), found(-1, "tactic")) == (("T9999.001",), ("weather",))


def test_a_ticket_that_was_mapped_to_nothing_has_no_technique(rules):
    assert fields(rules, {})(-1, "technique") == ()


OBSERVABLES = {
    "observables": [
        {"type": "asn", "value": "AS64500", "role": "attacker"},
        {"type": "asn", "value": "as64500", "role": "infrastructure"},
        {"type": "asn", "value": "AS64501", "role": "victim"},
        {"type": "ja4", "value": "T13d", "role": "artefact"},
        {"type": "account_token", "value": "aa", "role": "victim"},
        {"type": "customer_token", "value": "BB", "role": "victim"},
        {"type": "cve", "value": "CVE-2026-1", "role": "artefact"},
    ]
}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("observable:asn", ("as64500",)),
        ("observable:ja4", ()),
        ("observable:account_token", ("aa",)),
        ("observable:cve", ("cve-2026-1",)),
        ("account_token", ("aa", "bb")),
        ("indicator", ("as64500",)),
    ],
)
def test_observables_are_the_attackers_but_tokens_and_weaknesses_are_anybodys(name, values):
    found = TicketFields(OBSERVABLES, "fi-001")

    assert found(-1, name) == values
    assert found(-1, name) == values


def test_how_many_logins_failed_can_be_counted_and_grouped_by():
    found = TicketFields({"volume": {"failed_logins": 3, "successful_logins": 1}}, "fi-001")

    assert found(-1, "volume.failure_ratio") == ("0.75",)
    assert found.occurrences(-1, "volume.failure_ratio") == (-1, ("0.75",))
