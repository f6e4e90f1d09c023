"""Which tickets bear which label, and whose they are. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fsoc.evaluation.records import TicketKey, TruthLine
from fsoc.exercise.score import INSTITUTIONS_MIN


class LabelledTwice(ValueError):  # noqa: N818 - as BadLine
    """Two lines of the truth say different things of one ticket."""


@dataclass(frozen=True, slots=True)
class Label:
    """One attack, campaign or phase.

    tickets: those whose institution is known. elsewhere: ids of which nothing says who sent them.
    """

    name: str
    tickets: frozenset[TicketKey]
    elsewhere: frozenset[str] = frozenset()
    institutions: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "institutions", frozenset(institution for institution, _ in self.tickets))

    @property
    def ticket_count(self) -> int:
        return len(self.tickets) + len(self.elsewhere)

    @property
    def is_joint(self) -> bool:
        """Whether a joint alert could be on it: it struck two institutions, or nothing says that it did not."""
        return len(self.institutions) >= INSTITUTIONS_MIN or bool(self.elsewhere)


class Truth:
    """What the truth file says. A line that names an institution is about that institution's ticket alone."""

    def __init__(self) -> None:
        self._by_key: dict[TicketKey, str | None] = {}
        self._by_id: dict[str, str | None] = {}

    @classmethod
    def of(cls, lines: Iterable[TruthLine]) -> Truth:
        truth = cls()
        for line in lines:
            truth.take(line)
        return truth

    def take(self, line: TruthLine) -> None:
        """Raises: LabelledTwice: another label was said of the same ticket before; the same again is no harm."""
        if line.institution is None:
            before = self._by_id.setdefault(line.ticket_id, line.label)
        else:
            before = self._by_key.setdefault((line.institution, line.ticket_id), line.label)
        if before != line.label:
            raise LabelledTwice(
                f"ticket {line.ticket_id} has the label {_said(line.label)} here, {_said(before)} before"
            )

    def label_of(self, key: TicketKey) -> str | None:
        """None: no attack, as far as the truth says."""
        return self._by_key[key] if key in self._by_key else self._by_id.get(key[1])

    def labels(self, known: Iterable[TicketKey]) -> Mapping[str, Label]:
        """Every label, by name, with its tickets. known: tickets of which it is known who sent them."""
        tickets: dict[str, set[TicketKey]] = {}
        elsewhere: dict[str, set[str]] = {}
        found: set[str] = set()
        for key in (*self._by_key, *known):
            name = self.label_of(key)
            if name is not None:
                tickets.setdefault(name, set()).add(key)
            if key not in self._by_key:
                found.add(key[1])
        for ticket_id, name in self._by_id.items():
            if name is not None and ticket_id not in found:
                elsewhere.setdefault(name, set()).add(ticket_id)
        return {
            name: Label(name, frozenset(tickets.get(name, ())), frozenset(elsewhere.get(name, ())))
            for name in sorted({*tickets, *elsewhere}, key=_natural)
        }

    def shared_ids(self, known: Iterable[TicketKey]) -> int:
        """How many labelled ids without an institution are borne by tickets of several: all of them take the label."""
        bearers: dict[str, set[str]] = {}
        for key in known:
            if key not in self._by_key and self._by_id.get(key[1]) is not None:
                bearers.setdefault(key[1], set()).add(key[0])
        return sum(len(each) > 1 for each in bearers.values())


def _natural(name: str) -> list[tuple[int, str]]:
    """`campaign-2` before `campaign-10`."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"([0-9]+)", name)]


def _said(label: str | None) -> str:
    return "benign" if label is None else f'"{label}"'
