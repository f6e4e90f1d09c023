"""What every engine that matches rules offers. plain.py is the oracle; fast/ and native/ must find what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from fsoc.detection.logsource import Logsource

TICKET: Final = "fsoc"
"""The product of rules about tickets themselves. No evidence item can claim it."""

APART: Final = ("source_status", "intel")
"""Kinds of message that are no tickets: heartbeats, and intelligence. With that product, also the service of the rules
about each: these are tried on that kind alone, and no others are."""

Stated = Mapping[str, Any] | Logsource | None
"""A logsource as the sender of an event states it."""


class Match(NamedTuple):
    """evidence: the index of the item that matched, or -1 for the ticket itself."""

    rule_id: str
    evidence: int


@dataclass(slots=True)
class Lines:
    """What was found in a batch of lines; a place is the line's index in the batch.

    matched: places and rule ids of the events that matched, in order. unreadable: places and reasons, in order.
    events: lines that are events. untried: events of a logsource that no rule is for, or of none.
    """

    matched: list[tuple[int, list[str]]] = field(default_factory=list)
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    events: int = 0
    untried: int = 0


class Detector(ABC):
    """Rules, compiled once and used for every event. What is remembered between events changes no match."""

    @abstractmethod
    def match_event(self, fields: Mapping[str, Any], logsource: Stated = None) -> list[str]:
        """Ids of the rules that match one event, in the rules' order.

        logsource: as its sender states it; what logsources.yml derives is added. Nothing stated and nothing derived:
        no rule is for such an event.

        Raises:
            ValueError: what is stated is no logsource.
        """

    @abstractmethod
    def match_ticket(self, body: Mapping[str, Any]) -> list[Match]:
        """Matches of one ticket: its own, then those of each evidence item, in order; of what is no ticket, its own."""

    @abstractmethod
    def covers(self, fields: Mapping[str, Any], logsource: Stated = None) -> bool:
        """Whether any rule is for events such as this one; if not, no rule was tried."""

    def match_lines(self, lines: Sequence[bytes]) -> Lines:
        """One JSON object a line, its key "logsource" as match_event takes it. Lines of white space are passed over."""
        found = Lines()
        for place, line in enumerate(lines):
            if line.strip():
                self.match_line(place, line, found)
        return found

    def match_line(self, place: int, line: bytes, found: Lines) -> None:
        """One line, its outcome added to `found`."""
        try:
            event = orjson.loads(line)
            if not isinstance(event, dict):
                raise ValueError("not a JSON object")  # noqa: TRY004, TRY301 - one error for what a line can be
            stated = event.pop("logsource", None)
            if not isinstance(stated, dict | None):
                text = f"logsource is {stated!r:.64} — expected {{product, category, service}}"
                raise ValueError(text)  # noqa: TRY004, TRY301
            ids = self.match_event(event, stated)
        except orjson.JSONDecodeError as error:
            found.unreadable.append((place, f"not JSON: {error}"))
        except ValueError as error:
            found.unreadable.append((place, str(error)))
        else:
            found.events += 1
            found.untried += not ids and not self.covers(event, stated)
            if ids:
                found.matched.append((place, ids))


def stated_logsource(logsource: Stated) -> Logsource | None:
    """What is stated, read; None where that sets nothing.

    Raises:
        ValueError: an attribute is not text.
    """
    return (logsource if isinstance(logsource, Logsource) else Logsource.read(logsource or {})) or None
