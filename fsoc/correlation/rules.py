"""What a correlation rule is, once it has been read. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from fsoc.correlation.conditions import Condition
from fsoc.correlation.past import Past

DAY_MS = 86_400_000
UNIT_MS = {
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "M": 2_629_746_000,  # a twelfth of the Gregorian mean year, as pySigma has it
    "y": 31_556_952_000,
}
TIMESPAN_MAX_MS = 31 * DAY_MS
"""Bound on state: nothing in the sector's use cases looks back further than 30 days."""

TYPES = (
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
)
TEMPORAL = frozenset({"temporal", "temporal_ordered"})
NUMERIC = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})
Scope = Literal["sector", "institution", "feed", "rule"]
"""What a rule is judged within, and with it what its alerts are about; `sector` where a document does not say."""

SCOPES: Final[Mapping[str, str | None]] = {
    "sector": None,
    "institution": "institution",
    "feed": "institution",
    "rule": "trigger.rule_id",
}
"""Each with the field that it needs in group-by."""

CHAIN_DEPTH_MAX = 4
"""Correlations that may lie between a detection and an alert, that of the alert included (law 12)."""


class Referable(Protocol):
    """What a correlation may name: a detection rule."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class CorrelationRule:
    """One correlation, ready to evaluate.

    rules: ids of the detections and correlations it counts, in the document's order. aliases: alias → {rule id: field}.
    group_by: field names; () is one group for the whole sector.
    fields: what value_count counts distinct tuples of; the one field of value_sum and its like; () for the others.
    independent: institutions of one holding group count once.
    percentile: of value_percentile, 0 to 100. non_negative: numbers below zero are none to it.
    generate: the rules it names raise alerts of their own as well.
    link: what holds is a value that institutions share: it raises no alert, and ties campaigns together.
    past: how it looks at each institution's own past; None where it does not.
    depth: 1 where it names detections alone, else one more than the deepest correlation that it names.
    silent: a correlation names it and none of those that do asks for alerts of its own.
    undone_inside: more tickets can undo a match of a correlation that it names, or of one inside that.
    outlasted_ms: how long past its event time an entry matters to the correlations that name it.
    also: (field, how many different values of it there must be in the window as well), sorted; gt and gte alone.
    order: of value_count, in which values must come after one another; () where they need not.
    each: of value_count: how many tickets a value may have in the window for it to count; lt and lte alone.
    spread_ms: of value_count: how far apart the first tickets of the values that count must lie.
    cap_each: of value_sum: each member's greatest number counts, at most half of what is asked for.
    allow_lists: names of the lists whose values it does not group by.
    absent: of event_count: asks where an entry was and none followed for a timespan; judged at the end of that.
    scope: sector, across institutions; institution, within one; feed, the same, and its alerts are about a feed; rule,
        across institutions, and its alerts are about the rule that triggered the tickets, not about what they report.
    name: what it is called beside its id. dated: the day it was modified, or else made; "" where it says neither.

    Of these follow, once and for all:
    rising: an alert is raised at once (law 8): more entries can never undo it, but for an institution's own earlier
        tickets that come late. By these what is held against its own past may prove no news, and what `spread_ms` is
        asked of to have come at once; both are taken as they are known.
    firm: rising, and not even those undo it.
    episode_ms: the naming grid (law 7): one alert per group and episode.
    retention_ms: how long past its event time an entry can still matter to an alert that may change.
    """

    id: str
    title: str
    title_zh: str | None
    description: str
    level: str
    tags: tuple[str, ...]
    type: str
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan_ms: int
    condition: Condition
    fields: tuple[str, ...]
    independent: bool = False
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    percentile: float | None = None
    non_negative: bool = False
    generate: bool = False
    link: bool = False
    depth: int = 1
    silent: bool = False
    undone_inside: bool = False
    outlasted_ms: int = 0
    past: Past | None = None
    also: tuple[tuple[str, Condition], ...] = ()
    order: tuple[str, ...] = ()
    each: Condition | None = None
    spread_ms: int = 0
    cap_each: bool = False
    allow_lists: tuple[str, ...] = ()
    absent: bool = False
    scope: Scope = "sector"
    name: str | None = None
    dated: str = ""
    # With defaults, so that a definition in the state need not name them: an earlier fsoc knew fewer.
    rising: bool = field(init=False, default=False)
    firm: bool = field(init=False, default=False)
    episode_ms: int = field(init=False, default=0)
    retention_ms: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        grows = self.type not in NUMERIC or (self.type == "value_sum" and self.non_negative)
        grows = grows and (self.past is None or self.past.counts_when != "drop")
        episode_ms = max(self.timespan_ms, DAY_MS)
        grows = grows and self.each is None and not self.absent  # a late ticket may be one too many
        rising = grows and self.condition.rising
        object.__setattr__(self, "rising", rising)
        object.__setattr__(self, "firm", rising and self.past is None and not self.spread_ms)
        object.__setattr__(self, "episode_ms", episode_ms)
        retention_ms = self.timespan_ms + max(2 * episode_ms, self.timespan_ms + self.outlasted_ms)
        object.__setattr__(self, "retention_ms", retention_ms)

    @property
    def telling(self) -> tuple[str, ...]:
        """Of the rules it names, those whose tickets count; the others are only past."""
        return self.rules if self.past is None else tuple(name for name in self.rules if name not in self.past.rules)

    @property
    def numeric(self) -> bool:
        """Whether what it counts are numbers."""
        return self.type in NUMERIC

    def field_in(self, named: str, name: str) -> str:
        """What a name of this rule is called in the events of a rule that it names."""
        return self.aliases.get(name, {}).get(named, name) if self.aliases else name


def timespan_ms(text: object) -> int:
    """`90s`, `15m`, `4h`, `3d`, `2w` in milliseconds.

    Raises:
        ValueError: not a timespan; the text says what was expected.
    """
    match = re.fullmatch(r"(\d{1,9})([smhdwMy])", str(text))
    if match is None or int(match.group(1)) == 0:
        raise ValueError(f'timespan "{text}" — expected a positive number and one of s, m, h, d, w, M, y')
    span = int(match.group(1)) * UNIT_MS[match.group(2)]
    if span > TIMESPAN_MAX_MS:
        raise ValueError(f'timespan "{text}" is longer than the limit of {TIMESPAN_MAX_MS // DAY_MS}d')
    return span
