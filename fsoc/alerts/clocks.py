"""When what must be reported of an alert is due, by the clocks that the joint SOC keeps. Pure: none is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fsoc.correlation.policy import Clock
from fsoc.tickets.times import rfc3339


def running(
    clocks: Iterable[Clock], *, grade: int, severity: int, kind: str, level: str, raised_ms: int, first_seen_ms: int
) -> Iterator[dict[str, Any]]:
    """Those that run for such an alert, the first to be due first."""
    started = [
        (raised_ms if clock.starts_at == "raised_at_event_time" else first_seen_ms, clock)
        for clock in clocks
        if clock.runs(grade=grade, severity=severity, kind=kind, level=level)
    ]
    for starts_ms, clock in sorted(started, key=lambda one: (one[0] + one[1].span_ms, one[1].id)):
        yield {
            "id": clock.id,
            "name": clock.name,
            "name_zh": clock.name_zh,
            "starts_at": rfc3339(starts_ms),
            "due_at": rfc3339(starts_ms + clock.span_ms),
        }
