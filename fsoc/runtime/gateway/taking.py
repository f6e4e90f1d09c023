"""A batch of tickets: onto Kafka, then answered; once for an Idempotency-Key. Decides nothing about tickets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from fsoc.errors import Retry
from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway import metrics
from fsoc.runtime.gateway.batch import LINE_BYTES_MAX, Line, Signed, entry, lines_of
from fsoc.runtime.gateway.marks import REMEMBERED, Keyed, Known
from fsoc.runtime.gateway.problems import Refusal
from fsoc.runtime.log import Log, RecordTooLarge, UnknownTopic, read_to_end

WAITING_MAX: Final = 8
RETRY_SECONDS: Final = 5
TOPIC_RETRY_SECONDS: Final = 30
# Lines that are checked before others get their turn: refused ones take a millisecond each.
_CHECKED_AT_ONCE: Final = 16


class Answer(NamedTuple):
    """body: as `models.Taken` has it. replayed: Kafka had all of it before."""

    body: dict[str, Any]
    replayed: bool


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """What a log may raise, as what the gateway says of it."""
    try:
        yield
    except UnknownTopic as error:
        raise Refusal("topic-missing", retry_after=TOPIC_RETRY_SECONDS) from error
    except Retry as error:
        raise Refusal("log-unavailable", retry_after=RETRY_SECONDS) from error


class Taking:
    """Puts batches on the senders' ticket topics. One batch of an institution at a time, in the order they came."""

    def __init__(self, log: Log, prefix: str, drill: str | None = None) -> None:
        self._log = log
        self._drill = drill
        self._prefix = prefix
        self._turns: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}
        self._known: dict[str, Known] = {}

    async def take(
        self,
        institution: str,
        body: bytes,
        *,
        registry: Registry,
        single: bool,
        key: str | None,
        at_ms: int,
        signature: bytes | None = None,
    ) -> Answer:
        """Return once Kafka has every line durably.

        registry: by which each line is judged, as intake will. single: the body is one ticket.
        key: the Idempotency-Key, if any. at_ms: now, in ms since 1970.
        signature: of the batch, if any: it goes beside each line, byte for byte.

        Raises:
            Refusal: nothing of it is acknowledged. For some of it, it may be on Kafka all the same.
        """
        lines = lines_of(body, single=single, signature=signature)
        keyed = None if key is None else Keyed.of(key, body, single=single, signature=signature)
        async with self._turn(institution), answering():
            offsets = await self._write(institution, lines, keyed, signature)
        signed = Signed(institution, signature, at_ms, self._drill)
        return Answer(await self._body(institution, lines, registry, offsets.found, signed), offsets.replayed)

    @asynccontextmanager
    async def _turn(self, institution: str) -> AsyncIterator[None]:
        waiting = self._waiting.get(institution, 0)
        if waiting > WAITING_MAX:
            raise Refusal("too-many-waiting", retry_after=1)
        self._waiting[institution] = waiting + 1
        try:
            async with self._turns.setdefault(institution, asyncio.Lock()):
                yield
        finally:
            self._waiting[institution] -= 1

    async def _write(
        self, institution: str, lines: list[Line], keyed: Keyed | None, signature: bytes | None
    ) -> _Offsets:
        """Write what the log does not have of it."""
        topic = f"{self._prefix}tickets.{institution}"
        known: Known | None = None
        found: dict[int, int | None] = {}
        if keyed is not None:
            known = await self._caught_up(institution, topic)
            found.update(known.of(keyed))
        missing = [index for index in range(len(lines)) if index not in found]
        if not missing:
            metrics.REPLAYED.inc()
            return _Offsets([found[index] for index in range(len(lines))], replayed=True)
        marks = {index: None if keyed is None else keyed.mark(index, len(lines)) for index in missing}
        try:
            with metrics.WRITE_SECONDS.time():
                records = ((topic, 0, marks[index], lines[index].payload) for index in missing)
                written = await self._log.write(records, signature)
        except RecordTooLarge as error:
            largest = max(lines, key=lambda line: len(line.payload))
            size = len(largest.payload)
            raise Refusal("line-too-large", line=largest.number, bytes=size, limit=LINE_BYTES_MAX) from error
        told = dict(zip(missing, written, strict=True))
        if keyed is not None and known is not None:
            known.note(keyed, told.items())
        found.update(told)
        return _Offsets([found[index] for index in range(len(lines))], replayed=False)

    async def _caught_up(self, institution: str, topic: str) -> Known:
        """What the log has to its end, also of what other gateways and other starts wrote."""
        end = (await self._log.end_offsets([(topic, 0)]))[topic, 0]
        known = self._known.get(institution)
        if known is None or known.next > end:  # more than there is: the topic was made anew
            known = self._known[institution] = Known(max(0, end - REMEMBERED))
        if known.next < end:
            known.next = max(known.next, end - REMEMBERED)
            async for records in read_to_end(self._log, topic, 0, known.next):
                known.learn(records)
            known.next = max(known.next, end)
        return known

    async def _body(
        self, institution: str, lines: list[Line], registry: Registry, offsets: list[int | None], signed: Signed
    ) -> dict[str, Any]:
        entries: list[dict[str, Any]] = []
        for index, (line, offset) in enumerate(zip(lines, offsets, strict=True)):
            if index % _CHECKED_AT_ONCE == 0:
                await asyncio.sleep(0)
            entries.append(entry(line, institution, registry, offset, signed))
        taken = sum(one["outcome"] == "taken" for one in entries)
        quarantined = len(entries) - taken
        return {
            "institution": institution,
            "received": len(entries),
            "taken": taken,
            "quarantined": quarantined,
            "entries": entries,
        }


class _Offsets(NamedTuple):
    """Where each line lies. replayed: all of it was there before."""

    found: list[int | None]
    replayed: bool
