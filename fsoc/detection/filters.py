"""Sigma filters: what is to be left out of rules, written once. A filter's condition is and-ed to each rule's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsoc.detection.documents import Document
from fsoc.detection.logsource import Logsource
from fsoc.detection.metadata import read_metadata
from fsoc.detection.modifiers import ModifierClass
from fsoc.detection.section import Section, compile_section, read_section
from fsoc.errors import Problem


@dataclass(frozen=True, slots=True)
class Filter:
    """rules: ids or names it names; None: any rule its logsource covers."""

    id: str
    title: str
    logsource: Logsource
    rules: tuple[str, ...] | None
    section: Section

    def covers(self, rule_id: str, name: str | None, logsource: Logsource) -> bool:
        """Whether it is to be applied to this rule."""
        named = self.rules is None or rule_id in self.rules or (name is not None and name in self.rules)
        return named and self.logsource.covers(logsource)


def read_filter(
    document: Document, modifiers: Mapping[str, ModifierClass], *, compiled: bool
) -> tuple[Filter | None, list[Problem]]:
    """The filter, or every problem of it.

    compiled: find out now whether it can be evaluated; not where a pipeline may yet change it.
    """
    metadata, problems = read_metadata(document)
    section, more = read_section(document, "filter", modifiers)
    problems += more
    if compiled and section is not None:
        problems += compile_section(section)[1]
    stated: Any = document.data.get("filter")
    given = stated.get("rules") if isinstance(stated, Mapping) else None
    named = [given] if isinstance(given, str) else given
    if isinstance(stated, Mapping) and not (isinstance(named, list) and all(isinstance(name, str) for name in named)):
        problems.append(
            document.problem('rules is missing — expected "any", or ids or names of rules', "filter", "rules")
        )
    if metadata is None or section is None or problems:
        return None, problems
    # An empty list means any, as it does to pySigma.
    rules = None if not named or [name.lower() for name in named] == ["any"] else tuple(named)
    return Filter(metadata.id, metadata.title, metadata.logsource, rules, section), []


def unmet(filters: Sequence[Filter], rules: Sequence[tuple[str, str | None, Logsource]]) -> list[Problem]:
    """A problem for each rule a filter names in vain: it is not loaded, or not of the filter's logsource."""
    problems = []
    for each in filters:
        for name in each.rules or ():
            meant = [logsource for rule_id, rule_name, logsource in rules if name in (rule_id, rule_name)]
            if not meant:
                problems.append(
                    each.section.problem(f'filter names "{name}", which is no rule that was loaded', "rules")
                )
            elif not any(map(each.logsource.covers, meant)):
                text = f'filter names "{name}", whose logsource its own does not cover'
                problems.append(each.section.problem(text, "rules"))
    return problems
