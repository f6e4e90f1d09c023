"""The report: both languages, every figure, nothing from a file that is more than text; its pictures are SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from fsoc.evaluation.comparison import compare
from fsoc.evaluation.evaluate import evaluate
from fsoc.evaluation.figures import Day
from fsoc.evaluation.plots import alerts_per_day, time_to_alert
from fsoc.evaluation.report import ROWS_MAX, report
from fsoc.evaluation.shares import Share
from fsoc.evaluation.sweep import Axis, Curve, setting
from fsoc.evaluation.words import cell, group_said, share_in_full, span_said


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter() if element.tag.endswith("}text")]  # noqa: S314


@pytest.fixture
def evaluation(alert, truth, tickets):
    return evaluate(
        [alert("x", "a1 b1 c1", raised=20), alert("y", "d8 e8", rule_id="two", rule_title="B|<b>", group={"ip": "1"})],
        truth(kit="a1 b1 c1", flood="d1 e1"),
        tickets("a1@0 b1@10 c1@20+3 d1@0 e1@0"),
    )


def test_the_report_has_every_section_in_both_languages_and_names_its_pictures(evaluation):
    made = report("week", evaluation, given={"truth · 真值": "truth.ndjson"})

    headings = [line for line in made.text.splitlines() if line.startswith("#")]
    assert all(" · " in line and re.search(r"[一-鿿]", line) for line in headings)
    assert len(headings) == 8
    assert set(made.pictures) == {
        "week-precision-recall.svg",
        "week-time-to-alert.svg",
        "week-alerts-per-day.svg",
    }
    assert all(f"(<{name}>)" in made.text for name in made.pictures)
    assert all(texts(svg) for svg in made.pictures.values())
    assert "0.50 (1/2, 0.09–0.91)" in made.text
    assert "20 min" in made.text
    assert "**missed · 未告警**" in made.text
    assert "ip = 1" in made.text


def test_every_row_of_a_table_has_as_many_cells_as_its_head(evaluation):
    text = report("week", evaluation, given={}).text
    for block in re.findall(r"(?:^\|.*\|$\n?)+", text, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


@pytest.mark.parametrize(
    "hostile", ["<script>x</script>", "a|b", "[x](http://y)", "a\nb\r\n# c", "`x`", "x" * 500, "a\x00b"]
)
def test_what_comes_from_files_stays_text(hostile, alert, truth):
    text = report("r", evaluate([alert("x", rule_title=hostile)], truth(kit="a1 b1")), given={"truth": hostile}).text
    shown = cell(hostile)

    assert shown in text
    assert "\n" not in shown
    assert "<" not in shown
    assert len(shown) <= 2 * 120 + 8
    assert not re.search(r"(?<!\\)[|`\[\]]", shown)


def test_changes_and_curves_are_shown_beside_what_stands(evaluation, alert, truth):
    axis = Axis("rule", "Rule", "規則", ("correlation", "condition", "gte"), (2, 3), 3, given=True)
    silent = Axis("none", "Silent", "沉默", ("correlation", "timespan"), ("1h", "2h"), "1h", given=True)
    worse = evaluate([alert("x", "a1 b1"), alert("u", "d8 e8")], truth(kit="a1 b1"))
    curves = [
        Curve(axis, (setting(axis, 2, worse), setting(axis, 3, evaluation))),
        Curve(silent, (setting(silent, "1h", evaluation), setting(silent, "2h", worse))),
    ]
    made = report("r", evaluation, given={}, curves=curves, comparison=compare(["gte=2"], worse, evaluation))

    assert {"r-sweep-1.svg"} == {name for name in made.pictures if "sweep" in name}  # nothing to draw of the silent one
    assert "**3**" in made.text
    assert "**2**" not in made.text
    assert "Silent · 沉默: timespan, 1h, 2h" in made.text
    assert "`gte=2`" in made.text
    assert {"2", "3", "as it stands · 現行設定"} <= set(texts(made.pictures["r-sweep-1.svg"]))


def test_a_comparison_has_all_rules_first_and_every_rule_of_either_side(alert, truth):
    written = evaluate([alert("x", rule_id="one", rule_title="A")], truth(kit="a1 b1"))
    off = evaluate(
        [alert("x", rule_id="one", rule_title="A"), alert("y", "c1 d1", rule_id="two", rule_title="B")],
        truth(kit="a1 b1"),
    )
    rows = compare(["counts_when=always"], written, off).rows

    assert [(row.rule_id, row.written.false_alarms, row.changed.false_alarms) for row in rows] == [
        (None, 0, 1),
        ("one", 0, 0),
        ("two", 0, 1),
    ]
    assert rows[0].changed.precision == Share(1, 2)
    assert rows[2].written.precision == Share(0, 0)


def test_false_alarms_without_end_are_counted(alert, truth):
    many = [alert(f"x{number}", "d8 e8") for number in range(ROWS_MAX + 3)]
    text = report("r", evaluate(many, truth()), given={}).text

    assert "3 more · 另有 3 則" in text


def test_the_time_picture_counts_every_label_once_and_those_missed(evaluation):
    shown = texts(time_to_alert(evaluation))

    assert {"missed", "1", "≤ 1 min", "1 h"} <= set(shown)
    assert "3 d" not in shown  # empty ends are left out


def test_many_days_are_drawn_several_to_a_bar():
    days = [Day(f"2026-03-{day:02}", 1, day % 2) for day in range(1, 32)] + [Day("2026-04-01", 4, 0)]
    shown = texts(alerts_per_day(days))

    assert "2 days from (UTC) · 每 2 日，起日" in shown
    assert {"3/1", "3", "5"} <= set(shown)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0, "0 s"),
        (-0.4, "0 s"),
        (33.4, "33 s"),
        (59.6, "1 min"),
        (-3540, "−59 min"),
        (3600, "1 h 00 min"),
        (60_374, "16 h 46 min"),
        (200_000, "2 d 8 h"),
        (-200_000, "−2 d 8 h"),
    ],
)
def test_times_are_said_in_the_unit_that_people_think_in(seconds, said):
    assert span_said(seconds) == said


def test_a_share_is_never_said_without_what_it_is_of():
    assert share_in_full(Share(6, 7)) == "0.86 (6/7, 0.49–0.97)"
    assert share_in_full(Share(0, 0)) == "–"
    assert group_said({}) == "–"
