"""A plan made ready: how each field is searched, and what is tried where. Built slowly, used for every event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fsoc.detection.fast.conditions import (
    COMPILED_AFTER,
    Facts,
    SeveralError,
    Test,
    Vocabulary,
    compiled,
    evaluate,
    without,
)
from fsoc.detection.fast.gates import Gate, gate_of
from fsoc.detection.fast.keywords import Keywords
from fsoc.detection.fast.search import FieldSearch
from fsoc.detection.plan import Anchor
from fsoc.detection.program import EVERYTHING, Clause, Condition

NOTHING_OVER: Final[Mapping[str, Any]] = {}


class Searches:
    """One search per field with anchors, and one test per rule, compiled when the rule is first tried."""

    def __init__(self, known: Vocabulary, anchors: Sequence[Anchor], before: Searches | None = None) -> None:
        """before: what is in use; a field whose anchors stay is not built anew, nor a rule whose anchor stays."""
        program = known.program
        self.known = known
        self._anchors = tuple(frozenset(anchor or ()) for anchor in anchors)
        self._tests: list[Test | None] = [None] * len(self._anchors)
        self._tries = [0] * len(self._anchors)
        self._rest: dict[int, Condition] = {}
        self.fields_of: list[frozenset[int]] = []
        """By rule: where its anchor is looked for; nowhere where it has none."""
        rules_of: dict[int, list[int]] = {}
        self._clauses_on: dict[int, dict[int, Clause]] = {}
        for rule, anchor in enumerate(self._anchors):
            for index in sorted(anchor):
                rules_of.setdefault(index, []).append(rule)
                self._clauses_on.setdefault(program.clauses[index].field, {})[index] = program.clauses[index]
            self.fields_of.append(frozenset(program.clauses[index].field for index in anchor))
        self.rules_of = {index: tuple(rules) for index, rules in rules_of.items()}
        old = before if before is not None else self
        self._of_field: dict[int, FieldSearch] = {}
        for field, clauses in self._clauses_on.items():
            if field != EVERYTHING:
                kept = old._of_field.get(field) if old._clauses_on.get(field) == clauses else None  # noqa: SLF001
                self._of_field[field] = kept or FieldSearch(clauses, known.matcher)
        for rule, anchor in enumerate(self._anchors):
            if before is not None and before._anchors[rule] == anchor:  # noqa: SLF001
                self._tests[rule] = before._tests[rule]  # noqa: SLF001
        self.keywords = Keywords(self._clauses_on.get(EVERYTHING, {}))
        self._set_apart(anchors)

    def _set_apart(self, anchors: Sequence[Anchor]) -> None:
        """The rules that have a gate instead of an anchor, and those that have neither."""
        self.gates: dict[int, Gate] = {}
        self.always = {rule for index in self.keywords.always for rule in self.rules_of[index]}
        self.not_in_lines = {rule for index in self.keywords.not_in_lines for rule in self.rules_of[index]}
        for rule, anchor in enumerate(anchors):
            if anchor is None:
                gate = gate_of(self.known, self.known.program.conditions[rule])
                if gate is None:
                    self.always.add(rule)
                else:
                    self.gates[rule] = gate

    def search(self, field: int) -> FieldSearch | None:
        """The search for the anchors on a field, which is not that of keywords."""
        return self._of_field.get(field)

    def proposed(self, values: Iterable[object]) -> set[int]:
        """The rules for which a keyword may be among the values of an event; but for those of `always`."""
        return {rule for index in self.keywords.proposed(values) for rule in self.rules_of[index]}

    def proposed_in(self, line: bytes) -> set[int] | None:
        """As `proposed`, and but for those of `not_in_lines`; None where it cannot be told from the line."""
        proposed = self.keywords.proposed_in(line)
        return None if proposed is None else {rule for index in proposed for rule in self.rules_of[index]}

    def is_open(self, gate: Gate, raw: Any) -> bool:
        """Whether a gate holds for the one value of its field."""
        facts = Facts(self.known, {self.known.fields[gate.field]: raw}, NOTHING_OVER)
        return gate.test(facts)

    def matched(self, rules: Iterable[int], fields: Mapping[str, Any], over: Mapping[str, Any]) -> list[int]:
        """Those of the rules that match an event; the anchors of those that have one on fields must hold for it."""
        facts = Facts(self.known, fields, over)
        tests = self._tests
        found = []
        for rule in rules:
            test = tests[rule]
            try:
                holds = test(facts) if test is not None else self._holds(rule, facts)
            except SeveralError:
                holds = evaluate(self.known.program.conditions[rule], facts, self.known.stride)
            if holds:
                found.append(rule)
        return found

    def _holds(self, rule: int, facts: Facts) -> bool:
        """A rule that is not compiled yet."""
        rest = self._rest.get(rule)
        if rest is None:
            condition = self.known.program.conditions[rule]
            on_fields = EVERYTHING not in self.fields_of[rule]
            rest = self._rest[rule] = without(condition, self._anchors[rule]) if on_fields else condition
        self._tries[rule] += 1
        if self._tries[rule] >= COMPILED_AFTER:
            self._tests[rule] = compiled(rest, self.known)
        return evaluate(rest, facts, self.known.stride)
