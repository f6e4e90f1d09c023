"""What severity and grade are judged by: the few facts of an alert that say how bad it is. Pure.

Every one of them can only grow as entries are added, so what is judged by them is never lowered by one institution
more, a graver ticket or a more critical asset.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from fsoc.correlation.entries import Entry
from fsoc.correlation.past import Novelty
from fsoc.correlation.rules import CorrelationRule

_SUPPLIER: Final = "suppliers."
"""What the names of a ticket's fields about suppliers begin with."""


class Facts(NamedTuple):
    """Of one alert.

    severity: the highest of its tickets, 0 to 5. criticality: of the most critical asset they name, 0 to 5.
    members: independent institutions. novel: how many institutions count because it is unusual for them.
    attack: (tactic, technique) pairs. by_supplier: a supplier is what its tickets have in common.
    tags: of the rule, in lower case.
    of_rule: it is about the rule that triggered its tickets; what these say is that rule's doing, and no incident.
    """

    severity: int
    criticality: int
    members: int
    novel: int
    attack: frozenset[tuple[str, str]]
    by_supplier: bool
    tags: frozenset[str]
    of_rule: bool = False


def facts_of(rule: CorrelationRule, entries: Collection[Entry], novelty: Mapping[str, Novelty]) -> Facts:
    """entries: one at least."""
    # Many tickets of one alert say the same; an alert is written anew with all of them whenever one comes.
    said = {(entry.severity, entry.criticality, entry.member, entry.attack) for entry in entries}
    return Facts(
        severity=max(severity for severity, _, _, _ in said),
        criticality=max(criticality for _, criticality, _, _ in said),
        members=len({member for _, _, member, _ in said}),
        novel=len(novelty),
        attack=frozenset(pair for _, _, _, attack in said for pair in attack),
        by_supplier=any(name.startswith(_SUPPLIER) for name in (*rule.group_by, *rule.fields)),
        tags=frozenset(tag.lower() for tag in rule.tags),
        of_rule=rule.scope == "rule",
    )


def tactics_of(attack: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The tactics, written with hyphens as the newest ATT&CK tables have them."""
    return frozenset(tactic.replace("_", "-") for tactic, _ in attack)


def base_of(technique: str) -> str:
    """The technique of a sub-technique: T1003 of T1003.001."""
    return technique.partition(".")[0]
