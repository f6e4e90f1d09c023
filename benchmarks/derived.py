"""Events made from rules: for a rule's condition an event it matches, and events it narrowly may not. Seeded; pure.

A small solver: it draws which clauses are to hold, makes a value of those of each field, and asks the plain evaluator.
What it does not find in ATTEMPTS_MAX draws it leaves out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from benchmarks.values import Style, value_for
from fsoc.detection.event import Event
from fsoc.detection.nodes import Node
from fsoc.detection.program import (
    EVERYTHING,
    And,
    AtLeast,
    Clause,
    Condition,
    Exists,
    Is,
    Not,
    Null,
    Or,
    Program,
    SameAs,
    unflatten,
)

ATTEMPTS_MAX: Final = 60
KEYWORDS: Final = ("Message", "RawMessage")
"""Where keywords are put: the first that the rule does not name."""

_LISTS_FROM_ATTEMPT: Final = 12
_LOOKALIKES: Final = {"s": "ſ", "k": "\u212a", "ss": "ß", "i": "İ", "a": "а", "-": "–", "\\": "/", " ": "\xa0"}


def derived_events(program: Program, draw: random.Random) -> Iterator[tuple[int, dict[str, Any]]]:
    """(rule index, an event that its condition holds of), in the rules' order; flat, without logsource.

    Called again with the same `draw`, it makes others. Of a rule that could not be solved there is none.
    """
    nodes = unflatten(program)
    for index, condition in enumerate(program.conditions):
        event = _solve(program, condition, nodes[index], draw)
        if event is not None:
            yield index, event


def near_misses(event: Mapping[str, Any], draw: random.Random) -> Iterator[dict[str, Any]]:
    """The event, each time with one value changed a little: other case, a character less, another type, gone.

    Some still match, and mean to: an engine must find that too.
    """
    names = sorted(event)
    if not names:
        return
    for change in _CHANGES:
        name = draw.choice(names)
        value = event[name]
        plain = draw.choice(value) if isinstance(value, list) and value else value
        yield {**event, name: change(plain, draw)}
    gone = draw.choice(names)
    yield {name: value for name, value in event.items() if name != gone}


def _solve(program: Program, condition: Condition, node: Node, draw: random.Random) -> dict[str, Any] | None:
    for attempt in range(ATTEMPTS_MAX):
        wanted: dict[int, None] = {}
        unwanted: dict[int, None] = {}
        _draw_clauses(condition, True, draw, wanted, unwanted)
        if wanted.keys() & unwanted.keys():
            continue
        style = Style(draw, lists=attempt >= _LISTS_FROM_ATTEMPT and draw.random() < 0.5)
        event = _event(
            program, [program.clauses[each] for each in wanted], [program.clauses[each] for each in unwanted], style
        )
        if event is not None and node(Event(event)):
            return event
    return None


def _draw_clauses(
    condition: Condition, wish: bool, draw: random.Random, wanted: dict[int, None], unwanted: dict[int, None]
) -> None:
    """Clauses that, so, make the condition what is wished."""
    match condition:
        case Is(clause):
            (wanted if wish else unwanted)[clause] = None
            return
        case Not(part):
            _draw_clauses(part, not wish, draw, wanted, unwanted)
            return
        case And(parts):
            needed = len(parts) if wish else min(1, len(parts))
        case Or(parts):
            needed = min(1, len(parts)) if wish else len(parts)
        case AtLeast(count, parts):
            needed = min(max(count, 0), len(parts)) if wish else max(len(parts) - count + 1, 0)
    chosen = sorted(draw.sample(range(len(parts)), min(needed, len(parts))))
    for place in chosen:
        _draw_clauses(parts[place], wish, draw, wanted, unwanted)


def _event(program: Program, wanted: list[Clause], unwanted: list[Clause], style: Style) -> dict[str, Any] | None:
    """None where a value could not be made."""
    by_field: dict[int, list[Clause]] = {}
    for clause in wanted:
        by_field.setdefault(clause.field, []).append(clause)
    named = {program.fields[field] for field in by_field if field != EVERYTHING}
    keywords = next((name for name in KEYWORDS if name not in named), "Keywords")
    event: dict[str, Any] = {}
    for field, clauses in by_field.items():
        name = keywords if field == EVERYTHING else program.fields[field]
        if not _give(event, name, clauses, style):
            return None
    for clause in wanted:
        if isinstance(clause, SameAs):
            _make_same(program.fields[clause.field], program.fields[clause.other], event, style)
    for clause in unwanted:
        present = isinstance(clause, Null) or (isinstance(clause, Exists) and not clause.wanted)
        if present and clause.field != EVERYTHING:
            event.setdefault(program.fields[clause.field], style.word())
    return event


def _give(event: dict[str, Any], name: str, clauses: list[Clause], style: Style) -> bool:
    """A value, or none where that is what the clauses want; whether one could be made."""
    alone = [clause for clause in clauses if not isinstance(clause, SameAs | Null | Exists)]
    if any(isinstance(clause, Null) for clause in clauses):
        if style.draw.random() < 0.5:
            event[name] = None
        return True
    if alone:
        event[name] = value_for(alone, style)
        return event[name] is not None
    if any(isinstance(clause, Exists) and clause.wanted for clause in clauses):
        event[name] = style.word()
    return True


def _make_same(mine: str, other: str, event: dict[str, Any], style: Style) -> None:
    """Both fields the same value: the one's that has one."""
    value = event.get(mine, event.get(other))
    event[mine] = event[other] = style.word() if value is None else value


def _flip_case(value: Any, draw: random.Random) -> Any:
    if not isinstance(value, str):
        return value
    if draw.random() < 0.5 or not value:
        return value.swapcase()
    at = draw.randrange(len(value))
    return value[:at] + value[at].swapcase() + value[at + 1 :]


def _cut(value: Any, draw: random.Random) -> Any:
    if not isinstance(value, str) or not value:
        return 0
    at = draw.choice([0, len(value) - 1, draw.randrange(len(value))])
    return value[:at] + value[at + 1 :]


def _lengthen(value: Any, draw: random.Random) -> Any:
    text = str(value)
    at = draw.choice([0, len(text), draw.randint(0, len(text))])
    return text[:at] + draw.choice("xX .\\\né\0") + text[at:]


def _look_alike(value: Any, draw: random.Random) -> Any:
    if not isinstance(value, str):
        return value
    there = [plain for plain in _LOOKALIKES if plain in value.lower()]
    if not there:
        return value + "\u0307"
    plain = draw.choice(there)
    at = value.lower().index(plain)
    return value[:at] + _LOOKALIKES[plain] + value[at + len(plain) :]


def _retype(value: Any, draw: random.Random) -> Any:
    if isinstance(value, str):
        digits = value.isascii() and value.isdigit() and len(value) < 16
        return draw.choice([int(value), float(value)] if digits else [None, True, [], {"x": value}, len(value)])
    return draw.choice([str(value), str(value).lower(), value == 1, bool(value)])


def _enlist(value: Any, draw: random.Random) -> Any:
    return draw.choice([[value], [[], "other", [value, None]], ["other", "another"], [[value]], []])


_CHANGES: Final[tuple[Callable[[Any, random.Random], Any], ...]] = (
    _flip_case,
    _cut,
    _lengthen,
    _look_alike,
    _retype,
    _enlist,
)
