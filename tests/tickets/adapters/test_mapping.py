"""Mappings: what each way of writing a field makes of an event, and every mistake with its line."""

from __future__ import annotations

import pytest

from fsoc.errors import RefusedToStart
from fsoc.tickets.adapters.mapping import FIELDS, Sender, TicketMapping

SENDER = Sender("fi-001", "siem", "e-1")
SENT = "2026-03-02T08:10:00+08:00"


def mapping(ticket, more=""):
    lines = "\n".join(f"  {line}" for line in ticket.strip().splitlines())
    return TicketMapping.parse(f"schema: fsoc.mapping/1\ntitle: t\n{more}\nticket:\n{lines}\n", "m.yml")


def made(ticket, event, more=""):
    """What becomes of these fields, without what a ticket has by itself."""
    return mapping(ticket, more).map(event, SENDER, 7, SENT)


def field(spec, event):
    """What becomes of one field; `...` where it is left out."""
    return made(f"description: {spec}", event).ticket.get("description", ...)


@pytest.mark.parametrize(
    ("spec", "event", "becomes"),
    [
        ("amber", {}, "amber"),
        ("3", {}, 3),
        ("{const: [1, 2]}", {}, [1, 2]),
        ("{from: a.b}", {"a": {"b": 5}}, 5),
        ("{from: a.b}", {"a.b": 5}, 5),
        ("{from: a.b.c}", {"a.b": {"c": 1}, "a": {"b.c": 2}}, 1),  # the longest name
        ("{from: a.b}", {"a": [{"c": 1}, {"b": 2}, {"b": 3}]}, 2),  # lists are gone into
        ("{from: a}", {"a": [[], [None, 4]]}, 4),
        ("{from: [a, b]}", {"a": None, "b": 0}, 0),  # what is null is not there, and nought is
        ("{from: a}", {"a": ""}, ""),
        ("{from: a}", {}, ...),
        ("{from: a, default: x}", {}, "x"),
        ("{from: a, default: x}", {"a": "y"}, "y"),
        ("{from: a, as: text}", {"a": True}, "true"),
        ("{from: a, as: int}", {"a": "12.9"}, 12),
        ("{from: a, as: lower}", {"a": "ÄB"}, "äb"),
        ("{from: a, as: tactic}", {"a": " Initial Access "}, "initial-access"),
        ("{from: a, as: address_type}", {"a": "203.0.113.7"}, "ipv4"),
        ("{from: a, as: address_type}", {"a": "2001:db8::1"}, "ipv6"),
        ("{from: a, as: address_type}", {"a": "203.0.113.0/24"}, "cidr"),
        ("{from: a, as: address_type}", {"a": "example.com"}, ...),
        ("{from: a, as: time}", {"a": "2026-03-02T08:00:00+0800"}, "2026-03-02T08:00:00+08:00"),
        ("{from: a, as: time}", {"a": "2026-03-02 08:00:00.123456789012Z"}, "2026-03-02T08:00:00.123456789Z"),
        ('{from: a, as: time, zone: "+08:00"}', {"a": "2026-03-02 08:00"}, "2026-03-02T08:00:00+08:00"),
        ('{from: a, as: time, zone: "+08:00"}', {"a": "2026-03-02T08:00:00z"}, "2026-03-02T08:00:00Z"),
        ("{from: a, as: time}", {"a": 1772452800}, "2026-03-02T12:00:00.000Z"),
        ("{from: a, as: time}", {"a": 1772452800.5}, "2026-03-02T12:00:00.500Z"),
        ("{from: a, as: time}", {"a": "1772452800123"}, "2026-03-02T12:00:00.123Z"),
        ("{from: a, as: ms}", {"a": "2026-03-02T12:00:00.123Z"}, 1772452800123),
        ("{from: a, as: id}", {"a": "  x y/ü-1 "}, "x-y/--1-"),
        ("{from: a, table: {Low: 1, high: 4}}", {"a": "LOW"}, 1),
        ("{from: a, table: {'7': x}}", {"a": 7}, "x"),
        ("{from: a, table: {low: 1}}", {"a": ["other", "low"]}, 1),  # the first that the table knows
        ("{from: a, table: {low: 1}, default: 9}", {"a": "other"}, 9),
        ("{from: a, steps: [[0, 1], [50, 3]]}", {"a": 49.9}, 1),
        ("{from: a, steps: [[0, 1], [50, 3]]}", {"a": "50"}, 3),
        ("{from: a, steps: [[0, 1], [50, 3]]}", {"a": -1}, ...),
        ("{from: a, cut: 3}", {"a": "abcdef"}, "abc"),
        ("{x: {from: a}, y: 1}", {"a": 2}, {"x": 2, "y": 1}),
        ("{x: {from: a}, y: {from: b}}", {"b": 2}, {"y": 2}),
        ("{x: {from: a}}", {}, ...),
        ("[{from: a}, {from: b}, z, {from: b}]", {"b": "y"}, ["y", "z"]),
        ("[{x: {from: a}, y: 1}, {x: {from: b}, y: 2}]", {"b": 5}, [{"x": 5, "y": 2}]),
        ("[{x: {from: a, optional: true}, y: 1}]", {}, [{"y": 1}]),
        ("[{x: {y: {from: a}, z: {from: b}}}]", {"b": 1}, ...),  # an object within a list, too, is whole or not there
        ("{each: a, item: {x: {from: .n}}}", {"a": [{"n": 1}, {"m": 2}, {"n": 3}]}, [{"x": 1}, {"x": 3}]),
        ("{each: a, item: {from: .}}", {"a": ["x", "x", "y"]}, ["x", "y"]),
        ("{each: a, item: {from: .}}", {"a": "x"}, ["x"]),
        ("{each: a, item: {from: b}}", {"a": [1, 2], "b": "r"}, ["r"]),
        (
            "{each: a, item: {each: .t, item: {x: {from: ..n}, y: {from: .}}}}",
            {"a": [{"n": 1, "t": ["p", "q"]}, {"n": 2, "t": ["p"]}]},
            [{"x": 1, "y": "p"}, {"x": 1, "y": "q"}, {"x": 2, "y": "p"}],
        ),
        ("{from: ..x}", {"x": 1}, ...),  # of a member around none
    ],
)
def test_a_field_is_made_of_what_the_event_has(spec, event, becomes):
    assert field(spec, event) == becomes


def test_a_long_identifier_keeps_its_beginning_and_stays_itself():
    one, same, other = (field("{from: a, as: id}", {"a": text}) for text in ("x" * 99, "x" * 99, "x" * 98 + "y"))

    assert one == same != other
    assert len(one) == 64
    assert one.startswith("x" * 40)


@pytest.mark.parametrize(
    ("spec", "value", "says"),
    [
        ("{from: a, as: int}", "many", "a is 'many' — expected a number"),
        ("{from: a, as: int}", 1e300, "expected a number of 64 bit"),
        ("{from: a, as: int}", "9" * 400 + ".5", "expected a number"),
        ("{from: a, as: int}", True, "a is True — expected a number"),
        ("{from: a, as: time}", "2026-03-02T08:00:00", "without an offset"),
        ("{from: a, as: time}", "yesterday", "expected a date and a time"),
        ("{from: a, as: time}", "2026-03-02T08:00:00 CST", "expected an offset"),
        ("{from: a, as: time}", -5, "seconds or milliseconds since 1970"),
        ("{from: a, as: time}", 1e300, "seconds or milliseconds since 1970"),
        ("{from: a, as: ms}", "2026-02-30T08:00:00Z", "no date that exists"),
        ("{from: a, as: id}", "///", "expected letters or digits"),
        ("{from: a, as: lower}", {"b": 1}, "is an object"),
        ("{from: a, default: 5, steps: [[0, 1]]}", "much", "expected a number"),  # a default is not for what is wrong
    ],
)
def test_what_is_there_and_does_not_fit_is_a_fault_at_its_field(spec, value, says):
    mapped = made(f"description: {spec}", {"a": value})

    (fault,) = [fault for fault in mapped.faults if fault.code == "field.malformed" and fault.pointer == "/description"]
    assert says in fault.text


def test_another_path_that_fits_makes_up_for_one_that_does_not():
    mapped = made("severity: {from: [a, b], as: int}", {"a": "many", "b": 3})

    assert mapped.ticket["severity"] == 3
    assert not [fault for fault in mapped.faults if fault.pointer == "/severity"]


def test_conditions_keep_a_field_by_whether_another_is_there():
    spec = """
attack: [{technique: {from: t}, tactic: x}]
attack_version: {const: "19", with: attack}
attack_unmapped_reason: {const: none named, without: attack}
"""
    there, not_there = made(spec, {"t": "T1003"}).ticket, made(spec, {}).ticket

    assert (there["attack_version"], "attack_unmapped_reason" in there) == ("19", False)
    assert (not_there["attack_unmapped_reason"], "attack_version" in not_there) == ("none named", False)


def test_events_that_it_is_not_about_are_passed_over():
    about = "only: {kind: [alert, Signal], n: 5}"

    for event, is_taken in (
        ({"kind": "ALERT", "n": 5}, True),
        ({"kind": ["x", "signal"], "n": "5"}, True),
        ({"kind": "alert"}, False),
        ({"kind": {"alert": 1}, "n": 5}, False),
        ({}, False),
    ):
        assert (made("title: x", event, about).ticket is not None) is is_taken


def test_what_a_ticket_has_by_itself_can_be_said_otherwise_and_what_the_sender_says_cannot():
    ticket = made("detected_at: {from: t, as: time}\nstatus: resolved", {"t": 1772452800}).ticket

    assert ticket["status"] == "resolved"
    assert (ticket["action"], ticket["revision"], ticket["environment"]) == ("open", 1, "production")
    assert ticket["created_at"] == ticket["detected_at"]
    assert (ticket["institution"], ticket["feed"], ticket["seq_epoch"], ticket["seq"]) == ("fi-001", "siem", "e-1", 7)
    assert ticket["sent_at"] == SENT


def test_what_nothing_was_made_of_is_named_once_in_the_events_order():
    event = {"z": 1, "a": {"b": 2, "c": [{"d": 3}, {"d": 4, "e": None}]}, "kind": "alert", "m": [{"x": 1, "y": 2}]}
    mapped = made(
        "title: {from: a.b, as: text}\nassets: [{each: m, item: {ref: {from: .x}}}]", event, "only: {kind: alert}"
    )

    assert list(mapped.left_over) == ["z", "a.c.d", "m.y"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("- a", 1, "expected a mapping"),
        ("schema: x\nticket: {title: y}", 1, "expected fsoc.mapping/1"),
        ("schema: fsoc.mapping/1\ntitel: x\nticket: {title: y}", 2, 'did you mean "title"'),
        ("schema: fsoc.mapping/1\nticket:", 2, "expected the fields of a ticket"),
        ("schema: fsoc.mapping/1\nonly: [a]\nticket: {title: y}", 2, "expected paths"),
        ("schema: fsoc.mapping/1\nonly: {a: {b: 1}}\nticket: {title: y}", 2, "a: expected a value"),
        ("schema: fsoc.mapping/1\nticket:\n  titel: x", 3, 'did you mean "title"'),
        ("schema: fsoc.mapping/1\nticket:\n  seq: 1", 3, "given by whoever sends"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: 3}", 3, "expected a path"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: [a, '']}", 3, "expected a path"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, tabel: {}}", 3, 'did you mean "table"'),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, as: tim}", 3, 'did you mean "time"'),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, as: time, zone: CST}", 3, "expected with as: time"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, zone: Z}", 3, "expected with as: time"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, table: {}}", 3, "table: expected values"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, table: {b: 1}, steps: [[0, 1]]}", 3, "no steps beside"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, steps: [0, 1]}", 3, "expected pairs"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, steps: [[5, 1], [5, 2]]}", 3, "rising"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, cut: 0}", 3, "1 or more"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {from: a, const: b}", 3, "one of them"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {each: a}", 3, "item beside it"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {const: a, with: nobody}", 3, "another field of the ticket"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {const: a, with: title}", 3, "another field of the ticket"),
        ("schema: fsoc.mapping/1\nticket:\n  title: {const: a, with: tlp, without: pap}", 3, "one of them"),
        ("schema: fsoc.mapping/1\nticket:\n  assets:\n    - ref: {from: a, as: x}", 4, "as:"),
    ],
)
def test_a_mistake_is_refused_at_its_line(text, line, says):
    with pytest.raises(RefusedToStart) as refused:
        TicketMapping.parse(text, "m.yml")

    assert [problem for problem in refused.value.problems if problem.where == f"m.yml:{line}" and says in problem.text]


def test_all_mistakes_are_told_at_once():
    with pytest.raises(RefusedToStart) as refused:
        mapping("titel: x\nseq: 1\ntitle: {from: a, as: b}")

    assert len(refused.value.problems) == 3


def test_the_fields_that_can_be_made_are_a_tickets_but_for_what_sender_and_server_say():
    assert {"title", "attack", "suppliers", "ext"} <= set(FIELDS)
    assert not {"schema", "schema_", "seq", "institution", "sent_at", "received_at"} & set(FIELDS)
