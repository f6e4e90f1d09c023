"""Correlation rules: Sigma 2.1 correlation documents, read and checked. Pure.

What Sigma has is read as Sigma means it (specification, "Sigma Correlation Rules" 2.1.0). What Sigma lacks stands under
the document's top-level `fsoc:` key. A rule that cannot be evaluated is refused alone, with file, line and reason.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fsoc.correlation.conditions import Condition, read_bounds, read_number
from fsoc.errors import Problem

DAY_MS = 86_400_000
UNIT_MS = {
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "M": 2_629_746_000,  # a twelfth of the Gregorian mean year, as pySigma has it
    "y": 31_556_952_000,
}
TIMESPAN_MAX_MS = 31 * DAY_MS
"""Bound on state: nothing in the sector's use cases looks back further than 30 days."""

TYPES = (
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
)
TEMPORAL = frozenset({"temporal", "temporal_ordered"})
NUMERIC = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})
LEVELS = ("informational", "low", "medium", "high", "critical")
_KEYS = {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"}
_FSOC_KEYS = {"independent", "non_negative", "scope", "title_zh"}


class Document(Protocol):
    """One YAML document with its place, as `fsoc.detection` hands it over."""

    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


class Referable(Protocol):
    """What a correlation may name: a detection rule."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class CorrelationRule:
    """One correlation, ready to evaluate.

    rules: ids of the detections it counts, in the document's order. group_by: field names; () is one group for the
    whole sector. aliases: alias → {detection id: field}.
    fields: what value_count counts distinct tuples of; the one field of value_sum and its like; () for the others.
    independent: institutions of one holding group count once.
    percentile: of value_percentile, 0 to 100. non_negative: numbers below zero are none to it.
    generate: the detections it names raise alerts of their own as well.

    Of these follow, once and for all:
    rising: more entries can never undo it; an alert may be raised at once (law 8).
    episode_ms: the naming grid (law 7): one alert per group and episode.
    retention_ms: how long past its event time an entry can still matter to an alert that may change.
    """

    id: str
    title: str
    title_zh: str | None
    description: str
    level: str
    tags: tuple[str, ...]
    type: str
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan_ms: int
    condition: Condition
    fields: tuple[str, ...]
    independent: bool = False
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    percentile: float | None = None
    non_negative: bool = False
    generate: bool = False
    rising: bool = field(init=False)
    episode_ms: int = field(init=False)
    retention_ms: int = field(init=False)

    def __post_init__(self) -> None:
        grows = self.type not in NUMERIC or (self.type == "value_sum" and self.non_negative)
        episode_ms = max(self.timespan_ms, DAY_MS)
        object.__setattr__(self, "rising", grows and self.condition.rising)
        object.__setattr__(self, "episode_ms", episode_ms)
        object.__setattr__(self, "retention_ms", self.timespan_ms + 2 * episode_ms)

    @property
    def numeric(self) -> bool:
        """Whether what it counts are numbers."""
        return self.type in NUMERIC

    def field_in(self, detection: str, name: str) -> str:
        """What a name of this rule is called in that detection's events."""
        return self.aliases.get(name, {}).get(detection, name)


def parse(
    documents: Iterable[Document], rules: Sequence[Referable]
) -> tuple[tuple[CorrelationRule, ...], tuple[Problem, ...]]:
    """Read all correlation documents against the detections they name; return the usable ones and every problem."""
    known: dict[str, list[str]] = {}
    for detection in rules:
        known.setdefault(detection.id, []).append(detection.id)
        if detection.name and detection.name != detection.id:
            known.setdefault(detection.name, []).append(detection.id)
    parsed: dict[str, CorrelationRule] = {}
    problems: list[Problem] = []
    documents = list(documents)
    correlations = {str(document.data.get(key)) for document in documents for key in ("id", "name")}
    for document in documents:
        reader = _Reader(document, known, correlations)
        rule = reader.read()
        if rule is not None and (rule.id in parsed or rule.id in known):
            reader.refuse(f'id "{rule.id}" is used twice')
        elif rule is not None:
            parsed[rule.id] = rule
        problems.extend(reader.problems)
    return tuple(parsed.values()), tuple(problems)


def timespan_ms(text: object) -> int:
    """`90s`, `15m`, `4h`, `3d`, `2w` in milliseconds.

    Raises:
        ValueError: not a timespan; the text says what was expected.
    """
    match = re.fullmatch(r"(\d{1,9})([smhdwMy])", str(text))
    if match is None or int(match.group(1)) == 0:
        raise ValueError(f'timespan "{text}" — expected a positive number and one of s, m, h, d, w, M, y')
    span = int(match.group(1)) * UNIT_MS[match.group(2)]
    if span > TIMESPAN_MAX_MS:
        raise ValueError(f'timespan "{text}" is longer than the limit of {TIMESPAN_MAX_MS // DAY_MS}d')
    return span


class _Reader:
    """Reads one document and keeps every problem it meets."""

    def __init__(self, document: Document, known: Mapping[str, list[str]], correlations: Container[str]) -> None:
        self.document = document
        self.data = document.data
        self.known = known
        self.correlations = correlations
        self.problems: list[Problem] = []

    def refuse(self, text: str, key: str | None = None) -> None:
        """Add a problem, at the line of the named key of `correlation` where that is known."""
        lines = getattr(self.data.get("correlation"), "lines", None)
        line = lines.get(key, self.document.line) if isinstance(lines, dict) else self.document.line
        self.problems.append(Problem(f"{self.document.path}:{line}", text))

    def read(self) -> CorrelationRule | None:
        body = self.data.get("correlation")
        if not isinstance(body, dict):
            self.refuse("correlation is not a mapping")
            return None
        for key in sorted(set(map(str, body)) - _KEYS):
            self.refuse(f"correlation.{key} is unknown — expected one of {', '.join(sorted(_KEYS))}")
        title = self.data.get("title")
        identity = self.data.get("id") or self.data.get("name") or title
        if not title:
            self.refuse("title is missing")
        level = str(self.data.get("level", "medium"))
        if level not in LEVELS:
            self.refuse(f'level "{level}" — expected one of {", ".join(LEVELS)}')
        kind = str(body.get("type"))
        if kind not in TYPES:
            self.refuse(f'correlation type "{kind}" cannot be evaluated — expected one of {", ".join(TYPES)}', "type")
        generate = self._generate(body.get("generate", False))
        rules = self._rules(body.get("rules"))
        options = self._options()
        group_by = self._names("group-by", body.get("group-by", []))
        if options.get("scope") == "institution" and "institution" not in group_by:
            self.refuse("fsoc.scope: institution needs institution in group-by", "group-by")
        span = self._timespan(body.get("timespan"))
        asked = body.get("condition")
        if asked is None and kind in TEMPORAL:
            asked = {"gte": len(rules)}
        condition = self._condition(asked, kind, len(rules))
        fields = self._fields(asked, kind)
        percentile = self._percentile(asked, kind)
        aliases = self._aliases(body.get("aliases", {}))
        if self.problems:
            return None
        return CorrelationRule(
            id=str(identity),
            title=str(title),
            title_zh=options.get("title_zh"),
            description=str(self.data.get("description", "")).strip(),
            level=level,
            tags=tuple(str(tag) for tag in self.data.get("tags", [])),
            type=kind,
            rules=rules,
            group_by=group_by,
            timespan_ms=span,
            condition=condition,
            fields=fields,
            independent=options.get("independent", False),
            aliases=aliases,
            percentile=percentile,
            non_negative=options.get("non_negative", False),
            generate=generate,
        )

    def _generate(self, value: object) -> bool:
        if not isinstance(value, bool):
            self.refuse(f'correlation.generate is "{value}" — expected true or false', "generate")
        return value is True

    def _rules(self, named: object) -> tuple[str, ...]:
        names = [named] if isinstance(named, str) else named
        if not isinstance(names, list) or not names:
            self.refuse("correlation.rules is missing — expected a list of rule ids or names", "rules")
            return ()
        found: dict[str, None] = {}
        for name in map(str, names):
            ids = self.known.get(name, [])
            if not ids and name in self.correlations:
                self.refuse(f'correlation.rules names "{name}", a correlation: chains are not evaluated', "rules")
            elif not ids:
                self.refuse(f'correlation.rules names "{name}", which is no detection that was loaded', "rules")
            elif len(set(ids)) > 1:
                self.refuse(f'correlation.rules names "{name}", which {len(set(ids))} detections are called', "rules")
            elif ids and ids[0] in found:
                self.refuse(f'correlation.rules names "{name}" twice', "rules")
            found.update(dict.fromkeys(ids))
        return tuple(found)

    def _options(self) -> dict[str, Any]:
        options = self.data.get("fsoc", {})
        if not isinstance(options, dict):
            self.refuse("fsoc is not a mapping")
            return {}
        for key in sorted(set(map(str, options)) - _FSOC_KEYS):
            self.refuse(f"fsoc.{key} is unknown — expected one of {', '.join(sorted(_FSOC_KEYS))}")
        for key in ("independent", "non_negative"):
            if not isinstance(options.get(key, False), bool):
                self.refuse(f'fsoc.{key} is "{options[key]}" — expected true or false')
        if options.get("scope", "sector") not in {"sector", "institution"}:
            self.refuse(f'fsoc.scope is "{options["scope"]}" — expected sector or institution')
        return options

    def _names(self, key: str, value: object) -> tuple[str, ...]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            self.refuse(f"correlation.{key} is not a list of field names", key.partition(".")[0])
            return ()
        return tuple(names)

    def _timespan(self, value: object) -> int:
        try:
            return timespan_ms(value)
        except ValueError as error:
            self.refuse(str(error), "timespan")
            return 0

    def _condition(self, value: object, kind: str, rules: int) -> Condition:
        if isinstance(value, str):
            self.refuse(
                f'condition "{value:.64}" — boolean conditions are no part of Sigma 2.1; expected one such as gte: 2',
                "condition",
            )
            return Condition(())
        if not isinstance(value, dict):
            self.refuse("correlation.condition is missing — expected a mapping such as {gte: 3}", "condition")
            return Condition(())
        operators = {key: bound for key, bound in value.items() if key not in {"field", "percentile"}}
        bounds, wrong = read_bounds(operators, whole=kind not in NUMERIC)
        for text in wrong:
            self.refuse(text, "condition")
        if not operators:
            self.refuse("correlation.condition has no operator — expected at least one such as gte: 3", "condition")
        condition = Condition(tuple(bounds))
        if kind in TEMPORAL and rules and not any(map(condition.holds, range(1, rules + 1))):
            self.refuse(f"condition {condition} never holds: between 1 and {rules} rules can match", "condition")
        return condition

    def _fields(self, value: object, kind: str) -> tuple[str, ...]:
        """The counted fields. Only the types that look at values take any."""
        if not isinstance(value, dict):
            return ()
        if kind not in NUMERIC | {"value_count"}:
            if "field" in value and kind in TYPES:
                self.refuse(f"{kind} takes no condition.field", "condition")
            return ()
        fields = self._names("condition.field", value.get("field", []))
        if not fields:
            self.refuse(f"{kind} needs condition.field: the field whose values are looked at", "condition")
        elif len(fields) > 1 and kind in NUMERIC:
            self.refuse(f"{kind} takes one condition.field, not {len(fields)}", "condition")
        return fields

    def _percentile(self, value: object, kind: str) -> float | None:
        if not isinstance(value, dict):
            return None
        given = value.get("percentile")
        if kind != "value_percentile":
            if "percentile" in value and kind in TYPES:
                self.refuse(f"{kind} takes no condition.percentile", "condition")
            return None
        percentile = read_number(given)
        if percentile is None or not 0 <= percentile <= 100:
            self.refuse(f'condition percentile: "{given}" — expected a number from 0 to 100', "condition")
        return percentile

    def _aliases(self, value: object) -> dict[str, dict[str, str]]:
        if not isinstance(value, dict):
            self.refuse("correlation.aliases is not a mapping", "aliases")
            return {}
        aliases: dict[str, dict[str, str]] = {}
        for alias, fields in value.items():
            if not isinstance(fields, dict):
                self.refuse(f"correlation.aliases.{alias} is not a mapping of rule to field", "aliases")
                continue
            for name, target in fields.items():
                ids = self.known.get(str(name), [])
                if not ids:
                    self.refuse(f'correlation.aliases.{alias} names "{name}", which is no detection that was loaded')
                for rule in ids:
                    aliases.setdefault(str(alias), {})[rule] = str(target)
        return aliases
