"""The data-quality report of a month (監控設備狀況單 roll-up): what is in it. Pure; writes no document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fsoc.feeds.contract import Contract
from fsoc.feeds.figures import FeedState, Figures, together
from fsoc.feeds.overview import FeedView, day_of, days_of_month, feeds_of, view_of
from fsoc.institutions.registry import Institution, Registry


@dataclass(frozen=True, slots=True)
class Member:
    """One institution's month. whole: all its feeds as one."""

    id: str
    name: str
    name_zh: str
    tier: int
    feeds: Sequence[FeedView]
    whole: Figures

    @property
    def breaches(self) -> int:
        return sum(len(view.breaches) for view in self.feeds)


@dataclass(frozen=True, slots=True)
class Report:
    """A month of one institution, or of the sector.

    days: of the month, by name. until: the day the figures go to, where the month is not over. now_ms: of the newest
    message that the state has.
    """

    year: int
    month: int
    days: Sequence[str]
    until: str | None
    now_ms: int
    only: str | None
    members: Sequence[Member]
    sector: Figures
    contract: Contract

    @classmethod
    def of(
        cls,
        states: Mapping[str, FeedState],
        registry: Registry,
        contract: Contract,
        year: int,
        month: int,
        *,
        only: str | None,
        now_ms: int,
    ) -> Report:
        """only: of this institution alone; None is all that the registry or the state names, in that order."""
        days = days_of_month(year, month)
        names = [only] if only is not None else list(dict.fromkeys([*registry.institutions, *states]))
        members = [_member(name, registry.get(name), states.get(name), contract, days, now_ms) for name in names]
        today = day_of(now_ms)
        until = today if days[0] <= today <= days[-1] else None
        sector = together("", [member.whole for member in members])
        return cls(year, month, days, until, now_ms, only, members, sector, contract)

    @property
    def is_empty(self) -> bool:
        """Nothing came in this month, of anybody."""
        return not self.sector.by_day

    @property
    def name(self) -> str:
        return f"{self.year}-{self.month:02}"


def _member(
    name: str,
    institution: Institution | None,
    state: FeedState | None,
    contract: Contract,
    days: Sequence[str],
    now_ms: int,
) -> Member:
    feeds = [
        view_of(figures, institution, contract, days, now_ms, is_past=True)
        for figures in feeds_of(name, institution, state, days)
        if figures.feed or figures.day.tickets
    ]
    whole = together(name, [view.figures for view in feeds])
    tier = institution.tier if institution is not None else 3
    said = (institution.name, institution.name_zh) if institution is not None else (name, name)
    return Member(name, *said, tier, feeds, whole)
