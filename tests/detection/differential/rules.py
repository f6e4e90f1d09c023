"""Rules drawn as nodes: every matcher, and conditions that no rule's text leads to but a filter or a pipeline might."""

from __future__ import annotations

from functools import cache
from ipaddress import ip_network

import re2
from hypothesis import reject
from hypothesis import strategies as st

from fsoc.detection import Source, matchers, nodes
from fsoc.detection.event import number_of
from fsoc.detection.logsource import Logsource
from fsoc.detection.logsources import LogsourceMap
from fsoc.detection.rules import Rule
from tests.detection.differential.events import COMMON, FIELDS, NUMBERS
from tests.detection.differential.texts import changed

MAPPING = LogsourceMap.parse(
    Source(
        "logsources.yml",
        """
logsources:
  - when: {Channel: Security}
    logsource: {product: windows, service: security}
    events:
      4688: {category: process_creation, fields: {Image: NewProcessName, A: B, a.b: C D}}
      1: [{category: process_creation}, {category: test, fields: {B: A, A: B}, when: {A: null}}]
  - when: [{A: a}, {B: 5}]
    logsource: {product: linux, category: test}
    fields: {b: a}
""",
    )
)
OF_RULES = [
    *(Logsource(category="test"), Logsource(product="windows"), Logsource(product="windows", service="security")),
    *(Logsource(product="windows", category="process_creation"), Logsource(service="sshd"), Logsource(product="linux")),
]
COMMON_LOGSOURCES = [*OF_RULES[:2], *OF_RULES[:2], Logsource(product="windows", category="process_creation")]
OF_TICKETS = Logsource(product="fsoc")

FORMS = ["{0}", "^{0}", "{0}$", "^{0}$", "(?i){0}", "(?i)^{0}$", r"\b{0}\b", "{0}.+", "(?s)^.*{0}.{{2}}", "(?m)^{0}$"]
FORMS += [
    "[^{1}]+{0}",
    "(?:{0}|{2})",
    "({0})*$",
    "{0}|^$",
    "(?i)(?:{0}){{1,2}}",
    r"\A{0}\z",
    r"{0}\s*{2}",
    "(?i)[{1}]{{2}}",
]
PATTERNS = [
    "",
    ".",
    "^$",
    "a|b|",
    "[a-k]+",
    r"\d{2}",
    r"\s",
    r"\S\s?$",
    r"\w+\W",
    r"\B-",
    "(?i)k",
    "(?i)ſ",
    "(?i)ß",
    "(?i)[^k]",
]
PATTERNS += [
    r"[[:alpha:]]\d",
    r"\pL\pN",
    r"\x{212a}",
    r"(?i)\x{212a}",
    "(a|b)*c",
    "(?U)a+",
    "[^a-z]",
    r"\Qa.b\E",
    "(?P<x>a)b",
]
PATTERNS += [
    "(?i)strasse",
    "[é-ü]",
    r"[\d\-_]+",
    "(?s).",
    r"[\s\S]{3}",
    r"^\S+$",
    "(?-i)A",
    r"\C",
    "$",
    r"\z",
    "a{2,3}?",
]
NETWORKS = ["10.0.0.0/8", "0.0.0.0/0", "10.0.0.1/32", "2001:db8::/32", "::/0", "::ffff:0:0/96", "fe80::/10"]
PARTS = ["minute", "hour", "day", "week", "month", "year"]
PLACES = ["whole", "start", "end", "anywhere"]

fields = st.sampled_from([*COMMON, *FIELDS, "Image"])
numbers = st.sampled_from([*NUMBERS, 2026, 30, 3, 2**64, 10**30])


@cache
@st.composite
def text_matchers(draw):
    cased = draw(st.booleans())
    text = draw(changed)
    text = text if cased else text.casefold()
    place = draw(st.sampled_from(PLACES))
    return matchers.Text(text, place, cased, number_of(text) if place == "whole" else None)


@cache
@st.composite
def wildcard_matchers(draw):
    """Parts as the compiler makes them: neighbouring texts joined, a run of * made one, none empty.

    What is larger than a pattern may be is no rule's: such a rule is refused when it is read.
    """
    cased = draw(st.booleans())
    parts = []
    for part in draw(st.lists(changed | st.sampled_from([matchers.MANY, matchers.ONE]), min_size=1, max_size=6)):
        each = part.casefold() if isinstance(part, str) and not cased else part
        if isinstance(each, str) and parts and isinstance(parts[-1], str):
            parts[-1] += each
        elif each != "" and not (each == matchers.MANY and parts[-1:] == [matchers.MANY]):
            parts.append(each)
    try:
        return matchers.Wildcards(tuple(parts), cased)
    except re2.error:
        reject()


@cache
@st.composite
def regex_matchers(draw):
    form = draw(st.sampled_from(FORMS + PATTERNS))
    if form in PATTERNS:
        return matchers.Regex(form)
    one, other = (re2.escape(draw(changed)[:40]) for _ in range(2))
    pattern = form.format(one, draw(st.sampled_from(["a-k", "K", "ſ", r"\s", r"\w\-"])), other)
    return matchers.Regex(pattern)


@cache
def matchers_of(*, keyword):
    alone = [
        text_matchers(),
        text_matchers(),
        text_matchers(),
        wildcard_matchers(),
        regex_matchers(),
        numbers.map(matchers.Number),
        st.booleans().map(matchers.Bool),
        st.builds(
            matchers.Compare,
            st.sampled_from(["lt", "lte", "gt", "gte"]),
            numbers,
            st.sampled_from([None, None, *PARTS]),
        ),
        st.builds(matchers.TimeIs, st.sampled_from(PARTS), st.sampled_from([8, 30, 0, 2, 3, 10, 2026])),
        st.sampled_from(NETWORKS).map(ip_network).map(matchers.Network),
        st.builds(matchers.SameAs, fields, st.sampled_from(PLACES), st.booleans()),
    ]
    if not keyword:
        alone += [st.just(matchers.Null()), st.booleans().map(matchers.Exists)]
    one = st.one_of(alone)
    return one | st.lists(text_matchers() | one, max_size=3).map(tuple).map(matchers.AnyOf)


@cache
def items():
    several = {"every": st.booleans()}
    of_field = st.builds(
        nodes.Item, fields, st.lists(matchers_of(keyword=False), min_size=1, max_size=4).map(tuple), **several
    )
    keyword = st.builds(
        nodes.Item, st.none(), st.lists(matchers_of(keyword=True), min_size=1, max_size=2).map(tuple), **several
    )
    return st.one_of(of_field, of_field, of_field, keyword)


@cache
def conditions():
    return st.recursive(
        items(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(tuple).map(nodes.And),
            st.lists(inner, max_size=3).map(tuple).map(nodes.Or),
            st.builds(nodes.AtLeast, st.integers(0, 3), st.lists(inner, min_size=1, max_size=4).map(tuple)),
            inner.map(nodes.Not),
        ),
        max_leaves=6,
    )


def rule_of(index, condition, logsource, rule_id=None):
    return Rule(
        rule_id or f"rule-{index}", f"Rule {index}", None, None, None, logsource, (), "a.yml", index + 1, condition
    )


@cache
@st.composite
def rule_sets(draw):
    """A few rules; some share conditions with others, some an id."""
    drawn = draw(st.lists(conditions(), min_size=1, max_size=5))
    rules = []
    for index, condition in enumerate(drawn):
        whole = nodes.And((drawn[0], condition)) if index and draw(st.integers(0, 5)) == 0 else condition
        logsource = draw(st.sampled_from([*OF_RULES, *COMMON_LOGSOURCES, OF_TICKETS]))
        rules.append(rule_of(index, whole, logsource, "rule-0" if draw(st.integers(0, 9)) == 0 else None))
    return tuple(rules)
