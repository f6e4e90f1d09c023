"""What intake knows of one institution, and what it decides of each message. Pure: laws 2, 3, 4 and 6.

A ledger is the newest state after some offset of the institution's log. It is written as one header and one small
record per live ticket, and read back in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from fsoc.errors import Fault
from fsoc.feeds.asks import Asks
from fsoc.feeds.counts import Counts
from fsoc.feeds.faults import FUTURE_MAX_MS, NO_END, conflict, future, late
from fsoc.feeds.heartbeats import Heartbeats
from fsoc.feeds.lateness import Lateness
from fsoc.feeds.live import LiveTicket, LiveTickets, TicketName
from fsoc.feeds.outcomes import Outcome, Outcomes
from fsoc.feeds.quality import Quality
from fsoc.feeds.record import Record
from fsoc.feeds.sequence import NONE, Gaps, Sequence
from fsoc.tickets.decode import Message
from fsoc.tickets.times import event_time

END_MS = 253_402_300_800_000
"""Year 10000: the watermark of an institution whose exercise has ended."""

FEEDS_MAX = 64
"""Feeds and epochs followed per institution; the one idle longest is let go, and counted."""


DAYS_AT_A_GLANCE = 2
"""Days that the header has too, the newest of the feeds' quality: yesterday and today."""


class Judgement(NamedTuple):
    """What a message is.

    live: the ticket's record, present when this message is USED and takes effect. replayed: decided before.
    heard: it is a heartbeat in time, which rules may be asked about. gaps: what it changes of the missing numbers.
    """

    outcome: Outcome
    fault: Fault | None = None
    live: LiveTicket | None = None
    replayed: bool = False
    heard: bool = False
    gaps: Gaps = NONE


class Ledger:
    """One institution's intake state.

    allowed_lateness_ms: how far below the institution's own watermark a new ticket may lie, as the registry has it.
    retention_ms: how long past its event time a ticket may still be revised; may be set anew at any time.
    feeds: the feeds that are followed, and must send an end record before the institution has ended; empty: those met.
    ends: whether an end record is obeyed; in production it is refused.
    settled_ms: no new ticket with an event time below this will be used any more. It never goes back.
    read_until_ms: the newest of the log's own timestamps that was read, whatever became of the record.
    since_ms: the least event time of its used tickets, intel left out: from then on its past is known.
    """

    def __init__(self, *, allowed_lateness_ms: int, retention_ms: int, feeds: frozenset[str], ends: bool) -> None:
        self.retention_ms = retention_ms
        self.feeds = feeds
        self.ends = ends
        self.counts = Counts()
        self.outcomes = Outcomes()
        self.heartbeats = Heartbeats()
        self.asks = Asks()
        self.quality = Quality()
        self.lateness = Lateness(allowed_lateness_ms)
        self.watermark_ms: int | None = None
        self.settled_ms: int | None = None
        self.read_until_ms: int | None = None
        self.since_ms: int | None = None
        self.ended_feeds: set[str] = set()
        self.sequences: dict[tuple[str, str], Sequence] = {}
        self.detections = 0
        self.dropped_keys = 0
        self.unregistered = 0  # messages of feeds that the registry does not name
        self.forgotten_feeds = 0
        self.forgotten_live = 0
        self.faults: dict[str, int] = {}  # refused messages by fault's code; the codes are ours, so they are few
        self._live = LiveTickets()
        self._gone: dict[TicketName, None] = {}  # let go since `expire` was last asked
        self._replaying = False

    @property
    def ended(self) -> bool:
        """Every feed has sent its end record."""
        wanted = self.feeds or {feed for feed, _ in self.sequences}
        return bool(self.ended_feeds) and wanted <= self.ended_feeds

    @property
    def progress_ms(self) -> int | None:
        """The watermark others may rely on: None before the first ticket, END_MS after the last."""
        return END_MS if self.ended else self.watermark_ms

    @property
    def allowed_lateness_ms(self) -> int:
        """What is allowed now. Just after it was raised, less than was adopted: what is settled stays settled."""
        if self.watermark_ms is None or self.settled_ms is None:
            return self.lateness.allowed_ms
        return self.watermark_ms - self.settled_ms

    def judge(self, offset: int, received_at_ms: int, message: Message) -> Judgement:
        """Decide one message, and take it into the ledger unless it was decided before.

        An offset the ledger has seen keeps its outcome, whatever was learnt since.
        """
        decided = self.outcomes.of(offset)
        if decided is not None:
            self._replaying = True
        elif self._replaying:
            self._end_replay()
        if message.kind == "source_status":
            return self._judge_status(offset, decided, received_at_ms, message)
        if message.kind == "acknowledgement":
            return self._judge_answer(offset, decided, received_at_ms, message)
        # By the registry's lateness, not by what was adopted: a ticket has one event time, however often it is read.
        at = event_time(message, self.lateness.registered_ms)
        if at > received_at_ms + FUTURE_MAX_MS:
            return Judgement(Outcome.QUARANTINED, future(at, received_at_ms))
        live = self._live.get((message.environment, message.ticket_id))
        if decided is None:
            gaps = self._note(message, received_at_ms)
            self.asks.add(offset, gaps)
            outcome = self._judge_new(offset, at, message, live)
        else:
            gaps, outcome = self.asks.of(offset), decided
        if outcome is not Outcome.USED:
            return Judgement(outcome, self._fault(outcome, message), gaps=gaps)
        if message.kind == "ticket":  # what is heard of says nothing of what happens here
            self.since_ms = at if self.since_ms is None else min(at, self.since_ms)
        if live is not None and message.revision < live.revision:
            return Judgement(outcome, gaps=gaps)  # it came after its successor: used, without effect
        return Judgement(outcome, live=self._take(offset, at, message, live), replayed=decided is not None, gaps=gaps)

    def settle(self, offset: int, outcome: Outcome, faults: Iterable[Fault] = ()) -> None:
        """Count the record and why it was refused, once; then let go of tickets that may no longer be revised."""
        if offset <= self.outcomes.last:
            return
        if self._replaying:
            self._end_replay()
        self.outcomes.add(offset, outcome)
        self.counts.add(outcome)
        if outcome is Outcome.QUARANTINED:
            for code in {fault.code for fault in faults}:
                self.faults[code] = self.faults.get(code, 0) + 1
        self.forgotten_live += self._let_go()

    def count(
        self, record: Record, outcome: Outcome, message: Message | None, gaps: Gaps, *, noted: bool = False
    ) -> None:
        """Count the record in its feed's day, once; under "" where no feed that is followed can be read of it."""
        followed = message is not None and (not self.feeds or message.feed in self.feeds)
        feed = message.feed if message is not None and followed else ""
        self.quality.count(record.offset, record.timestamp_ms, feed, outcome, message, gaps, noted=noted)

    def read(self, timestamps_ms: Iterable[int]) -> None:
        """Records with these timestamps of the log were read."""
        for timestamp_ms in timestamps_ms:
            if self.read_until_ms is None or timestamp_ms > self.read_until_ms:
                self.read_until_ms = timestamp_ms

    def expire(self) -> Iterator[TicketName]:
        """The tickets that were let go since this was last asked, each by its name."""
        gone, self._gone = self._gone, {}
        return iter(gone)

    def _let_go(self) -> int:
        """Drop tickets that may no longer be revised, and those that are too many; return how many the latter were.

        After every message, not after every slice: what the next is judged by may not depend on where slices end.
        """
        if self.settled_ms is not None:
            for name in self._live.let_go(self.settled_ms - self.retention_ms, self.outcomes.last):
                self._gone[name] = None
        forgotten = self._live.forget()
        for name in forgotten:
            self._gone[name] = None
        return len(forgotten)

    def _end_replay(self) -> None:
        """A replay has brought tickets back that were let go already, and counted if they were too many."""
        self._replaying = False
        self._let_go()

    def _judge_status(self, offset: int, decided: Outcome | None, received_at_ms: int, message: Message) -> Judgement:
        if message.body.get("ended") is True and not self.ends:
            return Judgement(Outcome.QUARANTINED, NO_END)
        if decided is None:
            at = message.detected_at_ms  # the end of its period; it moves no watermark
            in_time = at <= received_at_ms + FUTURE_MAX_MS and not self._is_settled(at)
            followed, gaps = self._heartbeat(message, received_at_ms)
            self.heartbeats.add(offset, in_time=in_time and followed)
            self.asks.add(offset, gaps)
        else:
            gaps = self.asks.of(offset)
        return Judgement(Outcome.USED, heard=self.heartbeats.heard(offset), replayed=decided is not None, gaps=gaps)

    def _judge_answer(self, offset: int, decided: Outcome | None, received_at_ms: int, message: Message) -> Judgement:
        """Revised as a ticket is. It is never late and moves no watermark: who answers an alert has detected nothing.

        It lives from when it was received, for what its sender's clock says counts for nothing.
        """
        live = self._live.get((message.environment, message.ticket_id))
        outcome = self._of_revision(offset, message, live) if decided is None else decided
        if outcome is not Outcome.USED:
            return Judgement(outcome, self._fault(outcome, message))
        if live is not None and message.revision < live.revision:
            return Judgement(outcome)
        live = self._take(offset, received_at_ms, message, live)
        return Judgement(outcome, live=live, replayed=decided is not None)

    @staticmethod
    def _of_revision(offset: int, message: Message, live: LiveTicket | None) -> Outcome:
        """USED, unless this revision was received before: then whether it is the same (law 6)."""
        if live is not None and message.revision == live.revision and offset != live.offset:
            return Outcome.DUPLICATE if message.digest == live.digest else Outcome.QUARANTINED
        return Outcome.USED

    def answering(self) -> Iterator[LiveTicket]:
        """The live tickets that answer alerts, or did."""
        return self._live.answering()

    def _judge_new(self, offset: int, at: int, message: Message, live: LiveTicket | None) -> Outcome:
        outcome = self._of_revision(offset, message, live)
        if outcome is not Outcome.USED:
            return outcome
        # Only a ticket's first message can be late: a correction of what is already used must reach it (law 6).
        if live is None:
            if self.watermark_ms is not None:
                self.lateness.measure(max(self.watermark_ms - at, 0), self.watermark_ms)
            if self._is_settled(at):
                return Outcome.LATE
        self._advance(at)
        return Outcome.USED

    def _is_settled(self, at: int) -> bool:
        """Whether it was promised that nothing new with this event time will be used."""
        return self.ended or (self.settled_ms is not None and at < self.settled_ms)

    def _advance(self, at: int) -> None:
        """Event time has come to `at`, at least."""
        before = self.watermark_ms
        if before is not None and at <= before:
            return
        self.watermark_ms = at
        if before is not None:
            self.lateness.move(before, at)
        settled = at - self.lateness.allowed_ms
        self.settled_ms = settled if self.settled_ms is None else max(settled, self.settled_ms)

    def _fault(self, outcome: Outcome, message: Message) -> Fault | None:
        """Why a message whose time is right is not used."""
        match outcome:
            case Outcome.LATE:
                return late(self.allowed_lateness_ms)
            case Outcome.QUARANTINED:
                return conflict(message)
        return None

    def _take(self, offset: int, at: int, message: Message, live: LiveTicket | None) -> LiveTicket:
        name = (message.environment, message.ticket_id)
        self._gone.pop(name, None)
        if live is None:
            live = LiveTicket(name, message.revision, message.digest, offset, at)
            self._live.add(live)
            return live
        live.revision, live.digest, live.offset, live.event_time_ms = message.revision, message.digest, offset, at
        self._live.aged(live)
        return live

    def _note(self, message: Message, received_at_ms: int) -> Gaps:
        if message.seq is not None and (sequence := self._sequence(message, received_at_ms)) is not None:
            return sequence.note(message.seq)
        return NONE

    def _heartbeat(self, message: Message, received_at_ms: int) -> tuple[bool, Gaps]:
        """Take what it says of its feed; return whether that feed is followed, and what is missing by it."""
        sequence = self._sequence(message, received_at_ms)
        if sequence is None:
            return False, NONE
        last_seq = message.body.get("last_seq")
        gaps = sequence.expect(last_seq) if isinstance(last_seq, int) else NONE
        if message.body.get("ended") is True and len(self.ended_feeds) < FEEDS_MAX:
            self.ended_feeds.add(message.feed)
        return True, gaps

    def _sequence(self, message: Message, received_at_ms: int) -> Sequence | None:
        """The numbers of the message's feed and epoch; None for a feed that the registry does not name."""
        if self.feeds and message.feed not in self.feeds:
            self.unregistered += 1
            return None
        key = (message.feed, message.seq_epoch)
        sequence = self.sequences.get(key)
        if sequence is None:
            if len(self.sequences) >= FEEDS_MAX:
                idle = min(self.sequences, key=lambda known: (self.sequences[known].last_seen_ms or 0, known))
                del self.sequences[idle]
                self.forgotten_feeds += 1
            sequence = self.sequences[key] = Sequence()
        sequence.last_seen_ms = max(received_at_ms, sequence.last_seen_ms or 0)
        return sequence

    # State: written by the stage after a slice, read back before any work.

    def header(self, *, version: str = "", digest: str = "") -> bytes:
        """The ledger but for its tickets. version, digest: of the rules by which the state was last written."""
        feeds: dict[str, dict[str, Any]] = {}
        for (feed, epoch), sequence in self.sequences.items():
            feeds.setdefault(feed, {})[epoch] = sequence.record()
        return orjson.dumps(
            {
                "offset": self.outcomes.last,
                "rules": {"version": version, "digest": digest},
                "watermark_ms": self.watermark_ms,
                "settled_ms": self.settled_ms,
                "read_until_ms": self.read_until_ms,
                "since_ms": self.since_ms,
                "allowed_lateness_ms": self.lateness.allowed_ms,
                "delays": self.lateness.encode(),
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
                "forgotten_live": self.forgotten_live,
                "forgotten_feeds": self.forgotten_feeds,
                "unregistered": self.unregistered,
                "outcomes": self.outcomes.encode(),
                "heartbeats": self.heartbeats.encode(),
                "asks": self.asks.encode(),
                "feeds": feeds,
                "days": {name: orjson.Fragment(day) for name, day in self.quality.newest(DAYS_AT_A_GLANCE).items()},
            }
        )

    def restore(self, what: str, name: str, value: bytes) -> None:
        """Take one record back: the `header`, a `day`, or the `ticket` that is called `environment/id`."""
        match what:
            case "header":
                self.restore_header(value)
            case "day":
                self.quality.restore(name, value)
            case _:
                environment, _, ticket_id = name.partition("/")
                self.restore_live((environment, ticket_id), value)

    def restore_header(self, value: bytes) -> None:
        state = orjson.loads(value)
        self._replaying = True  # perhaps: a crash may have kept this header and lost what was to be deleted with it
        self.outcomes = Outcomes.decode(state["outcomes"], state["offset"])
        self.heartbeats.restore(state.get("heartbeats", ""), state["offset"])
        self.asks = Asks.decode(state.get("asks", ""))
        self.watermark_ms = watermark = state["watermark_ms"]
        # What a state of an earlier version does not have begins anew.
        self.lateness.restore(state.get("allowed_lateness_ms", 0), state.get("delays", {}))
        settled = None if watermark is None else watermark - self.lateness.allowed_ms
        self.settled_ms = state.get("settled_ms", settled)
        self.read_until_ms = state.get("read_until_ms")
        self.since_ms = state.get("since_ms")
        self.forgotten_live = state.get("forgotten_live", 0)
        self.forgotten_feeds = state.get("forgotten_feeds", 0)
        self.unregistered = state.get("unregistered", 0)
        self.ended_feeds = set(state["ended_feeds"])
        self.detections = state["detections"]
        self.dropped_keys = state["dropped_keys"]
        self.faults = state["faults"]
        self.counts = Counts(state["received"], state["used"], state["duplicate"], state["late"], state["quarantined"])
        self.sequences = {
            (feed, epoch): Sequence.of(known)
            for feed, epochs in state["feeds"].items()
            for epoch, known in epochs.items()
        }

    def restore_live(self, name: TicketName, record: bytes) -> None:
        self._live.add(LiveTicket.of(name, record))
