"""A month's data-quality report as CSV: RFC 4180, a line a feed, nothing in it taken for a formula. Pure text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from fsoc.cli.alert_csv import BOM, csv_line
from fsoc.feeds.figures import QUANTILES
from fsoc.feeds.overview import FeedView
from fsoc.feeds.report import Member, Report
from fsoc.feeds.words import breach_said, roc_month

Column = tuple[str, Callable[[Report, Member, FeedView], object]]


def _delay(name: str, per_cent: int) -> Column:
    def value(_: Report, __: Member, view: FeedView) -> object:
        sketch = view.figures.day.sent if name == "detected_to_sent" else view.figures.day.received
        return _known(sketch.quantile(per_cent))

    return f"{name}_p{per_cent}_ms", value


COLUMNS: Final[tuple[Column, ...]] = (
    ("month", lambda report, _, __: report.name),
    ("month_roc", lambda report, _, __: roc_month(report.year, report.month)),
    ("institution", lambda _, member, __: member.id),
    ("name", lambda _, member, __: member.name),
    ("name_zh", lambda _, member, __: member.name_zh),
    ("tier", lambda _, member, __: member.tier),
    ("feed", lambda _, __, view: view.figures.feed),
    ("tickets", lambda _, __, view: view.figures.day.tickets),
    ("used", lambda _, __, view: view.figures.day.used),
    ("duplicate", lambda _, __, view: view.figures.day.duplicate),
    ("late", lambda _, __, view: view.figures.day.late),
    ("quarantined", lambda _, __, view: view.figures.day.quarantined),
    *(_delay("detected_to_sent", per_cent) for per_cent in QUANTILES),
    *(_delay("sent_to_received", per_cent) for per_cent in QUANTILES),
    ("numbers_asked_for", lambda _, __, view: view.figures.day.asked),
    ("numbers_closed", lambda _, __, view: view.figures.day.closed),
    ("numbers_given_up", lambda _, __, view: view.figures.day.given_up),
    ("rejected_share", lambda _, __, view: _share(view.figures.rejected)),
    ("duplicate_share", lambda _, __, view: _share(view.figures.duplicate)),
    ("late_share", lambda _, __, view: _share(view.figures.late)),
    ("missing_share", lambda _, __, view: _share(view.figures.missing_share)),
    ("heartbeats", lambda _, __, view: view.figures.day.heartbeats),
    ("clock_offset_least_ms", lambda _, __, view: _of(view.figures.day.clock_ms, 0)),
    ("clock_offset_most_ms", lambda _, __, view: _of(view.figures.day.clock_ms, 1)),
    ("sensors_total", lambda _, __, view: _of(view.figures.day.sensors, 0)),
    ("sensors_up_least_share", lambda _, __, view: _per_mille(view.figures.day.sensors_up_per_mille)),
    ("events_seen", lambda _, __, view: view.figures.day.events),
    ("tickets_opened", lambda _, __, view: view.figures.day.tickets_opened),
    ("baseline_version", lambda _, __, view: view.figures.day.baseline or ""),
    ("breaches", lambda _, __, view: "; ".join(breach_said(breach, "en") for breach in view.breaches)),
    ("breaches_zh", lambda _, __, view: "; ".join(breach_said(breach, "zh-TW") for breach in view.breaches)),
    ("noted", lambda _, __, view: view.figures.day.noted),
    ("noted_share", lambda _, __, view: _share(view.figures.noted)),
)
"""In their order. A column may be added at the end, none is moved."""


def csv_of(report: Report, *, bom: bool = False) -> str:
    """A heading and a line for each feed, each ending with CR LF."""
    return (BOM if bom else "") + "".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    yield csv_line(name for name, _ in COLUMNS)
    for member in report.members:
        for view in member.feeds:
            yield csv_line(value(report, member, view) for _, value in COLUMNS)


def _known(value: int | None) -> object:
    return "" if value is None else value


def _of(values: Sequence[int] | None, place: int) -> object:
    return "" if values is None else values[place]


def _share(value: float | None) -> object:
    return "" if value is None else f"{value:.6f}"


def _per_mille(value: int | None) -> object:
    return "" if value is None else f"{value / 1000:.3f}"
