"""The tickets of one institution that may still be revised: by name, and by age. Pure: laws 6 and 12."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any, Final, NamedTuple

import orjson

from fsoc.feeds.outcomes import REMEMBERED_MAX
from fsoc.tickets.decode import Message

LIVE_TICKETS_MAX: Final = 100_000
"""Tickets of one institution that may be revised. Past it the one with the oldest event time is forgotten first."""

ANSWERS_MAX: Final = 100
"""Alerts that one ticket answers or did; past it, those taken back longest ago are no longer told again on a replay."""

Key = tuple[str, str]
"""(correlation rule id, group as JSON text): what a ticket fed."""

TicketName = tuple[str, str]
"""(environment, ticket id)"""


class Answered(NamedTuple):
    """What a ticket answers to one alert; None: nothing any more. since_ms: when it first said anything to it."""

    answer: str | None
    since_ms: int


@dataclass(slots=True)
class LiveTicket:
    """The latest revision of one ticket.

    offset: of the message that brought this revision.
    keys: what it feeds now. withdrawn: what earlier revisions fed and this one does not; kept so that a replay of the
    same offset sends the same withdrawals again.
    answers: by alert, what it says now and since when it has said anything.
    received_at_ms: of the revision that said so; kept where there are answers.
    """

    name: TicketName
    revision: int
    digest: bytes
    offset: int
    event_time_ms: int
    keys: list[Key] = field(default_factory=list)
    withdrawn: list[Key] = field(default_factory=list)
    answers: dict[str, Answered] = field(default_factory=dict)
    received_at_ms: int = 0

    def answer(self, answers: Mapping[str, str | None], received_at_ms: int) -> None:
        """This revision answers these alerts, and takes back what earlier ones said to others."""
        if answers or self.answers:
            said = {**dict.fromkeys(self.answers), **answers}
            before = {alert: since_ms for alert, (_, since_ms) in self.answers.items()}
            known = {alert: Answered(answer, before.get(alert, received_at_ms)) for alert, answer in said.items()}
            gone = [alert for alert, (answer, _) in known.items() if answer is None]
            for alert in gone[: max(len(known) - ANSWERS_MAX, 0)]:
                del known[alert]
            self.answers, self.received_at_ms = known, received_at_ms

    def feed(self, keys: list[Key]) -> None:
        """This revision feeds exactly these keys."""
        now = set(keys)
        before = [key for key in (*self.keys, *self.withdrawn) if key not in now]
        self.keys, self.withdrawn = keys, list(dict.fromkeys(before))

    def record(self) -> bytes:
        """What the state keeps of it."""
        state: dict[str, Any] = {
            "revision": self.revision,
            "digest": self.digest.hex(),
            "offset": self.offset,
            "event_time_ms": self.event_time_ms,
            "keys": self.keys,
            "withdrawn": self.withdrawn,
        }
        if self.answers:  # few have any
            state |= {
                "answers": {alert: [*said] for alert, said in self.answers.items()},
                "received_at_ms": self.received_at_ms,
            }
        return orjson.dumps(state)

    @classmethod
    def of(cls, name: TicketName, record: bytes) -> LiveTicket:
        state = orjson.loads(record)
        return cls(
            name,
            state["revision"],
            bytes.fromhex(state["digest"]),
            state["offset"],
            state["event_time_ms"],
            [(rule, group) for rule, group in state["keys"]],
            [(rule, group) for rule, group in state["withdrawn"]],
            {alert: Answered(*answered) for alert, answered in state.get("answers", {}).items()},
            state.get("received_at_ms", 0),
        )


class LiveTickets:
    """All of them. What is held, and in which order it goes, follows from the tickets alone, not from how they came."""

    def __init__(self, tickets: Iterable[LiveTicket] = ()) -> None:
        self._by_name = {ticket.name: ticket for ticket in tickets}
        self._ages = [(ticket.event_time_ms, ticket.name) for ticket in self._by_name.values()]
        heapify(self._ages)
        # Old enough to go, but a replay may need them: (offset at which none does any more, name).
        self._kept: list[tuple[int, TicketName]] = []

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: TicketName) -> LiveTicket | None:
        return self._by_name.get(name)

    def answering(self) -> Iterator[LiveTicket]:
        """Those that answer alerts, or did."""
        return (ticket for ticket in self._by_name.values() if ticket.answers)

    def add(self, ticket: LiveTicket) -> None:
        self._by_name[ticket.name] = ticket
        self.aged(ticket)

    def aged(self, ticket: LiveTicket) -> None:
        """The ticket has another revision now, perhaps another event time."""
        heappush(self._ages, (ticket.event_time_ms, ticket.name))
        if len(self._ages) > 2 * len(self._by_name) + 1024:  # mostly times that tickets no longer have
            self._ages = [(ticket.event_time_ms, ticket.name) for ticket in self._by_name.values()]
            heapify(self._ages)

    def let_go(self, until_ms: int, offset: int) -> Sequence[TicketName]:
        """Drop tickets with an event time up to and including until_ms; return their names.

        A revised one stays until no replay can reach back to its newest message: without the ticket, that message
        would withdraw nothing, and the one before it would take effect again.
        """
        nothing_due = not self._ages or self._ages[0][0] > until_ms
        if nothing_due and (not self._kept or self._kept[0][0] > offset):
            return ()  # as after nearly every message
        return list(self._let_go(until_ms, offset))

    def _let_go(self, until_ms: int, offset: int) -> Iterator[TicketName]:
        while self._kept and self._kept[0][0] <= offset:
            ticket = self._first_kept()
            if ticket is not None:
                self.aged(ticket)
        while self._ages and self._ages[0][0] <= until_ms:
            ticket = self._oldest()
            if ticket is None:
                continue
            if ticket.revision > 1 and ticket.offset + REMEMBERED_MAX > offset:
                heappush(self._kept, (ticket.offset + REMEMBERED_MAX, ticket.name))
            else:
                del self._by_name[ticket.name]
                yield ticket.name

    def forget(self) -> Sequence[TicketName]:
        """Drop the oldest that are too many, those first that are only kept for a replay; return their names."""
        forgotten: list[TicketName] = []
        while len(self._by_name) > LIVE_TICKETS_MAX:
            ticket = self._first_kept() if self._kept else self._oldest()
            if ticket is not None:
                del self._by_name[ticket.name]
                forgotten.append(ticket.name)
        return forgotten

    def _first_kept(self) -> LiveTicket | None:
        """Take the next that was kept; None where the ticket is gone or was revised since."""
        due, name = heappop(self._kept)
        ticket = self._by_name.get(name)
        return ticket if ticket is not None and ticket.offset + REMEMBERED_MAX == due else None

    def _oldest(self) -> LiveTicket | None:
        """Take the next by age; None where the ticket is gone or has another event time now."""
        at, name = heappop(self._ages)
        ticket = self._by_name.get(name)
        return ticket if ticket is not None and ticket.event_time_ms == at else None


def takes_back(message: Message) -> bool:
    """Whether this revision takes the ticket back (law 6). An acknowledgement is none: it takes back one of its id."""
    return message.action == "retract" or message.kind == "acknowledgement" or _is_false(message)


def dismisses(message: Message) -> bool:
    """Whether it takes the ticket back and says that there was something: that stays in the past (law 11)."""
    return message.kind == "ticket" and _is_false(message)


def _is_false(message: Message) -> bool:
    return message.action == "close" and message.verdict == "false_positive"
