"""Each item of the baseline at one institution: covered, declared-only, silent, outdated or missing. Pure.

What the words mean exactly: README.md. An institution is asked for the items of its tier, and for no others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, Protocol

from fsoc.attack.techniques import Techniques
from fsoc.baseline.model import Baseline, Item
from fsoc.coverage.seen import Seen
from fsoc.institutions.registry import Institution

Status = Literal["covered", "declared-only", "silent", "outdated", "missing"]
STATUSES: Final[tuple[Status, ...]] = ("covered", "declared-only", "silent", "outdated", "missing")
"""From the best to the worst; of several items that see a technique, the best counts."""

DAY_MS: Final = 86_400_000
WINDOW_MS: Final = 90 * DAY_MS
"""How far back a ticket shows that an item works."""
SILENT_AFTER_MS: Final = DAY_MS
"""Without a heartbeat for so long, what was declared is no longer relied upon."""

_is_version = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}").fullmatch


class Tagged(Protocol):
    """What is asked of a detection."""

    @property
    def id(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Norm:
    """What everybody is held against.

    older: baselines that were published before, by version: of which an institution may still have the items.
    sees: item's id → the techniques it makes seen: its own and those of its detections, in the newest words.
    """

    baseline: Baseline
    techniques: Techniques
    older: Mapping[str, Baseline]
    sees: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls, baseline: Baseline, techniques: Techniques, rules: Iterable[Tagged], older: Iterable[Baseline] = ()
    ) -> Norm:
        tags = {rule.id: rule.tags for rule in rules}
        sees = {item.id: _sees(item, tags, techniques) for item in baseline.items.values()}
        return cls(baseline, techniques, {each.version: each for each in older}, sees)

    @property
    def baselines(self) -> tuple[Baseline, ...]:
        return self.baseline, *self.older.values()


def _sees(item: Item, tags: Mapping[str, Sequence[str]], techniques: Techniques) -> tuple[str, ...]:
    own = techniques.resolve(item.technique)
    found = [own.id] if own is not None else []
    found += [technique.id for rule in item.rules for technique in techniques.techniques(tags.get(rule, ()))]
    return tuple(dict.fromkeys(found))


class ItemState(NamedTuple):
    """One item at one institution. tickets: that named it within the window, at most as many as are remembered."""

    status: Status
    tickets: int = 0
    newest_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One institution.

    version: of the baseline, as it declares; the oldest where its feeds differ. None where it declares none.
    items: the state of each item that its tier must have. own: techniques that its own rules and people named within
    the window, and how many tickets did.
    """

    institution: Institution
    version: str | None
    is_silent: bool
    heard_ms: int | None
    items: Mapping[str, ItemState]
    own: Mapping[str, int] = field(default_factory=dict)
    unknown: int = 0

    def count(self, status: Status) -> int:
        return sum(state.status == status for state in self.items.values())

    @property
    def share(self) -> float | None:
        """Of the items that it must have, those that are covered."""
        return self.count("covered") / len(self.items) if self.items else None

    def techniques(self, norm: Norm) -> dict[str, Status]:
        """Each technique that its items see, as the best of them has it."""
        found: dict[str, Status] = {}
        for name, state in self.items.items():
            for technique in norm.sees[name]:
                known = found.get(technique)
                if known is None or STATUSES.index(state.status) < STATUSES.index(known):
                    found[technique] = state.status
        return found


def judge(
    institution: Institution,
    seen: Seen,
    norm: Norm,
    *,
    now_ms: int,
    window_ms: int = WINDOW_MS,
    silent_after_ms: int = SILENT_AFTER_MS,
) -> Member:
    """now_ms: what the window and silence are reckoned from."""
    since_ms = now_ms - window_ms
    version = _declared(seen)
    # Who has never sent a heartbeat is not silent of what it never said: its tickets are all there is.
    is_silent = seen.heard_ms is not None and seen.heard_ms < now_ms - silent_after_ms
    items = {}
    for item in norm.baseline.of_tier(institution.tier):
        within = [at_ms for at_ms in seen.items.get(item.id, {}).values() if at_ms >= since_ms]
        status = _status(item, version, is_silent=is_silent, is_shown=bool(within), norm=norm)
        items[item.id] = ItemState(status, len(within), max(within, default=None))
    own = {name: sum(at_ms >= since_ms for at_ms in tickets.values()) for name, tickets in seen.own.items()}
    told = {name: count for name, count in sorted(own.items()) if count}
    return Member(institution, version, is_silent, seen.heard_ms, items, told, seen.unknown)


def _status(item: Item, version: str | None, *, is_silent: bool, is_shown: bool, norm: Norm) -> Status:
    if version is None or order_of(version) is None:
        return "missing"
    before = norm.older.get(version)
    if before is not None and version != norm.baseline.version and item.id not in before.items:
        return "missing"
    if is_silent:
        return "silent"
    if _is_older(version, norm.baseline.version):
        return "outdated"
    return "covered" if is_shown else "declared-only"


def _declared(seen: Seen) -> str | None:
    """The oldest that its feeds told last; what is no version is older than any. Else what its tickets say."""
    told = [declared.version for declared in seen.declared.values()]
    if told:
        return min(told, key=lambda version: (order_of(version) or (), version))
    return seen.said.version if seen.said is not None else None


def order_of(version: str) -> tuple[int, ...] | None:
    """Sorts versions as numbers: 2026.4 < 2026.10 < 2027.1; None of what is no version."""
    return tuple(map(int, version.split("."))) if _is_version(version) else None


def _is_older(version: str, than: str) -> bool:
    one, other = order_of(version), order_of(than)
    return one is not None and other is not None and one < other


def judge_all(
    institutions: Collection[Institution],
    all_seen: Mapping[str, Seen],
    norm: Norm,
    *,
    now_ms: int,
    window_ms: int = WINDOW_MS,
    silent_after_ms: int = SILENT_AFTER_MS,
) -> list[Member]:
    """Every institution, in their order; who is suspended takes no part."""
    return [
        judge(
            one,
            all_seen.get(one.id) or Seen(),
            norm,
            now_ms=now_ms,
            window_ms=window_ms,
            silent_after_ms=silent_after_ms,
        )
        for one in institutions
        if not one.suspended
    ]
