"""What the joint SOC has decided of alerts beforehand: reporting clocks, and suppressions with owner and expiry. Pure.

It is content as rules are, of the same version as they are; `fsoc/alerts` applies it. Whether it applies is decided by
an alert's own times, never by a clock, so that a replay composes the same alerts on any day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, Literal, get_args

from fsoc.correlation.rules import CorrelationRule
from fsoc.errors import Problem
from fsoc.tickets.times import rfc3339

Kind = Literal["joint", "local", "feed", "rule"]
"""What an alert is about: an attack on several institutions or on one; a feed; a rule that triggered tickets."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

StartsAt = Literal["raised_at_event_time", "first_seen"]
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Clock:
    """Something that is due so many hours after an alert, where all of its conditions hold.

    span_ms: how long after `starts_at`. grades: the suggested ones, first and last. kind, levels: None is any.
    """

    id: str
    name: str
    name_zh: str
    starts_at: StartsAt
    span_ms: int
    grades: tuple[int, int] = (1, 4)
    severity_from: int = 0
    kind: Kind | None = None
    levels: frozenset[str] | None = None

    def runs(self, *, grade: int, severity: int, kind: str, level: str) -> bool:
        return (
            self.grades[0] <= grade <= self.grades[1]
            and severity >= self.severity_from
            and self.kind in {None, kind}
            and (self.levels is None or level in self.levels)
        )


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a group's value must be: a network it lies in, an ending, or the value itself, letter case folded."""

    text: str
    network: IPv4Network | IPv6Network | None = None

    def matches(self, value: str) -> bool:
        folded = value.casefold()
        if folded == self.text.casefold():
            return True
        if self.network is not None:
            try:
                return ip_address(value) in self.network
            except ValueError:
                return False
        return self.text.startswith("*") and folded.endswith(self.text[1:].casefold())


@dataclass(frozen=True, slots=True)
class Suppression:
    """Alerts that nobody need look at, for whose absence from the desk somebody answers, until a day.

    rule: its id or name. group: by field, all must match. institutions: the alert has no others; none given: any.
    until_ms: alerts raised at this event time or later are not meant.
    where: file and line.
    """

    id: str
    rule: str
    group: tuple[tuple[str, Pattern], ...]
    institutions: frozenset[str]
    until_ms: int
    owner: str
    reason: str
    where: str = field(default="", compare=False)

    def names(self, rule: CorrelationRule) -> bool:
        return self.rule in {rule.id, rule.name}

    def covers(
        self, rule: CorrelationRule, group: Mapping[str, str], institutions: Iterable[str], raised_ms: int
    ) -> bool:
        """Whether an alert with these institutions, raised at this event time, is one of those meant."""
        return (
            raised_ms < self.until_ms
            and self.names(rule)
            and all(name in group and pattern.matches(group[name]) for name, pattern in self.group)
            and (not self.institutions or self.institutions.issuperset(institutions))
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """Both, in the order of their files."""

    clocks: tuple[Clock, ...] = ()
    suppressions: tuple[Suppression, ...] = ()

    def suppressing(
        self, rule: CorrelationRule, group: Mapping[str, str], institutions: Iterable[str], raised_ms: int
    ) -> Suppression | None:
        """The first that covers such an alert."""
        institutions = tuple(institutions)
        return next((one for one in self.suppressions if one.covers(rule, group, institutions, raised_ms)), None)

    def warnings(self, rules: Iterable[CorrelationRule], now_ms: int) -> Iterator[Problem]:
        """Suppressions that suppress nothing, or nothing any more. rules: all that there are."""
        rules = tuple(rules)
        for one in self.suppressions:
            if one.until_ms <= now_ms:
                text = f'suppression "{one.id}" of {one.owner} has expired at {rfc3339(one.until_ms)}'
                yield Problem(one.where, f"{text}; renew it or take it out")
            named = [rule for rule in rules if one.names(rule) and not rule.silent]
            if not named:
                text = f'suppression "{one.id}" names "{one.rule}", which is no rule that raises alerts'
                yield Problem(one.where, text)
            for rule in named:
                for name, _ in one.group:
                    if name not in rule.group_by:
                        text = f'suppression "{one.id}" asks for "{name}", by which "{one.rule}" does not group'
                        yield Problem(one.where, f"{text}; it groups by {', '.join(rule.group_by) or 'nothing'}")


NO_POLICY: Final = Policy()
