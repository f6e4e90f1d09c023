"""Which rules are tried on what: logsources, evidence, and the ticket itself."""

from __future__ import annotations

import pytest

from fsoc.detection import Detector, Logsource, LogsourceMap, Match, PlainDetector, Source

MAP = LogsourceMap.parse(
    Source(
        "l.yml",
        "logsources:\n"
        "  - when: {Channel: Sysmon}\n    logsource: {product: windows, service: sysmon}\n"
        "    events: {1: {category: process_creation}}\n"
        "  - when: {Channel: Security}\n    logsource: {product: windows, service: security}\n"
        "    events: {4688: {category: process_creation, fields: {Image: NewProcessName}}}\n",
    )
)
RULE = """\
title: {id}
id: {id}
logsource: {{{logsource}}}
detection:
    selection: {selection}
    condition: selection
"""


@pytest.fixture
def detector(load):
    def detector(*rules: tuple[str, str, str]) -> Detector:
        loaded = load(*(RULE.format(id=i, logsource=logsource, selection=s) for i, logsource, s in rules))
        assert not loaded.problems
        return PlainDetector(loaded.rules, MAP)

    return detector


@pytest.mark.parametrize(
    ("rule", "event", "covered"),
    [
        ("product: windows", "product: windows", True),
        ("product: windows", "product: windows, category: process_creation, service: sysmon", True),
        ("category: process_creation", "product: linux, category: process_creation", True),
        ("product: windows, category: process_creation", "product: windows", False),
        ("product: windows", "category: process_creation", False),
        ("product: windows, service: system", "product: windows, service: security", False),
        ("product: Windows", "product: WINDOWS", True),
    ],
)
def test_a_rule_runs_where_the_event_is_all_that_it_asks_for(rule, event, covered, detector):
    stated = dict(pair.split(": ") for pair in event.split(", "))
    assert detector(("r", rule, "{a: 1}")).match_event({"a": 1}, stated) == (["r"] if covered else [])


def test_an_event_of_unknown_logsource_is_tried_against_nothing(detector):
    made = detector(("r", "product: windows", "{a: 1}"))
    assert made.match_event({"a": 1}) == []
    assert made.match_event({"a": 1}, {}) == []
    assert not made.covers({"a": 1})
    assert made.covers({"Channel": "Sysmon"})
    assert made.covers({}, {"product": "windows"})
    assert not made.covers({}, {"product": "linux"})


def test_matches_come_in_the_order_of_the_rules(detector):
    made = detector(
        ("z", "product: windows", "{a: 1}"),
        ("y", "category: process_creation", "{a: 1}"),
        ("b", "product: windows, service: sysmon", "{a: 1}"),
        ("other", "product: windows", "{a: 2}"),
        ("a", "product: windows, category: process_creation", "{a: 1}"),
    )
    assert made.match_event({"Channel": "Sysmon", "EventID": 1, "a": 1}) == ["z", "y", "b", "a"]


def test_aliases_are_seen_by_the_rules_they_are_for_and_by_no_others(detector):
    made = detector(
        ("creation", "product: windows, category: process_creation", "{Image: x, NewProcessName: x}"),
        ("security", "product: windows, service: security", "{Image: null}"),
        ("windows", "product: windows", "{Image: x}"),
    )
    event = {"Channel": "Security", "EventID": 4688, "NewProcessName": "x"}
    assert made.match_event(event) == ["creation", "security", "windows"]
    assert made.match_event(event | {"EventID": 4624}) == ["security"]


def test_a_logsource_that_says_nothing_is_none(detector):
    made = detector(("r", "product: windows, service: sysmon", "{a: 1}"))
    for nothing in ({}, {"product": None, "service": None}, {"definition": "x"}, Logsource(), None):
        assert made.match_event({"a": 1, "Channel": "Sysmon"}, nothing) == ["r"]
    evidence = [{"logsource": {"product": None}, "fields": {"a": 1, "Channel": "Sysmon"}}]
    assert made.match_ticket({"evidence": evidence}) == [Match("r", 0)]


@pytest.mark.parametrize("stated", [{"product": 5}, {"service": ["x"]}])
def test_what_is_stated_must_be_a_logsource(stated, detector):
    with pytest.raises(ValueError, match="logsource"):
        detector(("r", "product: windows", "{a: 1}")).match_event({"a": 1}, stated)


def test_senders_cannot_fill_the_memory_with_logsources(detector):
    made = detector(("r", "product: windows", "{a: 1}"))
    for number in range(100):
        assert made.match_event({"a": 1}, Logsource("windows", str(number))) == ["r"]
    assert made._router._covering.cache_info().currsize == 1


TICKET = {
    "kind": "ticket",
    "institution": "fi-001",
    "category": "fraud.phishing",
    "severity": 3,
    "trigger": {"kind": "baseline"},
    "volume": {"failed_logins": 3, "successful_logins": 1},
    "suppliers": [{"supplier_id": "sup-1"}, {"supplier_id": "sup-2"}],
    "observables": [
        {"type": "domain", "value": "Bad.example", "role": "infrastructure"},
        {"type": "ipv4", "value": "198.18.0.1", "role": "attacker"},
        {"type": "email", "value": "victim@fi.example", "role": "victim"},
    ],
    "evidence": [
        {"logsource": {"product": "windows", "category": "process_creation"}, "fields": {"Image": "a", "x": 1}},
        {"logsource": {"product": "linux"}, "fields": {"Image": "a"}},
        {"fields": {"Channel": "Sysmon", "EventID": 1, "Image": "A"}},
        {"logsource": {"product": "fsoc"}, "fields": {"category": "fraud.phishing", "severity": 3}},
        {"logsource": {}, "fields": {"Image": "a"}},
    ],
}


@pytest.mark.parametrize(
    ("selection", "hit"),
    [
        ("{category: FRAUD.phishing, 'severity|gte': 3}", True),
        ("{'severity|gte': 4}", False),
        ("{institution: fi-001}", True),
        ("{trigger.kind: baseline}", True),
        ("{suppliers.supplier_id: sup-2}", True),
        ("{suppliers.supplier_id: sup-3}", False),
        ("{observables.value: victim@fi.example}", True),
        ("{indicator: bad.example}", True),
        ("{'indicator|cidr': 198.18.0.0/15}", True),
        ("{indicator: victim@fi.example}", False),
        ("{evidence.fields.x: 1}", True),
        ("{'volume.failure_ratio|gte': 0.75}", True),
        ("{'volume.failure_ratio|gt': 0.75}", False),
    ],
)
def test_rules_of_product_fsoc_run_on_the_ticket_by_dotted_names(selection, hit, detector):
    made = detector(("r", "product: fsoc", selection))
    assert made.match_ticket(TICKET) == ([Match("r", -1)] if hit else [])


def test_evidence_matches_carry_the_index_of_their_item(detector):
    made = detector(
        ("win", "product: windows, category: process_creation", "{Image: a}"),
        ("any", "product: fsoc", "{category: fraud.phishing}"),
        ("lin", "product: linux", "{Image: a}"),
    )
    assert made.match_ticket(TICKET) == [Match("any", -1), Match("win", 0), Match("lin", 1), Match("win", 2)]


def test_a_ticket_without_evidence_or_observables_has_no_indicator(detector):
    made = detector(
        ("none", "product: fsoc", "{indicator: null}"), ("one", "product: fsoc", "{'indicator|exists': true}")
    )
    assert made.match_ticket({"severity": 1, "observables": None}) == [Match("none", -1)]
    assert made.match_ticket(TICKET) == [Match("one", -1)]


def test_on_intel_rules_about_intel_are_tried_and_nothing_else_not_even_on_its_evidence(detector):
    made = detector(
        ("heard", "product: fsoc, service: intel", "{indicator: bad.example}"),
        ("status", "product: fsoc, service: source_status", "{indicator: bad.example}"),
        ("any", "product: fsoc", "{indicator: bad.example}"),
        ("win", "product: windows, category: process_creation", "{Image: a}"),
    )

    assert made.match_ticket({**TICKET, "kind": "intel"}) == [Match("heard", -1)]
    assert made.match_ticket({**TICKET, "kind": "ticket"}) == [Match("any", -1), Match("win", 0), Match("win", 2)]
    assert made.match_ticket({**TICKET, "kind": "source_status"}) == [Match("status", -1)]


def test_evidence_cannot_pass_for_a_ticket(detector):
    made = detector(("r", "product: fsoc", "{severity: 5}"))
    evidence = [{"logsource": {"product": "fsoc", "service": "ticket"}, "fields": {"severity": 5}}]
    assert made.match_ticket({"severity": 1, "evidence": evidence}) == []
    assert made.match_event({"product": "fsoc", "severity": 5}) == []
