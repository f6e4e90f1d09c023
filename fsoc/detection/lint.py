"""What is wrong with rules that load: parts nothing can reach, unknown tags and logsources, rules tried on everything.

Problems are certain: a part of the rule does nothing, or a tag says nothing. Warnings are rules that work, but not as
well as they might, or only where a sender does its part.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fsoc.attack.techniques import Techniques
from fsoc.detection.compile import CannotEvaluateError, compile_detection
from fsoc.detection.condition import BadConditionError, parse
from fsoc.detection.detector import TICKET
from fsoc.detection.documents import Document
from fsoc.detection.logsource import ATTRIBUTES, Logsource
from fsoc.detection.nodes import And, AtLeast, Item, Node, Not, Or
from fsoc.detection.plan import plan
from fsoc.detection.program import flatten
from fsoc.detection.rules import Draft, LoadedRules
from fsoc.detection.section import Section
from fsoc.detection.truth import can_fail, can_hold
from fsoc.errors import Problem

_NEAR: Final = 0.75
"""How alike each attribute of a logsource must be to one that is known, to be taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Case:
    """A document that was checked: what to call it, and where it begins."""

    path: str
    line: int
    name: str


@dataclass(slots=True)
class Review:
    """Sees each rule as it is loaded, and then the set; keeps no rule.

    problems, warnings: as found; in no order of files.
    """

    techniques: Techniques
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    _logsources: dict[Logsource, list[Problem]] = field(default_factory=dict)

    def see(self, draft: Draft) -> None:
        """One rule, loaded or refused."""
        self._document(draft.document)
        for section in draft.sections[:1]:
            self.problems += unused(section)
        rule = draft.rule
        if rule is None:
            return
        own, *of_filters = draft.sections
        found = [*never(own)]
        if not found and of_filters and not can_hold(rule.condition):
            named = ", ".join(str(each.document.data.get("title")) for each in of_filters)
            found.append(own.problem(f"left out by its filters, it can never be true: {named}", "condition"))
        self.problems += found
        if not found and not can_fail(rule.condition):
            text = "the condition is true of every event, whatever it holds"
            self.warnings.append(own.problem(text, "condition"))
        place = draft.document.problem(_shown(rule.logsource), "logsource")
        self._logsources.setdefault(rule.logsource, []).append(place)

    def see_all(self, loaded: LoadedRules, known: Sequence[Logsource]) -> None:
        """The set. known: logsources that events may be of."""
        for each in loaded.filters:
            self._document(each.section.document)
            self.problems += [*unused(each.section), *never(each.section)]
        for document in loaded.correlations:
            self._document(document)
        self.warnings += _unmapped(self._logsources, known)
        self.warnings += _tried_on_everything(loaded)

    def _document(self, document: Document) -> None:
        title, identity = (document.data.get(name) for name in ("title", "id"))
        self.cases.append(Case(document.path, document.line, str(title or identity or f"line {document.line}")))
        tags = document.data.get("tags")
        for place, tag in enumerate(tags if isinstance(tags, list) else ()):
            complaint = self.techniques.complaint(str(tag))
            if complaint is not None:
                problem = document.problem(complaint.text, "tags", place)
                (self.warnings if complaint.understood else self.problems).append(problem)
        if isinstance(tags, list):
            misplaced = self.techniques.misplaced([str(tag) for tag in tags])
            self.warnings += [document.problem(text, "tags", place) for place, text in misplaced]


def unused(section: Section) -> Iterator[Problem]:
    """Selections that no condition names."""
    names = [*section.detections, *section.broken]
    try:
        used = {name for text in section.conditions for name in _names(parse(text, _marks(names)))}
    except BadConditionError:  # told when the rule was compiled
        return
    for name in section.detections:
        if used and name not in used:
            yield section.problem(f'"{name}" is used in no condition: nothing comes of it', name)


def never(section: Section) -> Iterator[Problem]:
    """Selections, and else conditions, that no event can make true. The section is known to compile."""
    try:
        nodes = {name: compile_detection(detection) for name, detection in section.detections.items()}
        conditions = [(text, parse(text, nodes)) for text in section.conditions]
    except (CannotEvaluateError, BadConditionError):
        return
    dead = [name for name, node in nodes.items() if node is not None and not can_hold(node)]
    for name in dead:
        yield section.problem(f'"{name}" can never be true: its lines exclude each other', name)
    if dead:
        return
    for place, (text, node) in enumerate(conditions):
        if node is not None and not can_hold(node):
            keys = ("condition", place) if len(conditions) > 1 else ("condition",)
            yield section.problem(f'condition "{text[:120]}" can never be true: its parts exclude each other', *keys)


def _marks(names: Iterable[str]) -> dict[str, Node | None]:
    """A node for each name that says nothing but the name."""
    return {name: Item(name, ()) for name in names}


def _names(node: Node | None) -> Iterator[str]:
    match node:
        case Item(str(name)):
            yield name
        case Not(part):
            yield from _names(part)
        case And(parts) | Or(parts) | AtLeast(_, parts):
            for part in parts:
                yield from _names(part)


def _unmapped(rules: dict[Logsource, list[Problem]], known: Sequence[Logsource]) -> Iterator[Problem]:
    """One warning for each logsource, at its first rule: a file of a hundred such rules has one cause."""
    for logsource, places in rules.items():
        if logsource.product == TICKET or any(map(logsource.covers, known)):
            continue
        more = f", and {len(places) - 1:,} more," if len(places) > 1 else ""
        near = max(known, key=lambda each: _likeness(logsource, each), default=None)
        if near is not None and _likeness(logsource, near) >= _NEAR:
            hint = f"did you mean {_shown(near)}?"
        else:
            hint = "logsources.yml neither derives it nor says that senders state it"
        text = f"this rule{more} runs only on events whose sender states {places[0].text}: {hint}"
        yield Problem(places[0].where, text)


def _likeness(one: Logsource, other: Logsource) -> float:
    """Of the attribute that differs most, from 0 to 1; what the one leaves unset is not compared."""
    pairs = [(wanted, getattr(other, name) or "") for name in ATTRIBUTES if (wanted := getattr(one, name)) is not None]
    return min(difflib.SequenceMatcher(None, wanted, found).ratio() for wanted, found in pairs)


def _tried_on_everything(loaded: LoadedRules) -> Iterator[Problem]:
    rules = [rule for rule in loaded.rules if rule.logsource.product != TICKET]
    for rule, anchor in zip(rules, plan(flatten(rules)), strict=True):
        if anchor is None:
            text = "slow: no text, number or pattern has to be there; it is tried on every event of its logsource"
            yield Problem(f"{rule.path}:{rule.line}", text)


def _shown(logsource: Logsource) -> str:
    stated: dict[str, Any] = {name: value for name in ATTRIBUTES if (value := getattr(logsource, name)) is not None}
    return "{" + ", ".join(f"{name}: {value}" for name, value in stated.items()) + "}"
