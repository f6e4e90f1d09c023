"""The correlation benchmark measures what it says: every type, alerts among them, the same in each run."""

from __future__ import annotations

import pytest

from benchmarks.correlate import Setting, measure
from fsoc.correlation.rules import TYPES


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_measured_and_raises_some_alerts(kind):
    setting = Setting(type=kind, groups=50, institutions=8, detections=1_500, passes=2)
    (figures,) = measure([setting])

    assert (figures["type"], figures["groups"], figures["detections"]) == (kind, 50, 3_000)
    assert 0 < figures["alerts"] < 3_000
    assert figures["entries"] >= 50
