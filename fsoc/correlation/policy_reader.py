"""Reads clocks.yml and suppressions.yml: every problem at once, with file and line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from ipaddress import ip_address, ip_network
from typing import Any, Final

from fsoc.correlation.policy import HOUR_MS, KINDS, Clock, Pattern, Policy, Suppression
from fsoc.detection.documents import Document, Source, read
from fsoc.errors import Problem, RefusedToStart
from fsoc.tickets.times import BadTime, milliseconds

ENTRIES_MAX: Final = 1_000
TEXT_MAX: Final = 500
HOURS_MAX: Final = 24 * 366
_STARTS_AT: Final = ("raised_at_event_time", "first_seen")
_LEVELS: Final = ("informational", "low", "medium", "high", "critical")
_CLOCK: Final = ("id", "name", "name_zh", "hours", "starts_at", "when", "source")
_WHEN: Final = ("kind", "level", "grade_from", "grade_to", "severity_from")
_SUPPRESSION: Final = ("id", "rule", "group", "institutions", "until", "owner", "reason")


def read_policy(clocks: Iterable[Source], suppressions: Iterable[Source]) -> Policy:
    """Both, of all texts together.

    Raises:
        RefusedToStart: with every problem.
    """
    problems: list[Problem] = []
    read_clocks = [entry.clock() for entry in _entries(clocks, "clocks", problems)]
    read_suppressions = [entry.suppression() for entry in _entries(suppressions, "suppressions", problems)]
    if problems:
        raise RefusedToStart(*problems)
    return Policy(
        tuple(clock for clock in read_clocks if clock is not None),
        tuple(suppression for suppression in read_suppressions if suppression is not None),
    )


def _entries(sources: Iterable[Source], key: str, problems: list[Problem]) -> Iterable[_Entry]:
    """The entries of the list of this name in all texts."""
    documents, unreadable = read(sources)
    problems += unreadable
    seen: dict[str, str] = {}
    for document in documents:
        problems += [
            document.problem(f'"{name}" is unknown — expected {key}', name) for name in document.data if name != key
        ]
        listed = document.data.get(key)
        if listed is None:
            continue
        if not isinstance(listed, list) or len(listed) > ENTRIES_MAX:
            problems.append(document.problem(f"{key} is not a list of at most {ENTRIES_MAX}", key))
            continue
        for place, data in enumerate(listed):
            if not isinstance(data, dict):
                problems.append(document.problem(f"an entry of {key} is not a mapping", key, place))
                continue
            entry = _Entry(document, (key, place), data, problems)
            yield entry
            first = seen.setdefault(str(data.get("id")), entry.where)
            if first != entry.where:
                entry.refuse(f'id "{data.get("id")}" is used twice, first at {first}', "id")


class _Entry:
    """One entry; what is wrong with it goes to `problems`, and then it is None."""

    def __init__(
        self, document: Document, keys: tuple[str | int, ...], data: Mapping[Any, Any], problems: list[Problem]
    ) -> None:
        self._document, self._keys, self._data, self._problems = document, keys, data, problems
        self._sound = True
        self.where = f"{document.path}:{document.line_of(*keys)}"

    def refuse(self, text: str, *keys: str) -> None:
        self._sound = False
        self._problems.append(self._document.problem(text, *self._keys, *keys))

    def clock(self) -> Clock | None:
        self._known(self._data, _CLOCK)
        when = self._data.get("when")
        if not isinstance(when, dict | None):
            self.refuse("when is not a mapping", "when")
            when = None
        self._known(when or {}, _WHEN, "when")
        hours = self._data.get("hours")
        if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= HOURS_MAX:
            self.refuse(f'hours is "{hours}" — expected a number above 0 and up to {HOURS_MAX}', "hours")
            hours = 0
        grades = (self._whole(when, "grade_from", 1, 1, 4), self._whole(when, "grade_to", 4, 1, 4))
        severity_from = self._whole(when, "severity_from", 0, 0, 5)
        if grades[0] > grades[1]:
            self.refuse("grade_from is above grade_to: no alert has such a grade", "when", "grade_from")
        kind, levels = (when or {}).get("kind"), (when or {}).get("level")
        levels = [levels] if isinstance(levels, str) else levels
        if kind is not None and kind not in KINDS:
            self.refuse(f'kind is "{kind}" — expected {" or ".join(KINDS)}', "when", "kind")
        if levels is not None and not (isinstance(levels, list) and set(map(str, levels)) <= set(_LEVELS)):
            self.refuse(f"level is not one of {', '.join(_LEVELS)}, or a list of them", "when", "level")
        starts_at = self._data.get("starts_at", _STARTS_AT[0])
        if starts_at not in _STARTS_AT:
            self.refuse(f'starts_at is "{starts_at}" — expected {" or ".join(_STARTS_AT)}', "starts_at")
        name = self._text("name")
        identity, name_zh = self._text("id"), self._text("name_zh", name)
        if "source" in self._data:
            self._text("source")
        if not self._sound:
            return None
        return Clock(
            identity,
            name,
            name_zh,
            starts_at,
            round(hours * HOUR_MS),
            grades,
            severity_from,
            kind,
            None if levels is None else frozenset(levels),
        )

    def suppression(self) -> Suppression | None:
        self._known(self._data, _SUPPRESSION)
        institutions = self._data.get("institutions", [])
        if not isinstance(institutions, list) or not all(isinstance(one, str) and one for one in institutions):
            self.refuse("institutions is not a list of ids", "institutions")
        elif "institutions" in self._data and not institutions:
            self.refuse("institutions is empty: leave it out where any are meant", "institutions")
        until = self._until(self._data.get("until"))
        identity, rule = self._text("id"), self._text("rule")
        owner, reason = self._text("owner"), self._text("reason")
        group = self._group(self._data.get("group", {}))
        if not self._sound:
            return None
        return Suppression(identity, rule, group, frozenset(institutions), until, owner, reason, self.where)

    def _group(self, value: object) -> tuple[tuple[str, Pattern], ...]:
        if not isinstance(value, dict):
            self.refuse("group is not a mapping of group-by fields to values", "group")
            return ()
        patterns: list[tuple[str, Pattern]] = []
        for name, wanted in value.items():
            if isinstance(wanted, bool) or not isinstance(wanted, str | int | float) or not str(wanted).strip("*"):
                self.refuse(f'group.{name} is "{wanted}" — expected a value, a network or *.ending', "group", name)
                continue
            text, network = str(wanted), None
            if "/" in text:
                try:
                    network = ip_network(text)
                except ValueError as error:
                    if _is_address(text.partition("/")[0]):  # else a path, which may hold slashes too
                        self.refuse(f'group.{name} is "{text}", which is no network: {error}', "group", name)
            if "*" in text[1:]:
                self.refuse(f'group.{name} is "{text}" — * may only stand at its beginning', "group", name)
            patterns.append((str(name), Pattern(text, network)))
        return tuple(patterns)

    def _until(self, value: object) -> int:
        """A time with its offset; or a day, at whose beginning, in UTC, it is over."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            return round(value.timestamp() * 1000)
        if isinstance(value, date) and not isinstance(value, datetime):
            return round(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1000)
        if isinstance(value, str | datetime):
            try:
                return milliseconds(value if isinstance(value, str) else value.isoformat())
            except BadTime as error:
                self.refuse(f'until "{value}" {error}', "until")
                return 0
        found = "is missing" if value is None else f'is "{value}"'
        such = "such as 2026-09-30 or 2026-09-30T18:00:00+08:00"
        self.refuse(f"until {found} — expected a day or a time, {such}", "until")
        return 0

    def _text(self, key: str, default: str | None = None) -> str:
        value = self._data.get(key, default)
        if not isinstance(value, str) or not value.strip() or len(value) > TEXT_MAX:
            found = "is missing" if value is None else f'is "{str(value)[:40]}"'
            self.refuse(f"{key} {found} — expected a text of at most {TEXT_MAX} characters", key)
            return ""
        return value.strip()

    def _whole(self, when: Mapping[Any, Any] | None, key: str, default: int, least: int, most: int) -> int:
        value = (when or {}).get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse(f'{key} is "{value}" — expected a whole number from {least} to {most}', "when", key)
            return default
        return value

    def _known(self, data: Mapping[Any, Any], known: Iterable[str], *keys: str) -> None:
        for name in data:
            if name not in known:
                self.refuse(f'"{name}" is unknown — expected {", ".join(known)}', *keys, str(name))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
