"""Forms of a search identifier: mappings, lists, keywords; and how fields are found in events."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("selection", "hits", "misses"),
    [
        # A mapping: every line. A list of mappings: one of them.
        ("{a: 1, b: 2}", [{"a": 1, "b": 2}], [{"a": 1}, {"b": 2}, {}]),
        ("[{a: 1, b: 2}, {c: 3}]", [{"a": 1, "b": 2}, {"c": 3}], [{"a": 1}, {"b": 2}]),
        ("[{a: 1}, keyword]", [{"a": 1}, {"x": "a keyword"}], [{"a": 2}]),
        ("[[{a: 1}, {b: 2}], {c: 3}]", [{"b": 2}, {"c": 3}], [{"c": 1}]),
        # Keywords: text in any value, however deep; in no key.
        ("[alpha, beta]", [{"x": "my ALPHA"}, {"x": {"y": ["no", "beta"]}}], [{"alpha": "x"}, {"x": "al pha"}]),
        ("alpha", [{"x": "alphabet"}], [{"x": "alph"}]),
        ("'al*t?'", [{"x": "x al phabets"}], [{"x": "al phabet"}]),
        ("'*'", [{"x": ""}], [{"x": None}, {}]),
        ("4688", [{"x": 14688}, {"x": "id=4688"}], [{"x": 468}]),
        ("{'|all': [alpha, beta]}", [{"x": "alpha", "y": "beta"}, {"x": "beta alpha"}], [{"x": "alpha"}]),
        ("{'|contains': alpha}", [{"x": "an alphabet"}], [{"x": "b"}]),
        ("{'|startswith': alpha}", [{"x": "b", "y": "alphabet"}], [{"x": "an alphabet"}]),
        ("{'|endswith': bet}", [{"x": "alphabet"}], [{"x": "alphabets"}]),
        ("{'|cased': Alpha}", [{"x": "an Alpha"}], [{"x": "an alpha"}]),
        ("{'|re': '^al.ha$'}", [{"x": "alpha"}], [{"x": "an alpha"}, {"x": "ALPHA"}]),
        ("{'|cidr': 10.0.0.0/8}", [{"x": "10.1.1.1"}], [{"x": "in 10.1.1.1"}]),
        ("{'|neq': alpha}", [{"x": "beta"}], [{"x": "alpha"}]),
        ("{'|gt': 5}", [{"x": [1, 6]}], [{"x": 5}]),
        ("{'|base64offset|contains': foobar}", [{"x": "aGEgZm9vYmFy"}], [{"x": "foobar"}]),
        ("true", [{"x": True}, {"x": "true"}], [{"x": 1}]),
        # Lists in events: one value is enough; none when the field is compared with null.
        ("{a: x}", [{"a": ["y", "x"]}, {"a": [["x"]]}], [{"a": ["y"]}, {"a": []}]),
        ("{'a|contains|all': [x, y]}", [{"a": ["x", "y"]}, {"a": ["xy"]}], [{"a": ["x"]}]),
        ("{a: null}", [{"a": [None, "x"]}, {"a": []}], [{"a": ["x"]}]),
        ("{'a|gt': 5}", [{"a": [1, 9]}], [{"a": [1, 5]}]),
        # Dotted names: a literal key first, then nested ones, lists looked into.
        ("{a.b: 1}", [{"a.b": 1}, {"a": {"b": 1}}, {"a": [{"b": 2}, {"b": 1}]}], [{"a": {"b": 2}}, {"a": 1}]),
        ("{a.b: 1}", [{"a.b": 1, "a": {"b": 2}}], [{"a.b": 2, "a": {"b": 1}}]),
        ("{a.b.c: 1}", [{"a.b": {"c": 1}}, {"a": {"b.c": 1}}, {"a": {"b": {"c": 1}}}], [{"a": {"b": 1}}]),
        ("{a.b.c: 1}", [{"a": {"x": 0}, "a.b": {"c": 1}}], []),
        ("{a.b: null}", [{}, {"a": {}}, {"a": {"b": None}}, {"a": []}], [{"a": {"b": 1}}]),
        ("{'a.b|exists': true}", [{"a": {"b": None}}, {"a": [{}, {"b": 1}]}], [{"a": {}}, {"a": [{}]}]),
        ("{a: x}", [], [{"a": {"b": "x"}}, {"A": "x"}]),
        ("{'a|exists': true}", [{"a": {"b": "x"}}], []),
        ("{'a|contains': ''}", [], [{"a": {"b": "x"}}]),
    ],
)
def test_a_selection_matches_its_hits_and_nothing_else(selection, hits, misses, matches):
    detection = f"selection: {selection}\ncondition: selection"
    assert [event for event in hits if not matches(detection, event)] == []
    assert [event for event in misses if matches(detection, event)] == []


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        ("{}", "selection is empty — expected fields or keywords"),
        ("[]", "null needs a field — a keyword is text or a number"),
        ("null", "null needs a field — a keyword is text or a number"),
        ("[a, null]", "null needs a field — a keyword is text or a number"),
        ("[{a: 1}, {}]", "1 is empty — expected fields or keywords"),
        ("2026-03-02", "selection: the value is a date — expected text"),
    ],
)
def test_a_selection_that_says_nothing_is_refused(selection, reason, refusals):
    [problem] = refusals(f"selection: {selection}\ncondition: selection")
    assert problem.startswith(f"a.yml:6: {reason}")


def test_lists_and_objects_nested_without_end_are_no_trouble(matches):
    event: object = "needle"
    for _ in range(5_000):
        event = [event]
    deep = {"a": event}
    for _ in range(500):
        deep = {"b": deep, "c": [deep]}
    assert matches("selection: {a: needle}\ncondition: selection", {"a": event})
    assert matches("selection: needle\ncondition: selection", {"x": {"y": event}})
    assert not matches("selection: {a: other}\ncondition: selection", {"a": event})


def test_a_surrogate_in_an_event_is_text_like_any_other(matches):
    assert matches("selection: {'a|re': 'x$'}\ncondition: selection", {"a": "\ud800x"})
    assert matches("selection: {a: '?x*y'}\ncondition: selection", {"a": "ax\ud800y"})
