"""`generate: true`: the detections a correlation names raise alerts of their own as well. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from fsoc.correlation.conditions import Condition
from fsoc.correlation.rules import CorrelationRule, Referable

_GROUP: Final = ("institution", "ticket_id")
_TIMESPAN_MS: Final = 1_000
"""Of no consequence: a group is one ticket. It is what the alert's window shows."""


class Detection(Referable, Protocol):
    """What an alert says of the detection that raised it."""

    @property
    def title(self) -> str: ...
    @property
    def level(self) -> str | None: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def fsoc(self) -> Mapping[str, Any]: ...


def stand_alone(correlations: Iterable[CorrelationRule], detections: Iterable[Detection]) -> Iterator[CorrelationRule]:
    """One rule for each detection that a generating correlation names: under its id, an alert for every ticket.

    One institution is in such an alert, so it is local: what the detection says is known, but nothing is joint.
    """
    named = {name for rule in correlations if rule.generate for name in rule.telling}
    for detection in detections:
        if detection.id in named:
            named.discard(detection.id)  # variants of one rule share an id
            title_zh = detection.fsoc.get("title_zh")
            yield CorrelationRule(
                id=detection.id,
                title=detection.title,
                title_zh=str(title_zh) if title_zh is not None else None,
                description="",
                level=detection.level or "medium",
                tags=detection.tags,
                type="event_count",
                rules=(detection.id,),
                group_by=_GROUP,
                timespan_ms=_TIMESPAN_MS,
                condition=Condition((("gte", 1),)),
                fields=(),
                name=detection.name,
            )
