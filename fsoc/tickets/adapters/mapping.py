"""A mapping of one form of events to tickets: read from YAML with every error's line, then asked event by event. Pure.

The language is in `README.md` beside this file.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import orjson

from fsoc.errors import Fault
from fsoc.institutions.document import Document, Path, unknown_name
from fsoc.tickets.adapters.conversions import CONVERSIONS, OF_TIMES, ZONE_PATTERN, number, text
from fsoc.tickets.adapters.expressions import (
    MISSING,
    Constant,
    Each,
    From,
    Node,
    Object,
    Scope,
    Several,
    left_over,
)
from fsoc.tickets.explain import explain
from fsoc.tickets.model import Ticket
from fsoc.tickets.vocabulary import SCHEMA

MAPPING_SCHEMA: Final = "fsoc.mapping/1"
GIVEN: Final = ("schema", "institution", "feed", "seq_epoch", "seq", "sent_at")
"""Fields that whoever sends has to say."""

DEFAULTS: Final[Mapping[str, Any]] = {
    "kind": "ticket",
    "revision": 1,
    "action": "open",
    "environment": "production",
    "status": "new",
    "attribution": "anonymous",
}
FIELDS: Final = tuple(
    name for name in Ticket.model_fields if name not in {*GIVEN, "schema_", "received_at", "processed_at", "signature"}
)
"""Fields that a mapping may make."""

NESTING_MAX: Final = 8

_KEYS: Final = ("schema", "title", "title_zh", "description", "only", "ticket")
_BESIDE_FROM: Final = ("from", "as", "zone", "table", "steps", "cut", "default", "with", "without", "optional")
_KINDS: Final = ("from", "each", "const")
_is_zone = re.compile(ZONE_PATTERN).fullmatch


class Mapped(NamedTuple):
    """What became of one event.

    ticket: None where the event is none that the mapping is of. faults: of the ticket, as intake would find them, and
    before them what did not fit into a field. left_over: paths of the event that nothing was made of.
    """

    ticket: dict[str, Any] | None
    faults: Sequence[Fault]
    left_over: Sequence[str]


class Sender(NamedTuple):
    """Who sends, and what only it can say."""

    institution: str
    feed: str
    seq_epoch: str


class _Condition(NamedTuple):
    """Keeps a field where another is there, or where it is not."""

    field: str
    there: bool


@dataclass(frozen=True, slots=True)
class TicketMapping:
    """title, title_zh: for people. only: path → values, as text in small letters; one of each must be there."""

    title: str
    title_zh: str
    only: Mapping[str, frozenset[str]]
    fields: Mapping[str, Node]
    conditions: Mapping[str, _Condition]

    @classmethod
    def parse(cls, content: str, where: str) -> TicketMapping:
        """Read a mapping from YAML; `where` is its file's name in messages.

        Raises:
            RefusedToStart: every problem at once, each with `where:line`.
        """
        document = Document.parse(content, where)
        mapping = _Reader(document).read()
        document.refuse_if_problems()
        return mapping

    def map(self, event: Mapping[str, Any], sender: Sender, seq: int, sent_at: str) -> Mapped:
        """Make a ticket of an event. seq: its number in the sender's feed and epoch. sent_at: RFC 3339."""
        scope = Scope(event)
        if not all(self._has(scope, path, values) for path, values in self.only.items()):
            return Mapped(None, (), ())
        made: dict[str, Any] = {}
        for name, node in self.fields.items():
            value = node.value(scope, f"/{name}")
            if value is not MISSING:
                made[name] = value
        for name, condition in self.conditions.items():
            if (condition.field in made) != condition.there:
                made.pop(name, None)
        given = {"schema": SCHEMA, **sender._asdict(), "seq": seq, "sent_at": sent_at}
        ticket = {**given, **DEFAULTS, **made}
        if "detected_at" in ticket:
            ticket.setdefault("created_at", ticket["detected_at"])
        unfit = [Fault("field.malformed", pointer, reason) for pointer, reason in scope.problems.items()]
        faults = [*unfit, *explain(orjson.dumps(ticket), sender.institution)]
        return Mapped(ticket, faults, left_over(event, scope.used))

    @staticmethod
    def _has(scope: Scope, path: str, values: frozenset[str]) -> bool:
        for found in scope.find(path):
            if not isinstance(found.value, dict | list) and text(found.value).lower() in values:
                scope.used.add(found.path)
                return True
        return False


class _Reader:
    """Reads one document; notes what is wrong with it there."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._conditions: dict[str, _Condition] = {}

    def read(self) -> TicketMapping:
        data = self._document.data
        if not isinstance(data, dict):
            self._problem((), f"expected a mapping with {', '.join(_KEYS)}")
            data = {}
        for name in data.keys() - set(_KEYS):
            self._problem((name,), unknown_name(name, _KEYS))
        if data.get("schema") != MAPPING_SCHEMA:
            self._problem(("schema",), f"schema: expected {MAPPING_SCHEMA}")
        fields = data.get("ticket")
        if not isinstance(fields, dict) or not fields:
            self._problem(("ticket",), "ticket: expected the fields of a ticket")
            fields = {}
        return TicketMapping(
            str(data.get("title") or ""),
            str(data.get("title_zh") or ""),
            self._only(data.get("only") or {}),
            {name: node for name, spec in fields.items() if (node := self._field(name, spec)) is not None},
            self._conditions,
        )

    def _problem(self, path: Path, reason: str) -> None:
        self._document.problem(path, reason)

    def _only(self, stated: Any) -> dict[str, frozenset[str]]:
        if not isinstance(stated, dict):
            self._problem(("only",), "only: expected paths, each with its values")
            return {}
        found = {}
        for path, values in stated.items():
            listed = values if isinstance(values, list) else [values]
            if not listed or any(isinstance(value, dict | list) or value is None for value in listed):
                self._problem(("only", path), f"only: {path}: expected a value, or a list of values")
                continue
            found[path] = frozenset(text(value).lower() for value in listed)
        return found

    def _field(self, name: str, spec: Any) -> Node | None:
        path: Path = ("ticket", name)
        if name in GIVEN:
            self._problem(path, f"{name} is given by whoever sends, not by the mapping")
            return None
        if name not in FIELDS:
            self._problem(path, unknown_name(name, FIELDS))
            return None
        if isinstance(spec, dict) and any(kind in spec for kind in _KINDS):
            for key, there in (("with", True), ("without", False)):
                if key in spec:
                    self._condition(name, path, key, spec[key], there=there)
        return self._node(spec, path)

    def _condition(self, name: str, path: Path, key: str, other: Any, *, there: bool) -> None:
        if other not in FIELDS or other == name:
            self._problem((*path, key), f"{key}: expected another field of the ticket")
        elif name in self._conditions:
            self._problem((*path, key), "with and without: one of them")
        else:
            self._conditions[name] = _Condition(other, there)

    def _node(self, spec: Any, path: Path, *, in_list: bool = False) -> Node | None:
        if len(path) > 2 * NESTING_MAX:
            self._problem(path, f"nested deeper than {NESTING_MAX}")
            return None
        if isinstance(spec, list):
            nodes = [self._node(one, (*path, place), in_list=True) for place, one in enumerate(spec)]
            return Several(tuple(node for node in nodes if node is not None))
        if not isinstance(spec, dict):
            return Constant(MISSING if spec is None else spec)
        kinds = [kind for kind in _KINDS if kind in spec]
        if not kinds:
            return self._object(spec, path, in_list=in_list)
        if len(kinds) > 1:
            self._problem(path, f"{' and '.join(kinds)}: one of them")
            return None
        read = {"from": self._from, "each": self._each, "const": self._const}[kinds[0]]
        return read(spec, path)

    def _const(self, spec: Mapping[str, Any], path: Path) -> Node:
        self._know(spec, ("const", "with", "without", "optional"), path)
        return Constant(spec["const"])

    def _object(self, spec: Mapping[str, Any], path: Path, *, in_list: bool) -> Node:
        read = {name: self._node(one, (*path, name), in_list=in_list) for name, one in spec.items()}
        optional = {name for name, one in spec.items() if isinstance(one, dict) and one.get("optional") is True}
        fields = {name: node for name, node in read.items() if node is not None}
        return Object(fields, frozenset(optional), whole=in_list)

    def _each(self, spec: Mapping[str, Any], path: Path) -> Node | None:
        self._know(spec, ("each", "item", "with", "without", "optional"), path)
        if not isinstance(spec["each"], str) or "item" not in spec:
            self._problem(path, "each: expected a path, and item beside it")
            return None
        item = self._node(spec["item"], (*path, "item"), in_list=True)
        return None if item is None else Each(spec["each"], item)

    def _from(self, spec: Mapping[str, Any], path: Path) -> Node | None:
        self._know(spec, _BESIDE_FROM, path)
        stated = spec["from"] if isinstance(spec["from"], list) else [spec["from"]]
        paths = tuple(one for one in stated if isinstance(one, str) and one)
        if not paths or len(paths) < len(stated):
            self._problem((*path, "from"), "from: expected a path such as event.id, or a list of them")
            return None
        steps = [self._as(spec, path), self._table(spec, path), self._steps(spec, path), self._cut(spec, path)]
        return From(paths, tuple(step for step in steps if step is not None), spec.get("default", MISSING))

    def _as(self, spec: Mapping[str, Any], path: Path) -> Callable[[Any], Any] | None:
        zone = spec.get("zone")
        if zone is not None and (spec.get("as") not in OF_TIMES or not isinstance(zone, str) or not _is_zone(zone)):
            self._problem((*path, "zone"), 'zone: expected with as: time, an offset such as "+08:00" or "Z"')
            return None
        if "as" not in spec:
            return None
        if spec["as"] not in CONVERSIONS:
            self._problem((*path, "as"), f"as: {unknown_name(str(spec['as']), CONVERSIONS)}")
            return None
        convert: Callable[..., Any] = CONVERSIONS[spec["as"]]
        return convert if zone is None else partial(convert, zone=zone)

    def _table(self, spec: Mapping[str, Any], path: Path) -> Callable[[Any], Any] | None:
        if "table" not in spec:
            return None
        stated = spec["table"]
        if not isinstance(stated, dict) or not stated or "steps" in spec:
            self._problem((*path, "table"), "table: expected values, each with what it becomes, and no steps beside it")
            return None
        table = {str(name).lower(): value for name, value in stated.items()}
        return lambda value: table.get(text(value).lower(), MISSING)

    def _steps(self, spec: Mapping[str, Any], path: Path) -> Callable[[Any], Any] | None:
        if "steps" not in spec:
            return None
        stated = spec["steps"]
        pairs = stated if isinstance(stated, list) else []
        bounds = [pair[0] for pair in pairs if isinstance(pair, list) and len(pair) == 2]
        if not bounds or len(bounds) < len(pairs) or not all(isinstance(one, int | float) for one in bounds):
            self._problem((*path, "steps"), "steps: expected pairs such as [0, 1], a bound and what it becomes")
            return None
        if bounds != sorted(set(bounds)):
            self._problem((*path, "steps"), "steps: expected rising bounds")
            return None
        becomes = [MISSING, *(pair[1] for pair in pairs)]
        return lambda value: becomes[bisect_right(bounds, number(value))]

    def _cut(self, spec: Mapping[str, Any], path: Path) -> Callable[[Any], Any] | None:
        if "cut" not in spec:
            return None
        most = spec["cut"]
        if not isinstance(most, int) or isinstance(most, bool) or most < 1:
            self._problem((*path, "cut"), "cut: expected how many characters, 1 or more")
            return None
        return lambda value: text(value)[:most]

    def _know(self, spec: Mapping[str, Any], known: Sequence[str], path: Path) -> None:
        for name in spec:
            if name not in known:
                self._problem((*path, name), unknown_name(name, known))
