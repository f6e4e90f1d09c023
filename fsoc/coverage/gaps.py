"""What is not covered, the gravest first: by what attackers were seen to use against several institutions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fsoc.coverage.judge import STATUSES, Member, Norm, Status


class Raised(Protocol):
    """What is asked of an alert."""

    @property
    def alert_id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def environment(self) -> str: ...
    @property
    def raised_ms(self) -> int: ...
    @property
    def techniques(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Gap:
    """One item that somebody who must have it does not cover.

    alerts: joint alerts of the window whose techniques it would have shown. lacking: status → institutions, the
    covered ones left out. asked: how many must have it.
    """

    item: str
    alerts: int
    lacking: Mapping[Status, tuple[str, ...]]
    asked: int

    @property
    def institutions(self) -> int:
        return sum(map(len, self.lacking.values()))


def used_in(alerts: Iterable[Raised], environment: str, since_ms: int, norm: Norm) -> dict[str, frozenset[str]]:
    """Technique → the joint alerts that named it, of this environment and since then; retracted and merged are none.

    A technique is used where a sub-technique of it is, and the other way round: who sees one has a part of the other.
    """
    found: dict[str, set[str]] = {}
    for alert in alerts:
        if alert.kind != "joint" or alert.status in ("retracted", "merged") or alert.environment != environment:
            continue
        if alert.raised_ms < since_ms:
            continue
        for name in alert.techniques:
            technique = norm.techniques.resolve(name)
            if technique is not None:
                found.setdefault(technique.id, set()).add(alert.alert_id)
    return {technique: frozenset(several) for technique, several in found.items()}


def gaps(members: Sequence[Member], norm: Norm, used: Mapping[str, frozenset[str]]) -> list[Gap]:
    """Items with something lacking: most joint alerts first, then most institutions without it, then by id."""
    found: list[Gap] = []
    alerts = alerts_of(norm, used)
    for item in norm.baseline.items:
        states = [(member.institution.id, member.items[item].status) for member in members if item in member.items]
        told: dict[Status, tuple[str, ...]] = {}
        for status in STATUSES:
            names = tuple(name for name, has in states if has == status)
            if names and status != "covered":
                told[status] = names
        if told:
            found.append(Gap(item, alerts[item], told, len(states)))
    return sorted(found, key=lambda gap: (-gap.alerts, -gap.institutions, gap.item))


def alerts_of(norm: Norm, used: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Item → how many of these alerts named a technique that it makes seen."""
    return {
        item: len({alert for technique in sees for alert in _alerts(technique, used)})
        for item, sees in norm.sees.items()
    }


def _alerts(technique: str, used: Mapping[str, frozenset[str]]) -> frozenset[str]:
    related = [name for name in used if name == technique or _is_of(name, technique) or _is_of(technique, name)]
    return frozenset().union(*(used[name] for name in related))


def _is_of(part: str, whole: str) -> bool:
    return part.startswith(f"{whole}.")
