"""Rules to hunt by are whole Sigma rules, and find what they are for."""

from __future__ import annotations

from uuid import UUID

import pytest
import yaml
from sigma.collection import SigmaCollection

from fsoc.detection import LogsourceMap, Source, load_rules, make_detector
from fsoc.sharing.hunt import VALUES_MAX, Sought, hunts

ALL = [
    Sought("ipv4", "185.220.101.7"),
    Sought("cidr", "185.220.102.0/24"),
    Sought("domain", "evil.example"),
    Sought("url", "https://evil.example/kit/a.php"),
    Sought("user_agent", "tool/1.0 (* what?)"),
    Sought("sha256", "ab" * 32),
    Sought("md5", "cd" * 16),
]


def made(*sought):
    return hunts(sought, ["T1566.002"], ["initial-access"], "critical", "2026-03-02")


def test_each_is_a_whole_rule_that_sigma_reads():
    found = made(*ALL)
    rules = SigmaCollection.from_yaml("---\n".join(one["sigma"] for one in found)).rules

    assert [str(rule.id) for rule in rules] == [one["rule_id"] for one in found]
    assert len({one["rule_id"] for one in found}) == len(found) == 5
    assert all(UUID(one["rule_id"]).version == 8 for one in found)
    assert {str(rule.level.name) for rule in rules} == {"HIGH"}
    assert {str(tag) for rule in rules for tag in rule.tags} == {"attack.initial-access", "attack.t1566.002"}
    assert not [error for rule in rules for error in rule.errors]


@pytest.mark.parametrize(
    ("logsource", "fields"),
    [
        ({"category": "firewall"}, {"dst_ip": "185.220.101.7"}),
        ({"category": "firewall"}, {"src_ip": "185.220.102.9"}),
        ({"category": "dns"}, {"query": "evil.example"}),
        ({"category": "dns"}, {"query": "a.b.evil.example"}),
        ({"category": "proxy"}, {"cs-host": "www.evil.example"}),
        ({"category": "proxy"}, {"c-uri": "https://evil.example/kit/a.php?x=1"}),
        ({"category": "proxy"}, {"c-useragent": "tool/1.0 (* what?)"}),
        ({"category": "webserver"}, {"c-ip": "185.220.101.7"}),
        ({"product": "windows", "category": "process_creation"}, {"Hashes": "MD5=00,SHA256=" + "AB" * 32}),
    ],
)
def test_what_is_sought_is_found(logsource, fields):
    assert matched(logsource, fields)


@pytest.mark.parametrize(
    ("logsource", "fields"),
    [
        ({"category": "firewall"}, {"dst_ip": "185.220.101.70"}),
        ({"category": "dns"}, {"query": "notevil.example"}),
        ({"category": "proxy"}, {"c-useragent": "tool/1.0 (xx what!)"}),
    ],
)
def test_what_is_near_is_not(logsource, fields):
    assert not matched(logsource, fields)


def matched(logsource, fields):
    sources = [Source(f"{number}.yml", one["sigma"]) for number, one in enumerate(made(*ALL))]
    loaded = load_rules(sources)
    assert not loaded.problems
    detector = make_detector(loaded.rules, LogsourceMap(), "plain")
    body = {"evidence": [{"logsource": logsource, "fields": fields}]}
    return detector.match_ticket(body)


def test_the_same_indicators_have_the_same_rule_whatever_else_is_known():
    one = hunts(ALL, [], [], "low", "2026-03-02")
    other = hunts(reversed(ALL), ["T1486"], ["impact"], "high", "2026-03-09")

    assert [each["rule_id"] for each in one] == [each["rule_id"] for each in other]
    assert "tags" not in yaml.safe_load(one[0]["sigma"])


def test_what_no_log_shows_makes_no_rule():
    assert made(Sought("cve", "cve-2026-1"), Sought("asn", "as7")) == []


def test_a_rule_looks_for_so_many_values_and_no_more():
    (rule,) = made(*(Sought("sha1", f"{number:040x}") for number in range(VALUES_MAX + 5)))

    assert len(yaml.safe_load(rule["sigma"])["detection"]["by_1"]["Hashes|contains"]) == VALUES_MAX
