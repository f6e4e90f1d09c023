"""How far event time is settled for the whole sector (laws 3 and 9). Pure.

depth 1       as far as every institution that is not idle has come: no more tickets below
depth d + 1   as far as every partition has settled depth d and said so: no more matches of correlations below
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from fsoc.correlation.entries import Version
from fsoc.feeds.ledger import END_MS

WAITED_MAX_MS: Final = 24 * 3_600_000
"""How far behind its log's own clock an institution is waited for, besides its allowed lateness."""

IDLE_HOLDS_MS: Final = 3 * 60_000
"""For how long an institution is taken for idle after its intake said so, by the clock of the log that carries it.

Intake says it anew every IDLE_TICKS, half a minute, while it is so. Where nobody worked for hours, what was said before
says nothing of what has come since, and who has not been begun yet is waited for.
"""

IDLE_TICKS: Final = 30
"""Of about a second each: how often intake says that it is idle, though nothing has changed."""


class Claim(NamedTuple):
    """What one institution's intake says of itself.

    watermark_ms: greatest event time seen; None before the first ticket; END_MS once its exercise has ended.
    offset: the ticket log's offset that the claim speaks for; an older claim never replaces a newer one.
    idle: its log is read to the end, so it holds nobody up: for IDLE_HOLDS_MS, or until it says so anew.
    read_until_ms: the newest timestamp that was read of its log; None where that is not known.
    since_ms: the least event time of its used tickets; None before the first.
    """

    watermark_ms: int | None
    offset: int
    allowed_lateness_ms: int
    idle: bool
    read_until_ms: int | None = None
    since_ms: int | None = None

    @property
    def settled_ms(self) -> int | None:
        """No ticket of this institution with an event time below this will be used any more."""
        if self.watermark_ms is None or self.watermark_ms >= END_MS:
            return self.watermark_ms
        return self.watermark_ms - self.allowed_lateness_ms

    @property
    def waited_for_ms(self) -> int | None:
        """As far as others go while there is more in its log; None where they wait for its first ticket.

        By its log's clock, not by event time alone: where we are behind in its log, its tickets are still to come and
        are waited for; where we are not, and it sends garbage without end or by a clock that is years behind, it is
        its own affair.
        """
        if self.read_until_ms is None:
            return self.settled_ms
        enough_ms = self.read_until_ms - self.allowed_lateness_ms - WAITED_MAX_MS
        return enough_ms if self.settled_ms is None else max(self.settled_ms, enough_ms)


class Progress:
    """The claims of all institutions and partitions, and what follows from them.

    since: from which event time on institutions are known. learnt: those of which that is otherwise than what the state
    was told.
    """

    def __init__(self) -> None:
        self.since: dict[str, int] = {}
        self.learnt: set[str] = set()
        self.claims: dict[str, Claim] = {}
        self.closed_until_ms: int | None = None
        self._partitions: dict[int, list[int]] = {}
        # What claims come to, so that with every slice nothing but the least and the greatest is looked for.
        self._ended: set[str] = set()
        self._settled: dict[str, int] = {}
        self._waited_for: dict[str, int] = {}
        self._now_ms = _NEVER_MS
        self._idle: dict[
            str, int
        ] = {}  # when each that counts as idle said so last; who said it longest ago comes first

    def hear(self, value: bytes, timestamp_ms: int) -> None:
        """Take what a progress record says, and when it was written, by the log's clock.

        Raises:
            msgspec.MsgspecError: it is none.
        """
        said = _decoder.decode(value)
        self.now(timestamp_ms)
        for institution, claim in said.institutions.items():
            self.take(institution, claim, timestamp_ms)
        if said.partition is not None:
            known = self._partitions.get(said.partition, [])
            self._partitions[said.partition] = [
                max(times) for times in zip_longest(known, said.settled, fillvalue=_NEVER_MS)
            ]

    def closed(self, depth: int, partitions: int) -> int | None:
        """Until when nothing is still to come for correlations of this depth; None where that is not known at all."""
        if depth == 1:
            return self.closed_until_ms
        if len(self._partitions) < partitions or any(len(told) < depth - 1 for told in self._partitions.values()):
            return None
        return min(told[depth - 2] for told in self._partitions.values())

    def now(self, timestamp_ms: int) -> None:
        """Hear how late it is, by the log's clock; whoever said that it is idle too long before that no longer is."""
        self._now_ms = max(self._now_ms, timestamp_ms)
        while self._idle:
            institution, told_ms = next(iter(self._idle.items()))
            if told_ms + IDLE_HOLDS_MS > self._now_ms:
                return
            del self._idle[institution]
            self._wait_for(institution)

    def take(self, institution: str, claim: Claim, timestamp_ms: int) -> None:
        """Take a claim that was told at a time of the log's clock. An overtaken one changes nothing."""
        known = self.claims.get(institution)
        if known is not None and known.offset > claim.offset:
            return
        told_ms = max(timestamp_ms, self._idle.pop(institution, timestamp_ms))
        if claim.idle and told_ms + IDLE_HOLDS_MS > self._now_ms:
            self._idle[institution] = told_ms
        self._keep(institution, claim)

    def _keep(self, institution: str, claim: Claim) -> None:
        self.claims[institution] = claim
        if claim.since_ms is not None and claim.since_ms < self.since.get(institution, END_MS):
            self.since[institution] = claim.since_ms
            self.learnt.add(institution)
        (self._ended.add if claim.watermark_ms == END_MS else self._ended.discard)(institution)
        self._settled[institution] = _NEVER_MS if claim.settled_ms is None else claim.settled_ms
        self._wait_for(institution)

    def _wait_for(self, institution: str) -> None:
        until = END_MS if institution in self._idle else self.claims[institution].waited_for_ms
        self._waited_for[institution] = _NEVER_MS if until is None else until

    def advance(self, institutions: frozenset[str]) -> bool:
        """Move `closed_until_ms` as far as the claims allow; return whether it moved. It never goes back.

        It waits for every institution that is known and has not spoken yet: not having heard of somebody is being
        behind, not idleness. Nobody goes beyond the furthest; where all are idle, nobody else is waited for.
        """
        if not institutions or not institutions <= self.claims.keys():
            return False
        running = institutions - self._ended
        if running:
            furthest = max(map(self._settled.__getitem__, running))
            until = min(furthest, *map(self._waited_for.__getitem__, running))
        else:
            until = END_MS
        if until == _NEVER_MS:
            return False
        if self.closed_until_ms is not None and until <= self.closed_until_ms:
            return False
        self.closed_until_ms = until
        return True

    def state(self) -> dict[str, Any]:
        return {
            "settled_until_ms": self.closed_until_ms,
            "claims": self.claims,
            "partitions": self._partitions,
        }

    def remember(self, offset: int) -> Iterator[tuple[bytes, bytes]]:
        """What the state must know of `since` before what is judged by it, where that is otherwise than it knows.

        offset: of the last record that was heard.
        """
        if self.learnt:
            self.learnt.clear()
            yield SINCE, msgspec.json.encode(Since(offset, self.since), order="deterministic")

    def restore_since(self, value: bytes | None) -> None:
        """Take what `remember` told the state; None where it told nothing. Before anything is judged."""
        if value is not None:
            self.since.update(since_of(value).since)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` told. Nobody is idle until it says so anew: it was so when it was told."""
        self.closed_until_ms = state["settled_until_ms"]
        for institution, claim in msgspec.convert(state["claims"], dict[str, Claim]).items():
            self._keep(institution, claim)
        self._partitions = {int(number): told for number, told in state["partitions"].items()}


SINCE: Final = b"since"
"""The key in the state of from which event time on institutions are known.

It is written before what was judged by it: a crash that kept an alert and lost what made its tickets news would take
the alert back.
"""


class Since(msgspec.Struct, frozen=True):
    """Its record. offset: of the last record that was heard before. since: by institution."""

    offset: int
    since: dict[str, int]


def since_of(value: bytes) -> Since:
    """What its record says.

    Raises:
        msgspec.MsgspecError: it is no such value.
    """
    return _since_decoder.decode(value)


def in_one(values: Sequence[bytes]) -> bytes:
    """What several progress records say of institutions, in one; of an institution the claim that comes last.

    They are of one partition, in the order in which they were to be written, and of one set of rules.
    """
    said = [_decoder.decode(value) for value in values]
    claims = {name: claim for one in said for name, claim in one.institutions.items()}
    return progress_record(claims, Version(said[-1].version, said[-1].digest))


class _Said(msgspec.Struct):
    """A progress record; it has no key."""

    version: str = ""
    digest: str = ""
    institutions: dict[str, Claim] = {}
    partition: int | None = None
    settled: list[int] = []


_NEVER_MS: Final = -(2**63)
_decoder: Final = msgspec.json.Decoder(_Said)
_since_decoder: Final = msgspec.json.Decoder(Since)


def progress_record(claims: Mapping[str, Claim], by: Version) -> bytes:
    """What institutions say of themselves."""
    institutions = {name: tuple(claim) for name, claim in claims.items()}
    return orjson.dumps({"op": "progress", "version": by.version, "digest": by.digest, "institutions": institutions})


def partition_record(partition: int, settled: Sequence[int], by: Version) -> bytes:
    """What a partition of correlations says of itself. settled: by depth, from 1."""
    return orjson.dumps(
        {"op": "progress", "version": by.version, "digest": by.digest, "partition": partition, "settled": settled}
    )
