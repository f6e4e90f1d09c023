"""What stands on the screen at the sizes people have, and that it never runs over."""

from __future__ import annotations

import io
import re

import orjson
import pytest
from rich.cells import cell_len
from rich.console import Console

from fsoc.exercise import ExerciseSpec, RuleDefect, generate, score
from fsoc.exercise.spec import rfc3339
from fsoc.runtime.demo.grid import feed_grid
from fsoc.runtime.demo.picture import FeedHealth, Picture
from fsoc.runtime.demo.screen import Screen, summary

SIZES = [(80, 24), (100, 30), (160, 50), (220, 60)]


@pytest.fixture(scope="module")
def sector():
    return generate(ExerciseSpec(seed=3, tickets_per_institution=30, heartbeat_minutes=240))


@pytest.fixture
def busy(sector, alert_on, header):
    """Forty institutions, half of two weeks sent, an alert on every campaign, the decoys' taken back."""
    picture = Picture.of(sector, detections_partitions=8, carrier="Kafka at 127.0.0.1:9092, 2 workers")
    picture.phase, picture.total = "Replaying", 50_000
    for delivery in sector.deliveries[: len(sector.deliveries) // 2]:
        picture.take_sent(delivery.institution, delivery.at_ms)
    gap = {"siem": {"e": {"missing": [[1, 3]]}}}
    for number, name in enumerate(picture.feeds):
        value = header(600 + number, ended=False, used=580, duplicate=17, late=3, quarantined=number // 39, feeds=gap)
        picture.take_intake(f"{name}/header".encode(), value)
    for campaign in sector.truth:
        picture.take_alert(orjson.dumps(alert_on(campaign)))
    for campaign in sector.decoys:
        picture.take_alert(orjson.dumps(alert_on(campaign, status="retracted", rule_title="A rule on trainings")))
    return picture


def drawn(picture, width, height, **options):
    console = Console(width=width, height=height, file=io.StringIO(), record=True, highlight=False, **options)
    console.print(Screen(picture))
    return console.export_text()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_frame_fills_the_terminal_and_never_runs_over(busy, sector, width, height):
    for picture_score in (None, score(sector.truth, busy.alerts.values())):
        busy.score = picture_score
        lines = drawn(busy, width, height).splitlines()

        assert len(lines) == height
        assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_frame_says_what_runs_how_far_it_is_and_what_came_of_it(busy, width, height):
    text = drawn(busy, width, height)

    assert "exercise 3" in text
    assert "40 institutions" in text
    assert "Kafka at 127.0.0.1:9092" in text
    assert "Replaying" in text
    assert "quarantined 1" in text
    assert "2026-06-" in text
    assert f"of {busy.total:,} records" in text


def test_an_alert_shows_when_and_why_it_was_raised(busy, sector):
    """The day too: an exercise lasts for weeks, and an alert on a Sunday is another matter."""
    text = drawn(busy, 160, 50)
    campaign = busy.joint()[len(sector.decoys)]
    line, why = next(
        (line, after)
        for line, after in zip(text.splitlines(), text.splitlines()[1:], strict=False)
        if campaign["rule_title"] in line
    )

    assert line.startswith(" 06-21 Sun 01:02  critical")
    assert "critical" in line
    assert f"{campaign['institution_count']} ≥ 3 in 4h" in line
    assert "T1490 T1486" in line
    assert f"indicator = copper-tide.example · {campaign['ticket_count']} tickets of" in why
    assert f"{campaign['institutions'][0]} 2, {campaign['institutions'][1]} 2" in why


def test_alerts_of_one_campaign_say_which_and_campaigns_are_counted(busy):
    for alert in busy.joint():
        alert["campaign_id"] = "ca-0123456789"

    text = drawn(busy, 160, 50)

    assert "1 campaign " in text
    assert "campaign ca-0123, indicator = copper-tide.example" in text


def test_an_alert_that_was_taken_back_says_so_and_is_not_counted(busy, sector):
    text = drawn(busy, 160, 50)

    assert "TAKEN BACK" in text
    assert f"Joint alerts {len(sector.truth)}" in text
    assert f"{len(sector.decoys)} taken back" in text


@pytest.mark.parametrize(("width", "height"), [(100, 30), (160, 50)])
def test_all_forty_feeds_fit(busy, width, height):
    text = drawn(busy, width, height)

    assert all(name in text for name in busy.feeds)
    assert "639" in text  # what the last institution received


def test_a_wide_grid_spells_its_columns_out_and_a_narrow_one_explains_them():
    feeds = [FeedHealth(f"fi-{number:03d}", received=5, used=4, late=1) for number in range(40)]

    assert "used" in feed_grid(feeds, 160, lines_max=20)[1].plain
    narrow = feed_grid(feeds, 100, lines_max=12)
    assert "q quarantined" in narrow[0].plain
    assert "used" not in narrow[1].plain
    assert len(narrow) == 12


def test_where_not_all_feeds_fit_those_in_trouble_come_first():
    feeds = [FeedHealth(f"fi-{number:03d}", received=9) for number in range(400)]
    feeds[377].missing, feeds[388].quarantined = 2, 1
    lines = feed_grid(feeds, 100, lines_max=10)

    assert len(lines) == 10
    assert "32 of 400" in lines[0].plain
    assert "fi-377" in lines[2].plain
    assert "fi-388" in lines[3].plain


def test_a_number_too_large_for_its_column_does_not_move_the_others():
    feeds = [FeedHealth(f"fi-{number:03d}", received=9, duplicate=3) for number in range(40)]
    feeds[0].received, feeds[0].duplicate = 123_456, 1234
    lines = feed_grid(feeds, 100, lines_max=12)

    assert len({cell_len(line.plain) for line in lines[1:]}) == 1
    assert "999+ 9+" in lines[2].plain


def test_colours_carry_nothing_that_words_do_not(busy, sector):
    busy.score = score(sector.truth, [])
    coloured = drawn(busy, 100, 50, force_terminal=True, color_system="truecolor")
    plain = drawn(busy, 100, 50, no_color=True)

    assert coloured == plain
    assert "FAILED" in plain


def test_the_score_says_what_was_found_missed_and_how_soon(busy, sector):
    busy.score = score(
        sector.truth, [alert for alert in busy.alerts.values() if sector.truth[0].id not in alert["alert_id"]]
    )
    lines = drawn(busy, 160, 50).splitlines()
    missed = next(line for line in lines if sector.truth[0].title[:40] in line)
    found = next(line for line in lines if sector.truth[1].title[:40] in line)

    assert any(f"FAILED  1 of {len(sector.truth)} planted campaigns missed, 0 false alarms" in line for line in lines)
    assert "✗" in missed
    assert "missed" in missed
    assert "✓" in found
    assert f"{len(sector.truth[1].institutions)} of {len(sector.truth[1].institutions)}" in found
    assert re.search(r"\d (min|h)\b", found)


def test_the_summary_shows_every_alert_and_the_verdict(busy, sector):
    busy.score = score(sector.truth, busy.alerts.values())
    console = Console(width=100, height=10, file=io.StringIO(), record=True)
    summary(busy, console)
    text = console.export_text()

    assert text.count("└") == len(busy.joint())
    assert f"PASSED  all {len(sector.truth)} planted campaigns alerted, no false alarm" in text
    assert f"{len(sector.decoys)} alerts taken back" in text


def test_the_score_says_how_many_sick_feeds_were_noticed_and_is_silent_where_there_were_none(busy, sector, alert_on):
    trouble = sector.feed_truth[0]
    raised = rfc3339(trouble.from_ms + 1)
    feeds = [
        alert_on(sector.truth[0], alert_id=name, kind="feed", institutions=[institution], raised_at_event_time=raised)
        for name, institution in (("right", trouble.institution), ("wrong", "fi-999"))
    ]
    busy.score = score(sector.truth, feeds, sector.feed_truth)
    assert f"1 of {len(sector.feed_truth)} sick feeds noticed, 1 healthy called sick" in drawn(busy, 160, 50)

    busy.score = score(sector.truth, [])
    assert "sick" not in drawn(busy, 160, 50)


def test_the_score_says_how_many_defective_rules_were_noticed(busy, sector, alert_on):
    defect = RuleDefect("defect-1", "MB-231", "2026.2", ("a", "b", "c"), 1_772_409_600_000, 1_772_409_660_000)
    rules = [
        alert_on(sector.truth[0], alert_id=name, kind="rule", group={"trigger.rule_id": name}, raised_at_event_time=at)
        for name, at in (("MB-231", rfc3339(defect.first_ms)), ("MB-999", rfc3339(defect.first_ms)))
    ]
    busy.score = score(sector.truth, rules, rule_truth=[defect])

    assert "1 of 1 defective rule noticed, 1 sound called defective" in drawn(busy, 160, 50)


def test_days_are_counted_as_days(busy, sector, alert_on):
    late = rfc3339(sector.truth[0].first_at_ms + 3 * 86_400_000 + 2 * 3_600_000)
    busy.score = score(sector.truth, [alert_on(sector.truth[0], raised_at_event_time=late)])

    assert "3 d 02 h" in drawn(busy, 160, 50)


def test_text_from_the_wire_cannot_write_markup_or_control_the_terminal(busy, alert_on, sector):
    evil = alert_on(sector.truth[0], revision=9)
    evil["group"]["indicator"] = "[bold]x[/bold] \x1b[2J\x07 [link=https://evil.example]y[/link]"
    busy.take_alert(orjson.dumps(evil))
    text = drawn(busy, 160, 50)

    assert "[bold]x[/bold]" in text
    assert "\x1b" not in text
    assert "\x07" not in text


def test_a_picture_without_alerts_says_so(picture):
    assert "none yet" in drawn(picture, 100, 30)
