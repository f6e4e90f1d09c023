"""When each ticket happened and came, of all messages about it. Pure: a fold over messages in order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fsoc.evaluation.records import Sent, TicketKey


@dataclass(frozen=True, slots=True)
class TicketTimes:
    """revision: the newest. event_ms: its event time. received_ms: when the first message about the ticket came.

    moments: every time at which any revision may have been said to happen.
    """

    revision: int
    event_ms: int
    received_ms: int
    moments: frozenset[int]


class Tickets:
    """The tickets of some files. lines: how many lines those have, tickets or not.

    Intel is known beside them: it is no victim's, so that it is in no span and no count.
    """

    def __init__(self) -> None:
        self.lines = 0
        self._times: dict[TicketKey, TicketTimes] = {}
        self._intel: dict[TicketKey, TicketTimes] = {}

    @classmethod
    def of(cls, messages: Iterable[Sent | None], allowed_lateness_ms: Callable[[str], int]) -> Tickets:
        """allowed_lateness_ms: of an institution, from the registry; what is adopted later only makes it longer."""
        tickets = cls()
        for sent in messages:
            tickets.lines += 1
            if sent is not None:
                tickets.take(sent, sent.event_ms(allowed_lateness_ms(sent.key[0])))
        return tickets

    def take(self, sent: Sent, event_ms: int) -> None:
        """A higher revision replaces the times before; what comes again changes nothing."""
        moments = {event_ms, sent.detected_ms} | ({sent.occurred_ms} if sent.occurred_ms is not None else set())
        times = self._intel if sent.is_intel else self._times
        known = times.get(sent.key)
        if known is None:
            times[sent.key] = TicketTimes(sent.revision, event_ms, sent.received_ms, frozenset(moments))
            return
        newer = sent.revision > known.revision
        times[sent.key] = TicketTimes(
            max(sent.revision, known.revision),
            event_ms if newer else known.event_ms,
            min(sent.received_ms, known.received_ms),
            known.moments | moments,
        )

    def get(self, key: TicketKey) -> TicketTimes | None:
        return self._times.get(key)

    def intel(self, key: TicketKey) -> TicketTimes | None:
        """As `get`, of intel."""
        return self._intel.get(key)

    def __iter__(self) -> Iterator[TicketKey]:
        return iter(self._times)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def span_ms(self) -> tuple[int, int] | None:
        """Event time of the first and of the last ticket."""
        events = [times.event_ms for times in self._times.values()]
        return (min(events), max(events)) if events else None
