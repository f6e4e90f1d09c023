"""From what was sent and seen to figures: which alert is which trio's, how long it took, what is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, TypedDict

from benchmarks.open_loop import Ack, Detected, Sighting
from benchmarks.planted import Trio

SENDER_LAG_MS_MAX: Final = 50.0
P99_MS_MAX: Final = 1000.0


class Ranks(TypedDict):
    """Nearest ranks: each figure is one that was measured. Milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one trio that was alerted.

    broker_ms: between the broker's own stamps of the last of its three tickets and of the alert's first revision.
    consumer_ms: from the sender's being told that the last is durable to the alert's being with a consumer.
    intake_ms, correlate_ms: the two parts of broker_ms, before and after the stamp of the last detection; None where
    that was not read.
    """

    trio: int
    broker_ms: float
    consumer_ms: float
    intake_ms: float | None = None
    correlate_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """missed: trios without an alert. extra: alerts beyond the first of a trio. unsent: trios not taken in whole."""

    latencies: list[Latency]
    missed: list[int]
    extra: int
    unsent: list[int]


def ranks(values: Iterable[float]) -> Ranks | None:
    """None of no values."""
    ranked = sorted(values)
    if not ranked:
        return None
    p50, p95, p99 = (ranked[ceil(len(ranked) * share) - 1] for share in (0.5, 0.95, 0.99))
    return Ranks(p50=round(p50, 1), p95=round(p95, 1), p99=round(p99, 1), max=round(ranked[-1], 1))


def match(
    trios: Sequence[Trio],
    acks: Iterable[Ack],
    sightings: Iterable[Sighting],
    detected: Iterable[Detected] = (),
    *,
    from_seconds: float = 0.0,
) -> Matched:
    """Which alert is which trio's; trios that were to be decided before `from_seconds` are left out.

    acks: of the three tickets of each trio. sightings: in the order of the log; those of no trio are others' alerts.
    detected: of an institution's the earliest counts; the others are what was written twice.
    """
    told: dict[int, list[Ack]] = {}
    for ack in acks:
        told.setdefault(ack.trio, []).append(ack)
    seen: dict[str, list[Sighting]] = {}
    for sighting in sightings:
        seen.setdefault(sighting.indicator, []).append(sighting)
    stamps: dict[str, dict[str, int]] = {}
    for one in detected:
        by_institution = stamps.setdefault(one.indicator, {})
        by_institution[one.institution] = min(one.stamped_ms, by_institution.get(one.institution, one.stamped_ms))
    matched = Matched([], [], sum(len(seen.get(trio.indicator, ())[1:]) for trio in trios), [])
    for index, trio in enumerate(trios):
        if trio.at_seconds[-1] < from_seconds:
            continue
        mine = told.get(index, [])
        if len(mine) < len(trio.institutions):
            matched.unsent.append(index)
        elif trio.indicator not in seen:
            matched.missed.append(index)
        else:
            matched.latencies.append(_latency(index, mine, seen[trio.indicator][0], stamps.get(trio.indicator, {})))
    return matched


def _latency(index: int, acks: Sequence[Ack], first: Sighting, detected: Mapping[str, int]) -> Latency:
    # By the broker's stamp, not by the plan: the one that came last is the one that decided.
    deciding = max(acks, key=lambda ack: (ack.stamped_ms, ack.at_s))
    broker_ms, consumer_ms = first.stamped_ms - deciding.stamped_ms, (first.at_s - deciding.at_s) * 1000
    if len(detected) < len(acks):
        return Latency(index, broker_ms, consumer_ms)
    at_ms = max(detected.values())
    return Latency(index, broker_ms, consumer_ms, at_ms - deciding.stamped_ms, first.stamped_ms - at_ms)


def verdict(figures: Mapping[str, object], sender_lag: Ranks | None, broker: Ranks | None) -> dict[str, object]:
    """Whether the run says anything, and whether it says that alerts are in time.

    valid: the sender kept its pace, so that the load was the one that is named.
    met: valid, every trio alerted once, and 99 of 100 within P99_MS_MAX.
    """
    valid = sender_lag is not None and sender_lag["p99"] <= SENDER_LAG_MS_MAX and not figures["refused"]
    whole = not figures["missed"] and not figures["extra"]
    return {
        "valid": valid,
        "met": bool(valid and whole and broker is not None and broker["p99"] <= P99_MS_MAX),
    }
