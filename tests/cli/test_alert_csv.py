"""CSV of alerts: RFC 4180, and no cell that a spreadsheet would take for a formula, whatever tickets say."""

from __future__ import annotations

import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.alerts.read import read_alert
from fsoc.cli.alert_csv import BOM, CELL_MAX, COLUMNS, cell, lines
from tests.alerts.conftest import make_alert, make_entry

DANGEROUS = "=+-@\t\r\n\0|%＝＋－＠"
wild = st.text(
    st.one_of(st.sampled_from(DANGEROUS + " \"',;\\\u3000\ufeff\u202e"), st.characters(exclude_categories=["Cs"]))
)


def parsed(alerts, **options):
    text = "".join(lines(alerts, **options))
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def an_alert(value="evil.example", **changes):
    alert = make_alert([make_entry("fi-001", "T-1"), make_entry("fi-002", "T-2", 5)], group=(value,))
    return read_alert(orjson.dumps({**alert, **changes}))


def is_harmless(text):
    """Neither it nor what is left of it without spaces at its beginning begins as a formula does."""
    return not text.startswith(tuple(DANGEROUS)) and not text.lstrip().startswith(tuple(DANGEROUS))


@given(wild, wild, wild)
def test_no_cell_once_parsed_begins_like_a_formula(value, title, ticket):
    alert = an_alert(value, rule_title=title, rule_title_zh=title, ticket_ids=[ticket], rule_id=ticket, alert_id=value)
    for row in parsed([alert]):
        assert len(row) == len(COLUMNS)
        assert all(map(is_harmless, row))
        assert all(text.isprintable() for text in row)


@given(wild)
def test_a_cell_keeps_what_it_says(text):
    """But for what is written out, and an apostrophe before it."""
    shown = cell(text)

    assert is_harmless(shown)
    if text.isprintable() and len(text) <= CELL_MAX:
        assert shown.removeprefix("'") == text.removeprefix("'") or shown == f"'{text}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "' =1+1"),
        ('"=1+1', "'\"=1+1"),
        ("'=1+1", "''=1+1"),
        ("\t=1+1", "\\t=1+1"),
        ("\r@x", "\\r@x"),
        ("a\nb", "a\\nb"),
        ("-3", "'-3"),
        ("＝cmd", "'＝cmd"),
        ("\ufeff=1", "\\ufeff=1"),
        ("\x1b[31m", "\\x1b[31m"),
        ("evil.example", "evil.example"),
        ("同一攻擊來源", "同一攻擊來源"),
        ("", ""),
        ('"', '"'),
        (3, "3"),
    ],
)
def test_what_would_be_obeyed_is_only_shown(text, shown):
    assert cell(text) == shown


def test_a_cell_fits_a_spreadsheet():
    assert len(cell("x" * 40_000)) == CELL_MAX + 1


def test_each_alert_is_a_row_below_the_heading():
    heading, row = parsed([an_alert()])
    told = dict(zip(heading, row, strict=True))

    assert told["group"] == "indicator = evil.example"
    assert (told["seen"], told["asked"], told["timespan"]) == ("2", "gte 2", "1h")
    assert (told["institutions"], told["ticket_ids"]) == ("fi-001; fi-002", "T-1; T-2")
    assert (told["severity"], told["suggested_grade"], told["suppressed"]) == ("2", "1", "")


def test_intel_is_the_last_column_and_empty_where_there_is_none():
    heard = [{"institution": "fi-009", "ticket_id": f"I-{n}", "at": "2026-03-02T11:58:00.000Z"} for n in (1, 2)]
    heading, row, without = parsed([an_alert(intel=heard), an_alert()])

    assert (heading[-1], row[-1], without[-1]) == ("intel", "fi-009 I-1; fi-009 I-2", "")


def test_beside_it_only_the_explanations_name_intel():
    warned = make_entry("fi-009", "I-1", member="", values=())
    made = make_alert([warned, make_entry("fi-001", "T-1", 1, values=())], type="event_count", fields=())
    heading, row = parsed([read_alert(orjson.dumps(made))])

    naming = [name for name, text in zip(heading, row, strict=True) if "I-1" in text]
    assert naming == ["explanation", "explanation_zh", "intel"]


def test_with_a_byte_order_mark_excel_reads_utf_8():
    text = "".join(lines([], bom=True))

    assert text.startswith(f"{BOM}alert_id,")
    assert text.count(BOM) == 1
