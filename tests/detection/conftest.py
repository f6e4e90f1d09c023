"""Builders: a rule around a detection, an event matched against it, the reasons a text is refused for."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fsoc.detection import LoadedRules, LogsourceMap, PlainDetector, Source, load_rules
from tests.detection.differential.engines import ENGINES, make

HEAD = """\
title: A rule
id: rule-1
logsource:
    category: test
"""


def _rule(detection: str, head: str = HEAD) -> str:
    return f"{head}detection:\n{textwrap.indent(textwrap.dedent(detection), '    ')}\n"


@pytest.fixture
def rule() -> Callable[..., str]:
    """The text of a whole rule around a detection section."""
    return _rule


@pytest.fixture
def load() -> Callable[..., LoadedRules]:
    """Load texts as files a.yml, b.yml, …"""

    def load(*texts: str, **options: Any) -> LoadedRules:
        sources = [Source(f"{chr(ord('a') + place)}.yml", text) for place, text in enumerate(texts)]
        return load_rules(sources, **options)

    return load


@pytest.fixture
def matches(load: Callable[..., LoadedRules]) -> Callable[..., bool]:
    """Whether an event matches a detection section; every engine there is must say so, or that it does not."""

    def matches(detection: str, event: Mapping[str, Any], **options: Any) -> bool:
        loaded = load(_rule(detection), **options)
        assert not loaded.problems, [str(problem) for problem in loaded.problems]
        mapping, logsource = LogsourceMap(), {"category": "test"}
        found = PlainDetector(loaded.rules, mapping).match_event(event, logsource)
        for engine in ENGINES:
            assert make(engine, loaded.rules, mapping).match_event(event, logsource) == found, engine
        return found == ["rule-1"]

    return matches


@pytest.fixture
def refusals(load: Callable[..., LoadedRules]) -> Callable[..., list[str]]:
    """Why a detection section is refused, as `a.yml:<line>: <reason>`."""

    def refusals(detection: str, **options: Any) -> list[str]:
        loaded = load(_rule(detection), **options)
        assert bool(loaded.problems) is not bool(loaded.rules)
        return [str(problem) for problem in loaded.problems]

    return refusals
