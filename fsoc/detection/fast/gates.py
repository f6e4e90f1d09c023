"""For rules without an anchor: a part of the condition that one field decides. What is false there need not be tried.

    selection: {CommandLine|contains: x}   condition: not selection     gate: the whole of it, on CommandLine

Anchors say what must be there; most of these rules ask for what must not.
"""

from __future__ import annotations

from typing import NamedTuple

from fsoc.detection.program import EVERYTHING, And, AtLeast, Condition, Exists, Is, Not, Or, Program, SameAs


class Gate(NamedTuple):
    """Holds wherever the rule does. A missing field is to it what a null is."""

    field: int
    condition: Condition


def gate_of(program: Program, condition: Condition) -> Gate | None:
    """The part with the most clauses, of those that must hold and look at one field, named without dots."""
    found: list[tuple[int, Gate]] = []
    for part in _parts(condition):
        clauses = _clauses(part)
        fields = {program.clauses[index].field for index in clauses}
        if len(fields) != 1 or any(isinstance(program.clauses[index], Exists | SameAs) for index in clauses):
            continue
        field = fields.pop()
        if field != EVERYTHING and "." not in program.fields[field]:
            found.append((len(clauses), Gate(field, part)))
    return max(found, key=lambda each: each[0])[1] if found else None


def _parts(condition: Condition) -> list[Condition]:
    if isinstance(condition, And):
        return [each for part in condition.parts for each in _parts(part)]
    return [condition]


def _clauses(condition: Condition) -> set[int]:
    match condition:
        case Is(clause):
            return {clause}
        case And(parts) | Or(parts) | AtLeast(_, parts):
            return set().union(*map(_clauses, parts))
        case Not(part):
            return _clauses(part)
