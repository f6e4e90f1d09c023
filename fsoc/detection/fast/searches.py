"""A plan made ready: how each field is searched, and what is tried where. Built slowly, used for every event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fsoc.detection.event import Event
from fsoc.detection.fast.conditions import Facts, SeveralError, Test, Vocabulary, compiled, evaluate, without
from fsoc.detection.fast.gates import Gate, gate_of
from fsoc.detection.fast.search import FieldSearch
from fsoc.detection.plan import Anchor
from fsoc.detection.program import Condition


class Searches:
    """One search per field with anchors, and one test per rule, compiled when the rule is first tried."""

    def __init__(self, vocabulary: Vocabulary, anchors: Sequence[Anchor], before: Searches | None = None) -> None:
        """before: what is in use; a field whose anchors stay is not built anew."""
        program = vocabulary.program
        self.vocabulary = vocabulary
        self._anchors = tuple(anchors)
        self._tests: list[Test | None] = [None] * len(anchors)
        self._gates: dict[int, Gate] = {}
        self.fields_of: list[frozenset[int]] = []
        """By rule: where its anchor is looked for; nowhere where it has none."""
        rules_of: dict[int, list[int]] = {}
        clauses_on: dict[int, set[int]] = {}
        for rule, anchor in enumerate(self._anchors):
            for clause in anchor or ():
                rules_of.setdefault(clause, []).append(rule)
                clauses_on.setdefault(program.clauses[clause].field, set()).add(clause)
            self.fields_of.append(frozenset(program.clauses[clause].field for clause in anchor or ()))
            if anchor is None and (gate := gate_of(program, program.conditions[rule])) is not None:
                self._gates[rule] = gate
        self.rules_of = {clause: tuple(rules) for clause, rules in rules_of.items()}
        self._clauses_on = {field: frozenset(clauses) for field, clauses in clauses_on.items()}
        self._of_field = {
            field: before.search(field)
            if before is not None and before.clauses_on(field) == clauses
            else FieldSearch({index: program.clauses[index] for index in sorted(clauses)}, vocabulary.matcher)
            for field, clauses in self._clauses_on.items()
        }

    def search(self, field: int) -> FieldSearch:
        return self._of_field[field]

    def clauses_on(self, field: int) -> frozenset[int] | None:
        return self._clauses_on.get(field)

    def is_anchored(self, rule: int) -> bool:
        return self._anchors[rule] is not None

    def gate(self, rule: int) -> Gate | None:
        return self._gates.get(rule)

    def rules_at(self, field: int, raw: Any) -> list[int]:
        """The rules whose anchor holds for one value of a field; some more than once."""
        search = self._of_field.get(field)
        if search is None:
            return []
        return [rule for clause in search.clauses_of(raw) for rule in self.rules_of[clause]]

    def is_open(self, gate: Gate, raw: Any) -> bool:
        """Whether a gate holds for the one value of its field."""
        name = self.vocabulary.program.fields[gate.field]
        return evaluate(gate.condition, Facts(Event({name: raw}), self.vocabulary), self.vocabulary.stride)

    def matched(self, rules: Sequence[int], event: Event) -> list[int]:
        """Those of the rules that match an event; the anchors of those that have one must have been found in it."""
        facts = Facts(event, self.vocabulary)
        tests = self._tests
        found = []
        for rule in rules:
            try:
                if (tests[rule] or self._compile(rule))(facts):
                    found.append(rule)
            except SeveralError:
                if evaluate(self._condition(rule), facts, self.vocabulary.stride):
                    found.append(rule)
        return found

    def _compile(self, rule: int) -> Test:
        test = compiled(without(self._condition(rule), frozenset(self._anchors[rule] or ())), self.vocabulary)
        self._tests[rule] = test
        return test

    def _condition(self, rule: int) -> Condition:
        return self.vocabulary.program.conditions[rule]
