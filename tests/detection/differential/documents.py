"""Rules drawn as authors write them: every modifier of the conformance table, every form of condition, filters."""

from __future__ import annotations

import json
import re
from functools import cache

from hypothesis import strategies as st

from fsoc.detection import Source, load_rules
from tests.detection.differential.rules import FORMS, NETWORKS, PARTS, PATTERNS, fields
from tests.detection.differential.texts import changed

PLACEHOLDERS = {"users": ["root", "adm*", 5], "dashes": ["-a", "/b"]}
TEXTUAL = ["", "", "", "contains", "startswith", "endswith", "cased", "contains|cased", "cased|endswith", "windash"]
TEXTUAL += [
    "contains|all",
    "contains|windash",
    "wide|base64offset|contains",
    "base64",
    "base64offset|contains",
    "utf16le",
]
TEXTUAL += ["utf16be|base64", "utf16|base64", "neq", "contains|neq", "windash|contains|all", "startswith|all"]
REGEX = ["re", "re|i", "re|m", "re|s", "re|i|m|s", "re|startswith", "re|endswith", "re|contains", "re|neq"]
REFERENCE = [
    "fieldref",
    "fieldref|startswith",
    "fieldref|endswith",
    "fieldref|contains",
    "cased|fieldref",
    "fieldref|neq",
]
OTHER = {
    "lt": st.sampled_from([5, 0.5, 2**63, -1]),
    "lte": st.sampled_from([5, 1000]),
    "gt": st.sampled_from([0, 4687, 1.5]),
    "gte": st.sampled_from([5, -1]),
    "cidr": st.sampled_from(NETWORKS),
    "exists": st.booleans(),
    "expand": st.sampled_from(["%users%", "x%users%", "%dashes%*"]),
    "expand|contains": st.sampled_from(["%users%", "%dashes%"]),
    "expand|contains|all": st.sampled_from(["%dashes%"]),
    **{part: st.sampled_from([2, 3, 8, 30, 2026]) for part in PARTS},
    **{f"{part}|gte": st.sampled_from([2, 3, 8, 30, 2026]) for part in PARTS},
}
CONDITIONS = ["one", "not one", "one and two", "one or two", "one and not two", "not (one or two)", "1 of them"]
CONDITIONS += ["all of them", "2 of them", "1 of sel_*", "all of sel_*", "one and not 1 of sel_*", "not 2 of sel_*"]
CONDITIONS += [
    "one and (two or sel_a) or not sel_b",
    "3 of them or one",
    "any of sel_* AND NOT two",
    ["one and two", "sel_b"],
]
LOGSOURCES = [{"category": "test"}, {"category": "test"}, {"product": "windows", "category": "process_creation"}]
LOGSOURCES += [{"product": "fsoc"}, {"product": "windows", "service": "security"}]


@cache
@st.composite
def _lines_of(draw):
    """One line of a selection: the key with its modifiers, and a value or several."""
    field = draw(fields)
    kind = draw(st.integers(0, 9))
    if kind <= 4:
        modifier = draw(st.sampled_from(TEXTUAL))
        value = _written()
        if not modifier:
            value |= st.sampled_from([None, 5, 1, 0.5, -1, True, False, 4688, 2**64 - 1, ""])
        several = draw(st.lists(value, min_size=2 if "all" in modifier else 0 if not modifier else 1, max_size=3))
        given = several if "all" in modifier or draw(st.booleans()) else draw(value)
    elif kind <= 6:
        modifier = draw(st.sampled_from(REGEX))
        form = draw(st.sampled_from(FORMS + PATTERNS))
        word = re.escape(draw(changed)[:20])
        given = form if form in PATTERNS else form.format(word, "a-k", word)
    elif kind == 7:
        modifier = draw(st.sampled_from(REFERENCE))
        given = draw(fields)
    else:
        modifier = draw(st.sampled_from(sorted(OTHER)))
        given = draw(OTHER[modifier])
    return f"{field}|{modifier}" if modifier else field, given


@cache
@st.composite
def _written(draw):
    """A text with wildcards, or with what looks like them escaped."""
    text = draw(changed)
    way = draw(st.integers(0, 3))
    if way == 0:
        return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    if way == 1:
        return draw(st.sampled_from(["*", "?", ""])) + text + draw(st.sampled_from(["*", "?*", "\\*"])) + text[:2]
    return text


@cache
@st.composite
def _selections(draw):
    mapping = st.lists(_lines_of(), min_size=1, max_size=3).map(dict)
    keywords = st.lists(_written() | st.sampled_from([5, 4688]), min_size=1, max_size=3)
    return draw(st.one_of(mapping, mapping, st.lists(mapping, min_size=1, max_size=2), keywords))


@st.composite
def _documents(draw, index):
    section = {name: draw(_selections()) for name in ("one", "two", "sel_a", "sel_b")}
    section["condition"] = draw(st.sampled_from(CONDITIONS))
    head = {"title": f"Drawn {index}", "id": f"rule-{index}", "logsource": draw(st.sampled_from(LOGSOURCES))}
    return {**head, "detection": section}


@cache
@st.composite
def _filters(draw):
    section = {
        "rules": draw(st.sampled_from(["any", ["rule-0"]])),
        "one": draw(_selections()),
        "condition": "not one",
    }
    return {"title": "A filter", "logsource": {"category": "test"}, "filter": section}


@cache
@st.composite
def loaded_rules(draw):
    """What can be evaluated of a few documents, loaded as ever."""
    documents = [draw(_documents(index)) for index in range(draw(st.integers(1, 3)))]
    if draw(st.integers(0, 3)) == 0:
        documents.append(draw(_filters()))
    # JSON is YAML, and escapes what YAML would read otherwise.
    sources = [Source(f"{index}.yml", json.dumps(document)) for index, document in enumerate(documents)]
    return load_rules(sources, placeholders=PLACEHOLDERS).rules
