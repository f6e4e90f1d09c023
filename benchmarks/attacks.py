"""Events that rules match: each made from a rule, within all that a log of its logsource carries. Seeded; pure.

What a rule asks for comes from derived.py; the rest of the event is a benign one of the same logsource. A value is made
novel only in a way that the rule still holds of, so that these lanes stay what they say: nearly every event matches.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from benchmarks import hosts, processes, services
from benchmarks.derived import derived_events
from benchmarks.sources import Fields, Logsource, Source, novel
from fsoc.detection.detector import TICKET
from fsoc.detection.event import Event
from fsoc.detection.program import flatten
from fsoc.detection.rules import Rule

UNNAMED: Final = "other"
"""What an attribute is set to that the rule leaves open."""
_BACKGROUNDS: Final = (
    processes.SYSMON_CREATION,
    hosts.CONNECTION,
    hosts.FILE,
    hosts.REGISTRY,
    hosts.MODULE,
    hosts.DNS_QUERY,
    hosts.ACCESS,
    hosts.SCRIPT,
    hosts.LINUX_PROCESS,
    hosts.AUDITD,
    hosts.LOGON,
    services.PROXY,
    services.DNS,
    services.CLOUDTRAIL,
    services.SIGNIN,
    services.WEBSERVER,
    services.SYSLOG,
)
_ENVELOPE: Final = Source({}, lambda draw: {"host": f"h{draw.randrange(2_000)}", "tenant": "bank"}, services.received)

Freshen = Callable[[str, random.Random], str]


class _Attack(NamedTuple):
    """fresh: how each text of the rule's own fields may change without the rule ceasing to hold."""

    background: Source
    logsource: Logsource
    asked: Fields
    fresh: dict[str, Freshen]


class Attacks:
    """Each rule as often as any other; rules on tickets and those that could not be solved are left out."""

    def __init__(self, rules: Sequence[Rule], draw: random.Random, *, all_novel: bool) -> None:
        self._draw = draw
        self._all_novel = all_novel
        self._attacks = list(_attacks([rule for rule in rules if rule.logsource.product != TICKET], draw))

    def next(self) -> Fields:
        """One event, its logsource under "logsource"."""
        draw = self._draw
        attack = draw.choice(self._attacks)
        around = {**attack.background.stamp(draw), **attack.background.shape(draw)}
        if not self._all_novel:
            return {"logsource": attack.logsource, **around, **attack.asked}
        asked = {
            name: attack.fresh[name](value, draw) if name in attack.fresh else value
            for name, value in attack.asked.items()
        }
        return {"logsource": attack.logsource, **novel(around, draw), **asked}


def _attacks(rules: Sequence[Rule], draw: random.Random) -> Iterator[_Attack]:
    for index, asked in derived_events(flatten(rules), draw):
        rule = rules[index]
        background = next((each for each in _BACKGROUNDS if _fits(rule, each)), _ENVELOPE)
        if not _holds(rule, background, asked, draw):
            background = _ENVELOPE
        fresh = {
            name: freshen
            for name, value in asked.items()
            if isinstance(value, str) and (freshen := _freshen(rule, background, asked, name, draw)) is not None
        }
        yield _Attack(background, _stated(rule, background), asked, fresh)


def _fits(rule: Rule, source: Source) -> bool:
    """Whether events of the source have what the rule's logsource names."""
    own = rule.logsource
    named = {name: getattr(own, name) for name in ("product", "category", "service") if getattr(own, name) is not None}
    return named.items() <= source.logsource.items() and (own.category or own.service) is not None


def _stated(rule: Rule, source: Source) -> Logsource:
    if source.logsource:
        return source.logsource
    own = rule.logsource
    return {
        "product": own.product or UNNAMED,
        "category": own.category or UNNAMED,
        "service": own.service or UNNAMED,
    }


def _holds(rule: Rule, background: Source, asked: Fields, draw: random.Random) -> bool:
    event: dict[str, Any] = {**background.stamp(draw), **background.shape(draw), **asked}
    return rule.condition(Event(event))


def _freshen(rule: Rule, background: Source, asked: Fields, name: str, draw: random.Random) -> Freshen | None:
    """The first way to change this value after which the rule still holds."""
    for way in _WAYS:
        if all(_holds(rule, background, {**asked, name: way(asked[name], draw)}, draw) for _ in range(2)):
            return way
    return None


def _word(draw: random.Random) -> str:
    return f"{draw.getrandbits(40):x}"


def _with_case(value: str, draw: random.Random) -> str:
    lots = draw.getrandbits(max(len(value), 1))
    return "".join(letter.swapcase() if lots >> place & 1 else letter for place, letter in enumerate(value))


_WAYS: Final[tuple[Freshen, ...]] = (
    lambda value, draw: f"{value} {_word(draw)}",
    lambda value, draw: f"C:\\{_word(draw)}{value}",
    _with_case,
)
