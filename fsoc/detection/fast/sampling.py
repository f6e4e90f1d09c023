"""How often clauses hold, seen on some of the events. What plans are made from; no match depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fsoc.detection.event import Event
from fsoc.detection.fast.conditions import Vocabulary
from fsoc.detection.fast.search import FieldSearch
from fsoc.detection.fast.views import CompiledRoute
from fsoc.detection.logsources import over
from fsoc.detection.plan import Rates
from fsoc.detection.program import EVERYTHING, And, AtLeast, Condition, Exists, Is, Null, Or, Program, SameAs

SAMPLED_EVERY: Final = 64
"""One event of so many has its clauses counted."""
_VALUES_MAX: Final = 256
"""Of one event; the rest of its values are not looked at."""
RULE_SETS_MAX: Final = 32
"""Counted apart before they are summed up."""
_NOT_SEARCHED: Final = (Null, Exists, SameAs)


class _Counted:
    """One set of rules: by field, its clauses there and the events that had the field."""

    def __init__(self, clauses: frozenset[int], program: Program) -> None:
        on_field: dict[int, set[int]] = {}
        for index in clauses:
            on_field.setdefault(program.clauses[index].field, set()).add(index)
        self.clauses = {field: frozenset(several) for field, several in on_field.items()}
        self.events = dict.fromkeys(self.clauses, 0)


class Sampler:
    """Counts, by clause, the events it was looked for in and those it was found in."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._tried = [0] * len(vocabulary.program.clauses)
        self._hits = [0] * len(vocabulary.program.clauses)
        self._counted: dict[frozenset[int], _Counted] = {}
        self._searches: dict[int, FieldSearch] = {}
        self._on_field: dict[int, list[int]] = {}
        for index in sorted(self._searchable(range(len(vocabulary.program.conditions)))):
            self._on_field.setdefault(vocabulary.program.clauses[index].field, []).append(index)

    def rates(self) -> Rates:
        self._sum_up()
        return Rates(tuple(self._tried), tuple(self._hits))

    def sample(self, route: CompiledRoute, fields: Mapping[str, Any]) -> None:
        """Look for every clause that could be in an anchor of a rule for this event."""
        names = self._vocabulary.program.fields
        for view in route.views:
            counted = self._counted.get(view.rules) or self._new(view.rules)
            event = Event(fields, over(fields, view.aliases))
            for field, clauses in counted.clauses.items():
                values = event.everything() if field == EVERYTHING else event.find(names[field])
                if values:
                    counted.events[field] += 1
                    search = self._search(field)
                    found = {index for value in values[:_VALUES_MAX] for index in search.clauses_of(value.raw)}
                    for index in found & clauses:
                        self._hits[index] += 1

    def _new(self, rules: frozenset[int]) -> _Counted:
        if len(self._counted) >= RULE_SETS_MAX:
            self._sum_up()
            self._counted.clear()
        counted = self._counted[rules] = _Counted(self._searchable(rules), self._vocabulary.program)
        return counted

    def _searchable(self, rules: Iterable[int]) -> frozenset[int]:
        program = self._vocabulary.program
        clauses: set[int] = set()
        for rule in rules:
            clauses |= _affirmed(program.conditions[rule])
        return frozenset(each for each in clauses if not isinstance(program.clauses[each], _NOT_SEARCHED))

    def _sum_up(self) -> None:
        for counted in self._counted.values():
            for field, clauses in counted.clauses.items():
                events = counted.events[field]
                if events:
                    counted.events[field] = 0
                    for index in clauses:
                        self._tried[index] += events

    def _search(self, field: int) -> FieldSearch:
        found = self._searches.get(field)
        if found is None:
            program = self._vocabulary.program
            clauses = {index: program.clauses[index] for index in self._on_field[field]}
            found = self._searches[field] = FieldSearch(clauses, self._vocabulary.matcher)
        return found


def _affirmed(condition: Condition) -> frozenset[int]:
    """The clauses that are not under a Not: anchors are of these."""
    match condition:
        case Is(clause):
            return frozenset((clause,))
        case And(parts) | Or(parts) | AtLeast(_, parts):
            return frozenset(clause for part in parts for clause in _affirmed(part))
    return frozenset()
