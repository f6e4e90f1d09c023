"""Which level, 1 to 4, a person might give the incident; only a suggestion. Pure.

The regulation (資通安全事件通報應變及演練辦法, 4 is gravest) grades by what was leaked, altered or stopped, and by
whether that was core business or critical infrastructure. An alert knows little of it: only what its tickets say of
tactics and assets. So this table, the one place where facts become a level, says what to think of first; whoever
decides has read the tickets, and the level of an institution's own incident is that institution's to report.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from fsoc.alerts.facts import Facts, base_of, tactics_of

HARM: Final = frozenset({"impact", "exfiltration"})
"""Tactics by which information leaks, is altered, or a service stops."""
RANSOM: Final = frozenset({"T1486", "T1490", "T1485", "T1561"})
"""Techniques that encrypt, destroy or keep from recovering."""
THEFT: Final = frozenset({"fraud.swift-transfer", "fraud.atm-cashout"})
"""Tags by which a rule says that it is about money moved out of core systems: a ticket's categories, as Sigma tags."""

CORE: Final = 4
"""Criticality from which an asset is taken for a core system."""
VITAL: Final = 5
"""Criticality that is taken for one on which critical infrastructure rests."""

DISCLAIMER: Final = "A suggestion from the tickets' facts; the level is decided by a person."
DISCLAIMER_ZH: Final = "本等級係依事件單所載事實之建議，實際等級由人員判定。"


class Row(NamedTuple):
    """Facts of this kind suggest at least this level."""

    grade: int
    holds: Callable[[Facts], bool]
    text: str
    text_zh: str


class Suggestion(NamedTuple):
    """reasons: (English, Traditional Chinese) of the rows that suggest the level."""

    grade: int
    reasons: tuple[tuple[str, str], ...]


def _harms(facts: Facts) -> bool:
    return bool(HARM & tactics_of(facts.attack))


def _ransoms(facts: Facts) -> bool:
    return any(base_of(technique) in RANSOM for _, technique in facts.attack)


TABLE: Final = (
    Row(
        4,
        lambda facts: _harms(facts) and facts.criticality >= VITAL and facts.members >= 3,
        "impact or exfiltration, with assets of the highest criticality, at three independent institutions or more",
        "三家以上獨立機構出現衝擊或外洩手法，且涉及最高重要性之資產",
    ),
    Row(
        4,
        lambda facts: _ransoms(facts) and facts.criticality >= CORE and facts.members >= 3,
        "data encrypted, destroyed or kept from recovery, with core systems, at three independent institutions or more",
        "三家以上獨立機構之核心系統資料遭加密、破壞或無法復原",
    ),
    Row(
        3,
        lambda facts: _harms(facts) and facts.criticality >= CORE,
        "impact or exfiltration, with core systems concerned",
        "出現衝擊或外洩手法，且涉及核心系統",
    ),
    Row(
        3,
        lambda facts: bool(THEFT & facts.tags),
        "money moved out of SWIFT or ATM systems",
        "SWIFT 或 ATM 系統之資金遭盜轉、盜領",
    ),
    Row(
        3,
        lambda facts: _ransoms(facts) and facts.members >= 2,
        "ransomware or its preparation at two independent institutions or more",
        "兩家以上獨立機構出現勒索軟體或其前兆",
    ),
    Row(
        3,
        lambda facts: _harms(facts) and facts.members >= 10,
        "impact or exfiltration at ten independent institutions or more",
        "十家以上獨立機構出現衝擊或外洩手法",
    ),
    Row(2, _harms, "impact or exfiltration", "出現衝擊或外洩手法"),
    Row(2, lambda facts: facts.criticality >= CORE, "core systems are concerned", "涉及核心系統"),
    Row(2, lambda facts: facts.severity >= 4, "a ticket of severity 4 or more", "有嚴重度 4 以上之事件單"),
    Row(2, lambda facts: facts.members >= 5, "five independent institutions or more", "五家以上獨立機構"),
    Row(1, lambda _: True, "none of the facts that suggest a graver level", "無提示更高等級之事實"),
)
"""The gravest first. Each row can only begin to hold as an alert grows."""


OF_RULE: Final = Suggestion(
    1,
    (("about the rule that triggered the tickets: no incident is told", "關於觸發事件單之規則本身，未提示有資安事件"),),
)


def suggest(facts: Facts) -> Suggestion:
    """The gravest level that a row suggests, with the reasons of that level; the least where a rule is at fault."""
    if facts.of_rule:
        return OF_RULE
    holding = [row for row in TABLE if row.holds(facts)]
    grade = holding[0].grade
    return Suggestion(grade, tuple((row.text, row.text_zh) for row in holding if row.grade == grade))
