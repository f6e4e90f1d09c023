"""YAML with lines: the same data as PyYAML's, and every problem in its place."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fsoc.detection.documents import DEPTH_MAX, VALUES_MAX, Source, read


def read_one(text: str) -> Any:
    [document], problems = read([Source("a.yml", text)])
    assert not problems
    return document


def refused(text: str) -> list[str]:
    return [str(problem) for problem in read([Source("a.yml", text)])[1]]


def test_every_value_knows_its_line():
    document = read_one("# comment\ntitle: x\ndetection:\n  a:\n    - b: 1\n      c: 2\n    - d\n  condition: a\n")
    assert document.line == 2
    assert document.line_of("title") == 2
    assert document.line_of("detection", "a", 0, "c") == 6
    assert document.line_of("detection", "a", 1) == 7
    assert document.line_of("detection", "condition") == 8


def test_what_is_not_there_has_the_line_of_what_is_around_it():
    document = read_one("x: 1\na:\n  b: [c]\n")
    assert document.line_of("a", "nowhere", "deeper") == 2
    assert document.line_of("a", "b", 7) == 3
    assert document.line_of("nowhere") == 1
    assert document.line_of("x", "into a number") == 1


def test_documents_of_one_text_are_told_apart_and_empty_ones_left_out():
    documents, problems = read([Source("a.yml", "---\na: 1\n---\n---\nb: 2\n...\n")])
    assert [(document.line, dict(document.data)) for document in documents] == [(2, {"a": 1}), (5, {"b": 2})]
    assert not problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x", "x"),
        ("'1'", "1"),
        ('"a\\tb"', "a\tb"),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        ("", None),
        ("~", None),
        ("yes", True),
        ("off", False),
        ("0x1F", 31),
        ("017", 15),
        ("1_000", 1000),
        ("-1.5e3", "-1.5e3"),
        ("-1.5e+3", -1500.0),
        (".inf", float("inf")),
        ("2026-03-02", dt.date(2026, 3, 2)),
        ("2026-03-02T10:00:00Z", dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)),
        ("=", "="),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
    ],
)
def test_scalars_mean_what_they_mean_to_pyyaml(text, value):
    assert read_one(f"x: {text}").data["x"] == value


def test_aliases_and_merges_are_followed():
    document = read_one("base: &b\n  x: 1\n  y: 2\nsame: *b\nmore:\n  <<: *b\n  y: 3\nboth:\n  <<: [*b, {z: 4}]\n")
    assert document.data["same"] == {"x": 1, "y": 2}
    assert document.data["more"] == {"x": 1, "y": 3}
    assert document.data["both"] == {"x": 1, "y": 2, "z": 4}
    assert document.line_of("more", "x") == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: [1, 2\n", "a.yml:3: not YAML: "),
        ("a: 'x\n", "a.yml:2: not YAML: "),
        ("a: b: c\n", "a.yml:1: not YAML: mapping values are not allowed in this context"),
        ("a: \x07\n", "a.yml:1: not YAML: "),
        ("a: 1\nb: 2\na: 3\n", 'a.yml:3: "a" is written twice, first in line 1'),
        ("- a\n", "a.yml:1: not a mapping of keys to values"),
        ("just text\n", "a.yml:1: not a mapping of keys to values"),
        ("a: *nowhere\n", "a.yml:1: alias *nowhere stands for nothing above it"),
        ("a: &a [*a]\n", "a.yml:1: alias *a stands for nothing above it"),
        ("x: 1\na: !!python/name:os.system x\n", "a.yml:2: tag tag:yaml.org,2002:python/name:os.system is not allowed"),
        ("a: !!set {b}\n", "a.yml:1: tag tag:yaml.org,2002:set is not allowed"),
        ("a: !own x\n", "a.yml:1: tag !own is not allowed"),
        ("x: 1\na: 2026-02-30\n", 'a.yml:2: "2026-02-30" is no timestamp; quote it if text is meant'),
        ("a: !!int x\n", 'a.yml:1: "x" is no int'),
        ("? [a, b]\n: c\n", "a.yml:1: a key that is no scalar is not allowed"),
        ("a:\n  <<: 5\n", "a.yml:3: << takes a mapping or a list of mappings"),
        ("a: " + "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), f"a.yml:1: more than {VALUES_MAX} values"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text, reason):
    [problem] = refused(text)
    assert problem.startswith(reason)


def test_a_text_that_unfolds_without_end_is_refused_at_once():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    [problem] = refused("\n".join(lines))
    assert f"more than {VALUES_MAX} values, aliases unfolded" in problem


def test_what_stands_before_the_unreadable_is_read_and_the_other_sources_too():
    sources = [Source("a.yml", "a: 1\n---\nb: [\n"), Source("b.yml", "c: 3")]
    documents, problems = read(sources)
    assert [dict(document.data) for document in documents] == [{"a": 1}, {"c": 3}]
    assert [problem.where for problem in problems] == ["a.yml:4"]


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc<=*&", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", max_size=3), _PLAIN, max_size=4), st.booleans())
def test_what_pyyaml_writes_is_read_back(data, flow):
    assert read_one(yaml.safe_dump(data, allow_unicode=True, default_flow_style=flow)).data == data
