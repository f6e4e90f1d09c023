"""Coverage as CSV: RFC 4180, a line an item or a gap, nothing in it taken for a formula. Pure text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fsoc.cli.alert_csv import BOM, csv_line
from fsoc.coverage.gaps import Gap
from fsoc.coverage.groups import Group
from fsoc.coverage.judge import STATUSES, Norm
from fsoc.coverage.words import LOOKS
from fsoc.tickets.times import rfc3339

_ITEM = ("item", "title", "title_zh", "technique", "tactic")
COLUMNS = (
    *("institution", "name", "name_zh", "tier", "sector", "declares", *_ITEM),
    *("status", "status_zh", "tickets", "newest_ticket", "joint_alerts"),
)
GAP_COLUMNS = ("rank", *_ITEM, "joint_alerts", "institutions_lacking", "institutions_asked", *STATUSES[1:])


def csv_of(group: Group, norm: Norm, alerts: Mapping[str, int], *, bom: bool = False) -> str:
    """A heading, and a line for each item of each institution. alerts: joint alerts by item."""
    lines = [csv_line(COLUMNS)]
    for member in group.members:
        one = member.institution
        for name, state in member.items.items():
            newest = "" if state.newest_ms is None else rfc3339(state.newest_ms)
            told = (state.status, LOOKS[state.status].word.zh, state.tickets, newest, alerts.get(name, 0))
            whose = (one.id, one.name, one.name_zh, one.tier, one.sector, member.version or "")
            lines.append(csv_line([*whose, *_item(name, norm), *told]))
    return (BOM if bom else "") + "".join(lines)


def gaps_csv_of(gaps: Sequence[Gap], norm: Norm, *, bom: bool = False) -> str:
    """A heading, and a line for each gap: whose it is by status, ids parted by `; `."""
    lines = [csv_line(GAP_COLUMNS)]
    for rank, gap in enumerate(gaps, 1):
        whose = ("; ".join(gap.lacking.get(status, ())) for status in STATUSES[1:])
        lines.append(csv_line([rank, *_item(gap.item, norm), gap.alerts, gap.institutions, gap.asked, *whose]))
    return (BOM if bom else "") + "".join(lines)


def _item(name: str, norm: Norm) -> tuple[str, ...]:
    item = norm.baseline.items[name]
    return item.id, item.title, item.title_zh, item.technique, item.tactic
