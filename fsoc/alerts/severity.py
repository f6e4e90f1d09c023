"""How severe an alert is, 0 to 5 in OCSF's words, and by which reasons. Pure.

Ten points are one step. An institution's own word for its gravest ticket makes eight of every ten, so that an alert on
which everything speaks is more severe than any of its tickets, and one on which nothing else does is a step less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from fsoc.alerts.facts import Facts, base_of, tactics_of

STEP: Final = 10
OWN: Final = 8
"""Points for each step of the gravest ticket's own severity."""
SEVERITY_MAX: Final = 5
NAMES: Final = ("Unknown", "Informational", "Low", "Medium", "High", "Critical")
NAMES_ZH: Final = ("未知", "資訊", "低", "中", "高", "嚴重")
"""By OCSF's severity_id."""

TACTICS: Final[Mapping[str, int]] = {
    "reconnaissance": 0,
    "resource-development": 0,
    "initial-access": 1,
    "execution": 1,
    "persistence": 1,
    "privilege-escalation": 2,
    "stealth": 1,
    "defense-impairment": 2,
    "credential-access": 3,
    "discovery": 0,
    "lateral-movement": 3,
    "collection": 2,
    "command-and-control": 2,
    "exfiltration": 4,
    "impact": 5,
}
"""In ATT&CK's order. What it means for an institution if a step of this kind succeeds, not how far along it stands:
credentials and a second machine are worth more to an intruder than a first foothold, and what cannot be undone, data
that is gone or a service that is down, most."""

TECHNIQUES: Final[Mapping[str, int]] = {
    "T1003": 4,  # OS Credential Dumping: of everyone who logs on there
    "T1485": 6,  # Data Destruction
    "T1486": 6,  # Data Encrypted for Impact
    "T1490": 6,  # Inhibit System Recovery
    "T1561": 6,  # Disk Wipe
    "T1565": 6,  # Data Manipulation: of payments, for one
    "T1657": 6,  # Financial Theft
}
"""Those that are graver than their tactic; a sub-technique is as grave as its technique."""

CRITICALITY: Final = (0, 0, 0, 1, 3, 4)
"""By the criticality of the most critical asset; 0 is none named."""

MEMBERS: Final = ((20, 10), (10, 8), (5, 6), (4, 5), (3, 4), (2, 2))
"""(independent institutions at least, points)"""

NOVEL_MAX: Final = 3
SUPPLIER: Final = 2


class Reason(NamedTuple):
    """One thing that speaks for a severity."""

    text: str
    text_zh: str
    points: int


OF_RULE: Final = Reason(
    "it is about the rule that triggered the tickets, not about what they report",
    "本告警係關於觸發事件單之規則本身，而非事件單所載內容",
    STEP,
)
"""All that is said of such an alert: informational, whatever its tickets claim."""


def severity(reasons: Sequence[Reason]) -> int:
    """What the reasons add up to."""
    return min(SEVERITY_MAX, sum(reason.points for reason in reasons) // STEP)


def reasons_of(facts: Facts) -> Iterator[Reason]:
    """What speaks for it, the tickets' own severity first; what adds nothing is not named."""
    if facts.of_rule:
        yield OF_RULE
        return
    own = min(facts.severity, SEVERITY_MAX)
    yield Reason(
        f"the gravest ticket is of severity {own} ({NAMES[own]})",
        f"最嚴重之事件單嚴重度為 {own}（{NAMES_ZH[own]}）",
        own * OWN,
    )
    named, points = _gravest(facts)
    if points:
        yield Reason(f"ATT&CK: {named}", f"ATT&CK：{named}", points)
    points = CRITICALITY[min(facts.criticality, len(CRITICALITY) - 1)]
    if points:
        yield Reason(
            f"an asset of criticality {facts.criticality} of 5 is concerned",
            f"涉及重要性 {facts.criticality}（最高 5）之資產",
            points,
        )
    points = next((points for least, points in MEMBERS if facts.members >= least), 0)
    if points:
        yield Reason(f"{facts.members} independent institutions", f"{facts.members} 家獨立機構", points)
    if facts.novel:
        yield Reason(
            f"new or surging at {facts.novel} of them, by their own past",
            f"其中 {facts.novel} 家為首見或較自身過往激增",
            min(facts.novel, NOVEL_MAX),
        )
    if facts.by_supplier:
        yield Reason("they have a supplier in common", "共同委外廠商", SUPPLIER)


def _gravest(facts: Facts) -> tuple[str, int]:
    """The tactic or technique that weighs most, and how much."""
    weights = {tactic: TACTICS.get(tactic, 0) for tactic in tactics_of(facts.attack)}
    weights |= {technique: TECHNIQUES.get(base_of(technique), 0) for _, technique in facts.attack}
    return max(weights.items(), key=lambda item: (item[1], item[0]), default=("", 0))
