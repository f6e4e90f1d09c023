"""The records of the state topics, read strictly: what a stage writes, as types. Decides nothing."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from fsoc.alerts.book import Alert
from fsoc.correlation.entries import GroupKey
from fsoc.correlation.progress import Claim
from fsoc.correlation.rules import CHAIN_DEPTH_MAX

Count = Annotated[int, Meta(ge=0)]


class Rules(Struct, frozen=True):
    """With which rules a header was written last."""

    version: str
    digest: str


class Epoch(Struct, frozen=True):
    """One feed's sequence. missing: ranges of numbers, first and last."""

    missing: tuple[tuple[int, int], ...]
    forgotten: Count = 0


class IntakeHeader(Struct, frozen=True):
    """One institution. What was not written by an older fsoc has a default."""

    offset: int
    watermark_ms: int | None
    received: int
    used: int
    duplicate: int
    late: int
    quarantined: int
    detections: int
    live: int
    feeds: dict[str, dict[str, Epoch]]
    ended: bool = False
    dropped_keys: int = 0
    forgotten_live: int = 0
    allowed_lateness_ms: int | None = None
    rules: Rules | None = None

    @property
    def missing(self) -> int:
        """Sequence numbers that have not come."""
        epochs = (epoch for feed in self.feeds.values() for epoch in feed.values())
        return sum(last - first + 1 for epoch in epochs for first, last in epoch.missing)


class LiveRecord(Struct, frozen=True):
    """The newest revision of one ticket. keys, withdrawn: (rule, group) it feeds, and has fed before."""

    revision: int
    offset: int
    event_time_ms: int
    keys: tuple[tuple[str, str], ...]
    withdrawn: tuple[tuple[str, str], ...]


class CorrelationHeader(Struct, frozen=True):
    """One detections partition.

    closed: how far event time is settled, by chain depth. settled_until_ms, claims, partitions: what that follows from.
    """

    closed_until_ms: int | None
    closed: Annotated[list[int | None], Meta(min_length=1)]
    settled_until_ms: int | None
    partitions: dict[str, list[int]]
    raised_total: int
    expired_total: int
    alerts_open: int
    entries: int
    evicted_total: int
    claims: dict[str, Claim]
    offset: int | None = None
    relays: int = 0
    displaced_total: int = 0
    malformed_total: int = 0
    misfits_total: int = 0
    rules: Rules | None = None

    @property
    def let_go_total(self) -> int:
        """Entries that left before their time, or were not taken: a bound was reached, or rules were being replaced."""
        return self.evicted_total + self.displaced_total + self.misfits_total


class AlertRecord(Struct, frozen=True):
    """The newest revision of one alert, or of a link, which is published to campaigns alone."""

    key: tuple[str, str, str]
    episode: int
    episode_ms: Annotated[int, Meta(gt=0)]
    depth: Annotated[int, Meta(ge=1, le=CHAIN_DEPTH_MAX)]
    revision: Annotated[int, Meta(ge=1)]
    status: Literal["open", "final", "retracted"]
    body: dict[str, Any]
    link: bool = False
    told: int = 0

    def alert(self) -> Alert:
        key = GroupKey(*self.key)
        return Alert(key, self.episode, self.episode_ms, self.depth, self.revision, self.status, self.body, self.link)


class TicketName(NamedTuple):
    """Whose ticket a record of intake's state is of."""

    institution: str
    environment: str
    ticket_id: str


intake_header: Final = msgspec.json.Decoder(IntakeHeader).decode
live_record: Final = msgspec.json.Decoder(LiveRecord).decode
correlation_header: Final = msgspec.json.Decoder(CorrelationHeader).decode
alert_record: Final = msgspec.json.Decoder(AlertRecord).decode


class DayName(NamedTuple):
    """Whose record of intake's state is of the quality of a day."""

    institution: str
    day: str


class DayRecord(Struct, frozen=True):
    """One day of an institution's feeds. offset: of the newest ticket that is counted in it."""

    offset: int
    feeds: dict[str, dict[str, Any]]


day_record: Final = msgspec.json.Decoder(DayRecord).decode


def ticket_name(key: bytes) -> TicketName | DayName | str:
    """Whose record of intake's state this is: a ticket's, a day's, or an institution's header.

    Raises:
        ValueError: neither's.
    """
    institution, _, rest = key.decode().partition("/")
    what, _, name = rest.partition("/")
    environment, _, ticket_id = name.partition("/")
    if what == "header" and not name:
        return institution
    if what == "ticket" and environment and ticket_id:
        return TicketName(institution, environment, ticket_id)
    if what == "day" and name:
        return DayName(institution, name)
    raise ValueError(f"{rest[:80]!r} is neither header nor ticket, nor day")
