"""How often clauses hold, seen on some of the events. What plans are made from; no match depends on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from fsoc.detection.event import Event, Value
from fsoc.detection.fast.conditions import Vocabulary
from fsoc.detection.fast.views import CompiledRoute
from fsoc.detection.logsources import over
from fsoc.detection.plan import Rates
from fsoc.detection.program import EVERYTHING, And, AtLeast, Condition, Exists, Is, Null, Or, SameAs, Text

SAMPLED_EVERY: Final = 64
"""At most one event of so many has its clauses counted; fewer have, where that is much work."""
_WORK_OF_EVENT: Final = 25
"""So many clauses looked for put the next sample off by one event."""
_LENGTH_OF_WORK: Final = 256
"""As long a text counts twice."""
RULE_SETS_MAX: Final = 32
"""Counted apart, and then summed up and forgotten."""
VALUES_KEPT_MAX: Final = 1024
"""Per field of a set of rules: what holds for a value is remembered."""
KEPT_LENGTH_MAX: Final = 512
_WORK_OF_OTHERS: Final = 20
"""What a clause that is no text takes, where a text takes 1."""
VALUES_MAX: Final = 64
"""Of a field of one event; the rest of them are not looked at."""
_NOT_SEARCHED: Final = (Null, Exists, SameAs)


class _OnField:
    """The clauses of a set of rules on one field, looked for one by one: there is no plan for all of them."""

    def __init__(self, clauses: Iterable[int], known: Vocabulary) -> None:
        self._texts: dict[str, list[tuple[str, int]]] = {"whole": [], "start": [], "end": [], "anywhere": []}
        self._others: list[tuple[Callable[[Value], bool], int]] = []
        self.clauses = frozenset(clauses)
        for index in self.clauses:
            match known.program.clauses[index]:
                case Text(text=text, place=place, cased=False, number=None):
                    self._texts[place].append((text, index))
                case _:
                    self._others.append((known.matcher(index).holds, index))
        self._work = len(self.clauses) + _WORK_OF_OTHERS * len(self._others)
        self.events = 0
        self._kept: dict[str, frozenset[int]] = {}

    def found(self, value: Value) -> tuple[frozenset[int], int]:
        """The clauses that hold for a value, and how much work that was to find."""
        folded = value.folded
        if folded is None:
            return frozenset(), 0
        raw = value.raw
        if type(raw) is str and raw in self._kept:
            return self._kept[raw], 1
        found = [index for holds, index in self._others if holds(value)]
        found += [index for text, index in self._texts["whole"] if folded == text]
        found += [index for text, index in self._texts["start"] if folded.startswith(text)]
        found += [index for text, index in self._texts["end"] if folded.endswith(text)]
        found += [index for text, index in self._texts["anywhere"] if text in folded]
        if type(raw) is str and len(raw) <= KEPT_LENGTH_MAX:
            if len(self._kept) >= VALUES_KEPT_MAX:
                self._kept.clear()
            self._kept[raw] = frozenset(found)
        return frozenset(found), self._work * (1 + len(folded) // _LENGTH_OF_WORK)


class Sampler:
    """Counts, by clause, the events it was looked for in and those it was found in."""

    def __init__(self, known: Vocabulary) -> None:
        self._known = known
        self._tried = [0] * len(known.program.clauses)
        self._hits = [0] * len(known.program.clauses)
        self._sets: dict[frozenset[int], dict[int, _OnField]] = {}

    def rates(self) -> Rates:
        self._sum_up()
        return Rates(tuple(self._tried), tuple(self._hits))

    def sample(self, route: CompiledRoute, fields: Mapping[str, Any]) -> int:
        """Look for every clause that could be in an anchor of a rule for this event; how many events to pass over."""
        work = 0
        for view in route.views:
            on_fields = self._sets.get(view.rules) or self._set(view.rules)
            event = Event(fields, over(fields, view.aliases))
            for field, on_field in on_fields.items():
                values = event.everything() if field == EVERYTHING else event.find(self._known.fields[field])
                if values:
                    on_field.events += 1
                    hits: set[int] = set()
                    for value in values[:VALUES_MAX]:
                        found, done = on_field.found(value)
                        hits |= found
                        work += done
                    for index in hits:
                        self._hits[index] += 1
        return max(SAMPLED_EVERY, work // _WORK_OF_EVENT) - 1

    def _set(self, rules: frozenset[int]) -> dict[int, _OnField]:
        if len(self._sets) >= RULE_SETS_MAX:
            self._sum_up()
            self._sets.clear()
        on_field: dict[int, set[int]] = {}
        program = self._known.program
        for rule in rules:
            for index in _affirmed(program.conditions[rule]):
                if not isinstance(program.clauses[index], _NOT_SEARCHED):
                    on_field.setdefault(program.clauses[index].field, set()).add(index)
        found = self._sets[rules] = {field: _OnField(each, self._known) for field, each in on_field.items()}
        return found

    def _sum_up(self) -> None:
        for on_fields in self._sets.values():
            for on_field in on_fields.values():
                for index in on_field.clauses:
                    self._tried[index] += on_field.events
                on_field.events = 0


def _affirmed(condition: Condition) -> frozenset[int]:
    """The clauses that are not under a Not: anchors are of these."""
    match condition:
        case Is(clause):
            return frozenset((clause,))
        case And(parts) | Or(parts) | AtLeast(_, parts):
            return frozenset(clause for part in parts for clause in _affirmed(part))
    return frozenset()
