"""What operators see of institutions' feeds: delays, shares, clocks. Gauges per institution, from bounded sketches.

What happened before a ticket was in the log is in the state; how long it then took is this worker's own, by its clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from fsoc.feeds.figures import QUANTILES, Figures
from fsoc.feeds.quality import FeedDay
from fsoc.feeds.record import Record
from fsoc.feeds.sketch import Sketch

ROTATED_SECONDS: Final = 300.0
"""What is shown is of the last five to ten minutes in which something came."""


class Processing:
    """How long records lay between their own timestamp and what came of them being durable, by institution.

    Of records whose log stamps them as they arrive; an exercise stamps its own, and says nothing here.
    clock: seconds that never go back. now_ms: the wall's, as the log's timestamps.
    """

    def __init__(
        self,
        histogram: Histogram,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._histogram = histogram
        self._clock, self._now_ms = clock, now_ms
        self._newer: dict[str, Sketch] = {}
        self._older: dict[str, Sketch] = {}
        self._since = clock()

    def observe(self, institution: str, records: Sequence[Record]) -> None:
        """These are worked, and all that came of them is durable."""
        now_ms = self._now_ms()
        if self._clock() - self._since > ROTATED_SECONDS:
            self._older, self._newer, self._since = self._newer, {}, self._clock()
        sketch = self._newer.setdefault(institution, Sketch())
        for record in records:
            sketch.add(now_ms - record.timestamp_ms)
        # One of a slice stands for it: a histogram costs more than a bucket of ours, and all have no institution.
        self._histogram.observe(max(now_ms - records[0].timestamp_ms, 0) / 1000)

    def collect(self, institutions: Collection[str]) -> Iterator[Metric]:
        """institutions: those this worker owns; of others nothing is shown, nor kept."""
        family = GaugeMetricFamily(
            "fsoc_processing_delay_seconds",
            "Time from the receipt of a ticket until all that came of it was durable; of the last minutes.",
            labels=["institution", "percentile"],
        )
        for sketches in (self._newer, self._older):
            for gone in sketches.keys() - set(institutions):
                del sketches[gone]
        for institution in sorted(self._newer.keys() | self._older.keys()):
            whole = Sketch()
            for sketches in (self._newer, self._older):
                whole.merge(sketches.get(institution, Sketch()))
            for name, value in _quantiles(whole):
                family.add_metric([institution, name], value)
        yield family


def feed_families(headers: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[Metric]:
    """Of yesterday and today, in Taipei, by the days in the headers. Feeds are the registry's."""
    delay = GaugeMetricFamily(
        "fsoc_feed_delay_seconds",
        "Time of a ticket's first message from one step to the next; of yesterday and today.",
        labels=["institution", "feed", "step", "percentile"],
    )
    share = GaugeMetricFamily(
        "fsoc_feed_share_ratio",
        "Share of the feed's tickets that were rejected, duplicate or late, and of its numbers that are missing.",
        labels=["institution", "feed", "kind"],
    )
    clock = GaugeMetricFamily(
        "fsoc_feed_clock_offset_seconds",
        "How far the sender's clock is off, as its newest heartbeat says.",
        labels=["institution", "feed"],
    )
    for institution, header in headers:
        for one in _figures(institution, header.get("days", {})):
            labels = [institution, one.feed]
            for step, sketch in (("detected_to_sent", one.day.sent), ("sent_to_received", one.day.received)):
                for name, value in _quantiles(sketch):
                    delay.add_metric([*labels, step, name], value)
            shares = {
                "rejected": one.rejected,
                "duplicate": one.duplicate,
                "late": one.late,
                "missing": one.missing_share,
            }
            for kind, ratio in shares.items():
                if ratio is not None:
                    share.add_metric([*labels, kind], ratio)
            if one.day.clock_ms is not None:
                clock.add_metric(labels, one.day.clock_ms[2] / 1000)
    yield from (delay, share, clock)


def _figures(institution: str, days: Mapping[str, Mapping[str, Any]]) -> Iterator[Figures]:
    merged: dict[str, FeedDay] = {}
    for day in days.values():
        for feed, record in day["feeds"].items():
            merged.setdefault(feed, FeedDay()).merge(FeedDay(record))
    for feed in sorted(merged):
        yield Figures(institution, feed, merged[feed])


def _quantiles(sketch: Sketch) -> Iterator[tuple[str, float]]:
    for per_cent in QUANTILES:
        value = sketch.quantile(per_cent)
        if value is not None:
            yield str(per_cent), value / 1000
