"""Works partitions: restore, work, checkpoint, commit. Knows neither Kafka nor Faust, and not what a stage does.

    take ── restore ──┬── work: slices → sub-slices → one checkpoint → offsets may be committed
                      └── idle: about once a second while a partition's log is read to its end

A checkpoint is made durable in this order (law 10): state, what is published, deletions from the state, then, by the
caller, the offsets. A crash between two of these repeats work and changes nothing. Nobody works a partition before its
state is restored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from fsoc.errors import Retry
from fsoc.feeds.record import Outgoing, Outputs, Record, Stage
from fsoc.runtime import metrics
from fsoc.runtime.collector import collector_paused, look_again
from fsoc.runtime.log import Log, Partition, Written
from fsoc.runtime.state import read_all

_log = structlog.get_logger(__name__)

# Longest run of a stage before heartbeats and other partitions get their turn.
SUBSLICE_SECONDS = 0.05
SUBSLICE_RECORDS_MAX = 4096
# After a log that did not answer.
RETRY_SECONDS = 1.0


class Source(NamedTuple):
    """One partition that is worked; the topic's name is without the prefix, such as `tickets.fi-001`."""

    topic: str
    partition: int


class Slice(NamedTuple):
    """The next records of one source, in offset order, never empty."""

    source: Source
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source's state lies.

    topic, partition: the state topic; several sources may share one of its partitions.
    prefix: what the keys of this source's records begin with; b"" where the partition is its alone. Ends in "/" else.
    """

    topic: str
    partition: int
    prefix: bytes = b""

    @property
    def header(self) -> bytes:
        """The key of the record that sums the stage up."""
        return self.prefix + b"header"


# Whether what is being worked is still this worker's. It may wait until that is known.
Ours = Callable[[], Awaitable[bool]]


class StageFailed(Exception):  # noqa: N818 - not one of fsoc.errors: a defect, nothing a caller can act on
    """A stage raised, which none may. Nothing of this checkpoint was written; a restart works the records again."""

    def __init__(self, source: Source, records: Sequence[Record]) -> None:
        span = f" at offsets {records[0].offset}-{records[-1].offset}" if records else ""
        super().__init__(f"{source.topic}/{source.partition}{span}")
        self.source = source


@dataclass(slots=True)
class _Held:
    """A source of ours and how far it is."""

    stage: Stage
    place: Place
    restored: bool = False


class _Owners:
    """Whose a state record is, among the sources that are being restored."""

    def __init__(self) -> None:
        self.held: dict[Source, _Held] = {}
        self._by_prefix: dict[Partition, dict[bytes, Source]] = {}

    @property
    def partitions(self) -> Collection[Partition]:
        return self._by_prefix.keys()

    def add(self, source: Source, held: _Held, prefix: str) -> None:
        self.held[source] = held
        self._by_prefix.setdefault((prefix + held.place.topic, held.place.partition), {})[held.place.prefix] = source

    def of(self, name: Partition, key: bytes) -> tuple[Source, _Held] | None:
        sources = self._by_prefix[name]
        source = sources.get(b"") or sources.get(key[: key.find(b"/") + 1])
        return None if source is None else (source, self.held[source])


class Lane:
    """The sources of one kind that this worker owns: all intake, or all correlation.

    stage_of, place_of: make a source's stage; say where its state lies.
    prefix: of every topic's name in the log.
    headers: source → the newest header its stage wrote, as it lies in the state topic.
    arrange: makes of what the stages of one checkpoint publish what is written of it.
    observe: is shown every slice once what came of it is durable.
    """

    def __init__(
        self,
        name: str,
        stage_of: Callable[[Source], Stage],
        place_of: Callable[[Source], Place],
        log: Log,
        prefix: str,
        clock: Callable[[], float] = time.monotonic,
        arrange: Callable[[Iterable[Outgoing]], Iterable[Outgoing]] = iter,
        observe: Callable[[Slice], None] | None = None,
    ) -> None:
        self.name = name
        self.headers: dict[Source, bytes] = {}
        self._stage_of = stage_of
        self._place_of = place_of
        self._log = log
        self._prefix = prefix
        self._clock = clock
        self._arrange = arrange
        self._observe = observe
        self._held: dict[Source, _Held] = {}
        self._turn = asyncio.Lock()
        self._subslice = 64
        self._let_go = False  # of a stage that was restored, since the last restore

    @property
    def sources(self) -> Mapping[Source, bool]:
        """Every source we own, and whether it is restored."""
        return {source: held.restored for source, held in self._held.items()}

    @property
    def pace(self) -> int:
        """How many records a stage works in about SUBSLICE_SECONDS, as seen of late; 1 to SUBSLICE_RECORDS_MAX."""
        return self._subslice

    def take(self, sources: Iterable[Source], *, kept: bool) -> None:
        """Own exactly these from now on.

        kept: nobody else can have worked, since the last call, a source that is in both; else all are restored anew.
        """
        wanted = set(sources)
        for source in [source for source in self._held if not kept or source not in wanted]:
            self._drop(source)
        for source in sorted(wanted - self._held.keys()):
            self._held[source] = _Held(self._stage_of(source), self._place_of(source))
        metrics.PARTITIONS_OWNED.labels(self.name).set(len(self._held))

    async def restore(self) -> None:
        """Bring every source we own, and that is not restored yet, to where its state topic ends."""
        if all(held.restored for held in self._held.values()):
            return
        async with self._turn:
            began = self._clock()
            if self._let_go:
                look_again()  # or every rebalance would keep what the one before left in a circle
                self._let_go = False
            while True:
                owners = _Owners()
                for source, held in self._held.items():
                    if not held.restored:
                        owners.add(source, held, self._prefix)
                if not owners.held:
                    return  # somebody else has restored them while we waited
                try:
                    count = await self._replay(owners)
                    break
                except Retry as error:
                    _log.warning("restore_will_be_repeated", lane=self.name, why=str(error))
                    await asyncio.sleep(RETRY_SECONDS)
                    self._forget(owners.held)
            await self._restored(owners.held)
            seconds = self._clock() - began
            metrics.RESTORE_SECONDS.labels(self.name).observe(seconds)
            sources = len(owners.held)
            _log.info("state_restored", lane=self.name, sources=sources, records=count, seconds=round(seconds, 3))

    async def work(self, slices: Sequence[Slice], ours: Ours) -> list[Slice]:
        """Work the slices and make what came of them durable; return those whose offsets may be committed.

        ours: asked between sub-slices and before writing; once it says no, nothing is written, nothing returned, and
            the stages that ran ahead of their state are dropped. A checkpoint that has begun is written to its end.

        Raises:
            StageFailed: as said there.
        """
        await self.restore()
        async with self._turn:
            outputs: list[tuple[Source, Outputs]] = []
            done: list[Slice] = []
            for slice_ in slices:
                if not await ours() or not await self._work(slice_, outputs, ours):
                    break
                done.append(slice_)
            if len(done) < len(slices) or not await self._checkpoint(outputs, ours):
                self._forget(slice_.source for slice_ in slices)
                _log.info("slices_dropped", lane=self.name, slices=len(slices), why="partitions are no longer ours")
                return []
            metrics.SLICES.labels(self.name).inc(len(done))
            metrics.RECORDS.labels(self.name).inc(sum(len(slice_.records) for slice_ in done))
            if self._observe is not None:
                for slice_ in done:
                    self._observe(slice_)
            return done

    async def settle(self) -> None:
        """Return once nothing is being worked or written."""
        async with self._turn:
            pass

    async def idle(self, at_end: Callable[[], Awaitable[Iterable[Source]]], ours: Ours) -> None:
        """Tell the stages whose logs are read to the end that they are.

        at_end: finds those sources; asked while nothing is being worked, so that its answer holds when it is used.
        """
        async with self._turn:
            outputs: list[tuple[Source, Outputs]] = []
            for source in await at_end():
                held = self._held.get(source)
                if held is None or not held.restored:
                    continue
                try:
                    outputs.append((source, held.stage.idle()))
                except Exception as error:
                    raise StageFailed(source, ()) from error
            if not await self._checkpoint(outputs, ours):
                self._forget(source for source, _ in outputs)

    async def _work(self, slice_: Slice, outputs: list[tuple[Source, Outputs]], ours: Ours) -> bool:
        """Work one slice in sub-slices; False when it is no longer ours."""
        source, records = slice_
        held = self._held.get(source)
        if held is None or not held.restored:
            return False
        at = 0
        while at < len(records):
            if not await ours():
                return False
            part = records[at : at + self._subslice]
            began = self._clock()
            try:
                outputs.append((source, held.stage.work(part)))
            except Exception as error:
                raise StageFailed(source, part) from error
            self._pace(len(part), self._clock() - began)
            at += len(part)
            await asyncio.sleep(0)
        return True

    def _pace(self, records: int, seconds: float) -> None:
        """Choose the next sub-slice's length so that it takes about `SUBSLICE_SECONDS`; at most double the last."""
        fitting = int(records * SUBSLICE_SECONDS / max(seconds, 1e-9))
        self._subslice = max(1, min(fitting, 2 * self._subslice, SUBSLICE_RECORDS_MAX))

    async def _checkpoint(self, outputs: Sequence[tuple[Source, Outputs]], ours: Ours) -> bool:
        """Write state, publish, then delete what is forgotten; False when the partitions are no longer ours.

        Some may have been written then.
        """
        state = self._state_records(outputs)
        said = self._arrange(record for _, made in outputs for record in made.published)
        published = [self._named(*record) for record in said]
        forgotten = self._forgotten_records(outputs)
        with metrics.CHECKPOINT_SECONDS.labels(self.name).time():
            if not await ours():
                return False
            for records in (state, published, forgotten):
                if not await self._write(records, ours):
                    return False
        for source, made in outputs:
            self._note_header(source, made.state)
        return True

    async def _write(self, records: Sequence[Written], ours: Ours) -> bool:
        """Make the records durable, however long that takes while they are ours to write."""
        while records:
            try:
                await self._log.write(records)
            except Retry as error:
                _log.warning("write_will_be_repeated", lane=self.name, records=len(records), why=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                if not await ours():
                    return False
            else:
                break
        return True

    def _named(self, topic: str, partition: int, key: bytes | None, value: bytes | None) -> Written:
        return self._prefix + topic, partition, key, value

    def _state_records(self, outputs: Iterable[tuple[Source, Outputs]]) -> list[Written]:
        return [
            self._named(held.place.topic, held.place.partition, key, value)
            for source, made in outputs
            if made.state and (held := self._held.get(source)) is not None
            for key, value in made.state
        ]

    def _forgotten_records(self, outputs: Iterable[tuple[Source, Outputs]]) -> list[Written]:
        """Deletions of all keys that are not written anew after they were forgotten."""
        forgotten: dict[tuple[Source, bytes], None] = {}
        for source, made in outputs:
            for key, _ in made.state:
                forgotten.pop((source, key), None)
            forgotten.update(dict.fromkeys((source, key) for key in made.forgotten))
        return [
            self._named(held.place.topic, held.place.partition, key, None)
            for source, key in forgotten
            if (held := self._held.get(source)) is not None
        ]

    async def _replay(self, owners: _Owners) -> int:
        """Give every state record to the stage it belongs to; return how many there were."""
        count = 0
        async with aclosing(read_all(self._log, owners.partitions)) as slices:
            async for name, records in slices:
                count += sum(self._replay_one(owners, name, record) for record in records)
                await asyncio.sleep(0)
        return count

    def _replay_one(self, owners: _Owners, name: Partition, record: Record) -> bool:
        """Give one state record to its stage, if it is of one that is being restored."""
        if record.key is None or (owner := owners.of(name, record.key)) is None:
            return False
        source, held = owner
        try:
            held.stage.restore(record.key, record.value)
        except Exception as error:
            raise StageFailed(source, [record]) from error
        if record.value is not None and record.key == held.place.header:
            self.headers[source] = record.value
        return True

    async def _restored(self, replayed: Mapping[Source, _Held]) -> None:
        """End the restore of all that are still ours."""
        outputs: list[tuple[Source, Outputs]] = []
        for source, held in replayed.items():
            if self._held.get(source) is not held:
                continue
            try:
                with collector_paused():  # it would look at all there is again and again while it grows
                    outputs.append((source, held.stage.restored()))
            except Exception as error:
                raise StageFailed(source, ()) from error
            await asyncio.sleep(0)
        await self._checkpoint(outputs, _always)
        for source, _ in outputs:
            replayed[source].restored = True

    def _note_header(self, source: Source, state: Iterable[tuple[bytes, bytes | None]]) -> None:
        held = self._held.get(source)
        for key, value in state:
            if held is not None and value is not None and key == held.place.header:
                self.headers[source] = value

    def _forget(self, sources: Iterable[Source]) -> None:
        """Stages that may be ahead of their state begin anew; who still owns them restores them before more work."""
        for source in set(sources):
            held = self._held.get(source)
            if held is not None:
                self._let_go |= held.restored
                self._held[source] = _Held(self._stage_of(source), held.place)

    def _drop(self, source: Source) -> None:
        self._let_go |= self._held.pop(source).restored
        self.headers.pop(source, None)


async def _always() -> bool:
    """Restoring writes only what the state says already."""
    return True
