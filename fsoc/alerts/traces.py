"""What campaigns need to know of an alert and its body does not say. Pure: a function of its entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fsoc.correlation.entries import Entry


class Traces(NamedTuple):
    """Of the entries of one alert.

    members: (institution, what counts once of it), sorted. attack: (tactic, technique, first, last event time), sorted.
    first_ms, last_ms: event times of the first and the last ticket.
    """

    members: tuple[tuple[str, str], ...]
    attack: tuple[tuple[str, str, int, int], ...]
    first_ms: int
    last_ms: int


def traces_of(entries: Iterable[Entry]) -> Traces:
    """entries: in order, at least one of them no intel; of that nothing is told."""
    members: dict[str, str] = {}
    attack: dict[tuple[str, str], tuple[int, int]] = {}
    first_ms = last_ms = None
    for entry in entries:
        if entry.is_intel:
            continue
        at = entry.event_time_ms
        first_ms = at if first_ms is None else first_ms
        last_ms = at
        members[entry.institution] = entry.member
        for pair in entry.attack:
            attack[pair] = (attack.get(pair, (at, at))[0], at)
    assert first_ms is not None and last_ms is not None  # noqa: S101, PT018 - an alert has entries
    return Traces(
        tuple(sorted(members.items())),
        tuple((*pair, *times) for pair, times in sorted(attack.items())),
        first_ms,
        last_ms,
    )
