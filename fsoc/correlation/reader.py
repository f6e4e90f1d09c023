"""Reads correlation rules: Sigma 2.1 correlation documents, checked. Pure.

What Sigma has is read as Sigma means it (specification, "Sigma Correlation Rules" 2.1.0). What Sigma lacks stands under
the document's top-level `fsoc:` key. A rule that cannot be evaluated is refused alone, with file, line and reason; what
can only be seen of all rules together is `chains.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Protocol

from fsoc.correlation.chains import linked
from fsoc.correlation.conditions import Condition, read_bounds, read_number
from fsoc.correlation.lookup import complaint
from fsoc.correlation.operators import NOTHING, OPERATORS, About, read_operators
from fsoc.correlation.past import Past
from fsoc.correlation.past_reader import PAST_KEYS, read_past
from fsoc.correlation.rules import NUMERIC, SCOPES, TEMPORAL, TYPES, CorrelationRule, Referable, Scope, timespan_ms
from fsoc.detection.metadata import dated
from fsoc.errors import Problem

LEVELS = ("informational", "low", "medium", "high", "critical")
_KEYS = {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"}
_FSOC_KEYS = {"independent", "link", "non_negative", "scope", "title_zh"} | PAST_KEYS | OPERATORS


class Document(Protocol):
    """One YAML document with its place, as `fsoc.detection` hands it over."""

    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


def parse(
    documents: Iterable[Document],
    rules: Sequence[Referable],
    *,
    orders: Mapping[str, Sequence[str]] = MappingProxyType({}),
    lists: Sequence[str] = (),
) -> tuple[tuple[CorrelationRule, ...], tuple[Problem, ...]]:
    """Read all correlation documents against the detections they name; return the usable ones and every problem.

    orders: fields whose values have an order, such as tactics, and that order. lists: names of the allow lists.
    """
    known: dict[str, list[str]] = {}
    for detection in rules:
        known.setdefault(detection.id, []).append(detection.id)
        if detection.name and detection.name != detection.id:
            known.setdefault(detection.name, []).append(detection.id)
    readers = [Reader(document, known, orders, lists) for document in documents]
    correlations: dict[str, list[str]] = {}
    for reader in readers:
        for name in {reader.identity, str(reader.data.get("name", reader.identity))}:
            correlations.setdefault(name, []).append(reader.identity)
    parsed: dict[str, CorrelationRule] = {}
    reader_of: dict[str, Reader] = {}
    for reader in readers:
        rule = reader.read(correlations)
        if rule is not None and (rule.id in parsed or rule.id in known):
            reader.refuse(f'id "{rule.id}" is used twice')
        elif rule is not None:
            parsed[rule.id], reader_of[rule.id] = rule, reader
    rules_in_place = linked(parsed, {reader.identity for reader in readers}, reader_of)
    problems = [problem for reader in readers for problem in reader.problems]
    return tuple(rules_in_place.values()), tuple(problems)


class Reader:
    """Reads one document and keeps every problem it meets."""

    def __init__(
        self,
        document: Document,
        detections: Mapping[str, list[str]],
        orders: Mapping[str, Sequence[str]],
        lists: Sequence[str],
    ) -> None:
        self.document = document
        self.data = document.data
        self.identity = str(self.data.get("id") or self.data.get("name") or self.data.get("title"))
        self.problems: list[Problem] = []
        self._detections = detections
        self._orders = orders
        self._lists = lists
        self._correlations: Mapping[str, list[str]] = {}

    def refuse(self, text: str, key: str | None = None, under: str = "correlation") -> None:
        """Add a problem, at the line of the named key of `correlation`, or of what it stands under, where known."""
        lines = getattr(self.data.get(under), "lines", None)
        line = lines.get(key, self.document.line) if isinstance(lines, dict) else self.document.line
        self.problems.append(Problem(f"{self.document.path}:{line}", text))

    def read(self, correlations: Mapping[str, list[str]]) -> CorrelationRule | None:
        """The rule, or None where anything is wrong with it.

        correlations: ids of the correlations that are called so, as the detections' are given already.
        """
        self._correlations = correlations
        body = self.data.get("correlation")
        if not isinstance(body, dict):
            self.refuse("correlation is not a mapping")
            return None
        for key in sorted(set(map(str, body)) - _KEYS):
            self.refuse(f"correlation.{key} is unknown — expected one of {', '.join(sorted(_KEYS))}")
        title = self.data.get("title")
        if not title:
            self.refuse("title is missing")
        level = str(self.data.get("level", "medium"))
        if level not in LEVELS:
            self.refuse(f'level "{level}" — expected one of {", ".join(LEVELS)}')
        kind = str(body.get("type"))
        if kind not in TYPES:
            self.refuse(f'correlation type "{kind}" cannot be evaluated — expected one of {", ".join(TYPES)}', "type")
        generate = self._generate(body.get("generate", False))
        rules = self._rules(body.get("rules"), kind)
        options = self._options()
        group_by = self._names("group-by", body.get("group-by", []))
        scope = self._scope(options, group_by)
        span = self._timespan(body.get("timespan"))
        asked = body.get("condition")
        if asked is None:
            asked = _unasked(kind, len(rules), options)
        condition = self._condition(asked, kind, len(rules))
        fields = self._fields(asked, kind)
        self._check_link(options, kind, fields, group_by, condition)
        percentile = self._percentile(asked, kind)
        past = self._past(options, span, kind, rules)
        aliases = self._aliases(body.get("aliases", {}))
        about = About(kind, fields, condition, span, options, self._orders, self._lists, group_by)
        operators = read_operators(about, lambda text, key: self.refuse(text, key, "fsoc"))
        if self.problems:
            return None
        return CorrelationRule(
            id=self.identity,
            title=str(title),
            title_zh=options.get("title_zh"),
            description=str(self.data.get("description", "")).strip(),
            level=level,
            tags=tuple(str(tag) for tag in self.data.get("tags", [])),
            type=kind,
            rules=(*rules, *past.rules) if past is not None else rules,
            group_by=group_by,
            timespan_ms=span,
            condition=condition,
            fields=fields,
            independent=options.get("independent", False),
            aliases=aliases,
            percentile=percentile,
            non_negative=options.get("non_negative", False),
            generate=generate,
            link=options.get("link", False),
            past=past,
            scope=scope,
            **operators,
            name=str(self.data["name"]) if self.data.get("name") else None,
            dated=dated(self.data),
        )

    def _generate(self, value: object) -> bool:
        if not isinstance(value, bool):
            self.refuse(f'correlation.generate is "{value}" — expected true or false', "generate")
        return value is True

    def _rules(self, named: object, kind: str) -> tuple[str, ...]:
        names = [named] if isinstance(named, str) else named
        if not isinstance(names, list) or not names:
            self.refuse("correlation.rules is missing — expected a list of rule ids or names", "rules")
            return ()
        found: dict[str, None] = {}
        for name in map(str, names):
            ids = self._named(name)
            if not ids:
                self.refuse(f'correlation.rules names "{name}", which is no rule that was loaded', "rules")
            elif len(ids) > 1:
                self.refuse(f'correlation.rules names "{name}", which {len(ids)} rules are called', "rules")
            elif ids[0] in found:
                self.refuse(f'correlation.rules names "{name}" twice', "rules")
            elif kind in NUMERIC and name in self._correlations:
                text = f'{kind} reckons with a field of detections, and "{name}" is a correlation: it has no numbers'
                self.refuse(text, "rules")
            found.update(dict.fromkeys(ids))
        return tuple(found)

    def _past(self, options: Mapping[str, Any], span: int, kind: str, rules: Sequence[str]) -> Past | None:
        past, wrong = read_past(options, span, numeric=kind in NUMERIC)
        for text in wrong:
            self.refuse(text)
        past_rules = self._past_rules(options, rules)
        if past is not None:
            return replace(past, rules=past_rules)
        if past_rules:
            self.refuse("fsoc.past_rules says nothing where no past is asked: counts_when or hub")
        return None

    def _past_rules(self, options: Mapping[str, Any], rules: Sequence[str]) -> tuple[str, ...]:
        """Ids of the detections whose tickets are only past."""
        names = self._names("fsoc.past_rules", options.get("past_rules", []))
        found: dict[str, None] = {}
        for name in names:
            ids = self._detections.get(name, [])
            if len(ids) != 1:
                self.refuse(f'fsoc.past_rules names "{name}", which {len(ids) or "no"} detections are called')
            elif ids[0] in rules or ids[0] in found:
                self.refuse(f'fsoc.past_rules names "{name}", which counts already')
            found.update(dict.fromkeys(ids))
        return tuple(found)

    def _named(self, name: str) -> list[str]:
        """The ids of the rules that are called so, each once."""
        return list(dict.fromkeys((*self._detections.get(name, ()), *self._correlations.get(name, ()))))

    def _options(self) -> dict[str, Any]:
        options = self.data.get("fsoc", {})
        if not isinstance(options, dict):
            self.refuse("fsoc is not a mapping")
            return {}
        for key in sorted(set(map(str, options)) - _FSOC_KEYS):
            self.refuse(f"fsoc.{key} is unknown — expected one of {', '.join(sorted(_FSOC_KEYS))}")
        for key in ("independent", "link", "non_negative"):
            if not isinstance(options.get(key, False), bool):
                self.refuse(f'fsoc.{key} is "{options[key]}" — expected true or false')
        return options

    def _check_link(
        self, options: dict[str, Any], kind: str, fields: tuple[str, ...], group_by: tuple[str, ...], asked: Condition
    ) -> None:
        """A link is a value that independent institutions share: what counts anything else ties nobody together."""
        if not options.get("link"):
            return
        if (kind, fields) != ("value_count", ("institution",)) or not options.get("independent"):
            self.refuse("fsoc.link: true needs value_count of institution, and fsoc.independent: true", "type")
        if not group_by or "institution" in group_by:
            self.refuse("fsoc.link: true needs a group-by other than institution: the value that is shared", "group-by")
        if asked.bounds and not (asked.rising and not asked.holds(1)):
            self.refuse("fsoc.link: true needs a condition that two institutions or more meet: gte: 2", "condition")

    def _scope(self, options: Mapping[str, Any], group_by: Sequence[str]) -> Scope:
        scope: Scope = options.get("scope", "sector")
        if not isinstance(scope, str) or scope not in SCOPES:
            self.refuse(f'fsoc.scope is "{scope}" — expected one of {", ".join(SCOPES)}')
            return "sector"
        needed = SCOPES[scope]
        if needed is not None and needed not in group_by:
            self.refuse(f"fsoc.scope: {scope} needs {needed} in group-by", "group-by")
        if scope != "sector" and options.get("link"):
            self.refuse(f"fsoc.link: true raises no alert that could be of fsoc.scope: {scope}")
        return scope

    def _names(self, key: str, value: object) -> tuple[str, ...]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            place = key if key.startswith("fsoc.") else f"correlation.{key}"
            self.refuse(f"{place} is not a list of names", key.partition(".")[0])
            return ()
        for text in filter(None, map(complaint, names)):
            self.refuse(f"correlation.{key}: {text}", key.partition(".")[0])
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
            for text in filter(None, map(complaint, map(str, fields.values()))):
                self.refuse(f"correlation.aliases.{alias}: {text}", "aliases")
            for name, target in fields.items():
                ids = self._named(str(name))
                if not ids:
                    self.refuse(f'correlation.aliases.{alias} names "{name}", which is no rule that was loaded')
                for rule in ids:
                    aliases.setdefault(str(alias), {})[rule] = str(target)
        return aliases


def _unasked(kind: str, rules: int, options: Mapping[str, Any]) -> dict[str, int] | None:
    """The condition of a rule that leaves it out; None where it may not."""
    if kind in TEMPORAL:
        return {"gte": rules}
    return dict(NOTHING) if options.get("absent") is True else None
