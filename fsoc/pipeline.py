"""The way of a ticket, top to bottom: bytes in, receipts, detections, alerts out. Pure.

    tickets.<institution> ── Intake ──┬─ receipts.<institution>, quarantine, late, acknowledgements
                                      ├─ intake.state
                                      └─ detections ── Correlate ──┬─ correlation.state
                                             ↑                     ├─ alerts
                                             │                     ├─ sharing ── Sharing ──┬─ sharing.state
                                             │                     │                       ├─ feedback.<institution>
                                             │                     │                       └─ audit
                                             │                     └─ links ── Campaigns ──┬─ campaign.state
                                             └───── which campaign an alert is in ─────────┴─ campaigns

A stage is one partition's worker. It takes records, changes its own state and returns what must be written, in the
order it must become durable (`Outputs`). It has no clock, no I/O and no other way to fail than a defect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from fsoc.alerts.book import ALERT, Alert, Book, alert_key
from fsoc.alerts.header import header, restore_totals
from fsoc.alerts.newness import newness
from fsoc.campaigns.records import is_words
from fsoc.campaigns.stage import Campaigns
from fsoc.campaigns.telling import Telling
from fsoc.correlation.entries import (
    Entry,
    EntryName,
    GroupKey,
    Withdrawn,
    common,
    entry_key,
    put_value,
    withdraw_value,
)
from fsoc.correlation.feeder import Feed
from fsoc.correlation.feeding import entries_of, feeds_of, told_by
from fsoc.correlation.levels import Levels
from fsoc.correlation.lookup import INTEL
from fsoc.correlation.progress import IDLE_TICKS, SINCE, Claim, Progress, partition_record, progress_record
from fsoc.correlation.relays import Word
from fsoc.correlation.ruleset import RuleSet
from fsoc.correlation.terms import TicketTerms
from fsoc.errors import InvalidTicket
from fsoc.feeds.admission import admit
from fsoc.feeds.answers import ANSWER, answer, answered
from fsoc.feeds.asks import resend_of
from fsoc.feeds.heartbeats import heartbeat_name
from fsoc.feeds.kept import kept
from fsoc.feeds.ledger import END_MS, Judgement, Ledger
from fsoc.feeds.live import LiveTicket, dismisses, takes_back
from fsoc.feeds.newest import Newest, overtaken
from fsoc.feeds.outcomes import Outcome
from fsoc.feeds.record import Outgoing, Outputs, Record
from fsoc.feeds.sequence import NONE
from fsoc.feeds.signatures import Signatures
from fsoc.institutions.registry import ALLOWED_LATENESS_MS, Registry
from fsoc.sharing.caution import CAUTION, Caution
from fsoc.sharing.records import TOLD
from fsoc.sharing.stage import Sharing
from fsoc.tickets.decode import Message
from fsoc.tickets.receipts import Receipt, receipts_records


@dataclass(slots=True)
class Pipeline:
    """Makes the stages. Rules and registry may be replaced while they run, between slices; the partition count may not.

    ends: whether an end record may end an institution's stream: never in production. alert_key: makes ids of alerts.
    caution: what is told without anybody deciding. drill: of which alone messages are taken; None: of none, or any.
    """

    rules: RuleSet
    registry: Registry
    detections_partitions: int = 8
    ends: bool = False
    caution: Caution = CAUTION
    drill: str | None = None
    alert_key: bytes = b""

    def intake(self, institution: str) -> Intake:
        return Intake(self, institution)

    def correlate(self, partition: int) -> Correlate:
        return Correlate(self, partition)

    def campaigns(self) -> Campaigns:
        return Campaigns(self)

    def sharing(self) -> Sharing:
        return Sharing(self)


class Intake:
    """One institution's: signature → decode → identity → revision → sequence → late? → Sigma → puts and withdraws."""

    def __init__(self, pipeline: Pipeline, institution: str) -> None:
        known = pipeline.registry.get(institution)  # None for a replay's lines that name nobody known
        self._pipeline = pipeline
        self._institution = institution
        self._prefix = f"{institution}/"
        self._restoring = Newest(lambda _, late, known: overtaken(late, known))
        self._signatures = Signatures(institution)
        self.ledger = Ledger(
            allowed_lateness_ms=known.allowed_lateness_ms if known else ALLOWED_LATENESS_MS,
            retention_ms=pipeline.rules.retention_ms,
            feeds=frozenset(known.feeds if known else ()),
            ends=pipeline.ends,
        )
        self._claimed: Claim | None = None
        self._ticks, self._again_until = 0, -1

    def work(self, records: Sequence[Record]) -> Outputs:
        outputs = Outputs()
        self.ledger.retention_ms = self._pipeline.rules.retention_ms
        receipts = [self._take(record, outputs) for record in records]
        self.ledger.read(record.timestamp_ms for record in records)
        outputs.state.extend((self._state_key(name), None) for name in self.ledger.expire())
        # First of the state, but for days: where a crash leaves a part of it written, what was decided is known.
        days = [(f"{self._prefix}day/{name}".encode(), day) for name, day in self.ledger.quality.changed()]
        header = self.ledger.header(**self._pipeline.rules.version._asdict())
        outputs.state[:0] = [*days, (f"{self._prefix}header".encode(), header)]
        topic = f"receipts.{self._institution}"
        outputs.published.extend(Outgoing(topic, 0, None, value) for value in receipts_records(receipts))
        # After a crash between the two the state knows what is on detections only when it has been read again.
        if records and records[-1].offset >= self._again_until:
            outputs.published.extend(self._progress(idle=False))
        return outputs

    def idle(self) -> Outputs:
        self._ticks = (self._ticks + 1) % IDLE_TICKS
        return Outputs(published=list(self._progress(idle=True, again=not self._ticks)))

    def _take(self, record: Record, outputs: Outputs) -> Receipt:
        """One record to its outcome. Whatever arrives is counted once, receipted, and nothing is dropped in silence."""
        payload = record.value or b""
        message: Message | None = None
        gaps, registry = NONE, self._pipeline.registry
        try:
            unsigned = self._signatures.fault(registry, record.signature, payload, record.timestamp_ms)
            decided = self.ledger.outcomes.of(record.offset)
            message = admit(payload, self._institution, registry, decided, unsigned, self._pipeline.drill)
        except InvalidTicket as refused:
            outcome, faults = Outcome.QUARANTINED, refused.faults
        else:
            judgement = self.ledger.judge(record.offset, record.timestamp_ms, message)
            outcome, gaps = judgement.outcome, judgement.gaps
            faults = () if judgement.fault is None else (judgement.fault,)
            if judgement.live is not None:
                outputs.published.extend(answer(self._institution, judgement.live, message, record.timestamp_ms))
                self._detect(message, judgement, judgement.live, outputs)
            elif judgement.heard:
                self._hear(message, outputs)
        self.ledger.settle(record.offset, outcome, faults)
        notes = self._pipeline.rules.notes(message, used=outcome is Outcome.USED)
        self.ledger.count(record, outcome, message, gaps, noted=bool(notes))
        outputs.published.extend(kept(outcome, self._institution, record, faults))
        return Receipt.of(record.offset, message, outcome, faults, resend_of(message, gaps), notes)

    def _detect(self, message: Message, judgement: Judgement, live: LiveTicket, outputs: Outputs) -> None:
        """What this revision feeds, put; what an earlier one fed and this one does not, withdrawn (law 6)."""
        rules = self._pipeline.rules
        member = "" if message.kind == INTEL else self._pipeline.registry.independent_of(self._institution)
        fed: dict[tuple[str, str], Feed] = {}
        dismissed, forgotten = dismisses(message), self.ledger.forgotten_live and not (live.keys or live.withdrawn)
        if not takes_back(message):
            fed = self._feeds(message.body, member, live.event_time_ms, counted=not judgement.replayed)
        elif dismissed or (forgotten and message.kind != ANSWER):
            known = self._feeds(message.body, member, live.event_time_ms, counted=False)
            # Perhaps forgotten at a bound: what it fed is what this says, as far as anyone knows.
            live.keys = list(known) if forgotten else live.keys
            fed = {key: feed for key, feed in known.items() if dismissed and rules.looks_back(feed.rule)}
        live.feed(list(fed))
        outputs.state.append((self._state_key(live.name), live.record()))
        for rule, group in live.withdrawn:
            key = GroupKey(rule, message.environment, group)
            gone = withdraw_value(message.revision, live.event_time_ms, rules.version)
            outputs.published.append(self._to_detections(key, message.ticket_id, gone))
        if fed:
            told = told_by(message, self._institution, member, live.event_time_ms, dismissed=dismissed)
            puts = entries_of(rules, message, fed.values(), told, TicketTerms(message.body).of)
            outputs.published.extend(map(self._put, puts))

    def _hear(self, message: Message, outputs: Outputs) -> None:
        """What a heartbeat feeds, put as a ticket's would be. It is no detection, and is never revised."""
        at_ms, name = message.detected_at_ms, heartbeat_name(message)
        member = self._pipeline.registry.independent_of(self._institution)
        body = {**message.body, "environment": message.environment, "ticket_id": name}
        fed = self._feeds(body, member, at_ms, counted=False)
        told = common(at_ms, (self._institution, name), 1, member, ends=message.body.get("ended") is True)
        outputs.published.extend(map(self._put, entries_of(self._pipeline.rules, message, fed.values(), told)))

    def _put(self, name: tuple[GroupKey, Entry]) -> Outgoing:
        key, entry = name
        return self._to_detections(key, entry.ticket_id, put_value(entry, self._pipeline.rules.version))

    def _feeds(self, body: Mapping[str, Any], member: str, at_ms: int, *, counted: bool) -> dict[tuple[str, str], Feed]:
        """What a ticket or heartbeat feeds, by rule and group."""
        fed = feeds_of(self._pipeline.rules, body, self._institution, member, at_ms)
        if counted:
            self.ledger.detections += fed.detections
            self.ledger.dropped_keys += fed.cut
        return fed.feeds

    def _to_detections(self, key: GroupKey, ticket_id: str, value: bytes) -> Outgoing:
        partition = key.partition(self._pipeline.detections_partitions)
        return Outgoing("detections", partition, entry_key((key, (self._institution, ticket_id, ""))), value)

    def _progress(self, *, idle: bool, again: bool = False) -> Iterator[Outgoing]:
        """Tell every detections partition how far this institution is (law 9); nothing twice but that it is idle."""
        of, lateness_ms = self.ledger, self.ledger.allowed_lateness_ms
        claim = Claim(of.progress_ms, of.outcomes.last, lateness_ms, idle, of.read_until_ms, of.since_ms)
        if claim == self._claimed and not again:
            return
        self._claimed = claim
        value = progress_record({self._institution: claim}, self._pipeline.rules.version)
        for partition in range(self._pipeline.detections_partitions):
            yield Outgoing("detections", partition, None, value)

    def _state_key(self, name: tuple[str, str]) -> bytes:
        return f"{self._prefix}ticket/{'/'.join(name)}".encode()

    def restore(self, key: bytes, value: bytes | None) -> None:
        if key.startswith(self._prefix.encode()):  # another institution's state may lie in the same partition
            self._restoring.take(key, value)

    def restored(self) -> Outputs:
        outputs = Outputs(state=list(self._restoring.written_over()))
        for key, value in self._restoring.records.items():
            what, _, rest = key.decode().removeprefix(self._prefix).partition("/")
            self.ledger.restore(what, rest, value)
        outputs.published.extend(answered(self._institution, self.ledger.answering()))
        self._again_until = self.ledger.outcomes.last
        self._restoring.clear()
        return outputs


class Correlate:
    """One partition of detections: entries → condition at each event time → alerts."""

    def __init__(self, pipeline: Pipeline, partition: int) -> None:
        self._pipeline, rules = pipeline, pipeline.rules
        self.partition = partition
        self._restoring = Newest(lambda key, late, known: newness(key, late) < newness(key, known))
        self._correlations = rules.correlations
        self.progress = Progress()
        self.levels = Levels(self._correlations, self.progress.since)
        self.book = Book(rules.tactics, rules.policy, rules.version.attack, pipeline.alert_key)
        self.telling = Telling(partition)
        self.malformed_total, self._offset = 0, -1
        self._told: list[int] = []
        self._closed_before: dict[int, int] = {}

    def work(self, records: Sequence[Record]) -> Outputs:
        outputs = Outputs()
        self._adopt_rules(outputs)
        for record in records:
            try:
                value = record.value or b""
                if record.key is not None:
                    self.levels.take(record.key, value, outputs.state)
                else:
                    self.telling.hear(value) if is_words(value) else self.progress.hear(value, record.timestamp_ms)
            except msgspec.MsgspecError:
                self.malformed_total += 1  # only fsoc may write here; whoever did, the others' alerts go on
        if records:
            self._offset = max(self._offset, records[-1].offset)
        self._evaluate(outputs)
        return outputs

    def idle(self) -> Outputs:
        """Nothing more is there; new rules judge what is held all the same."""
        return Outputs() if self._pipeline.rules.correlations is self._correlations else self.work(())

    def _adopt_rules(self, outputs: Outputs) -> None:
        """Go on with the rules that the pipeline has now; what that changes is judged with this slice."""
        rules = self._pipeline.rules
        if rules.correlations is self._correlations:
            return
        self._correlations = rules.correlations
        self.book.tactics, self.book.attack_version = rules.tactics, rules.version.attack
        anew, self.book.policy = rules.policy != self.book.policy, rules.policy  # it is part of what every alert says
        outputs.state.extend(self.levels.adopt(self._correlations, anew=anew))

    def _evaluate(self, outputs: Outputs, *, republish: bool = False) -> None:
        """Judge what changed or whose time has come, then let go of what is settled; inner correlations first."""
        pipeline = self._pipeline
        self.progress.advance(frozenset(pipeline.registry.institutions))
        self.levels.look_again(self.progress.learnt)
        outputs.state.extend(self.progress.remember(self._offset))
        begins = self.telling.begins(self._correlations.values())
        self.book.waits = self.telling.is_on
        said: dict[str, Alert] = {alert.id: alert for alert in self.book} if republish or begins else {}
        changed: dict[str, Alert] = {}
        named = self.book.assign(self.telling.heard())
        outputs.forgotten.extend(map(alert_key, named.gone))
        words: list[Word] = []
        for depth, level in enumerate(self.levels, 1):
            closed = self._at_least(depth, self.progress.closed(depth, pipeline.detections_partitions))
            judged = level.judge(closed, republish=republish)
            outputs.state.extend(judged.state)
            words.extend(judged.words)
            for found in judged.found:
                changed.update((alert.id, alert) for alert in self.book.revise(*found))
            if closed is None:
                continue
            changed.update((alert.id, alert) for alert in self.book.finalise(closed, depth))
            if level.moved and closed < END_MS:  # an exercise that is over keeps its state to be read
                outputs.forgotten.extend(level.let_go())
                outputs.forgotten.extend(alert_key(name) for name in self.book.expire(closed, depth))
        for key, past in (record for level in self.levels for record in level.sealed()):
            outputs.forgotten.append(key) if past is None else outputs.state.append((key, past))
        if any(level.moved for level in self.levels):
            outputs.forgotten.extend(key for key, _ in self.levels.release())
        settled = self.levels.closed
        to_tell = {**said, **changed}.values()
        changed.update((alert.id, alert) for alert in named.revised)
        written = (*named.kept, *changed.values())
        outputs.state.extend((alert_key(one.id), one.state(settled[one.depth - 1])) for one in written)
        outputs.state.append((b"header", self._header()))
        outputs.published.extend(self._to_detections(*word) for word in words)
        outputs.published.extend(self._progress(republish=republish))
        outputs.published.extend(self.telling.tell(to_tell, self.levels.reach_ms, republish=republish))
        for alert in {**said, **changed}.values():
            if alert.link:
                continue
            wire = alert.wire()
            outputs.published.append(Outgoing("alerts", 0, alert.id.encode(), wire))
            if alert.body["kind"] in TOLD or alert.revision > 1:  # it may have been of another kind before
                outputs.published.append(Outgoing("sharing", 0, alert.id.encode(), wire))

    def _at_least(self, depth: int, closed: int | None) -> int | None:
        """How far a depth is settled: as far as its state says, where a crash kept that and lost the header."""
        before = self._closed_before.get(depth)
        return closed if before is None or (closed is not None and closed >= before) else before

    def _to_detections(self, name: EntryName, word: Entry | Withdrawn) -> Outgoing:
        """A match of one correlation, to the partition of one that names it."""
        by = self._pipeline.rules.version
        value = withdraw_value(*word, by) if isinstance(word, Withdrawn) else put_value(word, by)
        return Outgoing("detections", name[0].partition(self._pipeline.detections_partitions), entry_key(name), value)

    def _progress(self, *, republish: bool) -> Iterator[Outgoing]:
        """Tell every partition which depths are settled here, after all that was said of them; nothing twice.

        Where chains have been they go on being told: others may still hold what is left of them.
        """
        settled = self.levels.settled(max(self.levels.depth - 1, len(self._told)))
        if settled == self._told and not (republish and settled):
            return
        self._told = settled
        value = partition_record(self.partition, self._told, self._pipeline.rules.version)
        for partition in range(self._pipeline.detections_partitions):
            yield Outgoing("detections", partition, None, value)

    def _header(self) -> bytes:
        return header(
            self.levels,
            self.book,
            offset=self._offset,
            rules=self._pipeline.rules.version._asdict(),
            malformed_total=self.malformed_total,
            told=self._told,
            reached_ms=self.telling.reached_ms,
            **self.progress.state(),
        )

    def restore(self, key: bytes, value: bytes | None) -> None:
        self._restoring.take(key, value)

    def restored(self) -> Outputs:
        """Rebuild, then judge every group once: a crash may have kept entries and lost the alert they raised."""
        records = self._restoring.records
        if not records:
            return Outputs()
        outputs = Outputs(state=list(self._restoring.written_over()))
        self._correlations = self._pipeline.rules.correlations
        self.levels = Levels(self._correlations, self.progress.since)
        self.progress.restore_since(records.pop(SINCE, None))
        state = orjson.loads(records.pop(b"header", b"null"))
        kept = [self.book.restore(records.pop(key)) for key in list(records) if key.startswith(ALERT)]
        outputs.state.extend(self.levels.restore(records, state["closed"] if state else self.levels.closed))
        for depth, closed in (*kept, *enumerate(self.levels.closed, 1)):
            if closed is not None:
                self._closed_before[depth] = max(closed, self._closed_before.get(depth, closed))
        if state is not None:
            self.progress.restore(state)
            self._offset, self._told = state["offset"], state["told"]
            self.telling.restore(state.get("reached_ms"))
            self.malformed_total = state["malformed_total"]
            restore_totals(state, self.levels, self.book)
        self._restoring.clear()
        self._evaluate(outputs, republish=True)
        return outputs
