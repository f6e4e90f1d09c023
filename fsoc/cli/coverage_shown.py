"""Coverage on a terminal, and as NDJSON. Pure text; what is from a registry or a ticket is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click
import orjson

from fsoc.cli.printable import printable
from fsoc.cli.table import Column, table
from fsoc.coverage.gaps import Gap
from fsoc.coverage.groups import Group
from fsoc.coverage.judge import STATUSES, Norm
from fsoc.coverage.words import LOOKS
from fsoc.feeds.words import NOT_MEASURED, share_said


def lines(groups: Sequence[Group], gaps: Sequence[Gap], norm: Norm) -> Iterator[str]:
    """A table of groups, what its signs mean, and the gravest gaps."""
    said = f"baseline {norm.baseline.version}, ATT&CK {norm.techniques.version}"
    yield click.style(f"{said} · 監控組態基準 {norm.baseline.version}", bold=True)
    yield from table(_GROUPS, groups, "yellow", lambda group: group.counts["covered"] == 0 and bool(group.members))
    yield "  " + "   ".join(f"{look.sign} {look.word.both}" for look in LOOKS.values())
    if gaps:
        yield click.style("gaps, the gravest first · 缺口排序", bold=True)
        columns = [(name, lambda gap, told=told: told(gap, norm)) for name, told in _GAPS]
        yield from table(columns, gaps, "red", lambda gap: gap.alerts > 0)


def _versions(group: Group) -> str:
    told = sorted({member.version or NOT_MEASURED for member in group.members})
    return printable(told[0]) if len(told) == 1 else f"{len(told)} versions" if told else NOT_MEASURED


_GROUPS: Sequence[Column] = (
    ("group · 範圍", lambda group: printable(f"{group.title} · {group.title_zh}")),
    ("n", lambda group: f"{len(group.members):,}"),
    ("declares", _versions),
    *((LOOKS[status].sign, lambda group, status=status: f"{group.counts[status]:,}") for status in STATUSES),
    ("covered", lambda group: share_said(group.share)),
)

_GAPS = (
    ("item", lambda gap, norm: printable(f"{gap.item} {norm.baseline.items[gap.item].title}")),
    ("technique", lambda gap, norm: norm.baseline.items[gap.item].technique),
    ("joint alerts", lambda gap, _: f"{gap.alerts:,}"),
    ("institutions", lambda gap, _: f"{gap.institutions:,} / {gap.asked:,}"),
    ("lacking", lambda gap, _: " ".join(f"{LOOKS[status].sign}{len(names)}" for status, names in gap.lacking.items())),
)


def json_lines(groups: Sequence[Group], gaps: Sequence[Gap], norm: Norm) -> Iterator[str]:
    """An object a line: `what` is group, institution (with its items) or gap."""
    for group in groups:
        told = {"by": group.by, "name": group.name, "institutions": len(group.members), "share": group.share}
        if group.by != "institution":
            yield _json({"what": "group", **told, "counts": dict(group.counts), "techniques": group.techniques})
            continue
        [member] = group.members
        items = {name: state._asdict() for name, state in member.items.items()}
        one = member.institution
        yield _json(
            {
                "what": "institution",
                "id": one.id,
                "tier": one.tier,
                "sector": one.sector,
                "baseline_version": member.version,
                "silent": member.is_silent,
                "heard_ms": member.heard_ms,
                "share": member.share,
                "counts": dict(group.counts),
                "items": items,
                "own": dict(member.own),
                "unknown_rules": member.unknown,
            }
        )
    for gap in gaps:
        lacking = {status: list(names) for status, names in gap.lacking.items()}
        technique = norm.baseline.items[gap.item].technique
        told = {"item": gap.item, "technique": technique, "alerts": gap.alerts, "asked": gap.asked, "lacking": lacking}
        yield _json({"what": "gap", **told})


def _json(told: object) -> str:
    return orjson.dumps(told).decode()
