"""Which groups a ticket feeds."""

from __future__ import annotations

import orjson

from fsoc.correlation.entries import (
    GROUPS_MAX,
    NUMBERS_MAX,
    VALUES_MAX,
    Entry,
    Onward,
    Version,
    entry_of,
    put_value,
    withdraw_value,
    withdrawn_of,
)
from fsoc.correlation.feeder import Feeder
from fsoc.correlation.lookup import TicketFields, indicators


def body(**fields):
    return {"environment": "production", "severity": 3, **fields}


def feeds(rule, body, matches=(("detection", -1),), member="fi-001"):
    return Feeder([rule]).feeds(matches, TicketFields(body, "fi-001"), member, 0)


def groups(found):
    return [orjson.loads(feed.group) for feed in found]


def observable(value, role="attacker"):
    return {"type": "ipv4", "value": value, "role": role}


def test_a_field_with_several_values_feeds_a_group_for_each(rule):
    found, cut = feeds(rule(), body(observables=[observable("192.0.2.1"), observable("192.0.2.2")]))

    assert groups(found) == [["192.0.2.1"], ["192.0.2.2"]]
    assert [feed.values for feed in found] == [(("fi-001",),), (("fi-001",),)]
    assert cut == 0


def test_several_group_by_fields_are_every_combination(rule):
    pairs = rule(**{"group-by": ["indicator", "category"]})
    found, _ = feeds(pairs, body(observables=[observable("a"), observable("b")], category="x.y"))

    assert groups(found) == [["a", "x.y"], ["b", "x.y"]]


def test_a_ticket_that_lacks_a_group_by_or_counted_field_feeds_nothing(rule):
    assert feeds(rule(), body())[0] == []
    by_account = rule(condition={"gte": 3, "field": "TargetUserName"})
    assert feeds(by_account, body(observables=[observable("a")]))[0] == []


def test_no_group_by_is_one_group_for_the_sector(rule):
    found, _ = feeds(rule(**{"group-by": []}), body())

    assert groups(found) == [[]]


def test_however_many_items_match_the_ticket_is_in_a_group_once(rule):
    evidence = [{"fields": {"User": name}} for name in ("eve", "eve", "bob")]
    counted = rule(**{"group-by": ["category"], "condition": {"gte": 3, "field": "User"}})
    found, _ = feeds(counted, body(evidence=evidence, category="x.y"), [("detection", index) for index in range(3)])

    assert len(found) == 1
    assert found[0].values == (("bob",), ("eve",))


def test_affiliates_count_as_their_holding_group_only_where_the_rule_says_independent(rule):
    ticket = body(observables=[observable("a")])

    assert feeds(rule(), ticket, member="group-1")[0][0].values == (("fi-001",),)
    assert feeds(rule(fsoc={"independent": True}), ticket, member="group-1")[0][0].values == (("group-1",),)


def test_the_institution_is_never_what_an_evidence_item_calls_so(rule):
    counted = rule(**{"group-by": ["category"]})
    ticket = body(category="x.y", institution="fi-999", evidence=[{"fields": {"institution": "fi-002"}}])

    assert feeds(counted, ticket, [("detection", 0)])[0][0].values == (("fi-001",),)


def test_a_victims_own_address_is_no_indicator():
    roles = ["attacker", "infrastructure", "victim", "artefact"]
    ticket = body(observables=[observable(f"{role}.example", role) for role in roles])

    assert indicators(ticket) == ("attacker.example", "infrastructure.example")


def test_letter_case_does_not_tell_indicators_apart():
    assert indicators(body(observables=[observable("EVIL.example"), observable("evil.example")])) == ("evil.example",)


def summed(rule, **fsoc):
    return rule(**{"group-by": ["category"]}, type="value_sum", condition={"gte": 1, "field": "bytes"}, fsoc=fsoc)


def test_equal_numbers_of_two_evidence_items_both_count_and_one_item_counts_once(rule):
    ticket = body(category="x.y", evidence=[{"fields": {"bytes": 500}}, {"fields": {"bytes": "500"}}])
    found, _ = feeds(summed(rule), ticket, [("detection", 0), ("detection", 1), ("detection", 0)])

    assert found[0].values == (("500",), ("500",))


def test_a_number_of_the_ticket_itself_counts_once_however_many_items_match(rule):
    ticket = body(category="x.y", bytes=7, evidence=[{"fields": {}}, {"fields": {}}])

    assert feeds(summed(rule), ticket, [("detection", 0), ("detection", 1)])[0][0].values == (("7",),)


def test_every_number_of_a_list_counts_and_what_is_none_does_not(rule):
    ticket = body(category="x.y", bytes=[5, 5, "-2.5", "many", None, True, "0x10", "1e101", ""])

    assert feeds(summed(rule), ticket)[0][0].values == (("-2.5",), ("5",), ("5",))
    assert feeds(summed(rule, non_negative=True), ticket)[0][0].values == (("5",), ("5",))


def test_a_ticket_without_a_number_feeds_nothing(rule):
    assert feeds(summed(rule), body(category="x.y", bytes="many"))[0] == []
    assert feeds(summed(rule), body(category="x.y"))[0] == []
    assert feeds(summed(rule, non_negative=True), body(category="x.y", bytes=-1))[0] == []


def test_a_ticket_adds_a_bounded_number_of_numbers_and_the_rest_is_counted(rule):
    ticket = body(category="x.y", evidence=[{"fields": {"bytes": [1] * 40}}, {"fields": {"bytes": [2] * 40}}])
    found, cut = feeds(summed(rule), ticket, [("detection", 0), ("detection", 1)])

    assert (len(found[0].values), cut) == (NUMBERS_MAX, 80 - NUMBERS_MAX)


def test_a_counted_field_may_be_an_alias(rule):
    aliased = rule(
        **{"group-by": ["category"]},
        type="value_sum",
        condition={"gte": 1, "field": "size"},
        aliases={"size": {"detection": "bytes"}},
    )

    assert feeds(aliased, body(category="x.y", bytes=3, size=9))[0][0].values == (("3",),)


def test_several_counted_fields_are_counted_as_one_value(rule):
    pairs = rule(**{"group-by": ["category"]}, condition={"gte": 3, "field": ["a", "b"]})

    assert feeds(pairs, body(category="x.y", a=[1, 2], b="z"))[0][0].values == (("1", "z"), ("2", "z"))
    assert feeds(pairs, body(category="x.y", a=[1, 2]))[0] == []


def test_an_alias_names_each_detections_own_field(rule):
    aliased = rule(**{"group-by": ["who"], "aliases": {"who": {"detection": "TargetUserName"}}})
    found, _ = feeds(aliased, body(evidence=[{"fields": {"TargetUserName": "svc-x"}}]), [("detection", 0)])

    assert groups(found) == [["svc-x"]]


def test_one_ticket_feeds_a_bounded_number_of_groups_and_the_rest_is_counted(rule):
    wide = rule(**{"group-by": ["a", "b"]})
    values = [f"v{n}" for n in range(8)]
    found, cut = feeds(wide, body(ext={}, a=values, b=values))

    assert (len(found), cut) == (GROUPS_MAX, 64 - GROUPS_MAX)


def test_a_field_has_a_bounded_number_of_values():
    ticket = body(observables=[observable(f"198.18.0.{n}") for n in range(VALUES_MAX + 5)])

    assert len(indicators(ticket)) == VALUES_MAX


def test_dotted_names_reach_into_lists_and_a_literal_dotted_key_wins():
    fields = TicketFields(
        body(
            suppliers=[{"supplier_id": "sup-1"}, {"supplier_id": "sup-2"}],
            evidence=[{"fields": {"a.b": 1, "a": {"b": 2}}}],
        ),
        "fi-001",
    )

    assert fields(-1, "suppliers.supplier_id") == ("sup-1", "sup-2")
    assert fields(0, "a.b") == ("1",)
    assert fields(0, "suppliers.supplier_id") == ("sup-1", "sup-2")
    assert fields(0, "nowhere") == ()


def test_an_entry_is_read_as_it_was_written_and_what_it_does_not_say_is_not_written(entry):
    by = Version("2026-01-01", "d")
    onward = (Onward("outer", "[]", (), (), False),)
    said = [
        ({}, 9),
        ({"criticality": 4}, 10),
        ({"also": (("execution", "impact"), ())}, 11),
        ({"source": "s"}, 12),
        ({"criticality": 4, "source": "s", "onward": onward}, 13),
    ]
    for changes, fields in said:
        one = entry(5, "fi-001", **changes)
        assert entry_of(put_value(one, by)) == one
        assert len(orjson.loads(put_value(one, by))[0]) == fields


def test_a_record_names_the_attack_version_and_one_of_an_earlier_fsoc_that_does_not_is_read_as_it_was():
    entry = Entry(7, "fi-001", "t-1", 1, (("x",),), "fi-001", 3, (("impact", "T1490"),), ("rule",))
    now, gone = (
        put_value(entry, Version("2026-03-02", "abc", "19")),
        withdraw_value(2, 7, Version("2026-03-02", "abc", "19")),
    )
    before = orjson.dumps([*orjson.loads(now)[:3]])

    assert orjson.loads(now)[1:] == ["2026-03-02", "abc", "19"]
    assert entry_of(now) == entry_of(before) == entry
    assert withdrawn_of(gone) == withdrawn_of(orjson.dumps(orjson.loads(gone)[:4])) == (2, 7)
