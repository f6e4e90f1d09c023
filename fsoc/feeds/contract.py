"""What is asked of a feed, by tier, and what a feed falls short of. Pure: the text of the contract is an argument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal

from fsoc.feeds.figures import Figures
from fsoc.feeds.sketch import bucket_of
from fsoc.institutions.document import Document, unknown_name
from fsoc.institutions.duration import duration_ms

TIERS: Final = (1, 2, 3)
Measure = Literal[
    "detected_to_sent_p95",
    "sent_to_received_p95",
    "rejected",
    "duplicate",
    "late",
    "missing",
    "clock_offset",
    "silence",
    "heartbeats",
]
_DURATIONS: Final = ("detected_to_sent_p95", "sent_to_received_p95", "clock_offset", "silence", "heartbeat_interval")
_SHARES: Final = ("rejected", "duplicate", "late", "missing", "heartbeats")
_share: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*%").fullmatch


@dataclass(frozen=True, slots=True)
class Terms:
    """One tier's. Times in milliseconds, shares from 0 to 1; all are at most, but heartbeats, which is at least."""

    detected_to_sent_p95: int
    sent_to_received_p95: int
    rejected: float
    duplicate: float
    late: float
    missing: float
    clock_offset: int
    silence: int
    heartbeat_interval: int
    heartbeats: float


NAMES: Final = tuple(one.name for one in fields(Terms))


@dataclass(frozen=True, slots=True)
class Breach:
    """One term that a feed does not keep. seen, allowed: in the term's own unit."""

    measure: Measure
    seen: float
    allowed: float

    @property
    def is_time(self) -> bool:
        return self.measure in _DURATIONS


@dataclass(frozen=True, slots=True)
class Contract:
    """The terms of every tier."""

    tiers: Mapping[int, Terms]

    @classmethod
    def parse(cls, text: str, where: str) -> Contract:
        """Read one whole.

        Raises:
            RefusedToStart: every problem at once, each with `where:line`.
        """
        document = Document.parse(text, where)
        tiers = _tiers(document)
        document.refuse_if_problems()
        return cls(tiers)

    def of(self, tier: int) -> Terms:
        return self.tiers[tier]


def breaches(
    figures: Figures, terms: Terms, *, silent_ms: float | None = None, heartbeats: float | None = None
) -> list[Breach]:
    """What the feed falls short of, in the order of the contract. What was not measured is not held against anybody.

    silent_ms: how long it has said nothing. heartbeats: the share of those expected that came. None: is not asked.
    """
    offset = figures.clock_offset_ms
    seen: dict[Measure, float | None] = {
        "detected_to_sent_p95": figures.detected_to_sent(95),
        "sent_to_received_p95": figures.sent_to_received(95),
        "rejected": figures.rejected,
        "duplicate": figures.duplicate,
        "late": figures.late,
        "missing": figures.missing_share,
        "clock_offset": None if offset is None else max(map(abs, offset)),
        "silence": silent_ms,
    }
    found = [
        Breach(measure, value, getattr(terms, measure))
        for measure, value in seen.items()
        if value is not None and _exceeds(measure, value, getattr(terms, measure))
    ]
    if heartbeats is not None and heartbeats < terms.heartbeats:
        found.append(Breach("heartbeats", heartbeats, terms.heartbeats))
    return found


def _exceeds(measure: Measure, value: float, allowed: float) -> bool:
    """A delay is known to its bucket: what may have been allowed is."""
    if measure in {"detected_to_sent_p95", "sent_to_received_p95"}:
        return bucket_of(int(value)) > bucket_of(int(allowed))
    return value > allowed


def _tiers(document: Document) -> dict[int, Terms]:
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("tiers"), dict):
        document.problem((), "expected a mapping with the key tiers, and in it 1, 2 and 3")
        return {}
    for key in data:
        if key != "tiers":
            document.problem((key,), unknown_name(key, ["tiers"]))
    found: dict[int, Terms] = {}
    for key in data["tiers"]:
        if key not in map(str, TIERS):
            document.problem(("tiers", key), unknown_name(str(key), map(str, TIERS)))
    for tier in TIERS:
        terms = _terms(document, str(tier), data["tiers"].get(str(tier)))
        if terms is not None:
            found[tier] = terms
    return found


def _terms(document: Document, tier: str, entry: Any) -> Terms | None:
    path = ("tiers", tier)
    if not isinstance(entry, dict):
        document.problem(path, f"tier {tier}: expected a mapping of {', '.join(NAMES)}")
        return None
    before = len(document.problems)
    for key in entry:
        if key not in NAMES:
            document.problem((*path, key), unknown_name(key, NAMES))
    read: dict[str, Any] = {}
    for name in NAMES:
        if name not in entry:
            document.problem(path, f"tier {tier}: {name}: is required and missing")
            continue
        try:
            read[name] = _duration(entry[name]) if name in _DURATIONS else _per_cent(entry[name])
        except ValueError as error:
            document.problem((*path, name), f"{name}: {error}")
    return Terms(**read) if len(document.problems) == before else None


def _duration(value: Any) -> int:
    span_ms = duration_ms(value)
    if span_ms == 0:
        raise ValueError("0 can be kept by nobody")
    return span_ms


def _per_cent(value: Any) -> float:
    match = _share(value) if isinstance(value, str) else None
    if match is None or float(match[1]) > 100:
        raise ValueError(f"{str(value)[:40]!r} is no share; expected per cent, such as 0.5%")
    return float(match[1]) / 100
