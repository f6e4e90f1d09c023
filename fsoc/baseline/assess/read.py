"""Reads attack scripts from YAML: every problem at once, `file:line`. What rules and items there are: check.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from fsoc.baseline.assess.script import Joined, PlayedEvent, Script, Step
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.document import Document, Path, unknown_name
from fsoc.institutions.duration import duration_ms

STEPS_MAX: Final = 60
EVENTS_MAX: Final = 200
REPEAT_MAX: Final = 1_000
INSTITUTIONS_MAX: Final = 12
DAY_MS: Final = 86_400_000

_is_id = re.compile(r"[a-z0-9][a-z0-9-]{1,47}").fullmatch
_is_time = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])").fullmatch
_SCRIPT_KEYS: Final = ("id", "title", "title_zh", "description", "institutions", "stagger", "starts", "steps")
_STEP_KEYS: Final = ("id", "title", "title_zh", "after", "at", "events", "expect", "adds", "roles")
_EVENT_KEYS: Final = ("after", "logsource", "fields", "repeat", "every")
_EXPECT_KEYS: Final = ("rule", "item", "ticket_within", "joint")
ADDED: Final = ("observables", "suppliers", "volume", "impact")
"""Fields of a ticket that an analyst fills in; evidence and assets are known by then."""


def read_script(text: str, where: str) -> Script:
    """Read one script.

    Raises:
        RefusedToStart: with every problem.
    """
    document = Document.parse(text, where)
    script = _Reader(document).script()
    document.refuse_if_problems()
    return script


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document

    def script(self) -> Script:
        data = self._document.data
        if not isinstance(data, dict):
            raise RefusedToStart(Problem(f"{self._document.where}:1", "expected a script: id, title, steps, …"))
        self._known(data, (), _SCRIPT_KEYS)
        institutions = data.get("institutions", 1)
        if type(institutions) is not int or not 1 <= institutions <= INSTITUTIONS_MAX:
            self._fail(("institutions",), f"institutions: expected a number from 1 to {INSTITUTIONS_MAX}")
            institutions = 1
        steps = data.get("steps")
        if not isinstance(steps, list) or not 1 <= len(steps) <= STEPS_MAX:
            self._fail(("steps",), f"steps: expected a list of at most {STEPS_MAX}")
            steps = []
        read = [step for place, one in enumerate(steps) if (step := self._step(one, ("steps", place), institutions))]
        names = [step.id for step in read]
        for name in {name for name in names if names.count(name) > 1}:
            self._fail(("steps",), f"steps: {name} is there twice")
        return Script(
            id=self._name(data, ()),
            title=self._text(data, (), "title"),
            title_zh=self._text(data, (), "title_zh"),
            description=self._text(data, (), "description"),
            institutions=institutions,
            stagger_ms=self._duration(data, (), "stagger", 0),
            starts_ms=self._starts(data),
            steps=tuple(read),
            where=self._document.where,
        )

    def _step(self, entry: Any, at: Path, institutions: int) -> Step | None:
        if not isinstance(entry, dict):
            self._fail(at, "expected a step: id, after, events, expect")
            return None
        self._known(entry, at, _STEP_KEYS)
        expect = entry.get("expect")
        if not isinstance(expect, dict):
            self._fail((*at, "expect"), "expect: expected {rule: …, item: …, ticket_within: …, joint: {…}}")
            expect = {}
        self._known(expect, (*at, "expect"), _EXPECT_KEYS)
        rule, item = self._expected(expect, (*at, "expect"))
        return Step(
            id=self._name(entry, at),
            title=self._text(entry, at, "title"),
            title_zh=self._text(entry, at, "title_zh"),
            after_ms=self._duration(entry, at, "after", 0),
            events=self._events(entry.get("events"), (*at, "events")),
            rule=rule,
            item=item,
            ticket_ms=self._duration(expect, (*at, "expect"), "ticket_within"),
            joined=self._joined(expect.get("joint"), (*at, "expect", "joint")),
            roles=self._roles(entry.get("at"), (*at, "at"), institutions),
            adds=self._adds(entry.get("adds"), (*at, "adds")),
        )

    def _expected(self, expect: Mapping[str, Any], at: Path) -> tuple[str, str]:
        rule, item = expect.get("rule"), expect.get("item")
        if not isinstance(rule, str) or not rule:
            self._fail((*at, "rule"), "rule: expected the name or id of a detection")
        if not isinstance(item, str) or not item:
            self._fail((*at, "item"), "item: expected the id of an item of the baseline")
        return str(rule), str(item)

    def _joined(self, entry: Any, at: Path) -> Joined | None:
        if entry is None:
            return None
        if not isinstance(entry, dict) or set(entry) != {"rule", "within"}:
            self._fail(at, "joint: expected {rule: …, within: …}")
            return None
        rule = entry["rule"]
        if not isinstance(rule, str) or not rule:
            self._fail((*at, "rule"), "rule: expected the name of a rule that raises joint alerts")
        return Joined(str(rule), self._duration(entry, at, "within"))

    def _events(self, entry: Any, at: Path) -> tuple[PlayedEvent, ...]:
        if not isinstance(entry, list) or not entry:
            self._fail(at, "events: expected a list, and something in it")
            return ()
        found: list[PlayedEvent] = []
        for place, one in enumerate(entry):
            here = (*at, place)
            if not isinstance(one, dict) or not isinstance(one.get("fields"), dict) or not one["fields"]:
                self._fail(here, "expected an event: {fields: {…}}, and after, logsource, repeat, every")
                continue
            self._known(one, here, _EVENT_KEYS)
            logsource = one.get("logsource")
            if logsource is not None and not isinstance(logsource, dict):
                self._fail((*here, "logsource"), "logsource: expected {product: …, category: …, service: …}")
                logsource = None
            repeat = one.get("repeat", 1)
            if type(repeat) is not int or not 1 <= repeat <= REPEAT_MAX:
                self._fail((*here, "repeat"), f"repeat: expected a number from 1 to {REPEAT_MAX}")
                repeat = 1
            after_ms, every_ms = self._duration(one, here, "after", 0), self._duration(one, here, "every", 1_000)
            found += [PlayedEvent(after_ms + number * every_ms, one["fields"], logsource) for number in range(repeat)]
        if len(found) > EVENTS_MAX:
            self._fail(at, f"events: {len(found)} with repetitions, limit {EVENTS_MAX}")
        return tuple(sorted(found, key=lambda event: event.after_ms))

    def _roles(self, entry: Any, at: Path, institutions: int) -> tuple[int, ...]:
        if entry is None:
            return ()
        listed = entry if isinstance(entry, list) else []
        if not listed or any(type(role) is not int or not 1 <= role <= institutions for role in listed):
            self._fail(at, f"at: expected a list of numbers from 1 to {institutions}: 1 is the institution assessed")
            return ()
        return tuple(listed)

    def _adds(self, entry: Any, at: Path) -> Mapping[str, Any]:
        if entry is None:
            return {}
        if not isinstance(entry, dict):
            self._fail(at, f"adds: expected a mapping of {', '.join(ADDED)}")
            return {}
        self._known(entry, at, ADDED)
        return entry

    def _starts(self, data: Mapping[str, Any]) -> int:
        value = data.get("starts", "09:00")
        match = _is_time(value) if isinstance(value, str) else None
        if match is None:
            self._fail(("starts",), 'starts: expected a time in UTC in quotes, such as "14:30"')
            return 0
        return (int(match[1]) * 60 + int(match[2])) * 60_000

    def _name(self, entry: Mapping[str, Any], at: Path) -> str:
        name = entry.get("id")
        if not isinstance(name, str) or not _is_id(name):
            self._fail((*at, "id"), f"id: found {str(name)[:40]!r}, expected a-z, 0-9 and -")
            return ""
        return name

    def _text(self, entry: Mapping[str, Any], at: Path, key: str) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip():
            self._fail((*at, key), f"{key}: is missing")
            return ""
        return " ".join(value.split())

    def _duration(self, entry: Mapping[str, Any], at: Path, key: str, default_ms: int | None = None) -> int:
        if key not in entry and default_ms is not None:
            return default_ms
        try:
            return duration_ms(entry.get(key))
        except ValueError as error:
            self._fail((*at, key), f"{key}: {error}")
            return 0

    def _known(self, entry: Mapping[str, Any], at: Path, known: tuple[str, ...]) -> None:
        for name in entry:
            if name not in known:
                self._fail((*at, name), unknown_name(str(name), known))

    @property
    def _fail(self) -> Callable[[Path, str], None]:
        return self._document.problem
