"""What tests of several folders build: only what a test is about is spelled out."""

from __future__ import annotations

from typing import Any

from fsoc.correlation.conditions import Condition
from fsoc.correlation.rules import CorrelationRule

HOUR_MS = 3_600_000


def correlation_rule(**changes: Any) -> CorrelationRule:
    """Two institutions with one indicator in an hour, of the detection `detection`, but for the changes."""
    fields: dict[str, Any] = {
        "id": "rule",
        "title": "rule",
        "title_zh": None,
        "description": "",
        "level": "high",
        "tags": (),
        "type": "value_count",
        "rules": ("detection",),
        "group_by": ("indicator",),
        "timespan_ms": HOUR_MS,
        "condition": Condition((("gte", 2),)),
        "fields": ("institution",),
    }
    return CorrelationRule(**{**fields, **changes})
