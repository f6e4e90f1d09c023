"""ATT&CK Navigator layers (format 4.5) of a group's coverage, as plain data. Pure; whoever writes them writes UTF-8."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fsoc.coverage.groups import Group, covered_share, status_of
from fsoc.coverage.judge import STATUSES, Norm, Status
from fsoc.coverage.words import LOOKS
from fsoc.tickets.times import rfc3339

LAYER_FORMAT: Final = "4.5"
NAVIGATOR: Final = "5.1.0"
DOMAIN: Final = "enterprise-attack"


def layer_of(group: Group, norm: Norm, now_ms: int) -> dict[str, Any]:
    """One layer. Of one institution a technique's score is its status'; of several the percentage that covers it."""
    one = len(group.members) == 1
    return {
        "name": f"{group.title} · {group.title_zh}",
        "versions": {
            "attack": norm.techniques.version.partition(".")[0],
            "navigator": NAVIGATOR,
            "layer": LAYER_FORMAT,
        },
        "domain": DOMAIN,
        "description": (
            f"Coverage of the monitoring baseline {norm.baseline.version} as of {rfc3339(now_ms)}; "
            f"監控組態基準 {norm.baseline.version} 涵蓋情形"
        ),
        "sorting": 0,
        "layout": {"layout": "side", "aggregateFunction": "average", "showID": True, "showName": True},
        "hideDisabled": False,
        "techniques": [dict(_technique(name, group, norm, one=one)) for name in group.techniques],
        "gradient": {"colors": ["#a40000", "#f6d58a", "#1d6b2f"], "minValue": 0, "maxValue": 100},
        "legendItems": [{"label": f"{look.word.both}", "color": look.fill} for look in LOOKS.values()] if one else [],
        "metadata": [
            {"name": "baseline_version", "value": norm.baseline.version},
            {"name": "attack_version", "value": norm.techniques.version},
            {"name": "institutions", "value": str(len(group.members))},
        ],
        "showTacticRowBackground": False,
        "selectTechniquesAcrossTactics": True,
        "selectSubtechniquesWithParent": False,
    }


def _technique(name: str, group: Group, norm: Norm, *, one: bool) -> Iterator[tuple[str, Any]]:
    """Under every tactic alike: a layer's technique without a tactic is all of them."""
    counts = group.techniques[name]
    status = status_of(counts)
    yield "techniqueID", name
    yield "score", LOOKS[status].score if one else round(100 * covered_share(counts))
    if one:
        yield "color", LOOKS[status].fill
    yield "comment", comment_of(counts, one=one)
    yield "enabled", True
    items = [item.id for item in norm.baseline.items.values() if name in norm.sees[item.id]]
    yield "metadata", [{"name": "items", "value": ", ".join(items)}]
    yield "showSubtechniques", "." in name


def comment_of(counts: Mapping[Status, int], *, one: bool) -> str:
    """`covered · 已涵蓋`; of several how many of each: `3 covered · 已涵蓋; 1 missing · 未部署`."""
    told = [(LOOKS[status].word.both, counts[status]) for status in STATUSES if counts.get(status)]
    return told[0][0] if one else "; ".join(f"{count} {word}" for word, count in told)
