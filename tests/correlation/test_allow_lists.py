"""Allow lists: what is on one, until when, and that a rule that names one does not group by it."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.correlation.allow_lists import AllowLists, read_allow_lists
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.lookup import TicketFields
from fsoc.correlation.reader import parse
from fsoc.correlation.rules import CorrelationRule
from fsoc.detection.documents import Source
from fsoc.errors import RefusedToStart
from fsoc.runtime.content import ALLOW_LISTS, shipped
from fsoc.tickets.times import milliseconds

TEXT = """\
allow_lists:
  shared:
    description: Everybody's
    entries:
      - value: [dns.example, 'Mixed Case']
        cidr: [192.0.2.0/24, '2001:db8::/32']
        owner: IETF
        reason: documentation
      - domain: .cdn.example
        asn: [AS64500]
        owner: a CDN
        reason: edge
      - {value: gone.example, owner: o, reason: r, until: 2026-03-01}
      - {value: 198.51.100.7, owner: o, reason: r, until: 2026-03-01}
      - {cidr: 198.51.100.0/24, owner: o, reason: r, until: 2026-02-01}
  other:
    entries:
      - {value: other.example, owner: o, reason: r}
"""
LISTS = AllowLists.parse([Source("allow_lists.yml", TEXT)])
NOON = milliseconds("2026-03-02T12:00:00Z")


def passing(*values, at=NOON, names=("shared",)):
    return list(LISTS.passes(names, values, at))


@pytest.mark.parametrize(
    ("value", "listed"),
    [
        ("dns.example", True),
        ("DNS.example", True),
        ("mixed case", True),
        ("x.dns.example", False),
        ("192.0.2.255", True),
        ("192.0.3.0", False),
        ("192.0.2.0/25", True),
        ("192.0.2.0/23", False),
        ("192.0.2.1/24", False),
        ("2001:DB8:0::1", True),
        ("2001:db9::1", False),
        ("cdn.example", True),
        ("a.b.cdn.example", True),
        ("notcdn.example", False),
        ("https://a.cdn.example/x", False),
        ("as64500", True),
        ("AS64500", True),
        ("as645001", False),
        ("64500", False),
        ("", False),
        ("other.example", False),
    ],
)
def test_what_is_on_a_list(value, listed):
    assert passing(value) == ([] if listed else [value])


def test_several_lists_hold_what_any_of_them_holds():
    assert passing("dns.example", "other.example", "x.example", names=("shared", "other")) == ["x.example"]


def test_an_entry_holds_to_the_end_of_its_last_day_by_the_tickets_time():
    """until 2026-03-01: its last millisecond is in, midnight is not."""
    midnight = milliseconds("2026-03-02T00:00:00Z")

    assert passing("gone.example", at=midnight - 1) == []
    assert passing("gone.example", at=midnight) == ["gone.example"]
    assert passing("198.51.100.7", "198.51.100.8", at=midnight - 1) == ["198.51.100.8"]
    assert passing("198.51.100.8", at=milliseconds("2026-02-01T23:59:59Z")) == []


@given(st.text(max_size=60))
def test_whatever_a_sender_writes_is_looked_up(text):
    assert passing(text) in ([], [text])


def feed(rule, ticket, matches=(("detection", -1),), at=NOON, rules=()):
    full = {"environment": "production", **ticket}
    return Feeder([rule, *rules], LISTS).feeds(matches, TicketFields(full, "fi-001"), "fi-001", at)


@pytest.fixture
def guarded(document):
    def read(*names, **changes):
        rules, problems = parse(
            [document(fsoc={"allow_list": list(names)}, **changes)],
            [SimpleNamespace(id="detection", name=None)],
            lists=LISTS.names,
        )
        assert not problems, problems
        return rules[0]

    return read


def observables(*values):
    return {"observables": [{"type": "domain", "value": value, "role": "attacker"} for value in values]}


def groups(found):
    return [orjson.loads(one.group) for one in found]


def test_a_value_on_the_list_feeds_no_group_and_the_others_go_on(guarded):
    found, cut = feed(guarded("shared"), observables("dns.example", "evil.example", "a.cdn.example"))

    assert (groups(found), cut) == ([["evil.example"]], 0)


def test_a_rule_that_names_no_list_groups_by_all(rule):
    found, _ = feed(rule(), observables("dns.example"))

    assert groups(found) == [["dns.example"]]


def test_what_is_left_out_takes_no_place_of_those_that_are_bounded(guarded):
    wide = guarded("shared", **{"group-by": ["indicator", "port"]})
    ticket = observables("192.0.2.1", *(f"evil-{number}.example" for number in range(8)))
    found, cut = feed(wide, {**ticket, "port": [1, 2, 3, 4]})

    assert (len(found), cut) == (32, 0)


def test_counted_values_are_not_looked_up(guarded):
    counting = guarded("shared", **{"group-by": ["port"]}, condition={"gte": 2, "field": "indicator"})
    ((only,), _) = feed(counting, {**observables("dns.example"), "port": 1})

    assert only.values == (("dns.example",),)


def test_the_tickets_own_time_says_whether_an_entry_still_holds(guarded):
    ticket = observables("gone.example")

    assert feed(guarded("shared"), ticket, at=milliseconds("2026-03-01T12:00:00Z"))[0] == []
    assert groups(feed(guarded("shared"), ticket)[0]) == [["gone.example"]]


def test_a_correlation_that_names_another_does_not_group_by_it_either(rule, document):
    outer = document(
        rules=["rule-1"],
        **{"group-by": ["indicator"]},
        condition={"gte": 2, "field": "institution"},
        fsoc={"allow_list": "shared"},
    )
    outer.data["id"] = "outer"
    inner = document(**{"group-by": ["institution"]}, type="event_count", condition={"gte": 2})
    rules, problems = parse([inner, outer], [SimpleNamespace(id="detection", name=None)], lists=LISTS.names)
    full = {"environment": "production", **observables("dns.example", "evil.example")}
    ((only,), _) = Feeder(rules, LISTS).feeds([("detection", -1)], TicketFields(full, "fi-001"), "fi-001", NOON)

    assert not problems
    assert [one.group for one in only.onward] == ['["evil.example"]']


def test_a_definition_outlasts_a_restart_and_one_from_before_is_read(rule, guarded):
    asked = guarded("shared", "other")
    assert asked.allow_lists == ("shared", "other")
    assert msgspec.json.decode(msgspec.json.encode(asked), type=CorrelationRule) == asked

    before = msgspec.to_builtins(rule())
    del before["allow_lists"]
    assert msgspec.convert(before, CorrelationRule) == rule()


@pytest.mark.parametrize(
    ("fsoc", "change", "says"),
    [
        ({"allow_list": "nowhere"}, {}, 'names "nowhere", which is no list — expected one of: shared, other'),
        ({"allow_list": ["shared", "nowhere"]}, {}, 'names "nowhere"'),
        ({"allow_list": []}, {}, "is not the name of a list, or several"),
        ({"allow_list": 5}, {}, "is not the name of a list, or several"),
        ({"allow_list": "shared"}, {"group-by": []}, "needs group-by"),
    ],
)
def test_a_list_that_is_not_there_is_refused_at_the_rule(document, fsoc, change, says):
    rules, problems = parse(
        [document(fsoc=fsoc, **change)], [SimpleNamespace(id="detection", name=None)], lists=LISTS.names
    )

    assert rules == ()
    assert any(says in problem.text for problem in problems), problems


def entry(text):
    return f"allow_lists:\n  one:\n    entries:\n      - {text}\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("lists: {}", 1, "expected one key, allow_lists"),
        ("allow_lists: []", 1, "expected one key, allow_lists"),
        ("allow_lists: {}\nmore: 1", 1, "expected one key, allow_lists"),
        ("allow_lists:\n  one: []", 2, 'list "one" — expected a description and entries'),
        ("allow_lists:\n  one:\n    entries: x", 2, "expected a description and entries"),
        ("allow_lists:\n  one:\n    entries: []\n    more: 1", 2, "expected a description and entries"),
        ("allow_lists:\n  1:\n    entries: []", 2, "its name is no text"),
        (entry("x"), 4, "an entry has value, cidr, domain, asn"),
        (entry("{owner: o, reason: r}"), 4, "one at least"),
        (entry("{value: x, owner: o, reason: r, because: y}"), 4, "an entry has"),
        (entry("{value: x, reason: r}"), 4, "owner is missing"),
        (entry("{value: x, owner: o, reason: ' '}"), 4, "reason is missing"),
        (entry("{value: '', owner: o, reason: r}"), 4, "value is empty"),
        (entry("{cidr: 192.0.2.1/24, owner: o, reason: r}"), 4, 'cidr "192.0.2.1/24" — expected such as'),
        (entry("{cidr: example.org, owner: o, reason: r}"), 4, 'cidr "example.org"'),
        (entry("{cidr: 0.0.0.0/0, owner: o, reason: r}"), 4, "not everything"),
        (entry("{domain: example.org, owner: o, reason: r}"), 4, 'domain "example.org" — expected a point'),
        (entry("{domain: .tw, owner: o, reason: r}"), 4, "two labels at least"),
        (entry("{asn: 13335, owner: o, reason: r}"), 4, 'asn "13335" — expected such as AS13335'),
        (entry("{value: x, owner: o, reason: r, until: soon}"), 4, 'until "soon" — expected a day'),
        (entry("{value: x, owner: o, reason: r, until: 2026-03-01T00:00:00Z}"), 4, "expected a day"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_with_its_line(text, line, says):
    with pytest.raises(RefusedToStart) as refusal:
        AllowLists.parse([Source("allow_lists.yml", text)])

    (problem,) = refusal.value.problems
    assert problem.where == f"allow_lists.yml:{line}"
    assert says in problem.text


def test_all_that_is_wrong_is_named_at_once_and_a_list_that_is_wrong_is_a_list():
    good, bad = Source("a.yml", TEXT), Source("b.yml", TEXT.replace("owner: IETF", "").replace("shared:", "third:"))
    lists, problems = read_allow_lists([good, bad, Source("c.yml", "a: [\n")])

    assert [problem.where for problem in problems] == ["c.yml:2", "b.yml:5", "b.yml:16"]
    assert 'list "other" is there twice' in problems[2].text
    assert lists.names == ("shared", "other", "third")


def test_what_is_shipped_holds_resolvers_and_private_addresses_and_no_attacker_of_an_exercise():
    path = shipped("rules") / ALLOW_LISTS
    lists = AllowLists.parse([Source(str(path), path.read_text("utf-8"))])
    values = ["8.8.8.8", "2606:4700:4700:0::1111", "104.16.0.1", "as13335", "10.1.2.3", "fd00::1", "127.0.0.1"]
    attackers = ["198.18.0.1", "198.19.255.254", "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "as64500"]

    assert list(lists.passes(lists.names, values, NOON)) == []
    assert list(lists.passes(lists.names, attackers, NOON)) == attackers
