"""What a terminal shows of alerts: as wide and high as it is, and nothing from the wire controls it."""

from __future__ import annotations

import io

import orjson
import pytest
from rich.console import Console

from fsoc.alerts.read import read_alert
from fsoc.cli.alert_story import story
from fsoc.cli.alert_table import AlertTable
from fsoc.cli.alert_words import span
from fsoc.correlation.policy import HOUR_MS
from fsoc.sharing.acknowledged import Acknowledgement
from tests.alerts.conftest import NOON
from tests.cli.test_alerts import SUPPRESSED, alert


def rendered(what, width, *, height=40, full=False):
    out = Console(file=io.StringIO(), width=width, height=height, markup=False, highlight=False, force_terminal=True)
    for part in what if isinstance(what, list) else [what]:
        out.print(part)
    return out.file.getvalue()


EVIL = "\x1b]0;owned\x07\x1b[2J\r\u202eevil [bold]"


def test_text_from_the_wire_cannot_control_the_terminal():
    wild = alert(
        alert_id=f"al-{EVIL}",
        rule_title=EVIL,
        group={EVIL: EVIL},
        level=EVIL,
        status=EVIL,
        campaign_id=EVIL,
        tickets={EVIL: [EVIL]},
        suppressed={"id": EVIL, "owner": EVIL, "until": EVIL, "reason": EVIL},
        attack=[{"tactic": EVIL, "technique": EVIL}],
    )
    wild["explanation"] = {**wild["explanation"], "text": EVIL, "share": {EVIL: 1}, "timespan": EVIL}
    for name in ("clocks", "timeline"):
        wild[name] = [{**wild[name][0], **dict.fromkeys({"id", "name", "tactic"} & set(wild[name][0]), EVIL)}]
    read = read_alert(orjson.dumps(wild))
    answers = [Acknowledgement(EVIL, "affected", "2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z", EVIL)]
    shown = rendered(AlertTable([read], NOON, "en", notice=EVIL), 200) + rendered(
        list(story(read, [read], answers, NOON, "en")), 200
    )

    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "\x1b]" not in shown
    assert "\x1b[2J" not in shown
    assert "[bold]" in shown


@pytest.mark.parametrize("language", ["en", "zh-TW"])
@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_a_table_is_never_wider_than_its_terminal(width, language):
    long = alert(rule_title="A long title " * 9, rule_title_zh="很長的標題" * 20)
    read = [read_alert(orjson.dumps(one)) for one in (alert(), long)]
    out = Console(file=io.StringIO(), width=width, height=30)
    lines = out.render_lines(AlertTable(read, NOON + HOUR_MS, language), pad=False)

    assert len(lines) == 6
    assert all(sum(part.cell_length for part in line) <= width for line in lines)


def test_a_live_table_is_as_high_as_its_terminal_with_the_newest_on_top():
    read = [read_alert(orjson.dumps(alert(f"al-{place:02}"))) for place in range(30)]
    shown = rendered(AlertTable(read, NOON, "en", full=True), 100, height=12).splitlines()

    assert len(shown) == 2 + 2 * 4
    assert "30 alerts" in shown[0]
    assert "the newest 4" in shown[0]
    assert "00" in shown[2]


def test_what_is_suppressed_taken_back_or_due_is_told_in_the_table():
    taken_back, standing, suppressed = (
        read_alert(orjson.dumps(alert(**changes)))
        for changes in ({"status": "retracted"}, {}, {"suppressed": SUPPRESSED})
    )
    shown = rendered(AlertTable([taken_back, standing, suppressed], NOON + 35 * 60_000, "en", hidden=3), 140)

    assert "retracted" in shown
    assert "suppressed (drill, me)" in shown
    assert "30m notify" in shown
    assert "3 suppressed" in shown
    assert "past" in rendered(AlertTable([standing], NOON + 3 * HOUR_MS, "en"), 140)
    assert "notify" not in rendered(AlertTable([taken_back], NOON, "en"), 140)


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [(0, "<1m"), (59, "59m"), (65, "1h05"), (60 * 24 + 61, "1d01h"), (-90, "-1h30"), (-0.5, "<1m")],
)
def test_spans_are_short(minutes, shown):
    assert span(round(minutes * 60_000)) == shown
