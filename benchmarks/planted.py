"""What is sent, when, to measure how long a joint alert takes: a steady flow, and trios planted in it. Pure.

    flow     ┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃┃   an exercise's tickets, evenly spaced
    trio 1      a      b       c             three independent institutions name one attacker nobody else names;
    trio 2            d     e       f        the third decides, and `same_indicator` raises exactly one alert

Times are seconds since the beginning, until `stamped` makes times of day of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from benchmarks.workload import rfc3339

RULE_ID: Final = "886e2195-38ba-4c9b-b112-b6a82bc65aca"
"""Of `same_indicator`, as shipped."""
TRIOS_A_SECOND: Final = 4
INDICATOR_END: Final = ".latency.example"
# Between the tickets of one trio: less than a tick of the workers' and more than a slice takes to be worked.
GAP_SECONDS: Final = (0.1, 0.4)
# Times of an exercise that would not be true any more; event time is then `detected_at`.
_TIMES: Final = ("occurred_from", "occurred_to", "received_at", "processed_at", "exercise_id")

# What makes a ticket that one, and what says that it is about another.
_ITS_OWN: Final = ("ticket_id", "seq", "seq_epoch", "related")


@dataclass(frozen=True, slots=True)
class Trio:
    """institutions, at_seconds: of its three tickets, in the order in which they are sent."""

    indicator: str
    institutions: tuple[str, str, str]
    at_seconds: tuple[float, float, float]


class Planned(NamedTuple):
    """One ticket. trio: index of the trio that it is of; None: of the flow. sent_at and detected_at are missing."""

    at_seconds: float
    institution: str
    body: Mapping[str, Any]
    trio: int | None


class Stamped(NamedTuple):
    """One ticket as it is sent."""

    at_seconds: float
    institution: str
    payload: bytes
    trio: int | None


def trios(seconds: float, independent: Sequence[str], *, seed: int = 7) -> list[Trio]:
    """TRIOS_A_SECOND a second, at moments that keep no step with anything; the last is decided before the end.

    independent: institutions no two of which are of one group; three at least.
    """
    draw = random.Random(seed)
    found = []
    for number in range(int(seconds * TRIOS_A_SECOND)):
        first = (number + draw.random()) / TRIOS_A_SECOND
        second = first + draw.uniform(*GAP_SECONDS)
        third = second + draw.uniform(*GAP_SECONDS)
        one, two, three = draw.sample(independent, 3)
        if third < seconds:
            found.append(Trio(f"trio-{number:05d}{INDICATOR_END}", (one, two, three), (first, second, third)))
    return found


def independent(institutions: Iterable[Mapping[str, Any]]) -> list[str]:
    """The ids of a registry's entries, one of each holding group."""
    chosen: dict[str, str] = {}
    for entry in institutions:
        chosen.setdefault(entry["group"] or entry["id"], entry["id"])
    return list(chosen.values())


def tickets_of(payloads: Iterable[tuple[str, bytes]], count: int) -> list[tuple[str, dict[str, Any]]]:
    """The first `count` messages that are tickets, of (institution, payload); fewer where there are fewer."""
    found: list[tuple[str, dict[str, Any]]] = []
    for institution, payload in payloads:
        if len(found) == count:
            break
        body = orjson.loads(payload)
        if body["kind"] == "ticket":
            found.append((institution, body))
    return found


def flood(bodies: Sequence[Mapping[str, Any]], count: int) -> list[dict[str, Any]]:
    """So many tickets, each a new one, of the given ones over and over. bodies: one at least."""
    kept = [{name: value for name, value in body.items() if name not in _ITS_OWN} for body in bodies]
    return [kept[index % len(kept)] | {"revision": 1, "action": "open"} for index in range(count)]


def flow_count(rate: float, seconds: float, planted: Sequence[Trio]) -> int:
    """How many tickets the flow has, so that with those planted it is `rate` a second."""
    return max(0, round(rate * seconds) - 3 * len(planted))


def plan(flow: Sequence[tuple[str, dict[str, Any]]], planted: Sequence[Trio], seconds: float) -> list[Planned]:
    """All in the order in which they are sent; the flow evenly spread over the time."""
    planned = [
        Planned((index + 0.5) * seconds / len(flow), institution, body, None)
        for index, (institution, body) in enumerate(flow)
    ]
    for index, trio in enumerate(planted):
        for institution, at_seconds in zip(trio.institutions, trio.at_seconds, strict=True):
            planned.append(Planned(at_seconds, institution, _hostile(trio.indicator), index))
    return sorted(planned, key=lambda one: one.at_seconds)


def plan_flood(institution: str, bodies: Sequence[dict[str, Any]], seconds: float) -> list[Planned]:
    """One institution's, evenly spread over the time."""
    step = seconds / max(1, len(bodies))
    return [Planned((index + 0.5) * step, institution, body, None) for index, body in enumerate(bodies)]


def stamped(planned: Iterable[Planned], begin_ms: float) -> Iterator[Stamped]:
    """With times of day: a ticket is detected when its first message is sent; and with numbers without gaps anew.

    A message that an exercise sends twice keeps its number, so that it is a duplicate here, too.
    """
    first_ms: dict[str, float] = {}
    numbers: dict[tuple[Any, ...], int] = {}
    last: dict[tuple[str, str], int] = {}
    for index, (at_seconds, institution, body, trio) in enumerate(planned):
        at_ms = begin_ms + at_seconds * 1000
        ticket_id = body.get("ticket_id", f"{institution}/latency/{index:07d}")
        detected = rfc3339(first_ms.setdefault(ticket_id, at_ms))
        feed = (institution, body["feed"])
        known = (*feed, body.get("seq_epoch"), body.get("seq", -index - 1))
        if known not in numbers:
            numbers[known] = last[feed] = last.get(feed, 0) + 1
        payload = {name: value for name, value in body.items() if name not in _TIMES} | {
            "institution": institution,
            "ticket_id": ticket_id,
            "environment": "production",
            "detected_at": detected,
            "created_at": detected,
            "sent_at": rfc3339(at_ms),
            "seq_epoch": "latency",
            "seq": numbers[known],
        }
        yield Stamped(at_seconds, institution, orjson.dumps(payload), trio)


def _hostile(indicator: str) -> dict[str, Any]:
    return {
        "schema": "fsoc.ticket/1",
        "kind": "ticket",
        "feed": "siem",
        "revision": 1,
        "action": "open",
        "category": "malicious-code.c2-server",
        "severity": 3,
        "is_incident": False,
        "confidence": 80,
        "status": "new",
        "trigger": {"kind": "manual"},
        "tlp": "amber",
        "attribution": "anonymous",
        "title": "Connection to a control server",
        "description": "An endpoint has asked for a name that is a control server's.",
        "attack_unmapped_reason": "under analysis",
        "observables": [{"type": "domain", "value": indicator, "role": "attacker"}],
        "assets": [{"ref": "endpoint-1", "type": "endpoint", "criticality": 3}],
    }
