"""From drafts to what reaches each institution's log: numbered, delayed, doubled, lost and sent again, and ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import orjson

from fsoc.exercise.draft import Care, Draft
from fsoc.exercise.heartbeat import HeartbeatWriter
from fsoc.exercise.rollout import Rollout
from fsoc.exercise.sector import Member
from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, START_MS, Delivery, ExerciseSpec, rfc3339
from fsoc.exercise.trouble import SILENT, Troubles

SECOND_MS = 1_000
DUPLICATE_SHARE = 0.025
REORDERED_SHARE = 0.03
LOST_SHARE = 0.012
HEARTBEAT_LOST_SHARE = 0.004
RESTART_SHARE = 0.1
WRONG_CLOCK_MS = 8 * HOUR_MS


@dataclass(frozen=True, slots=True)
class WrongClock:
    """A feed that for a while writes Taipei time and calls it UTC: eight hours in the future, to be refused.

    What it sent meanwhile is sent again, mended, when somebody has noticed.
    """

    institution: str
    from_ms: int
    to_ms: int

    def covers(self, member: Member, sent_ms: int) -> bool:
        return member.id == self.institution and self.from_ms <= sent_ms < self.to_ms


@dataclass(frozen=True, slots=True)
class _Message:
    """One revision of one draft, as its sender means to send it at a true time."""

    sent_ms: int
    draft: Draft
    revision: int


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a feed had come to at a time. opened: tickets since the exercise began."""

    at_ms: int
    epoch: str
    seq: int
    opened: int


class Sender:
    """One feed of one institution: it numbers messages in the order it sends them, from 1 in every epoch."""

    def __init__(
        self, rng: Random, spec: ExerciseSpec, member: Member, feed: str, rollout: Rollout, troubles: Troubles
    ) -> None:
        self._rng = rng
        self._spec = spec
        self._member = member
        self._feed = feed
        self._rollout = rollout
        self._trouble = troubles.of(member.id, feed)
        self._exercise_id = exercise_id(spec)
        self._heartbeat = HeartbeatWriter(member, feed, self._exercise_id, rollout, self._trouble)
        self._beats_ms = START_MS
        restarts = rng.random() < RESTART_SHARE
        self._restart_ms = START_MS + rng.randrange(spec.hours * HOUR_MS) if restarts else None
        self._sent: list[_Sent] = []
        self._reported_ms = START_MS
        self._reported = self._reported_opened = 0

    def deliver(self, drafts: Sequence[Draft], wrong_clock: WrongClock) -> list[Delivery]:
        """Everything the feed sends but its end record; not in order of arrival."""
        messages = sorted(
            (
                _Message(self._spoken(draft.detected_ms + step.after_ms), draft, revision)
                for draft in drafts
                for revision, step in enumerate(draft.steps, 1)
            ),
            key=lambda message: (message.sent_ms, message.draft.ticket_id, message.revision),
        )
        deliveries: list[Delivery] = []
        epoch, seq, opened = "", 0, 0
        for message in messages:
            if (following := self._epoch(message.sent_ms)) != epoch:
                epoch, seq = following, 0
            seq += 1
            opened += message.revision == 1
            self._sent.append(_Sent(message.sent_ms, epoch, seq, opened))
            deliveries.extend(self._fate(message, epoch, seq, wrong_clock))
        deliveries.extend(self._heartbeats())
        return deliveries

    def end(self, at_ms: int) -> Iterator[Delivery]:
        """Heartbeats for as long as its institution still sends, and the feed's last record: all has been sent.

        How long that is says nothing of what others send: these heartbeats have chances of their own.
        """
        rng = Random(f"{self._exercise_id} {self._member.id} {self._feed}")  # noqa: S311 - an exercise, no secret
        while self._beats_ms < at_ms - MINUTE_MS:
            yield self._status(rng, self._beats_ms, ended=False)
            self._beats_ms += self._spec.heartbeat_minutes * MINUTE_MS
        yield self._status(self._rng, at_ms, ended=True)

    def _spoken(self, sent_ms: int) -> int:
        """What a silent feed should have sent it sends when it speaks again."""
        trouble = self._trouble
        if trouble is not None and trouble.kind == SILENT and trouble.from_ms <= sent_ms < trouble.to_ms:
            return trouble.to_ms + self._rng.randrange(30 * SECOND_MS, 10 * MINUTE_MS)
        return sent_ms

    def _epoch(self, sent_ms: int) -> str:
        """Numbering begins anew when a collector is set up anew."""
        restarted = self._restart_ms is not None and sent_ms >= self._restart_ms
        return f"{self._member.id}.{self._feed}.{2 if restarted else 1}"

    def _fate(self, message: _Message, epoch: str, seq: int, wrong_clock: WrongClock) -> Iterator[Delivery]:
        rng, care = self._rng, message.draft.care
        sent_ms, fate = message.sent_ms, rng.random()
        transport_ms = rng.randrange(200, 3_000)
        if care is Care.USUAL and wrong_clock.covers(self._member, sent_ms):
            ahead = self._payload(message, epoch, seq, sent_ms, clock_ms=self._member.skew_ms + WRONG_CLOCK_MS)
            yield self._delivery(sent_ms + transport_ms, ahead)
            mended_ms = wrong_clock.to_ms + rng.randrange(2 * MINUTE_MS, 8 * MINUTE_MS)
            yield self._delivery(mended_ms + transport_ms, self._payload(message, epoch, seq, mended_ms))
            return
        if fate < LOST_SHARE:
            patience = (3, 10) if care is Care.PROMPT else (15, 45)
            again_ms = self._spoken(sent_ms + rng.randrange(patience[0] * MINUTE_MS, patience[1] * MINUTE_MS))
            yield self._delivery(again_ms + transport_ms, self._payload(message, epoch, seq, again_ms))
            return
        if fate > 1 - REORDERED_SHARE:
            transport_ms += rng.randrange(15 * SECOND_MS, 90 * SECOND_MS)
        payload = self._payload(message, epoch, seq, sent_ms)
        yield self._delivery(sent_ms + transport_ms, payload)
        if rng.random() < DUPLICATE_SHARE:
            again_ms = self._spoken(sent_ms + rng.randrange(SECOND_MS, 20 * MINUTE_MS))
            if rng.random() < 0.5:  # a collector that sends anew stamps anew; a retrying client sends the same bytes
                payload = self._payload(message, epoch, seq, again_ms)
            yield self._delivery(max(again_ms, sent_ms + transport_ms) + 150, payload)

    def _heartbeats(self) -> Iterator[Delivery]:
        every_ms = self._spec.heartbeat_minutes * MINUTE_MS
        at_ms = START_MS + self._rng.randrange(MINUTE_MS, every_ms)
        lost = False
        while at_ms < self._spec.end_ms:
            lost = not lost and self._rng.random() < HEARTBEAT_LOST_SHARE  # never two in a row
            if self._spoken(at_ms) == at_ms and not lost:
                yield self._status(self._rng, at_ms, ended=False)
            at_ms += every_ms
        self._beats_ms = at_ms

    def _status(self, rng: Random, at_ms: int, *, ended: bool) -> Delivery:
        """A heartbeat on the time since the last one: called in order of time."""
        while self._reported < len(self._sent) and self._sent[self._reported].at_ms <= at_ms:
            self._reported += 1
        epoch = self._epoch(self._sent[-1].at_ms if ended and self._sent else at_ms)
        last = self._sent[self._reported - 1] if self._reported else None
        opened = last.opened if last is not None else 0
        from_ms, trouble = self._reported_ms, self._trouble
        if trouble is not None and trouble.kind == SILENT and trouble.to_ms <= at_ms:
            from_ms = max(from_ms, trouble.to_ms)  # of the time in which it was silent it knows nothing
        body = self._heartbeat.body(
            rng,
            from_ms,
            at_ms,
            seq_epoch=epoch,
            last_seq=last.seq if last is not None and last.epoch == epoch else 0,
            tickets_opened=opened - self._reported_opened,
            ended=ended,
        )
        self._reported_ms, self._reported_opened = at_ms, opened
        return self._delivery(at_ms + rng.randrange(200, 3_000), orjson.dumps(body))

    def _payload(self, message: _Message, epoch: str, seq: int, sent_ms: int, *, clock_ms: int | None = None) -> bytes:
        clock_ms = self._member.skew_ms if clock_ms is None else clock_ms
        body = message.draft.body(
            message.revision,
            clock_ms=clock_ms,
            exercise_id=self._exercise_id,
            baseline_version=self._rollout.version(self._member.id, message.draft.detected_ms),
            detail=self._spec.detail,
        )
        body["seq_epoch"], body["seq"] = epoch, seq
        body["sent_at"] = rfc3339(sent_ms + clock_ms, local=self._member.local_time)
        return orjson.dumps(body)

    def _delivery(self, at_ms: int, payload: bytes) -> Delivery:
        return Delivery(at_ms, self._member.id, payload)


def exercise_id(spec: ExerciseSpec) -> str:
    return f"ex-{spec.institutions}-{spec.hours}h-{spec.seed}"


def deliver(
    rng: Random,
    spec: ExerciseSpec,
    members: Sequence[Member],
    drafts: Sequence[Draft],
    wrong_clock: WrongClock,
    rollout: Rollout,
    troubles: Troubles,
) -> list[Delivery]:
    """All deliveries, in order of arrival. Every feed of every member ends, and nothing follows its end."""
    by_feed: dict[tuple[str, str], list[Draft]] = {(member.id, feed): [] for member in members for feed in member.feeds}
    for draft in drafts:
        by_feed[draft.member.id, draft.feed].append(draft)
    everything: list[Delivery] = []
    for member in members:
        senders = {feed: Sender(rng, spec, member, feed, rollout, troubles) for feed in member.feeds}
        own: list[Delivery] = []
        for feed, sender in senders.items():
            own.extend(sender.deliver(by_feed[member.id, feed], wrong_clock))
        own.sort(key=lambda delivery: delivery.at_ms)
        end_ms = max(spec.end_ms, own[-1].at_ms if own else 0) + rng.randrange(MINUTE_MS, 5 * MINUTE_MS)
        for number, sender in enumerate(senders.values()):
            own.extend(sender.end(end_ms + number * 5 * SECOND_MS))
        everything.extend(own)
    everything.sort(key=lambda delivery: delivery.at_ms)  # stable: each institution keeps its own order
    return everything
