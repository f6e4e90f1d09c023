"""Several institutions as one: a tier, a sector, all of them; and one alone, drawn alike. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fsoc.coverage.judge import STATUSES, Member, Norm, Status

By = Literal["all", "tier", "sector", "institution"]


@dataclass(frozen=True, slots=True)
class Group:
    """name: what files and tables call it, such as `tier-1`. title, title_zh: for people.

    techniques: technique → how many of its members have it in each status, of those that must see it.
    """

    by: By
    name: str
    title: str
    title_zh: str
    members: Sequence[Member]
    techniques: Mapping[str, Mapping[Status, int]]

    @property
    def counts(self) -> Mapping[Status, int]:
        """Items of all members together."""
        return {status: sum(member.count(status) for member in self.members) for status in STATUSES}

    @property
    def share(self) -> float | None:
        """Of all items that its members must have, those that are covered."""
        counts = self.counts
        total = sum(counts.values())
        return counts["covered"] / total if total else None


def group_of(by: By, name: str, title: str, title_zh: str, members: Sequence[Member], norm: Norm) -> Group:
    found: dict[str, Counter[Status]] = {}
    for member in members:
        for technique, status in member.techniques(norm).items():
            found.setdefault(technique, Counter())[status] += 1
    techniques = {
        technique: {status: counts[status] for status in STATUSES if counts[status]}
        for technique, counts in sorted(found.items())
    }
    return Group(by, name, title, title_zh, members, techniques)


def groups_of(members: Sequence[Member], norm: Norm, by: Sequence[By]) -> list[Group]:
    """Groups of these kinds, in their order; within a kind by number or name, institutions in their own order."""
    made: list[Group] = []
    for kind in by:
        if kind == "all":
            made.append(group_of("all", "all", "All institutions", "全體機構", members, norm))
        elif kind == "tier":
            for tier in sorted({member.institution.tier for member in members}):
                several = [member for member in members if member.institution.tier == tier]
                made.append(group_of("tier", f"tier-{tier}", f"Tier {tier}", f"第 {tier} 級", several, norm))
        elif kind == "sector":
            for sector in sorted({member.institution.sector for member in members}):
                several = [member for member in members if member.institution.sector == sector]
                made.append(group_of("sector", f"sector-{sector}", f"Sector {sector}", f"業別 {sector}", several, norm))
        else:
            for member in members:
                one = member.institution
                made.append(group_of("institution", one.id, f"{one.name} ({one.id})", one.name_zh, [member], norm))
    return made


def status_of(counts: Mapping[Status, int]) -> Status:
    """What one word says of several: that of most of them; of two alike the worse."""
    return max(counts, key=lambda status: (counts[status], STATUSES.index(status)))


def covered_share(counts: Mapping[Status, int]) -> float:
    """counts: of one at least."""
    return counts.get("covered", 0) / sum(counts.values())
