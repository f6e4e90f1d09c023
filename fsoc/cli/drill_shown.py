"""A drill's score as a table on a terminal. Pure but for printing."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from fsoc.cli.alert_watch import console
from fsoc.cli.printable import printable
from fsoc.drills.report import span
from fsoc.drills.score import DrillScore, middle

_HEADS = (
    "institution\n機構",
    "injects\n狀況",
    "missed\n未通報",
    "to ticket\n通報",
    "longest\n最長",
    "told\n回饋",
    "no answer\n未回復",
    "to answer\n回復",
)


def shown(score: DrillScore) -> None:
    """Print it: an institution a line, and the sums."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for place, head in enumerate(_HEADS):
        table.add_column(head, justify="right" if place else "left")
    for one in score.members:
        table.add_row(
            Text(printable(one.institution), "bold"),
            str(len(one.injects)),
            Text(str(one.missed), "bold red" if one.missed else ""),
            span(middle(one.ticket_seconds)),
            span(max(one.ticket_seconds, default=None)),
            str(len(one.told)),
            Text(str(one.unanswered), "yellow" if one.unanswered else ""),
            span(middle(one.answer_seconds)),
        )
    out = console()
    state = "goes on 進行中" if score.stopped_at_ms is None else "is over 已結束"
    said = score.wire()
    out.print(Text(f"【演練】 {score.exercise_id}: {state}", "bold"))
    out.print(table)
    out.print(
        f"{said['injects']} injects, {said['missed']} missed, to ticket {span(said['ticket_seconds_median'])}; "
        f"{score.alerts} joint alerts, {said['told']} told, {said['unanswered']} unanswered, "
        f"to acknowledge {span(said['answer_seconds_median'])}"
    )
