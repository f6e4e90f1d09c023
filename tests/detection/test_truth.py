"""What can never be, and what always is: certain where it is said, and never said wrongly."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.detection import matchers
from fsoc.detection.event import Event
from fsoc.detection.nodes import And, AtLeast, Item, Not, Or
from fsoc.detection.truth import can_fail, can_hold, implies

A = "a"
TEXTS = ("x", "X", "xy", "yx", "5", "")
VALUES = (*TEXTS, 5, None, True, ["x", "y"], [], {})
EVENTS = [Event({}), *(Event({A: value}) for value in VALUES), *(Event({A: v, "b": w}) for v in VALUES for w in VALUES)]


def text(value: str, place: matchers.Place = "whole", *, cased: bool = False) -> matchers.Text:
    return matchers.Text(
        value if cased else value.casefold(), place, cased, 5 if value == "5" and place == "whole" else None
    )


def item(matcher: object, field: str | None = A) -> Item:
    return Item(field, (matcher,))


x = item(text("x"))
NEVER = {
    "a part and its opposite": And((x, Not(x))),
    "none of nothing": Or(()),
    "a text and not its beginning": And((item(text("xy")), Not(item(text("x", "start"))))),
    "an end and not what is in it": And((item(text("yx", "end")), Not(item(text("x", "anywhere"))))),
    "cased and not without case": And((item(text("X", cased=True)), Not(x))),
    "a whole and not the pattern it fits": And((item(text("xy")), Not(item(matchers.Wildcards(("x", 1)))))),
    "a cased whole and not the expression": And((item(text("xy", cased=True)), Not(item(matchers.Regex("^x"))))),
    "a number and not a bound it keeps": And((item(matchers.Number(5)), Not(item(matchers.Compare("gt", 4))))),
    "missing and there": And((item(matchers.Exists(False)), x)),
    "there and not there": And((item(matchers.Exists(True)), item(matchers.Exists(False)))),
    "missing and not null": And((item(matchers.Exists(False)), Not(item(matchers.Null())))),
    "every way closed": And((Or((x, item(text("xy")))), Not(item(text("x", "start"))))),
    "two of three that exclude each other": AtLeast(2, (x, Not(x), Or(()))),
    "two, and not two of them": And((x, item(text("z"), "b"), Not(AtLeast(2, (x, item(text("z"), "b")))))),
    "more than there are": AtLeast(2, (x,)),
    "one of what a value stands for": And(
        (Item(A, (matchers.AnyOf((text("-x"), text("/x"))),)), Not(item(text("x", "end"))))
    ),
    "all of a list, one denied": And((Item(A, (text("x"), text("y")), every=True), Not(item(text("y"))))),
}
POSSIBLE = {
    "two values, as a list has them": And((x, item(text("y")))),
    "a value and not another": And((x, Not(item(text("y"))))),
    "a beginning and not a longer one": And((item(text("x", "start")), Not(item(text("xy", "start"))))),
    "without case and not cased": And((x, Not(item(text("X", cased=True))))),
    "a number as text is also a number": And((item(text("5")), Not(item(text("5", "end"))))),
    "a beginning and not the whole": And((item(text("x", "start")), Not(x))),
    "a beginning and not an end": And((item(text("xy", "start")), Not(item(text("y", "end"))))),
    "a part and not the pattern that it alone fits": And(
        (item(text("xy", "anywhere")), Not(item(matchers.Wildcards(("x", 1)))))
    ),
    "without case and not the expression": And((item(text("xy")), Not(item(matchers.Regex("^x"))))),
    "one and not two of two": And((x, Not(AtLeast(2, (x, item(text("z"), "b")))))),
    "missing and null": And((item(matchers.Exists(False)), item(matchers.Null()))),
    "null and a value": And((item(matchers.Null()), x)),
    "the same of other fields": And((x, Not(item(text("x"), "b")))),
    "every of nothing": And(()),
}


@pytest.mark.parametrize("node", NEVER.values(), ids=NEVER)
def test_what_excludes_itself_can_never_be(node):
    assert not can_hold(node)
    assert not can_fail(Not(node))


@pytest.mark.parametrize("node", POSSIBLE.values(), ids=POSSIBLE)
def test_what_some_event_may_be_is_possible(node):
    assert can_hold(node)


def test_a_question_that_takes_too_long_is_answered_with_perhaps():
    pigeons = range(12)
    holes = range(11)
    sits = {(p, h): item(text(f"{p} in {h}")) for p in pigeons for h in holes}
    each = [Or(tuple(sits[p, h] for h in holes)) for p in pigeons]
    alone = [Not(And((sits[p, h], sits[q, h]))) for h in holes for p, q in itertools.combinations(pigeons, 2)]
    assert can_hold(And((*each, *alone)))


def all_matchers() -> st.SearchStrategy[object]:
    places = st.sampled_from(["whole", "start", "end", "anywhere"])
    return st.one_of(
        st.builds(text, st.sampled_from(TEXTS), places, cased=st.booleans()),
        st.builds(matchers.Wildcards, st.sampled_from([("x", 1), (0, "x"), ("x", 0, "y"), (1,)]), st.booleans()),
        st.builds(matchers.Regex, st.sampled_from(["x", "^x$", "(?i)X", "5", ""])),
        st.builds(matchers.Number, st.sampled_from([5, 6])),
        st.builds(matchers.Compare, st.sampled_from(["lt", "gte"]), st.sampled_from([5, 6])),
        st.builds(matchers.Exists, st.booleans()),
        st.builds(matchers.Bool, st.booleans()),
        st.just(matchers.Null()),
        st.just(matchers.SameAs("b", "whole")),
        st.builds(
            lambda one, two: matchers.AnyOf((text(one), text(two))), st.sampled_from(TEXTS), st.sampled_from(TEXTS)
        ),
    )


items = st.builds(
    Item, st.sampled_from([A, "b", None]), st.lists(all_matchers(), min_size=1, max_size=3).map(tuple), st.booleans()
)
conditions = st.recursive(
    items,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AtLeast, st.integers(0, 3), st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


@given(conditions)
def test_nothing_that_some_event_shows_is_called_impossible(node):
    shown = {bool(node(event)) for event in EVENTS}
    assert can_hold(node) or True not in shown
    assert can_fail(node) or False not in shown


@given(all_matchers(), all_matchers())
def test_what_implies_another_is_never_without_it(one, other):
    if implies(one, other):
        assert all(item(other)(event) for event in EVENTS if item(one)(event))
