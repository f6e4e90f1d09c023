"""The tickets and events every benchmark is fed: made up, seeded, equal on every machine. Measures and reads nothing.

Not the exercise: nothing here is to be found or scored. It has the *shape* of a sector's day: institutions of unequal
size, tickets of about two kilobytes, few values that institutions share, some re-sends, updates and late ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import orjson

from benchmarks.kinds import KINDS, SHARED_KINDS, WEIGHTS, event

START_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z
DAY_MS = 86_400_000
TICKETS_A_DAY = 500  # mean per institution; sets how event time passes
SHARED_PERIOD_MS = 4 * 3_600_000  # a value that institutions share is in use this long

# Of a hundred tickets: what is not a new ticket in good time.
DUPLICATES, UPDATES, LATE, SHARED = 2, 3, 1, 1
# Past this many, an institution's re-sends and updates name one of its newest tickets.
REMEMBERED_MAX = 50

_TAIPEI = timezone(timedelta(hours=8))


class Delivery(NamedTuple):
    """One record as it arrives; timestamp_ms is the record's own, from which alone a stage learns the time."""

    institution: str
    timestamp_ms: int
    payload: bytes


def institutions(count: int) -> tuple[str, ...]:
    """`fi-001` … in order; the first are the largest (20 : 1 to the last)."""
    return tuple(f"fi-{number:03d}" for number in range(1, count + 1))


def registry(count: int) -> str:
    """The institutions file for `institutions(count)`: every tenth pair is one holding group."""
    lines = ["institutions:"]
    for index, institution in enumerate(institutions(count)):
        group = f"group-{index // 20}" if index % 20 < 2 else "null"
        lines.append(
            f"  - {{id: {institution}, name: Institution {index + 1}, name_zh: 第{index + 1}機構, sector: bank,"
            f" tier: {1 + index % 3}, group: {group}, feeds: [siem]}}"
        )
    return "\n".join(lines) + "\n"


def deliveries(tickets: int, institution_count: int, *, seed: int = 7) -> Iterator[Delivery]:
    """`tickets` records of `institution_count` institutions, in order of arrival."""
    draw = random.Random(seed)
    members = [_Member(institution) for institution in institutions(institution_count)]
    sizes = [20 - 19 * index / max(1, institution_count - 1) for index in range(institution_count)]
    step_ms = DAY_MS / (TICKETS_A_DAY * institution_count)
    senders = draw.choices(members, weights=sizes, k=tickets)
    for index, member in enumerate(senders):
        sent_ms = START_MS + int(index * step_ms)
        yield Delivery(member.institution, sent_ms, orjson.dumps(member.next(draw, sent_ms)))


def events(count: int, *, seed: int = 7) -> Iterator[bytes]:
    """`count` flat events as `fsoc detect` reads them: Sigma fields and `logsource`, one JSON object each."""
    draw = random.Random(seed)
    for kind in draw.choices(KINDS, weights=WEIGHTS, k=count):
        logsource, fields = event(draw, kind, shared=None)
        yield orjson.dumps({"logsource": logsource, **fields})


class _Member:
    """One institution's own SOC: numbers its messages without gaps and remembers what it may send again."""

    def __init__(self, institution: str) -> None:
        self.institution = institution
        self._seq = 0
        self._opened = 0
        self._sent: list[dict[str, Any]] = []

    def next(self, draw: random.Random, sent_ms: int) -> dict[str, Any]:
        lot = draw.randrange(100)
        if self._sent and lot < DUPLICATES:
            return draw.choice(self._sent) | {"sent_at": rfc3339(sent_ms)}  # a re-send keeps its seq
        if self._sent and lot < DUPLICATES + UPDATES:
            place = draw.randrange(len(self._sent))
            body = self._sent[place]
            body = body | {
                "action": "update",
                "revision": body["revision"] + 1,
                "severity": min(5, body["severity"] + 1),
            }
            self._sent[place] = body = body | {"seq": self._number(), "sent_at": rfc3339(sent_ms)}
            return body
        late = lot >= 100 - LATE
        shared = sent_ms // SHARED_PERIOD_MS if 100 - LATE - SHARED <= lot < 100 - LATE else None
        body = self._open(draw, sent_ms, late=late, shared=shared)
        self._sent.append(body)
        if len(self._sent) > REMEMBERED_MAX:
            del self._sent[0]
        return body

    def _open(self, draw: random.Random, sent_ms: int, *, late: bool, shared: int | None) -> dict[str, Any]:
        kind = draw.choice(SHARED_KINDS) if shared is not None else draw.choices(KINDS, weights=WEIGHTS)[0]
        detected_ms = sent_ms - draw.randrange(1_000, 120_000) - (3 * 3_600_000 if late else 0)
        self._opened += 1
        return {
            "schema": "fsoc.ticket/1",
            "kind": "ticket",
            "institution": self.institution,
            "feed": "siem",
            "seq_epoch": "e1",
            "seq": self._number(),
            "ticket_id": f"{self.institution}-{self._opened:06d}",
            "revision": 1,
            "action": "open",
            "environment": "production",
            "occurred_from": rfc3339(detected_ms - draw.randrange(600_000)),
            "detected_at": rfc3339(detected_ms),
            "created_at": rfc3339(detected_ms + 500),
            "sent_at": rfc3339(sent_ms),
            **kind.ticket(draw, shared),
        }

    def _number(self) -> int:
        self._seq += 1
        return self._seq


def rfc3339(at_ms: float) -> str:
    """RFC 3339 in Taipei's offset, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, _TAIPEI).isoformat(timespec="milliseconds")
