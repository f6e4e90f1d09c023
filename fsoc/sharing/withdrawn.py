"""What a statement said once and says no more, so that whoever was told can be told that too. Pure.

Nobody is told of what it was never told: of each value is kept when it was withdrawn, and it is named to those alone
who had been told of the alert before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

from fsoc.sharing.statement import Statement
from fsoc.tickets.times import rfc3339

WITHDRAWN_MAX: Final = 200
"""Of one alert that are kept; past that those leave that were withdrawn longest ago."""

LETTERS_MAX: Final = 60_000
"""Of all these values together, in the same way: a record must fit into the log."""


class Withdrawn(NamedTuple):
    """What was withdrawn once. type: of the indicator, `sigma` or `technique`. is_told: it is said again now.

    at_ms: when it was withdrawn last. before_ms: the time before that; 0 where there was none.
    """

    type: str
    value: str
    is_told: bool
    at_ms: int
    before_ms: int


def withdrawn(
    known: Sequence[Withdrawn], before: Statement | None, after: Statement | None, at_ms: int
) -> tuple[Withdrawn, ...]:
    """What has been withdrawn after a statement took the place of another one. at_ms: when it did."""
    told, now = set(_said(before)), set(_said(after))
    found = {(one.type, one.value): one._replace(is_told=(one.type, one.value) in now) for one in known}
    for key in sorted(told - now):
        earlier = found.pop(key, None)  # to the end: withdrawn last
        found[key] = Withdrawn(*key, False, at_ms, 0 if earlier is None else earlier.at_ms)
    newest = sorted(found.values(), key=lambda one: (one.at_ms, one[:2]), reverse=True)[:WITHDRAWN_MAX]
    letters = accumulate(len(one.value) for one in newest)
    return tuple(one for one, sum_ in zip(newest, letters, strict=True) if sum_ <= LETTERS_MAX)[::-1]


def wire(known: Sequence[Withdrawn], since_ms: int) -> Iterator[dict[str, Any]]:
    """What of it concerns one institution that is told since then, as its record has it."""
    for one in known:
        earlier_ms = one.at_ms if one.is_told else one.before_ms
        if one.at_ms > since_ms:
            earlier = rfc3339(earlier_ms) if earlier_ms > since_ms else None
            yield {"type": one.type, "value": one.value, "is_told": one.is_told, "earlier": earlier}


def _said(said: Statement | None) -> Iterator[tuple[str, str]]:
    if said is None:
        return
    yield from ((one["type"], one["value"]) for one in said["indicators"])
    yield from (("sigma", one["title"]) for one in said["hunt"])
    yield from (("technique", one["technique"]) for one in said["techniques"])
