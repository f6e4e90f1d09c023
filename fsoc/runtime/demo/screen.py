"""The picture drawn for a terminal: a header, the joint alerts with why, feed health, and the score. Pure drawing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from fsoc.exercise import ApartScore, Score
from fsoc.exercise.spec import rfc3339
from fsoc.runtime.demo.grid import feed_grid
from fsoc.runtime.demo.picture import Alert, Picture

LEVEL_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "dim"}
SYMBOLS = {"gte": "≥", "gt": ">", "lte": "≤", "lt": "<", "eq": "=", "neq": "≠"}
TECHNIQUES_SHOWN = 4
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
TIME_WIDTH = len("06-21 Sun 09:05")
ROOM_FOR_ALL = 40
"""Lines from which the score and feed health are shown together."""


@dataclass(frozen=True, slots=True)
class Screen:
    """One full frame, as high as the console."""

    picture: Picture

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        lines = [*header(self.picture, width)]
        score = score_lines(self.picture.score, width) if self.picture.score else []
        grid: list[Text] = []
        if not score or height >= ROOM_FOR_ALL:
            grid = feed_grid(list(self.picture.feeds.values()), width, lines_max=max(4, height * 2 // 5))
        space = height - len(lines) - len(grid) - len(score) - 1
        lines += [*alert_lines(self.picture.joint(), width, lines_max=space), Text(""), *score]
        lines += [Text("")] * (height - len(lines) - len(grid))
        for line in (*lines[: height - len(grid)], *grid):
            line.truncate(width, overflow="ellipsis")
            yield line


def header(picture: Picture, width: int) -> Iterator[Text]:
    """What runs, how far it is, and what came of it."""
    institutions = len(picture.feeds)
    title = Text.assemble(
        (" fsoc ", "bold reverse"),
        f"  exercise {picture.seed}  ·  {institutions} institutions  ·  ",
        (picture.carrier, "dim"),
    )
    yield title
    share = picture.received / picture.total if picture.total else 0.0
    clock = rfc3339(picture.clock_ms)
    left = f" {clock[:4]}-{when(clock)} UTC  "
    right = f"  {share:4.0%}  {picture.received:,} of {picture.total:,} records"
    yield Text.assemble((left, "bold"), _bar(share, max(8, width - len(left) - len(right) - 1)), right)
    yield Text.assemble(
        " ",
        (picture.phase, "bold"),
        "  ·  used ",
        (f"{picture.count('used'):,}", "green"),
        "  duplicate ",
        f"{picture.count('duplicate'):,}",
        "  late ",
        (f"{picture.count('late'):,}", "yellow"),
        "  quarantined ",
        (f"{picture.count('quarantined'):,}", "red"),
        "  missing ",
        (f"{picture.count('missing'):,}", "magenta"),
    )
    yield Text("")


def alert_lines(alerts: list[Alert], width: int, *, lines_max: int | None = None) -> list[Text]:
    """Two lines of heading and two an alert, as many as fit; None: all of them."""
    standing = sum(alert["status"] != "retracted" for alert in alerts)
    title = Text.assemble((f" Joint alerts {standing}", "bold"))
    if campaigns := {alert.get("campaign_id") for alert in alerts if alert["status"] != "retracted"} - {None}:
        title.append(f"  ·  {_count(len(campaigns), 'campaign')}", "bold")
    if standing != len(alerts):
        title.append(f"  ·  {len(alerts) - standing} taken back", "dim")
    fitting = len(alerts) if lines_max is None else max(0, (lines_max - 2) // 2)
    if len(alerts) > fitting:
        title.append(f"  ·  the newest {fitting}", "dim")
    if not alerts:
        return [title, Text("   none yet: no rule has been satisfied by enough institutions", "dim")]
    heading = _row("time", "level", "rule", "inst", "seen, asked", "techniques", width=width)
    heading.stylize("dim")
    return [title, heading, *(line for alert in alerts[:fitting] for line in _alert(alert, width))]


def _alert(alert: Alert, width: int) -> tuple[Text, Text]:
    explanation = alert["explanation"]
    first = _row(
        when(alert["raised_at_event_time"]),
        alert["level"],
        _printable(alert["rule_title"]),
        str(alert["institution_count"]),
        f"{_condition(explanation)} in {explanation['timespan']}",
        _techniques(alert),
        width=width,
    )
    second = Text(" " * (TIME_WIDTH + 2) + "└ ")
    if alert["status"] == "retracted":
        first.stylize("dim")
        second.append("TAKEN BACK  ", "bold")
    else:
        first.highlight_words([f" {alert['level']} "], LEVEL_STYLES.get(alert["level"], ""))
    second.append(why(alert), "dim")
    second.truncate(width, overflow="ellipsis")
    return first, second


def _row(time: str, level: str, rule: str, institutions: str, why: str, techniques: str, *, width: int) -> Text:
    """One line of the table; the rule's title takes what the other columns leave."""
    techniques_width = max(12, min(46, width // 6))
    row = Text(f" {time:<{TIME_WIDTH}}  {level:<9}")
    room = width - len(row.plain) - 4 - 17 - techniques_width
    for text, size, style in (
        (rule, max(16, room), "bold"),
        (institutions.rjust(4), 4, ""),
        ("  " + why, 17, ""),
        ("  " + techniques, techniques_width, "cyan"),
    ):
        cell = Text(text, style)
        cell.truncate(size, overflow="ellipsis", pad=True)
        row.append_text(cell)
    row.truncate(width)
    return row


def when(time: str) -> str:
    """`06-21 Sun 09:05`, of RFC 3339 in UTC: an exercise lasts for days, and a weekend's alert is another matter."""
    moment = datetime.fromisoformat(time)
    return f"{time[5:10]} {WEEKDAYS[moment.weekday()]} {time[11:16]}"


def why(alert: Alert) -> str:
    """What the tickets share, and who sent how many, in one line."""
    group = [f"{name} = {value}" for name, value in alert["group"].items()]
    campaign = alert.get("campaign_id")
    shared = ", ".join([f"campaign {campaign[:7]}", *group] if campaign else group)
    share = alert["explanation"]["share"]
    counts = ", ".join(f"{name} {number}" for name, number in share.items())
    line = f"{_count(alert['ticket_count'], 'ticket')} of {_count(len(share), 'institution')}: {counts}"
    return _printable(" ".join(f"{shared} · {line}".split()) if shared else line)


def _printable(text: str) -> str:
    """Text from the wire may hold what a terminal obeys; none of that is printable."""
    return "".join(character if character.isprintable() else "·" for character in text)


def _condition(explanation: dict[str, Any]) -> str:
    bounds = " ".join(f"{SYMBOLS.get(name, name)} {bound:g}" for name, bound in explanation["condition"].items())
    return f"{explanation['seen']:g} {bounds}"


def _techniques(alert: Alert) -> str:
    names = list(dict.fromkeys(item["technique"] for item in alert["attack"]))
    more = f" +{len(names) - TECHNIQUES_SHOWN}" if len(names) > TECHNIQUES_SHOWN else ""
    return " ".join(names[:TECHNIQUES_SHOWN]) + more


def score_lines(score: Score, width: int) -> list[Text]:
    """The verdict, and a line per planted campaign."""
    total = len(score.campaigns)
    if score.passes:
        verdict = Text(f" PASSED  all {total} planted campaigns alerted, no false alarm", "bold green")
    else:
        alarms = _count(len(score.false_alarms), "false alarm")
        verdict = Text(f" FAILED  {score.missed} of {total} planted campaigns missed, {alarms}", "bold red")
    if score.retracted:
        verdict.append(f"  ·  {_count(score.retracted, 'alert')} taken back with the tickets below them", "dim")
    for said in (
        _apart(score.feeds, "sick feed", "healthy called sick"),
        _apart(score.rules, "defective rule", "sound called defective"),
    ):
        if said:
            verdict.append(f"  ·  {said}", "dim")
    lines = [verdict]
    heads = "institutions  alerts  from 1st ticket  from 3rd inst."
    room = max(20, width - len(heads) - 6)
    lines.append(Text(f"   {'planted campaign':<{room}}  {heads}", "dim"))
    for one in score.campaigns:
        found = bool(one.alert_ids)
        name = Text(f" {'✓' if found else '✗'} {one.title}", "" if found else "bold red")
        name.truncate(room + 3, overflow="ellipsis", pad=True)
        numbers = (
            f"  {f'{one.covered} of {one.of}':>12}  {len(one.alert_ids):>6}"
            f"  {_minutes(one.after_first_s):>15}  {_minutes(one.after_decided_s):>14}"
        )
        lines.append(name + Text(numbers, "" if found else "bold red"))
    return lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _apart(score: ApartScore, what: str, mistaken: str) -> str:
    """What is judged apart, in words; nothing where there was none and nobody said so."""
    planted, wrong = len(score.found) + len(score.missed), len(score.false_alarms)
    words = f"{len(score.found)} of {_count(planted, what)} noticed" if planted else ""
    return words + (", " if words and wrong else "") + (f"{wrong} {mistaken}" if wrong else "")


def _minutes(seconds: float | None) -> str:
    """Event time as `1 h 05 min` or `2 d 03 h`; before zero with a minus."""
    if seconds is None:
        return "missed"
    sign, minutes = "−" if seconds <= -30 else "", round(abs(seconds) / 60)
    if minutes >= 2 * 24 * 60:
        return f"{sign}{minutes // 1440} d {minutes % 1440 // 60:02d} h"
    return f"{sign}{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{sign}{minutes} min"


def _bar(share: float, width: int) -> Text:
    full = round(share * width)
    return Text.assemble(("━" * full, "green"), ("─" * (width - full), "dim"))


def summary(picture: Picture, console: Console) -> None:
    """What stays on the terminal when the show is over: every joint alert and the score."""
    width = console.width
    console.print()
    for line in alert_lines(picture.joint(), width):
        console.print(line, overflow="ellipsis", no_wrap=True)
    console.print()
    if picture.score:
        for line in score_lines(picture.score, width):
            console.print(line, overflow="ellipsis", no_wrap=True)
