"""A rule's condition as a Python function of what is known of an event. The generated text holds no text of any rule.

selection: {Image|endswith: [\\a.exe, \\b.exe], CommandLine|contains|all: [x, y]}
def rule(s): return (t := s[2]) is not None and t.endswith(k0) and (t := s[0]) is not None and k1 in t and k2 in t
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from fsoc.detection.event import Event
from fsoc.detection.fast.literals import SEARCHED_LENGTH_MAX, any_of
from fsoc.detection.program import (
    EVERYTHING,
    And,
    AtLeast,
    Condition,
    Is,
    Not,
    Number,
    Or,
    Program,
    Regex,
    Text,
    Wildcards,
)

FOLDED: Final = 0
TEXT: Final = 1
NUMBER: Final = 2
CLAUSE: Final = 3
"""What of an event facts are about: the folded text of a field, its text, its number; whether a clause holds."""

Test = Callable[["Facts"], bool]

_NESTED_MAX: Final = 40
"""Python's compiler has a bound of its own, and a condition deeper than this is evaluated part by part."""
_SPELLED_OUT_MAX: Final = 12
_SEARCHED_MIN: Final = 64
"""As many texts anywhere in one field are looked for at once."""
_COST_OF_CLAUSE: Final = 20
_COST_OF_KEYWORD: Final = 400


class SeveralError(Exception):
    """The field has several values: the condition must be evaluated clause by clause."""


class Vocabulary:
    """The fields and clauses of a program, by number; matchers are made when first asked for, and kept."""

    def __init__(self, program: Program, matcher_of: Callable[[int], Any]) -> None:
        self.program = program
        self.matcher = matcher_of
        self.stride = max(len(program.fields), len(program.clauses), 1)


class Facts(dict[int, Any]):
    """What is known of one event, each fact worked out when first asked for; its key is kind * stride + index."""

    __slots__ = ("_event", "_vocabulary")

    def __init__(self, event: Event, vocabulary: Vocabulary) -> None:
        super().__init__()
        self._event = event
        self._vocabulary = vocabulary

    def __missing__(self, key: int) -> Any:
        known = self._vocabulary
        kind, index = divmod(key, known.stride)
        fact: Any
        if kind == CLAUSE:
            field = known.program.clauses[index].field
            found = self._event.everything() if field == EVERYTHING else self._event.find(known.program.fields[field])
            fact = known.matcher(index)(found, self._event)
        else:
            found = self._event.find(known.program.fields[index])
            if not found:
                fact = None
            elif len(found) > 1:
                raise SeveralError
            else:
                fact = found[0].folded if kind == FOLDED else found[0].text if kind == TEXT else found[0].number
        self[key] = fact
        return fact


def evaluate(condition: Condition, facts: Facts, stride: int) -> bool:
    """Clause by clause, as nodes.py does it."""
    match condition:
        case Is(clause):
            return bool(facts[CLAUSE * stride + clause])
        case And(parts):
            return all(evaluate(part, facts, stride) for part in parts)
        case Or(parts):
            return any(evaluate(part, facts, stride) for part in parts)
        case AtLeast(count, parts):
            return sum(evaluate(part, facts, stride) for part in parts) >= count
        case Not(part):
            return not evaluate(part, facts, stride)


def without(condition: Condition, anchor: frozenset[int]) -> Condition:
    """What is left to be tried where one clause of the anchor holds."""
    clauses = _only_or(condition)
    if clauses is not None and anchor and anchor <= clauses:
        return And(())
    if isinstance(condition, And):
        parts = [without(part, anchor) for part in condition.parts]
        return And(tuple(part for part in parts if part != And(())))
    return condition


def _only_or(condition: Condition) -> frozenset[int] | None:
    """The clauses of which one is enough, if that is all there is to it."""
    match condition:
        case Is(clause):
            return frozenset((clause,))
        case Or(parts):
            each = [_only_or(part) for part in parts]
            return None if None in each else frozenset().union(*filter(None, each))
    return None


def compiled(condition: Condition, vocabulary: Vocabulary) -> Test:
    """The condition as a function.

    It raises SeveralError where a field has more values than one; `evaluate` then says what is true.
    """
    if _depth(condition) > _NESTED_MAX:
        return lambda facts: evaluate(condition, facts, vocabulary.stride)
    writer = _Writer(vocabulary)
    source = f"def rule(s): return {writer.written(condition).source}"
    exec(compile(source, "<rule>", "exec"), writer.names)  # noqa: S102 - names and operators of ours; texts are values
    made: Test = writer.names["rule"]
    return made


class _Written(NamedTuple):
    """cost: about how long it takes; the cheap is tried first."""

    cost: float
    source: str


class _Writer:
    """Writes conditions as expressions; what they hold of rules are values of names."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._known = vocabulary
        self.names: dict[str, Any] = {"__builtins__": {"any": any, "map": map, "sum": sum}}

    def written(self, condition: Condition) -> _Written:
        match condition:
            case Is():
                return self._clauses((condition.clause,), " or ")[0]
            case And(parts):
                return self._joined(_flat(parts, And), " and ")
            case Or(parts):
                return self._joined(_flat(parts, Or), " or ")
            case AtLeast(count, parts):
                each = [self.written(part) for part in parts]
                several = "".join(f"{part.source}, " for part in each)
                return _Written(sum(part.cost for part in each), f"(sum(({several})) >= {self._name(count)})")
            case Not(part):
                inner = self.written(part)
                return _Written(inner.cost, f"(not {inner.source})")

    def _joined(self, parts: Sequence[Condition], operator: str) -> _Written:
        clauses = [part.clause for part in parts if isinstance(part, Is)]
        each = self._clauses(clauses, operator)
        each += [self.written(part) for part in parts if not isinstance(part, Is)]
        if not each:
            return _Written(0, "True" if operator == " and " else "False")
        each.sort()
        return _Written(sum(part.cost for part in each), f"({operator.join(part.source for part in each)})")

    def _clauses(self, clauses: Iterable[int], operator: str) -> list[_Written]:
        """Those on texts of one field together, and those on its numbers; every other for itself."""
        texts: dict[tuple[int, bool], list[Text]] = {}
        numbers: dict[int, list[int]] = {}
        found = []
        for index in clauses:
            match self._known.program.clauses[index]:
                case Text(field=field, cased=cased, number=None) as text if field != EVERYTHING:
                    texts.setdefault((field, cased), []).append(text)
                case Number(field=field) if field != EVERYTHING:
                    numbers.setdefault(field, []).append(index)
                case other:
                    found.append(self._other(index, other))
        found += [self._texts(field, cased, several, operator) for (field, cased), several in texts.items()]
        for field, several in numbers.items():
            source = f"s[{NUMBER * self._known.stride + field}]"
            values = [self._known.matcher(index).number for index in several]
            if operator == " or " and len(values) > 1:
                found.append(_Written(1, f"({source} in {self._name(tuple(values))})"))
            else:
                found += [_Written(1, f"({source} == {self._name(value)})") for value in values]
        return found

    def _other(self, index: int, clause: Any) -> _Written:
        source = f"s[{CLAUSE * self._known.stride + index}]"
        if clause.field == EVERYTHING:
            return _Written(_COST_OF_KEYWORD, source)
        if isinstance(clause, Wildcards):
            # Its longest text is looked for first: most often it is not there.
            longest = max((part for part in clause.parts if isinstance(part, str)), key=len, default="")
            text = f"s[{(TEXT if clause.cased else FOLDED) * self._known.stride + clause.field}]"
            source = f"((t := {text}) is not None and {self._name(longest)} in t and {source})"
            return _Written(_COST_OF_CLAUSE / 2, source)
        return _Written(_COST_OF_CLAUSE * (2 if isinstance(clause, Regex) else 1), source)

    def _texts(self, field: int, cased: bool, several: Sequence[Text], operator: str) -> _Written:
        subject = f"s[{(TEXT if cased else FOLDED) * self._known.stride + field}]"
        tests = self._any_text(several) if operator == " or " else [self._one_text(each) for each in several]
        cost = 1 + sum(1 + len(several) / 8 for _ in tests)
        return _Written(cost, f"((t := {subject}) is not None and ({operator.join(tests)}))")

    def _one_text(self, clause: Text) -> str:
        name = self._name(clause.text)
        match clause.place:
            case "whole":
                return f"t == {name}"
            case "start":
                return f"t.startswith({name})"
            case "end":
                return f"t.endswith({name})"
            case "anywhere":
                return f"{name} in t"

    def _any_text(self, several: Sequence[Text]) -> list[str]:
        by_place: dict[str, list[str]] = {}
        for clause in several:
            by_place.setdefault(clause.place, []).append(clause.text)
        tests = []
        if whole := by_place.get("whole"):
            tests.append(f"t in {self._name(frozenset(whole))}")
        if starts := by_place.get("start"):
            tests.append(f"t.startswith({self._name(tuple(starts))})")
        if ends := by_place.get("end"):
            tests.append(f"t.endswith({self._name(tuple(ends))})")
        anywhere = by_place.get("anywhere", [])
        if len(anywhere) <= _SPELLED_OUT_MAX:
            tests += [f"{self._name(text)} in t" for text in anywhere]
        elif len(anywhere) < _SEARCHED_MIN or not all(0 < len(text) <= SEARCHED_LENGTH_MAX for text in anywhere):
            tests.append(f"any(map(t.__contains__, {self._name(tuple(anywhere))}))")
        else:
            tests.append(f"{self._name(any_of(anywhere))}(t)")
        return tests

    def _name(self, value: Any) -> str:
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name


def _flat(parts: Iterable[Condition], kind: type[And | Or]) -> list[Condition]:
    flat: list[Condition] = []
    for part in parts:
        flat += _flat(part.parts, kind) if isinstance(part, kind) else [part]
    return flat


def _depth(condition: Condition) -> int:
    match condition:
        case And(parts) | Or(parts) | AtLeast(_, parts):
            return 1 + max(map(_depth, parts), default=0)
        case Not(part):
            return 1 + _depth(part)
        case _:
            return 0
