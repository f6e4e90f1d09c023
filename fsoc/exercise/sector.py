"""The institutions of an exercise: who they are, how large, and the habits that make their tickets their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal

from fsoc.exercise.levels import LEVELS
from fsoc.exercise.spec import ExerciseSpec

LARGEST_TO_SMALLEST = 20
NOISY_FACTOR = 10

# Sector, its share, what its names end in (Traditional Chinese, English).
_SECTORS = (
    ("bank", 16, "商業銀行", "Commercial Bank"),
    ("securities", 9, "證券", "Securities"),
    ("insurance", 8, "人壽保險", "Life Insurance"),
    ("payment", 4, "電子支付", "E-Payment"),
    ("futures", 2, "期貨", "Futures"),
    ("investment_trust", 1, "投信", "Investment Trust"),
)
# Invented: two syllables that name no institution there is.
_FIRST = (
    ("晴", "Qing"),
    ("嵐", "Lan"),
    ("墨", "Mo"),
    ("翠", "Cui"),
    ("澄", "Cheng"),
    ("蒼", "Cang"),
    ("棠", "Tang"),
    ("楓", "Feng"),
    ("柏", "Bo"),
    ("磐", "Pan"),
    ("朔", "Shuo"),
    ("霞", "Xia"),
    ("岑", "Cen"),
    ("硯", "Yan"),
    ("汐", "Xi"),
    ("榕", "Rong"),
    ("鷺", "Lu"),
    ("梧", "Wu"),
)
_SECOND = (
    ("川", "chuan"),
    ("嶺", "ling"),
    ("湖", "hu"),
    ("禾", "he"),
    ("峰", "feng"),
    ("洲", "zhou"),
    ("汀", "ting"),
    ("原", "yuan"),
    ("岡", "gang"),
    ("渚", "zhu"),
    ("野", "ye"),
    ("橋", "qiao"),
    ("洋", "yang"),
    ("谷", "gu"),
)
_HOLDING_SIZES = (3, 2, 3)
_TICKET_IDS = (
    "{number:03d}-{count:06d}",
    "INC{number:03d}{count:06d}",
    "{id}/2026/{count:05d}",
    "SOC-{number:03d}-{count}",
)


@dataclass(frozen=True, slots=True)
class Member:
    """One institution and its habits.

    weight: its share of the background is weight / sum of weights.
    skew_ms: its clock minus the true one.
    hours: weights of the 24 hours of a UTC day. always_open: its weekends are hardly quieter.
    noisy: writes NOISY_FACTOR times what its size would let expect, in bursts.
    inflates: claims volumes that no line carries.
    attack_version: of the ATT&CK ids it writes.
    baseline_version: the monitoring baseline in force when the exercise begins.
    tastes: factor on each kind of background; two institutions differ in what they see.
    chinese: tickets are titled in Traditional Chinese.
    local_time: it writes +08:00 rather than Z.
    gives_occurrence: it fills in when something happened, not only when it was noticed.
    """

    number: int
    id: str
    name: str
    name_zh: str
    sector: str
    tier: int
    group: str | None
    feeds: tuple[str, ...]
    weight: float
    skew_ms: int
    hours: tuple[float, ...]
    always_open: bool
    tastes: tuple[float, ...]
    chinese: bool
    local_time: bool
    gives_occurrence: bool
    tlp: str
    hosts: str
    attack_version: Literal["18.1", "19"]
    baseline_version: str
    ticket_id_pattern: str
    noisy: bool = False
    inflates: bool = False

    @property
    def independent(self) -> str:
        """What counts once: the holding group, or the institution itself where it has none."""
        return self.group or self.id

    def ticket_id(self, count: int) -> str:
        return self.ticket_id_pattern.format(number=self.number, id=self.id, count=count)

    def registry_entry(self) -> dict[str, Any]:
        """Its entry in the institutions file."""
        return {
            "id": self.id,
            "name": self.name,
            "name_zh": self.name_zh,
            "sector": self.sector,
            "tier": self.tier,
            "group": self.group,
            "feeds": list(self.feeds),
        }


def found_sector(rng: Random, spec: ExerciseSpec, *, kinds: int) -> list[Member]:
    """As many institutions as asked for, numbered from 1; kinds is how many kinds of background have a taste."""
    count = spec.institutions
    steps = range(count)
    sizes = [LARGEST_TO_SMALLEST ** (step / (count - 1)) for step in steps]
    rng.shuffle(sizes)
    sectors = rng.choices(_SECTORS, [share for _, share, _, _ in _SECTORS], k=count)
    names = [(first, second) for first in _FIRST for second in _SECOND]
    rng.shuffle(names)
    groups = _holdings(rng, count)
    members = []
    for step in steps:
        sector, _, ends_zh, ends = sectors[step]
        (first_zh, first), (second_zh, second) = names[step % len(names)]
        again = step // len(names)  # more institutions than names: the same name in another place
        number = step + 1
        members.append(
            Member(
                number=number,
                id=f"fi-{number:03d}",
                name=f"{first}{second} {ends}" + (f" {again + 1}" if again else ""),
                name_zh=f"{first_zh}{second_zh}{ends_zh}" + (f"第{again + 1}" if again else ""),
                sector=sector,
                tier=1 if sizes[step] > 8 else 2 if sizes[step] > 2.5 else 3,
                group=groups[step],
                feeds=("siem", "edr") if sizes[step] > 8 else ("siem",),
                weight=sizes[step],
                skew_ms=rng.randint(-90_000, 90_000) if rng.random() < 0.3 else rng.randint(-900, 900),
                hours=_working_day(rng, sector),
                always_open=sector == "payment",
                tastes=tuple(rng.gammavariate(1.5, 1.0) + 0.05 for _ in range(kinds)),
                chinese=rng.random() < 0.6,
                local_time=rng.random() < 0.7,
                gives_occurrence=rng.random() < 0.75,
                tlp=rng.choices(("amber", "amber+strict", "green"), (70, 20, 10))[0],
                hosts=f"{first[:2]}{second[:2]}".upper(),
                attack_version=rng.choices(("18.1", "19"), (65, 35))[0],
                baseline_version=rng.choices(("2026.1", "2025.4", "2025.3"), (75, 20, 5))[0],
                ticket_id_pattern=rng.choice(_TICKET_IDS),
            )
        )
    return _characters(rng, members, spec)


def _characters(rng: Random, members: list[Member], spec: ExerciseSpec) -> list[Member]:
    """Make some noisy and some boastful. The noisy are small, so that ten times as much is not half of the sector."""
    level = LEVELS[spec.noise]
    small = sorted(members, key=lambda member: member.weight)[: max(2, len(members) // 3)]
    noisy = {member.id for member in rng.sample(small, level.noisy)}
    boastful = {member.id for member in rng.sample(members, level.inflators)}
    return [
        replace(
            member,
            noisy=member.id in noisy,
            inflates=member.id in boastful,
            weight=member.weight * (NOISY_FACTOR if member.id in noisy else 1),
        )
        for member in members
    ]


def _holdings(rng: Random, count: int) -> list[str | None]:
    """About a third of all institutions belong to a holding group of two or three."""
    groups: list[str | None] = [None] * count
    order = list(range(count))
    rng.shuffle(order)
    taken, number = 0, 0
    while taken < count // 3 - 2:
        size = _HOLDING_SIZES[number % len(_HOLDING_SIZES)]
        number += 1
        for index in order[taken : taken + size]:
            groups[index] = f"holding-{number:02d}"
        taken += size
    return groups


def _working_day(rng: Random, sector: str) -> tuple[float, ...]:
    """Busy by Taipei's day, each with a peak and a night of its own."""
    opens = 1 + rng.randint(-1, 1)  # 09:00 in Taipei is 01:00 UTC
    closes = opens + rng.randint(8, 12)
    night = rng.uniform(0.3, 0.6) if sector == "payment" else rng.uniform(0.05, 0.35)
    peak = rng.randrange(opens, closes)
    weights = [1.0 if opens <= hour < closes else night for hour in range(24)]
    weights[peak % 24] *= rng.uniform(1.3, 2.5)
    return tuple(weights)
