"""Alerts as CSV that a spreadsheet may open: RFC 4180, and nothing in it is taken for a formula. Pure text."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from io import StringIO
from typing import Final

from fsoc.alerts.read import ReadAlert
from fsoc.cli.printable import printable

CELL_MAX: Final = 32_000
"""Characters; a spreadsheet's cell holds 32,767."""
BOM: Final = "\ufeff"
"""Tells Excel that what follows is UTF-8."""
_FORMULA: Final = frozenset("=+-@|%＝＋－＠")
"""What makes a spreadsheet reckon or call; full-width forms are folded to plain ones by some."""
_BEFORE: Final = " \"'`\u2018\u2019\u201c\u201d"
"""What some strip before they look."""

Column = tuple[str, Callable[[ReadAlert], object]]

COLUMNS: Final[tuple[Column, ...]] = (
    ("alert_id", lambda alert: alert.alert_id),
    ("revision", lambda alert: alert.revision),
    ("status", lambda alert: alert.status),
    ("kind", lambda alert: alert.kind),
    ("level", lambda alert: alert.level),
    ("severity", lambda alert: alert.severity),
    ("suggested_grade", lambda alert: alert.suggested_grade.grade if alert.suggested_grade else ""),
    ("environment", lambda alert: alert.environment),
    ("raised_at_event_time", lambda alert: alert.raised_at_event_time),
    ("first_seen", lambda alert: alert.first_seen),
    ("last_seen", lambda alert: alert.last_seen),
    ("rule_id", lambda alert: alert.rule_id),
    ("rule_version", lambda alert: alert.rule_version or ""),
    ("rule_title", lambda alert: alert.rule_title),
    ("rule_title_zh", lambda alert: alert.rule_title_zh),
    ("group", lambda alert: _joined(f"{name} = {value}" for name, value in alert.group.items())),
    ("seen", lambda alert: f"{alert.explanation.seen:g}"),
    ("asked", lambda alert: _joined(f"{name} {bound:g}" for name, bound in alert.explanation.condition.items())),
    ("timespan", lambda alert: alert.explanation.timespan),
    ("institution_count", lambda alert: alert.institution_count),
    ("institutions", lambda alert: _joined(alert.institutions)),
    ("ticket_count", lambda alert: alert.ticket_count),
    ("ticket_ids", lambda alert: _joined(alert.ticket_ids)),
    ("tactics", lambda alert: _joined(dict.fromkeys(item.tactic for item in alert.attack))),
    ("techniques", lambda alert: _joined(alert.techniques)),
    ("next_due", lambda alert: alert.clocks[0].due_at if alert.clocks else ""),
    ("clocks", lambda alert: _joined(f"{clock.id} {clock.due_at}" for clock in alert.clocks)),
    ("suppressed", lambda alert: alert.suppressed.id if alert.suppressed else ""),
    ("suppressed_until", lambda alert: alert.suppressed.until if alert.suppressed else ""),
    ("campaign_id", lambda alert: alert.campaign_id or ""),
    ("continues", lambda alert: alert.continues or ""),
    ("explanation", lambda alert: alert.explanation.text),
    ("explanation_zh", lambda alert: alert.explanation.text_zh),
    ("intel", lambda alert: _joined(f"{one.institution} {one.ticket_id}" for one in alert.intel)),
)
"""In their order; `fsoc/cli/README.md` says what is in them. A column may be added at the end, none is moved."""


def lines(alerts: Iterable[ReadAlert], *, bom: bool = False) -> Iterable[str]:
    """A heading and a line an alert, each ending with CR LF."""
    yield (BOM if bom else "") + csv_line(name for name, _ in COLUMNS)
    for alert in alerts:
        yield csv_line(take(alert) for _, take in COLUMNS)


def cell(value: object) -> str:
    """The value as text that a spreadsheet shows and does not obey.

    Everything that is no letter, mark or space is written out (a line feed as backslash and n), and what then begins
    like a formula, also after spaces or quotes, has an apostrophe before it.
    """
    if type(value) is int:
        return str(value)  # a minus is a number's own
    text = printable(str(value))
    if len(text) > CELL_MAX:
        text = f"{text[:CELL_MAX]}…"
    return f"'{text}" if text.lstrip(_BEFORE)[:1] in _FORMULA and text.lstrip(_BEFORE) else text


def csv_line(values: Iterable[object]) -> str:
    """A line of cells, with its CR LF."""
    out = StringIO()
    csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n").writerow(map(cell, values))
    return out.getvalue()


def _joined(several: Iterable[object]) -> str:
    return "; ".join(map(str, several))
