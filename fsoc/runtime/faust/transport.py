"""Faust's aiokafka driver, but an agent gets one event per fetched slice of a partition. Not a Kafka client of its own.

Stock Faust hands over one event per message: a queue entry, two futures, a dozen sensor calls and an ack for each, some
25 times the cost of a bare consumer. Here the event is the slice; everything else of Faust stays: agents, flow control,
acks, commits, rebalances. An ack of a slice's event moves the committed offset past the whole slice, and only that.

Private methods of faust-streaming are overridden: the version is pinned, and `tests/runtime/faust/test_contract.py`
holds every signature used here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

# The broker holds a fetch open while none of its partitions has news; a partition that joins meanwhile waits as long.
FETCH_WAIT_MS = 250
# One partition's records come in slices of no more than this, so that several partitions can take turns.
SLICE_RECORDS_MAX = 64
# So soon it is asked again whether what was held back may be fetched.
HELD_SECONDS = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """What one fetch brought of one partition, or a part of it, in offset order, never empty.

    generation: of the consumer group when it was fetched; a slice of an older generation must not be worked.
    """

    tp: TP
    records: Sequence[ConsumerRecord]
    generation: int

    @property
    def end(self) -> int:
        """The offset after its last record: what is committed when it is done."""
        return int(self.records[-1].offset) + 1


class Standing(NamedTuple):
    """How far one assigned partition has been read.

    position: offset of the next record to fetch; None until known.
    highwater: end of the log at the last fetch; None until the first one.
    handed: offset after the last record given to the agents since the position was last set; None if none was.
    """

    position: int | None
    highwater: int | None
    handed: int | None


def in_turns(
    fetched: Mapping[Any, Sequence[ConsumerRecord]],
) -> Iterator[tuple[Any, Sequence[ConsumerRecord]]]:
    """Every partition's records in slices of at most SLICE_RECORDS_MAX: of each its first, of each its second, …"""
    at = 0
    while fetched:
        yield from ((tp, records[at : at + SLICE_RECORDS_MAX]) for tp, records in fetched.items())
        at += SLICE_RECORDS_MAX
        fetched = {tp: records for tp, records in fetched.items() if len(records) > at}


class SliceThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread that talks to Kafka; its loop is not the agents' loop."""

    _handed: dict[TP, int]

    #: Monotonic time at which the newest heartbeat that the broker accepted was sent; until then we were a member.
    member_at: float

    def __post_init__(self) -> None:
        super().__post_init__()
        self._handed = {}
        self.member_at = monotonic()

    async def on_start(self) -> None:
        await super().on_start()
        consumer = self._ensure_consumer()
        # Else everything is fetched a tenth of a second later while something that was held back lies there.
        consumer._fetcher._prefetch_backoff = 0.0  # noqa: SLF001
        coordinator = consumer._coordinator  # noqa: SLF001
        heartbeat = coordinator._do_heartbeat  # noqa: SLF001

        async def noted_heartbeat() -> bool:
            sent_at = monotonic()
            accepted = bool(await heartbeat())
            if accepted:
                self.member_at = sent_at
            return accepted

        coordinator._do_heartbeat = noted_heartbeat  # noqa: SLF001

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001 - the driver has no setting for it
        return consumer

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's signature
        max_records: int | None = None,
    ) -> Mapping[Any, Sequence[ConsumerRecord]]:
        if held := self.consumer.app.held_back():
            active_partitions = active_partitions - held
            if not active_partitions:  # which aiokafka would take for all
                await asyncio.sleep(HELD_SECONDS)
                return {}
            timeout = HELD_SECONDS
        records: Mapping[Any, Sequence[ConsumerRecord]] = await super()._fetch_records(
            consumer, active_partitions, timeout=timeout, max_records=max_records
        )
        # No await between aiokafka moving its position and this: `standing` sees both or neither.
        for tp, batch in records.items():
            self._handed[TP(*tp)] = batch[-1].offset + 1
        return records

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        # The driver asks for the whole assignment once per partition: quadratic with 400 topics.
        assigned = self._ensure_consumer().assignment()
        return bool(await super()._commit({tp: offset for tp, offset in offsets.items() if tp in assigned}))

    async def seek_to_committed(self) -> Mapping[Any, int | None]:
        offsets: Mapping[Any, int | None] = await self.call_thread(self._seek_to_committed)
        return offsets

    async def _seek_to_committed(self) -> Mapping[Any, int | None]:
        """Also where nothing was ever committed: aiokafka leaves such a partition past what was dropped."""
        consumer = self._ensure_consumer()
        committed: Mapping[Any, int | None] = await consumer.seek_to_committed()
        never = [tp for tp, offset in committed.items() if not offset]
        if never:
            await consumer.seek_to_beginning(*never)
        return committed

    @property
    def subscribed(self) -> frozenset[str]:
        return frozenset(self._ensure_consumer().subscription())

    def forget(self) -> None:
        """Positions were set anew: what was handed over before is handed over again."""
        self._handed.clear()

    async def standings(self) -> dict[TP, Standing]:
        found: dict[TP, Standing] = await self.call_thread(self._standings)
        return found

    async def _standings(self) -> dict[TP, Standing]:
        subscription = self._ensure_consumer()._subscription.subscription  # noqa: SLF001
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None or not assignment.active:
            return {}
        found: dict[TP, Standing] = {}
        for tp in assignment.tps:
            state = assignment.state_value(tp)
            position = state.position if state.has_valid_position else None
            found[TP(*tp)] = Standing(position, state.highwater, self._handed.get(TP(*tp)))
        return found


class SliceConsumer(driver.Consumer):  # type: ignore[misc]
    """Hands over slices and keeps, per partition, which of them are not yet acked."""

    #: Offsets of the last records of slices handed over and not yet committed, oldest first.
    _unacked_ends: defaultdict[TP, deque[int]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._unacked_ends = defaultdict(deque)
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> SliceThread:
        return SliceThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109
        """Yield a message for each slice, the first of every partition first; its offset is the slice's last."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            try:
                await self.perform_seek()
            except Exception as error:  # noqa: BLE001 - as the base class: the rebalance under way seeks again
                self.log.warning("seek while the flow is stopped: %r", error)
            return
        for key, batch in in_turns(records):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                break  # a rebalance: everything not acked is fetched again from the committed offset
            tp = TP(*key)
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            last = batch[-1].offset
            read = self._read_offset[tp]
            if read is not None and last < read:
                continue  # the base class would drop it without a word, and its end would never be acked
            self._acked_index[tp].discard(last)  # a late ack of an earlier generation counts for nothing
            self._unacked_ends[tp].append(last)
            yield tp, self._to_message(tp, Slice(tp, batch, generation))

    def _to_message(self, tp: TP, record: Slice) -> ConsumerMessage:
        last = record.records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            None,
            record,
            None,
            0,
            0,
            tp,
            generation_id=record.generation,
        )

    def ack(self, message: ConsumerMessage) -> bool:
        """Mark a slice as done; of an older generation it is ignored, for its partition may be another's by now."""
        if message.generation_id != self.app.consumer_generation_id:
            message.acked = True
            self._unacked_messages.discard(message)
            return False
        return bool(super().ack(message))

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """A slice's offset is its last, so every slice looks like a gap. There are none to remember."""

    def _new_offset(self, tp: TP) -> int | None:
        """Return the offset after the oldest unbroken run of acked slices, or None if the oldest is not acked."""
        waiting, acked = self._unacked_ends[tp], self._acked_index[tp]
        last: int | None = None
        while waiting and waiting[0] in acked:
            last = waiting.popleft()
        if last is None:
            return None
        done = last  # for the comprehensions below
        self._acked[tp][:] = [offset for offset in self._acked[tp] if offset > done]
        acked.difference_update([offset for offset in acked if offset <= done])
        return done + 1

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing. The base class writes to its log what `watch.py` finds and acts on; and it takes every position to
        be known, which just after a rebalance it may not be: then it would end the worker.
        """

    async def perform_seek(self) -> None:
        self._thread.forget()
        self._unacked_ends.clear()
        self._acked.clear()
        self._acked_index.clear()
        await super().perform_seek()

    async def on_partitions_revoked(self, revoked: Iterable[TP]) -> None:
        # Faust stops the flow only where something is assigned, and of a new subscription nothing is yet. What came in
        # between the seek and its resuming would be cleared from the agents' queues, and never be fetched again.
        self.stop_flow()
        self.app.flow_control.suspend()
        # Until we join again these are still ours, and the base class forgets the acks first thing.
        await self.app.before_revoked()
        await self.commit()
        for tp in revoked:
            self._unacked_ends.pop(TP(*tp), None)
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TP], generation_id: int = 0) -> None:
        self._thread.member_at = monotonic()
        await self.app.before_assigned({TP(*tp) for tp in assigned}, generation_id)
        await super().on_partitions_assigned(assigned, generation_id)

    @property
    def member_at(self) -> float:
        """Monotonic time until which the broker is known to have held us for a member of the group."""
        return float(self._thread.member_at)

    async def standings(self) -> dict[TP, Standing]:
        """How far every assigned partition has been read, as of one moment."""
        found: dict[TP, Standing] = await self._thread.standings()
        return found

    @property
    def subscribed(self) -> frozenset[str]:
        """The topics the group member asks for now."""
        return frozenset(self._thread.subscribed)


class SliceTransport(driver.Transport):  # type: ignore[misc]
    """`app.transport = SliceTransport(app.conf.broker_consumer, app)` makes an app's agents get slices."""

    Consumer = SliceConsumer
