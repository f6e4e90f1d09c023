"""What institutions answered to alerts, as a table for people and as CSV or JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
from rich.table import Table
from rich.text import Text

from fsoc.cli.alert_csv import BOM, csv_line
from fsoc.cli.alert_words import Language, clock_text, span, word
from fsoc.cli.printable import printable
from fsoc.sharing.acknowledged import ANSWERS, Acknowledgement

STYLES: Final = {"affected": "bold red", "not_affected": "green", "hunting": "yellow"}
COLUMNS: Final = (
    "alert_id",
    "institution",
    "answer",
    "received_at",
    "first_received_at",
    "seconds_after_feedback",
    "ticket_id",
)


def answer_name(answer: Acknowledgement, language: Language) -> str:
    en, zh = ANSWERS[answer.answer]
    return zh if language == "zh-TW" else en


def table(answers: Sequence[Acknowledgement], language: Language) -> Table:
    """An institution a line: what it answers, when, how long after it was told, and by which message."""
    shown = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for one in answers:
        after = "" if one.after_ms is None else f"{span(max(one.after_ms, 0))} {word('after feedback', language)}"
        shown.add_row(
            Text(printable(one.institution), "bold"),
            Text(answer_name(one, language), STYLES.get(one.answer, "")),
            Text(f"{clock_text(one.received_at)} UTC"),
            Text(after),
            Text(printable(one.ticket_id), "dim"),
        )
    return shown


def exported(answers: Iterable[tuple[str, Acknowledgement]], form: str, *, bom: bool) -> bytes:
    """Each with the alert that it answers. form: csv, json or ndjson."""
    rows: list[dict[str, Any]] = [{"alert_id": alert_id, **answer.wire()} for alert_id, answer in answers]
    if form == "json":
        return orjson.dumps(rows) + b"\n"
    if form == "ndjson":
        return b"".join(orjson.dumps(row) + b"\n" for row in rows)
    lines = [csv_line(COLUMNS), *(csv_line("" if row[name] is None else row[name] for name in COLUMNS) for row in rows)]
    return ((BOM if bom else "") + "".join(lines)).encode()
