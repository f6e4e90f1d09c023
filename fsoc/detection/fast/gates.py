"""For rules without an anchor: a part of the condition that one field decides. What is false there need not be tried.

    selection: {CommandLine|contains: x}   condition: not selection     gate: the whole of it, on CommandLine

Anchors say what must be there; most of these rules ask for what must not.
"""

from __future__ import annotations

from typing import NamedTuple

from fsoc.detection.fast.conditions import Test, Vocabulary, clauses_in, compiled
from fsoc.detection.program import EVERYTHING, And, Condition, Exists, SameAs


class Gate(NamedTuple):
    """Holds wherever the rule does. A missing field is to it what a null is."""

    field: int
    test: Test


def gate_of(known: Vocabulary, condition: Condition) -> Gate | None:
    """The part with the most clauses, of those that must hold and look at one field, named without dots."""
    found: list[tuple[int, int, Condition]] = []
    for part in _parts(condition):
        clauses = [known.program.clauses[index] for index in clauses_in(part)]
        fields = {clause.field for clause in clauses}
        if len(fields) == 1 and not any(isinstance(clause, Exists | SameAs) for clause in clauses):
            field = fields.pop()
            if field != EVERYTHING and "." not in known.fields[field]:
                found.append((len(clauses), field, part))
    if not found:
        return None
    _, field, part = max(found, key=lambda each: each[0])
    return Gate(field, compiled(part, known))


def _parts(condition: Condition) -> list[Condition]:
    if isinstance(condition, And):
        return [each for part in condition.parts for each in _parts(part)]
    return [condition]
