"""What institutions have answered to an alert: of each institution its newest answer. Pure; reads no log.

An institution may answer the same alert in several tickets. The one that was received last counts, and where that is
taken back, the one before it. A record of a lower revision than one that is known changes nothing (law 10).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from fsoc.feeds.answers import SCHEMA
from fsoc.tickets.times import milliseconds
from fsoc.tickets.vocabulary import Answer

ANSWERS: Final[dict[Answer, tuple[str, str]]] = {
    "seen": ("seen", "已閱"),
    "hunting": ("hunting", "清查中"),
    "affected": ("affected", "受影響"),
    "not_affected": ("not affected", "未受影響"),
}
"""In English and in Traditional Chinese."""


class Said(msgspec.Struct, frozen=True):
    """One record of the topic: what one ticket says of one alert; None: nothing any more."""

    schema: str
    alert_id: str
    institution: str
    environment: str
    ticket_id: str
    revision: int
    answer: Answer | None
    received_at: str
    first_received_at: str


class Acknowledgement(NamedTuple):
    """What an institution answers now, when that was received, and when its first answer was, as RFC 3339.

    told_at_ms: when it was first told; None where that is not known.
    """

    institution: str
    answer: Answer
    received_at: str
    first_received_at: str
    ticket_id: str
    told_at_ms: int | None = None

    @property
    def received_at_ms(self) -> int:
        return milliseconds(self.received_at)

    @property
    def after_ms(self) -> int | None:
        """From when it was told to when it first answered; None where it is not known when it was told."""
        return None if self.told_at_ms is None else milliseconds(self.first_received_at) - self.told_at_ms

    def wire(self) -> dict[str, Any]:
        """As `fsoc alerts show --json` has it."""
        after_ms = self.after_ms
        return {
            "institution": self.institution,
            "answer": self.answer,
            "received_at": self.received_at,
            "first_received_at": self.first_received_at,
            "ticket_id": self.ticket_id,
            "seconds_after_feedback": None if after_ms is None else after_ms / 1000,
        }


_said: Final = msgspec.json.Decoder(Said).decode


class Acknowledged:
    """All answers, by alert. As many as the topic holds; what answers no alert that is asked for is never looked at."""

    def __init__(self) -> None:
        self.unreadable_total = 0
        self._said: dict[str, dict[tuple[str, str, str], Said]] = {}
        self._told_at_ms: dict[tuple[str, str], int] = {}

    def take(self, value: bytes) -> None:
        """Take the next record of the topic, or the same one again."""
        try:
            said = _said(value)
            milliseconds(said.received_at), milliseconds(said.first_received_at)
        except (msgspec.MsgspecError, ValueError):
            self.unreadable_total += 1
            return
        if said.schema != SCHEMA:
            self.unreadable_total += 1
            return
        of_alert = self._said.setdefault(said.alert_id, {})
        name = (said.environment, said.institution, said.ticket_id)
        known = of_alert.get(name)
        if known is None or known.revision <= said.revision:
            of_alert[name] = said

    def told(self, alert_id: str, institution: str, at_ms: int) -> None:
        """An institution was told of an alert; the first time counts."""
        name = (alert_id, institution)
        self._told_at_ms[name] = min(at_ms, self._told_at_ms.get(name, at_ms))

    def of(self, alert_id: str) -> list[Acknowledgement]:
        """What stands, an institution each, in the order in which it was received."""
        newest: dict[str, Acknowledgement] = {}
        for said in sorted(self._said.get(alert_id, {}).values(), key=_order):
            if said.answer is not None:
                before = newest.get(said.institution)
                firsts = [said.first_received_at, *(() if before is None else (before.first_received_at,))]
                newest[said.institution] = Acknowledgement(
                    said.institution,
                    said.answer,
                    said.received_at,
                    min(firsts, key=milliseconds),
                    said.ticket_id,
                    self._told_at_ms.get((alert_id, said.institution)),
                )
        return sorted(newest.values(), key=lambda one: (one.received_at_ms, one.institution))


def _order(said: Said) -> tuple[int, str, int]:
    return milliseconds(said.received_at), said.ticket_id, said.revision
