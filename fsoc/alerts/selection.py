"""Which alerts somebody wants to see. Pure: now is the newest event time that was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fsoc.alerts.read import ReadAlert

LEVELS: Final = ("informational", "low", "medium", "high", "critical")
STATUSES: Final = ("open", "final", "retracted", "merged")


@dataclass(frozen=True, slots=True)
class Selection:
    """All that is asked must hold; what is empty or None asks nothing.

    level: this one or a graver one. rule: its id, or a part of its title in either language.
    institutions: one of them is in it. since_ms: last seen then or later. since_span_ms: or not longer ago than this.
    suppressed: these too.
    """

    level: str | None = None
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    rule: str | None = None
    institutions: tuple[str, ...] = ()
    since_ms: int | None = None
    since_span_ms: int | None = None
    suppressed: bool = False

    def holds(self, alert: ReadAlert, now_ms: int) -> bool:
        """now_ms: what `since_span_ms` counts back from."""
        return (
            (self.suppressed or alert.suppressed is None)
            and (self.level is None or _rank(alert.level) >= _rank(self.level))
            and (not self.kinds or alert.kind in self.kinds)
            and (not self.statuses or alert.status in self.statuses)
            and (self.rule is None or _is_of(alert, self.rule))
            and (not self.institutions or not set(self.institutions).isdisjoint(alert.institutions))
            and (self.since_ms is None or alert.last_seen_ms >= self.since_ms)
            and (self.since_span_ms is None or alert.last_seen_ms >= now_ms - self.since_span_ms)
        )


def _rank(level: str) -> int:
    """A level that is not known is looked at rather than left out."""
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def _is_of(alert: ReadAlert, rule: str) -> bool:
    asked = rule.casefold()
    return alert.rule_id == rule or any(asked in title.casefold() for title in (alert.rule_title, alert.rule_title_zh))
