"""What intake knows of one institution, and what it decides of each message. Pure: laws 2, 3, 4 and 6.

A ledger is the newest state after some offset of the institution's log. It is written as one header and one small
record per live ticket, and read back in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, NamedTuple

import orjson

from fsoc.errors import Fault
from fsoc.feeds.outcomes import Outcome, Outcomes
from fsoc.feeds.sequence import Sequence
from fsoc.tickets.decode import Message
from fsoc.tickets.times import event_time

END_MS = 253_402_300_800_000
"""Year 10000: the watermark of an institution whose exercise has ended."""

FUTURE_MAX_MS = 5 * 60_000
"""How far event time may run ahead of the log's clock (law 2)."""

FEEDS_MAX = 64
"""Feeds and epochs followed per institution; the one idle longest is let go."""

Key = tuple[str, str]
"""(correlation rule id, group as JSON text): what a ticket fed."""


class Judgement(NamedTuple):
    """What a message is.

    live: the ticket's record, present when this message is USED and takes effect. replayed: decided before.
    """

    outcome: Outcome
    fault: Fault | None = None
    live: LiveTicket | None = None
    replayed: bool = False


@dataclass(slots=True)
class LiveTicket:
    """The latest revision of one ticket.

    keys: what it feeds now. withdrawn: what earlier revisions fed and this one does not; kept so that a replay of the
    same offset sends the same withdrawals again.
    """

    name: tuple[str, str]
    revision: int
    digest: bytes
    offset: int
    event_time_ms: int
    keys: list[Key] = field(default_factory=list)
    withdrawn: list[Key] = field(default_factory=list)

    def feed(self, keys: list[Key]) -> None:
        """This revision feeds exactly these keys."""
        now = set(keys)
        before = [key for key in (*self.keys, *self.withdrawn) if key not in now]
        self.keys, self.withdrawn = keys, list(dict.fromkeys(before))


@dataclass(slots=True)
class Counts:
    """Law 4: received = used + duplicate + late + quarantined, always."""

    received: int = 0
    used: int = 0
    duplicate: int = 0
    late: int = 0
    quarantined: int = 0

    def add(self, outcome: Outcome) -> None:
        self.received += 1
        match outcome:
            case Outcome.USED:
                self.used += 1
            case Outcome.DUPLICATE:
                self.duplicate += 1
            case Outcome.LATE:
                self.late += 1
            case Outcome.QUARANTINED:
                self.quarantined += 1


class Ledger:
    """One institution's intake state.

    allowed_lateness_ms: how far below the institution's own watermark a new ticket may lie.
    retention_ms: how long past its event time a ticket may still be revised; may be set anew at any time.
    feeds: the feeds that must send an end record before the institution has ended; empty: those met so far.
    ends: whether an end record is obeyed; in production it is refused.
    """

    def __init__(self, *, allowed_lateness_ms: int, retention_ms: int, feeds: frozenset[str], ends: bool) -> None:
        self.allowed_lateness_ms = allowed_lateness_ms
        self.retention_ms = retention_ms
        self.feeds = feeds
        self.ends = ends
        self.counts = Counts()
        self.outcomes = Outcomes()
        self.watermark_ms: int | None = None
        self.ended_feeds: set[str] = set()
        self.sequences: dict[tuple[str, str], Sequence] = {}
        self.detections = 0
        self.dropped_keys = 0
        self.faults: dict[str, int] = {}  # refused messages by fault's code; the codes are ours, so they are few
        self._live: dict[tuple[str, str], LiveTicket] = {}
        self._expiry: list[tuple[int, tuple[str, str]]] = []

    @property
    def ended(self) -> bool:
        """Every feed has sent its end record."""
        wanted = self.feeds or {feed for feed, _ in self.sequences}
        return bool(self.ended_feeds) and wanted <= self.ended_feeds

    @property
    def progress_ms(self) -> int | None:
        """The watermark others may rely on: None before the first ticket, END_MS after the last."""
        return END_MS if self.ended else self.watermark_ms

    def judge(self, offset: int, received_at_ms: int, message: Message) -> Judgement:
        """Decide one message, and take it into the ledger unless it was decided before.

        An offset the ledger has seen keeps its outcome, whatever was learnt since.
        """
        decided = self.outcomes.of(offset)
        if message.kind == "source_status":
            if message.body.get("ended") is True and not self.ends:
                return Judgement(Outcome.QUARANTINED, _NO_END)
            if decided is None:
                self._heartbeat(message, received_at_ms)
            return Judgement(Outcome.USED)
        at = event_time(message, self.allowed_lateness_ms)
        if at > received_at_ms + FUTURE_MAX_MS:
            return Judgement(Outcome.QUARANTINED, _future(at, received_at_ms))
        if decided is None:
            self._note(message, received_at_ms)
        name = (message.environment, message.ticket_id)
        live = self._live.get(name)
        if decided is None:
            judgement = self._judge_new(offset, at, message, live)
        else:
            judgement = Judgement(decided, _conflict(message) if decided is Outcome.QUARANTINED else None)
        if judgement.outcome is not Outcome.USED:
            return judgement
        if live is not None and message.revision < live.revision:
            return judgement  # it came after its successor: used, without effect
        live = self._take(name, offset, at, message, live)
        return Judgement(Outcome.USED, live=live, replayed=decided is not None)

    def settle(self, offset: int, outcome: Outcome, faults: Iterable[Fault] = ()) -> None:
        """Count the record and what was wrong with it, once."""
        if offset > self.outcomes.last:
            self.outcomes.add(offset, outcome)
            self.counts.add(outcome)
            for code in {fault.code for fault in faults}:
                self.faults[code] = self.faults.get(code, 0) + 1

    def expire(self) -> Iterator[tuple[str, str]]:
        """Drop tickets that may no longer be revised; yield their names."""
        while self._expiry and self.watermark_ms is not None and self._expiry[0][0] <= self.watermark_ms:
            _, name = heappop(self._expiry)
            live = self._live.get(name)
            if live is None:
                continue
            expires_ms = live.event_time_ms + self.retention_ms
            if expires_ms <= self.watermark_ms:
                del self._live[name]
                yield name
            else:  # its event time has moved, or tickets are kept for longer now
                heappush(self._expiry, (expires_ms, name))

    def _judge_new(self, offset: int, at: int, message: Message, live: LiveTicket | None) -> Judgement:
        if live is not None and message.revision == live.revision and offset != live.offset:
            if message.digest == live.digest:
                return Judgement(Outcome.DUPLICATE)
            return Judgement(Outcome.QUARANTINED, _conflict(message))
        # Only a ticket's first message can be late: a correction of what is already used must reach it (law 6).
        progress = self.progress_ms
        if live is None and progress is not None and at < progress - self.allowed_lateness_ms:
            return Judgement(Outcome.LATE)
        self.watermark_ms = at if self.watermark_ms is None else max(self.watermark_ms, at)
        return Judgement(Outcome.USED)

    def _take(
        self, name: tuple[str, str], offset: int, at: int, message: Message, live: LiveTicket | None
    ) -> LiveTicket:
        if live is None:
            live = self._live[name] = LiveTicket(name, message.revision, message.digest, offset, at)
            heappush(self._expiry, (at + self.retention_ms, name))
            return live
        if live.event_time_ms != at:
            heappush(self._expiry, (at + self.retention_ms, name))
        live.revision, live.digest, live.offset, live.event_time_ms = message.revision, message.digest, offset, at
        return live

    def _note(self, message: Message, received_at_ms: int) -> None:
        if message.seq is not None:
            self._sequence(message.feed, message.seq_epoch, received_at_ms).note(message.seq)

    def _heartbeat(self, message: Message, received_at_ms: int) -> None:
        sequence = self._sequence(message.feed, message.seq_epoch, received_at_ms)
        last_seq = message.body.get("last_seq")
        if isinstance(last_seq, int):
            sequence.expect(last_seq)
        if message.body.get("ended") is True:
            self.ended_feeds.add(message.feed)

    def _sequence(self, feed: str, epoch: str, received_at_ms: int) -> Sequence:
        key = (feed, epoch)
        sequence = self.sequences.pop(key, None) or Sequence()
        sequence.last_seen_ms = max(received_at_ms, sequence.last_seen_ms or 0)
        self.sequences[key] = sequence  # last used, last in the dict
        if len(self.sequences) > FEEDS_MAX:
            del self.sequences[next(iter(self.sequences))]
        return sequence

    # State: written by the stage after a slice, read back before any work.

    def header(self) -> bytes:
        feeds: dict[str, dict[str, Any]] = {}
        for (feed, epoch), sequence in self.sequences.items():
            feeds.setdefault(feed, {})[epoch] = {
                "first": sequence.first,
                "next": sequence.next,
                "missing": sequence.missing,
                "forgotten": sequence.forgotten,
                "last_seen_ms": sequence.last_seen_ms,
            }
        return orjson.dumps(
            {
                "offset": self.outcomes.last,
                "watermark_ms": self.watermark_ms,
                "ended": self.ended,
                "ended_feeds": sorted(self.ended_feeds),
                "received": self.counts.received,
                "used": self.counts.used,
                "duplicate": self.counts.duplicate,
                "late": self.counts.late,
                "quarantined": self.counts.quarantined,
                "detections": self.detections,
                "dropped_keys": self.dropped_keys,
                "faults": self.faults,
                "live": len(self._live),
                "outcomes": self.outcomes.encode(),
                "feeds": feeds,
            }
        )

    def restore_header(self, value: bytes) -> None:
        state = orjson.loads(value)
        self.outcomes = Outcomes.decode(state["outcomes"], state["offset"])
        self.watermark_ms = state["watermark_ms"]
        self.ended_feeds = set(state["ended_feeds"])
        self.detections = state["detections"]
        self.dropped_keys = state["dropped_keys"]
        self.faults = state["faults"]
        self.counts = Counts(state["received"], state["used"], state["duplicate"], state["late"], state["quarantined"])
        self.sequences = {
            (feed, epoch): Sequence(
                known["first"], known["next"], known["missing"], known["forgotten"], known["last_seen_ms"]
            )
            for feed, epochs in state["feeds"].items()
            for epoch, known in epochs.items()
        }

    @staticmethod
    def live_record(live: LiveTicket) -> bytes:
        return orjson.dumps(
            {
                "revision": live.revision,
                "digest": live.digest.hex(),
                "offset": live.offset,
                "event_time_ms": live.event_time_ms,
                "keys": live.keys,
                "withdrawn": live.withdrawn,
            }
        )

    def restore_live(self, name: tuple[str, str], value: bytes | None) -> None:
        if value is None:
            self._live.pop(name, None)
            return
        state = orjson.loads(value)
        self._live[name] = LiveTicket(
            name,
            state["revision"],
            bytes.fromhex(state["digest"]),
            state["offset"],
            state["event_time_ms"],
            [(rule, group) for rule, group in state["keys"]],
            [(rule, group) for rule, group in state["withdrawn"]],
        )
        heappush(self._expiry, (state["event_time_ms"] + self.retention_ms, name))


_NO_END = Fault("field.not-allowed", "/ended", "an end record ends an exercise's stream; this stream is production's")


def _future(at: int, received_at_ms: int) -> Fault:
    ahead = (at - received_at_ms) // 1000
    return Fault(
        "time.future",
        "/detected_at",
        f"event time is {ahead} s after the record was received, limit {FUTURE_MAX_MS // 1000} s",
    )


def _conflict(message: Message) -> Fault:
    return Fault(
        "revision.conflict",
        "/revision",
        f"revision {message.revision} of this ticket was received before with another body; raise the revision",
    )
