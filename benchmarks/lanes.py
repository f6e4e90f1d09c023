"""Streams of events of differing shape, on each of which an engine may be quick or slow. Seeded, endless; pure.

An event is one JSON object of a line: "logsource" with product, category and service, then its fields.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from benchmarks import hosts, processes, services
from benchmarks.attacks import Attacks
from benchmarks.processes import WORDS, fill, guid
from benchmarks.sources import Fields, Source, Stream
from fsoc.detection.rules import Rule

NOVELTY: Final = 0.015
"""The share of events of everyday lanes that bring text nobody has seen."""
SEED: Final = 7
_WIDE_FIELDS: Final = (24, 82)


class Events(Protocol):
    def next(self) -> Fields:
        """The next event."""


Make = Callable[[random.Random, float, Sequence[Rule]], Events]


@dataclass(frozen=True, slots=True)
class Lane:
    """structured: its events have named fields, as parsers leave them; not one text that holds all."""

    name: str
    says: str
    structured: bool
    make: Make


class Feed:
    """One lane's events in order, as many as are asked for; the same for the same seed and rules."""

    def __init__(self, lane: Lane, rules: Sequence[Rule], *, novelty: float = NOVELTY, seed: int = SEED) -> None:
        """novelty: for lanes of everyday events. rules: for lanes made of what rules match."""
        self._events = lane.make(random.Random(seed), novelty, rules)

    def take(self, count: int) -> list[bytes]:
        """The next `count`, a line each."""
        return [orjson.dumps(self._events.next()) for _ in range(count)]


def _everyday(*sources: tuple[Source, float]) -> Make:
    return lambda draw, novelty, _: Stream(sources, draw, novelty=novelty)


def _attacks(*, all_novel: bool) -> Make:
    return lambda draw, _, rules: Attacks(rules, draw, all_novel=all_novel)


def _wide(source: Source) -> Source:
    """The source's events with what agents and enrichment add, 60 to 120 fields in all."""

    def shape(draw: random.Random) -> Fields:
        fields = source.shape(draw)
        for number in range(draw.randrange(*_WIDE_FIELDS)):
            name = f"{_ENRICHED[number % len(_ENRICHED)]}.{WORDS[number // len(_ENRICHED) % len(WORDS)]}"
            fields[name] = _enrichment(draw)
        return fields

    return Source(source.logsource, shape, source.stamp, source.shapes)


_ENRICHED: Final = ("agent", "host.os", "asset", "geo", "user.directory", "threat.context", "labels")


def _enrichment(draw: random.Random) -> object:
    kind = draw.randrange(5)
    if kind == 0:
        return draw.randrange(100_000)
    if kind == 1:
        return draw.random() < 0.5
    return (guid(draw), fill("{word}-{n}.bank.example", draw), fill("{word} {word} {n}", draw))[kind - 2]


_PROCESSES: Final = ((processes.SYSMON_CREATION, 4.0), (processes.SECURITY_CREATION, 1.0))
_MIXED: Final = (
    (processes.SYSMON_CREATION, 14.0),
    (processes.SECURITY_CREATION, 4.0),
    (hosts.CONNECTION, 14.0),
    (hosts.FILE, 8.0),
    (hosts.REGISTRY, 8.0),
    (hosts.MODULE, 8.0),
    (hosts.DNS_QUERY, 6.0),
    (hosts.ACCESS, 3.0),
    (hosts.SCRIPT, 2.0),
    (hosts.LOGON, 6.0),
    (hosts.LINUX_PROCESS, 4.0),
    (hosts.AUDITD, 3.0),
    (services.PROXY, 6.0),
    (services.DNS, 4.0),
    (services.FIREWALL, 4.0),
    (services.CLOUDTRAIL, 3.0),
    (services.SIGNIN, 1.0),
    (services.WEBSERVER, 1.0),
    (services.SYSLOG, 1.0),
)
_QUIET: Final = (
    (hosts.CONNECTION, 4.0),
    (hosts.FILE, 3.0),
    (hosts.MODULE, 3.0),
    (hosts.REGISTRY, 3.0),
    (services.PROXY, 2.0),
    (hosts.DNS_QUERY, 2.0),
)

LANES: Final = {
    lane.name: lane
    for lane in (
        Lane("process", "process creation, Sysmon's and the Security log's", True, _everyday(*_PROCESSES)),
        Lane("mixed", "a SOC's mix of nineteen logs: hosts, network, cloud, identity", True, _everyday(*_MIXED)),
        Lane("wide", "process creation of 60 to 120 fields", True, _everyday((_wide(processes.SYSMON_CREATION), 1.0))),
        Lane("no-match", "routed events of which none matches", True, _everyday(*_QUIET)),
        Lane("attack", "each event made of a rule, values repeat", True, _attacks(all_novel=False)),
        Lane("novel", "each event made of a rule, every text new", True, _attacks(all_novel=True)),
        Lane("raw", "one message field, syslog", False, _everyday((services.RAW, 1.0))),
        Lane(
            "keyword",
            "application logs whose rules are keywords",
            False,
            _everyday(*((source, 1.0) for source in services.LOGGED)),
        ),
    )
}
