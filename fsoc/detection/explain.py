"""Why a rule matches an event, or does not: its condition as a tree of what held. The verdict is the plain evaluator's.

Explanation: is the rule for such events at all, and by which line of logsources.yml?
└─ Step: condition → and, or, not → selection → line → value, each with whether it held, and why not
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sigma.conditions import ConditionAND
from sigma.rule import SigmaDetection, SigmaDetectionItem

from fsoc.detection.build import Line
from fsoc.detection.compile import compile_detection
from fsoc.detection.condition import parse
from fsoc.detection.detector import TICKET
from fsoc.detection.event import Event, Found, Value
from fsoc.detection.logsource import Logsource
from fsoc.detection.logsources import Aliases, LogsourceMap, Origin, over
from fsoc.detection.matchers import Exists
from fsoc.detection.nodes import And, AtLeast, Item, Matcher, Node, Not, Or, fields_of
from fsoc.detection.reasons import described, reason
from fsoc.detection.routes import is_about, over_of_ticket
from fsoc.detection.rules import Draft, Rule
from fsoc.detection.section import Section
from fsoc.tickets.derived import with_derived

VALUES_SHOWN_MAX: Final = 5
VALUE_LENGTH_MAX: Final = 300

Kind = Literal["rule", "filter", "condition", "and", "or", "at least", "not", "selection", "line", "value"]


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a rule, and whether it held.

    label: a selection's name, a line's field and modifiers, a value as it is written. where: file and line.
    why: why a line or value did not hold. found: the event's values, bounded; that which matched comes first.
    parts: what it is decided by.
    """

    kind: Kind
    label: str
    matched: bool
    where: str = ""
    why: str = ""
    found: tuple[str, ...] = ()
    parts: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One rule and one event.

    matched: covered, and the condition holds. covered: whether the rule is for events such as this one.
    logsources: what the event is of, and why; those that the rule is for come first. aliases: names that the rule uses,
    and what they are called in the event. condition: what it comes to, also where the rule is not tried.
    """

    rule: Rule
    matched: bool
    covered: bool
    logsources: tuple[Origin, ...]
    aliases: Aliases
    condition: Step


def explain(
    draft: Draft, fields: Mapping[str, Any], logsources: LogsourceMap, stated: Logsource | None = None
) -> Explanation:
    """One event against a rule that was loaded."""
    rule = draft.rule
    assert rule is not None  # noqa: S101 - a refused rule has problems instead
    if rule.logsource.product == TICKET:
        step = _Explainer(draft, with_derived(fields), over_of_ticket(fields)).rule()
        covered = is_about(rule.logsource, fields)
        return Explanation(rule, covered and step.matched, covered, (), (), step)
    origins = logsources.origins(fields, stated)
    covering = [each for each in origins if each.logsource.product != TICKET and rule.logsource.covers(each.logsource)]
    # As the plain evaluator: a view for each set of names, and one that matches is enough.
    views = list(dict.fromkeys(each.aliases for each in covering)) or [()]
    steps = [(aliases, _Explainer(draft, fields, over(fields, aliases)).rule()) for aliases in views]
    aliases, step = next(((names, step) for names, step in steps if step.matched), steps[0])
    ordered = tuple(sorted(origins, key=lambda each: each not in covering))
    used = set(fields_of(rule.condition))
    aliases = tuple((wanted, name) for wanted, name in aliases if wanted in used and name in fields)
    return Explanation(rule, bool(covering) and step.matched, bool(covering), ordered, aliases, step)


class _Explainer:
    """One rule, one view of one event."""

    def __init__(self, draft: Draft, fields: Mapping[str, Any], hiding: Mapping[str, Any]) -> None:
        self._draft = draft
        self._fields = fields
        self._event = Event(fields, hiding)

    def rule(self) -> Step:
        """Its own condition, and that of each filter."""
        steps = [step for section in self._draft.sections if (step := self._section(section)) is not None]
        return steps[0] if len(steps) == 1 else Step("rule", "the rule and its filters", _every(steps), parts=(*steps,))

    def _section(self, section: Section) -> Step | None:
        """None where a pipeline dropped all of it."""
        path = section.document.path
        named = {
            name: self._detection(each, Step("selection", name, True, section.problem("", name).where), section)
            for name, each in section.detections.items()
        }
        marks: dict[str, Node | None] = {name: Item(name, ()) if step else None for name, step in named.items()}
        steps = []
        for place, text in enumerate(section.conditions):
            node = parse(text, marks)
            if node is not None:
                keys = ("condition", place) if len(section.conditions) > 1 else ("condition",)
                part = _tree(node, named)
                steps.append(Step("condition", text, part.matched, section.problem("", *keys).where, parts=(part,)))
        if not steps:
            return None
        whole = steps[0] if len(steps) == 1 else Step("or", "one of the conditions", _any(steps), parts=(*steps,))
        if section.key == "detection":
            return whole
        title = str(section.document.data.get("title"))
        return Step("filter", title, whole.matched, f"{path}:{section.document.line}", parts=(whole,))

    def _detection(self, detection: SigmaDetection, empty: Step, section: Section) -> Step | None:
        """A selection, or one of the mappings that it is a list of; None where a pipeline dropped all of it."""
        steps = [
            step
            for place, part in enumerate(detection.detection_items, 1)
            if (
                step := self._detection(part, Step("and", f"mapping {place}", True), section)
                if isinstance(part, SigmaDetection)
                else self._line(part, section)
            )
            is not None
        ]
        if not steps:
            return None
        matched = _every(steps) if detection.item_linking is ConditionAND else _any(steps)
        if len(steps) > 1 and detection.item_linking is not ConditionAND:
            steps = [Step("or", "one of these", matched, parts=(*steps,))]
        return replace(empty, matched=matched, where=empty.where or steps[0].where, parts=(*steps,))

    def _line(self, item: SigmaDetectionItem, section: Section) -> Step:
        node = compile_detection(SigmaDetection([item]))
        inner = node.part if isinstance(node, Not) else node
        assert node is not None and isinstance(inner, Item)  # noqa: S101, PT018 - what one item compiles to
        line = item.source if isinstance(item.source, Line) else None
        path = section.document.path
        found = self._event.everything() if inner.field is None else self._event.find(inner.field)
        values = [
            self._value(matcher, written, f"{path}:{number}" if number else "", inner.field, found)
            for matcher, (number, written) in zip(
                inner.matchers, _written(line if section.as_written else None, inner), strict=True
            )
        ]
        names = [item.field or "keyword", *(line.key.split("|")[1:] if line is not None else ())]
        matched = node(self._event)
        why = "" if matched or inner is node else "the event has it"
        where = f"{path}:{line.number}" if line is not None else path
        key, shown = "|".join(names), self._shown(inner, found)
        if len(values) == 1:
            why = "" if matched else why or values[0].why
            return Step("line", f"{key}: {values[0].label}", matched, where, why, shown)
        if not matched and len({value.why for value in values}) == 1:
            why = why or values[0].why
        return Step("line", key, matched, where, why, shown, tuple(values))

    def _value(self, matcher: Matcher, written: str, where: str, field: str | None, found: Found) -> Step:
        matched = matcher(found, self._event)
        if matched:
            why = ""
        elif field is None:
            why = "in no value of the event"
        else:
            why = reason(matcher, found, self._event)
            alike = None if found is not None else self._alike(field)
            why += f' of that name, but there is "{alike}": letter case counts in names' if alike else ""
        return Step("value", written, matched, where, why)

    def _alike(self, field: str) -> str | None:
        return next((name for name in self._fields if str(name).casefold() == field.casefold()), None)

    def _shown(self, item: Item, found: Found) -> tuple[str, ...]:
        """The field's values, what matched first; of keywords only what matched."""
        values = found or ()
        hits = [value for value in values if any(self._holds(matcher, value) for matcher in item.matchers)]
        others = [] if item.field is None else [value for value in values if value not in hits]
        shown = [_bounded("null" if value.text is None else value.text) for value in (*hits, *others)]
        more = len(shown) - VALUES_SHOWN_MAX
        return (*shown[:VALUES_SHOWN_MAX], f"… and {more} more") if more > 0 else tuple(shown)

    def _holds(self, matcher: Matcher, value: Value) -> bool:
        return not isinstance(matcher, Exists) and matcher((value,), self._event)


def _tree(node: Node, named: Mapping[str, Step | None]) -> Step:
    """The step of a condition over named selections."""
    match node:
        case Item(str(name)):
            step = named[name]
            assert step is not None  # noqa: S101 - what was dropped is not in the condition
            return step
        case Not(part):
            inner = _tree(part, named)
            return Step("not", "not", not inner.matched, parts=(inner,))
        case And(parts) | Or(parts) | AtLeast(_, parts):
            steps = [_tree(part, named) for part in parts]
            match node:
                case And():
                    return Step("and", "all of these", _every(steps), parts=(*steps,))
                case Or():
                    return Step("or", "one of these", _any(steps), parts=(*steps,))
                case AtLeast(count):
                    matched = sum(step.matched for step in steps) >= count
                    return Step("at least", f"at least {count} of these", matched, parts=(*steps,))
    raise TypeError(type(node).__name__)


def _written(line: Line | None, compiled: Item) -> list[tuple[int | None, str]]:
    """The values and their lines, as they are written; as they are understood where that is not known."""
    if line is not None and len(line.values) == len(compiled.matchers):
        return [(number, _yaml(value)) for number, value in line.values]
    return [(None, _bounded(described(matcher))) for matcher in compiled.matchers]


def _yaml(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _bounded(str(value)) or "''"


def _bounded(text: str) -> str:
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}…"


def _every(steps: Iterable[Step]) -> bool:
    return all(step.matched for step in steps)


def _any(steps: Iterable[Step]) -> bool:
    return any(step.matched for step in steps)
