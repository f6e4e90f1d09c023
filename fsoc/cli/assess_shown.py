"""An assessment on a terminal: a line a script, what was missed and why, what differs from the last. Pure text."""

from __future__ import annotations

from collections.abc import Iterator

import click

from fsoc.baseline.assess.markdown import STAGES_ZH
from fsoc.baseline.assess.report import STAGES, Against, Assessment, missed
from fsoc.cli.printable import printable
from fsoc.cli.table import Column, table

MISSED_MAX = 100
"""Lines of what was missed; all of it is in the JSON."""


def shown(found: Assessment, against: Against | None) -> Iterator[str]:
    """The lines; colours are for terminals, where click leaves them."""
    scripts = found.by("script")

    def reached(stage: str) -> Column:
        def text(script: str) -> str:
            outcomes = [getattr(one, stage) for one in found.judged if one.script == script]
            asked = [outcome for outcome in outcomes if outcome.asked]
            return f"{sum(outcome.reached for outcome in asked)}/{len(asked)}" if asked else "–"

        return f"{stage} {STAGES_ZH[stage]}", text

    columns: list[Column] = [
        ("script 劇本", printable),
        *map(reached, STAGES),
        ("score 分數", lambda script: _share(scripts[script])),
    ]
    yield from table(columns, list(scripts), "red", lambda script: scripts[script] < found.floor)
    yield ""
    gone = missed(found.judged)
    for one, stage, outcome in gone[:MISSED_MAX]:
        place = printable(f"{one.script}/{one.step} at {one.institution} ({one.technique or '—'})")
        yield click.style(f"  ✗ {place}: not {stage} 未{STAGES_ZH[stage]}: {printable(outcome.why)}", fg="red")
    if len(gone) > MISSED_MAX:
        yield f"  … and {len(gone) - MISSED_MAX} more"
    if against is not None:
        yield from _against(found, against)
    verdict = "passes 通過" if found.passes else "FAILS 未通過"
    colour = "green" if found.passes else "red"
    said = (
        f"{found.assessed}: {_share(found.total)} of baseline {found.baseline}, floor {_share(found.floor)}: {verdict}"
    )
    yield click.style(said, fg=colour)


def _against(found: Assessment, against: Against) -> Iterator[str]:
    yield f"  last time 前次 {_share(against.total_before)}, now 本次 {_share(found.total)}"
    for name, (before, now) in against.worse.items():
        yield click.style(f"  ↓ {printable(name)}: {_share(before)} → {_share(now)}", fg="red")
    for name, (before, now) in against.better.items():
        yield click.style(f"  ↑ {printable(name)}: {_share(before)} → {_share(now)}", fg="green")
    for name in (*against.new, *against.gone):
        yield f"  · {printable(name)}: {'new 新增' if name in against.new else 'gone 移除'}"


def _share(score: float) -> str:
    return f"{100 * score:.1f} %"
