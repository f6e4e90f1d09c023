"""A rule's condition as a Python function of what is known of an event. The generated text holds no text of any rule.

selection: {Image|endswith: [\\a.exe, \\b.exe], CommandLine|contains|all: [x, y]}
def rule(s): return (t := s[2]) is not None and t.endswith(k0) and (t := s[0]) is not None and k1 in t and k2 in t
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    Null,
    Number,
    Or,
    Program,
    Regex,
    SameAs,
    Text,
    Wildcards,
    matcher_of,
)

FOLDED: Final = 0
TEXT: Final = 1
NUMBER: Final = 2
CLAUSE: Final = 3
ALL: Final = 4
"""What of an event facts are about: the folded text of a field, its text, its number; whether a clause holds; the
folded texts of all values together."""

Test = Callable[["Facts"], bool]

COMPILED_AFTER: Final = 4
"""A condition is worth compiling when it has been evaluated so often."""
_NESTED_MAX: Final = 40
"""Python's compiler has a bound of its own, and a condition deeper than this is evaluated part by part."""
_SPELLED_OUT_MAX: Final = 12
_SEARCHED_MIN: Final = 256
"""As many texts anywhere in one field are looked for at once."""
_COST_OF_CLAUSE: Final = 20
_COST_OF_KEYWORD: Final = 400


class SeveralError(Exception):
    """The field has several values: the condition must be evaluated clause by clause."""


class Vocabulary:
    """The fields and clauses of a program, by number."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.fields = program.fields
        self.stride = max(len(program.fields), len(program.clauses), 1)
        self._matchers: dict[int, Any] = {}
        self._read: dict[int, frozenset[int]] = {}

    def matcher(self, index: int) -> Any:
        """The matcher of a clause, made when first asked for."""
        found = self._matchers.get(index)
        if found is None:
            found = self._matchers[index] = matcher_of(self.program, self.program.clauses[index])
        return found

    def fields_read(self, rule: int) -> frozenset[int]:
        """The fields that a rule's condition looks at; EVERYTHING too."""
        found = self._read.get(rule)
        if found is None:
            clauses = [self.program.clauses[index] for index in clauses_in(self.program.conditions[rule])]
            others = {clause.other for clause in clauses if isinstance(clause, SameAs)}
            found = self._read[rule] = frozenset(others.union(clause.field for clause in clauses))
        return found


class Facts(dict[int, Any]):
    """What is known of one event, each fact worked out when first asked for; its key is kind * stride + index.

    over: as of Event.
    """

    __slots__ = ("_event", "_fields", "_known", "_over")

    def __init__(self, known: Vocabulary, fields: Mapping[str, Any], over: Mapping[str, Any]) -> None:
        self._known = known
        self._fields = fields
        self._over = over
        self._event: Event | None = None

    def __missing__(self, key: int) -> Any:
        known = self._known
        if key < known.stride:
            # Nearly all that is ever asked for: the folded text of a field that is a text.
            name = known.fields[key]
            raw = self._fields.get(name)
            if name not in self._over:
                if type(raw) is str:
                    folded = self[key] = raw.casefold()
                    return folded
                if raw is None and "." not in name:
                    self[key] = None
                    return None
        kind, index = divmod(key, known.stride)
        if self._event is None:
            self._event = Event(self._fields, self._over)
        fact: Any
        if kind == CLAUSE:
            fact = self._holds(index)
        elif kind == ALL:
            fact = "\n".join([value.folded or "" for value in self._event.everything()])
        else:
            fact = self._of_field(kind, known.fields[index])
        self[key] = fact
        return fact

    def _holds(self, index: int) -> bool:
        event: Any = self._event
        field = self._known.program.clauses[index].field
        found = event.everything() if field == EVERYTHING else event.find(self._known.fields[field])
        return bool(self._known.matcher(index)(found, event))

    def _of_field(self, kind: int, name: str) -> Any:
        event: Any = self._event
        found = event.find(name)
        if not found:
            return None
        if len(found) > 1:
            raise SeveralError
        return found[0].folded if kind == FOLDED else found[0].text if kind == TEXT else found[0].number


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
            if isinstance(clause, Text) and not clause.cased and clause.number is None:
                # What is in no value is not in all of them together: that is known sooner.
                source = f"({self._name(clause.text)} in s[{ALL * self._known.stride}] and {source})"
            return _Written(_COST_OF_KEYWORD, source)
        if isinstance(clause, Wildcards):
            # Its longest text is looked for first: most often it is not there.
            longest = max((part for part in clause.parts if isinstance(part, str)), key=len, default="")
            text = f"s[{(TEXT if clause.cased else FOLDED) * self._known.stride + clause.field}]"
            source = f"((t := {text}) is not None and {self._name(longest)} in t and {source})"
            return _Written(_COST_OF_CLAUSE / 2, source)
        if isinstance(clause, Null):
            # What has a text is not null: that is known sooner.
            return _Written(1, f"(s[{FOLDED * self._known.stride + clause.field}] is None and {source})")
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


def clauses_in(condition: Condition) -> frozenset[int]:
    """All of them."""
    match condition:
        case Is(clause):
            return frozenset((clause,))
        case And(parts) | Or(parts) | AtLeast(_, parts):
            return frozenset(clause for part in parts for clause in clauses_in(part))
        case Not(part):
            return clauses_in(part)


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
