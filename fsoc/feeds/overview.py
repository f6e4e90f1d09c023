"""Every feed at a glance: its figures, what it falls short of, and what rules say of it. Pure; reads no log."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from fsoc.feeds.contract import Breach, Contract, breaches
from fsoc.feeds.figures import DAY_MS, QUANTILES, FeedState, Figures, figures_of
from fsoc.feeds.quality import TAIPEI_MS, day_name
from fsoc.institutions.registry import Institution, Registry

TIER_UNKNOWN: Final = 3


@dataclass(frozen=True, slots=True)
class FeedView:
    """One feed. silent_ms: since its newest message; None where nothing ever came.

    alerts: titles of open alerts about it. is_known: the registry names it, or there is none at hand.
    """

    figures: Figures
    tier: int
    silent_ms: int | None
    breaches: Sequence[Breach]
    alerts: Sequence[str] = ()
    is_known: bool = True

    @property
    def is_well(self) -> bool:
        return not self.breaches and not self.alerts and not self.figures.missing

    def as_json(self) -> dict[str, Any]:
        one, day = self.figures, self.figures.day
        delays = {
            step: {f"p{per_cent}": sketch.quantile(per_cent) for per_cent in QUANTILES}
            for step, sketch in (("detected_to_sent_ms", day.sent), ("sent_to_received_ms", day.received))
        }
        return {
            "institution": one.institution,
            "feed": one.feed,
            "tier": self.tier,
            "tickets": day.tickets,
            "used": day.used,
            "duplicate": day.duplicate,
            "late": day.late,
            "quarantined": day.quarantined,
            "heartbeats": day.heartbeats,
            **delays,
            "sent_after_received": day.ahead,
            "noted": day.noted,
            "noted_share": one.noted,
            "rejected_share": one.rejected,
            "duplicate_share": one.duplicate,
            "late_share": one.late,
            "missing_share": one.missing_share,
            "missing_total": one.missing_total,
            "missing": [{"seq_epoch": epoch, "first": first, "last": last} for epoch, first, last in one.missing],
            "given_up": one.forgotten,
            "clock_offset_ms": day.clock_ms,
            "sensors": day.sensors,
            "sensors_up_per_mille": day.sensors_up_per_mille,
            "events_seen": day.events,
            "tickets_opened": day.tickets_opened,
            "baseline_version": day.baseline,
            "last_seen_ms": one.last_seen_ms,
            "silent_ms": self.silent_ms,
            "breaches": [{"measure": one.measure, "seen": one.seen, "allowed": one.allowed} for one in self.breaches],
            "alerts": list(self.alerts),
        }


def overview(
    states: Mapping[str, FeedState],
    registry: Registry,
    contract: Contract,
    *,
    now_ms: int,
    days: int,
    alerts: Mapping[tuple[str, str], Sequence[str]],
) -> list[FeedView]:
    """The registry's institutions, then others that the state has, each with its feeds; over `days` up to now."""
    wanted = days_until(now_ms, days)
    views: list[FeedView] = []
    for name in dict.fromkeys([*registry.institutions, *states]):
        institution = registry.get(name)
        for figures in feeds_of(name, institution, states.get(name), wanted):
            told = alerts.get((name, figures.feed), ())
            views.append(view_of(figures, institution, contract, wanted, now_ms, told))
    return views


def feeds_of(name: str, institution: Institution | None, state: FeedState | None, days: Sequence[str]) -> list[Figures]:
    """Figures of what came, and of feeds that the registry names and nothing came of."""
    found = {one.feed: one for one in figures_of(state, days)} if state is not None else {}
    for feed in institution.feeds if institution is not None else ():
        if feed not in found:
            found[feed] = Figures.nothing(name, feed)
    return [found[feed] for feed in sorted(found, key=lambda feed: (not feed, feed))]


def view_of(
    figures: Figures,
    institution: Institution | None,
    contract: Contract,
    days: Sequence[str],
    now_ms: int,
    alerts: Sequence[str] = (),
    *,
    is_past: bool = False,
) -> FeedView:
    """Hold one feed to its institution's tier. is_past: of days that are over: how silent it is now says nothing."""
    tier = institution.tier if institution is not None else TIER_UNKNOWN
    terms = contract.of(tier)
    is_known = institution is None or institution.has_feed(figures.feed)
    if not figures.feed:  # what belongs to no feed has neither heartbeats nor a voice to fall silent
        return FeedView(figures, tier, None, breaches(figures, terms), alerts)
    last = figures.last_seen_ms
    silent_ms = None if last is None else max(now_ms - last, 0)
    silence = None if is_past else math.inf if silent_ms is None else silent_ms
    heartbeats = figures.heartbeats_share(days, day_of(now_ms), terms.heartbeat_interval)
    found = breaches(figures, terms, silent_ms=silence, heartbeats=heartbeats)
    return FeedView(figures, tier, silent_ms, found, alerts, is_known)


def day_of(at_ms: int) -> str:
    """Taipei's day."""
    return day_name((at_ms + TAIPEI_MS) // DAY_MS)


def days_until(now_ms: int, days: int) -> list[str]:
    """So many days, today the last."""
    last = (now_ms + TAIPEI_MS) // DAY_MS
    return [day_name(number) for number in range(last - days + 1, last + 1)]


def days_of_month(year: int, month: int) -> list[str]:
    """Every day of it."""
    first = date(year, month, 1)
    days = (first + timedelta(days=number) for number in range(31))
    return [day.isoformat() for day in days if day.month == month]


def newest_ms(states: Iterable[FeedState]) -> int:
    """The newest message of all: what ages are told against where nothing is of the present. 0 where there is none."""
    seen = [
        epoch["last_seen_ms"] or 0
        for state in states
        for epochs in state.header["feeds"].values()
        for epoch in epochs.values()
    ]
    read = [state.header.get("read_until_ms") or 0 for state in states]
    return max([*seen, *read], default=0)
