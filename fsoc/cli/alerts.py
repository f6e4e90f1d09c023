"""`fsoc alerts watch|show|export`: joint alerts for those who work them, from the cluster or from a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import orjson

from fsoc.alerts.selection import LEVELS, STATUSES, Selection
from fsoc.cli.alert_source import Source
from fsoc.cli.alert_words import LANGUAGES, Language
from fsoc.cli.topic_source import write
from fsoc.correlation.policy import KINDS
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.duration import duration_ms
from fsoc.runtime.alert_records import AlertRecord, Shelf, begins
from fsoc.tickets.times import BadTime, milliseconds

_path = click.Path(path_type=Path)
_NONE: Final = 1
"""Exit code where nothing was found."""


@click.group(name="alerts", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Watch alerts as they come, show one whole, or export them.

    They are read from the cluster's alerts topic, or with --from from NDJSON as `fsoc replay` and `fsoc demo` write
    it. Nothing is written anywhere. Times are event times, in UTC.
    """


_SOURCE: Final = (
    click.option("--from", "from_", metavar="FILE|-", help="Alerts, one a line, instead of a cluster."),
    click.option("--brokers", metavar="HOST:PORT,…", help="The cluster. Also FSOC_BROKERS."),
    click.option("--topic-prefix", "--prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc."),
    click.option("--environment", metavar="NAME", help="production (default), exercise or test."),
    click.option("--settings", "file", type=_path, metavar="FILE", help="All of these, as YAML."),
)
_SELECTION: Final = (
    click.option("--level", type=click.Choice(LEVELS), help="This level and graver ones."),
    click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Of this kind; default: all."),
    click.option("--status", "statuses", type=click.Choice(STATUSES), multiple=True, help="May be given again."),
    click.option("--rule", metavar="ID|TEXT", help="A rule's id, or a part of its title in either language."),
    click.option(
        "--institution", "institutions", multiple=True, metavar="ID", help="In which it is; may be given again."
    ),
    click.option("--since", metavar="TIME|SPAN", help="Last seen since then: 2026-03-02, 2026-03-02T08:00:00Z, 24h."),
    click.option("--suppressed", is_flag=True, help="Suppressed ones too."),
)
_LANGUAGE: Final = click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", help="Default: en.")


def _with(*options: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@command.command("watch")
@_with(*_SELECTION)
@_LANGUAGE
@click.option("--once", is_flag=True, help="Leave when everything that is there was read.")
@_with(*_SOURCE)
def watch_command(language: Language, once: bool, **options: Any) -> None:
    """Show alerts as they are raised and revised: a live table on a terminal, NDJSON in a pipe.

    In a pipe every new revision that is asked for is one line, as it is on the wire. A SPAN given to --since counts
    back from the newest event time that was read. Ages and what is left of clocks are told against the present for
    production's alerts of a cluster, else against the newest event time. Ctrl-C ends it, with 0.

    \b
    Examples:
      fsoc alerts watch --brokers 127.0.0.1:9092
      fsoc alerts watch --level high --kind joint --lang zh-TW
      fsoc alerts watch --from alerts.ndjson --institution fi-001 --since 24h
      fsoc alerts watch | jq -r 'select(.severity >= 4) | .alert_id'
    """
    from fsoc.cli.alert_watch import watch  # late: it needs rich

    source, selection = Source.of(options), _selection(options)
    watch(source, selection, language, once=once)


@command.command("show")
@click.argument("alert_id", metavar="ALERT_ID")
@_LANGUAGE
@click.option("--json", "as_json", is_flag=True, help='{"alert": …, "revisions": […], "acknowledgements": […]}.')
@_with(*_SOURCE)
def show_command(alert_id: str, language: Language, as_json: bool, **options: Any) -> None:
    """Tell one alert whole: why it was raised, how grave it is, what is due, who is concerned, what they answered.

    ALERT_ID may be cut short as long as one alert alone begins so, and its `al-` may be left out. Earlier revisions are
    told as far as the topic still has them.

    \b
    Examples:
      fsoc alerts show 4f2a91c0 --brokers 127.0.0.1:9092
      fsoc alerts show 4f2a --from alerts.ndjson --lang zh-TW
      fsoc alerts show 4f2a --json | jq '.alert.tickets'
    """
    source = Source.of(options)
    shelf = Shelf(begins(alert_id), with_history=True)
    acknowledged = source.read_answered(shelf)
    name = _only(shelf, alert_id)
    answers = acknowledged.of(name)
    if as_json:
        revisions = [orjson.Fragment(record.value) for record in shelf.revisions(name)]
        whole = {"alert": orjson.Fragment(shelf.newest[name].value), "revisions": revisions}
        whole["acknowledgements"] = [answer.wire() for answer in answers]
        click.echo(orjson.dumps(whole))
        return
    from fsoc.cli.alert_story import story  # late: it needs rich
    from fsoc.cli.alert_watch import console

    out = console()
    alert, revisions_read = shelf.newest[name].alert, [record.alert for record in shelf.revisions(name)]
    for part in story(alert, revisions_read, answers, source.now_ms(shelf), language):
        out.print(part)


@command.command("export")
@click.option("--format", "form", type=click.Choice(["csv", "json", "ndjson"]), default="csv", help="Default: csv.")
@click.option("--out", type=_path, metavar="FILE", help="Write there, not to stdout.")
@click.option("--bom", is_flag=True, help="Begin the CSV with a byte order mark, so that Excel reads it as UTF-8.")
@click.option("--acknowledgements", "answered", is_flag=True, help="What institutions answered, instead.")
@_with(*_SELECTION)
@_with(*_SOURCE)
def export_command(form: str, out: Path | None, bom: bool, answered: bool, **options: Any) -> None:
    """Write the newest revision of each alert: as CSV that no spreadsheet takes for formulas, as JSON, or as NDJSON.

    They are sorted by the event time at which they were raised. With --acknowledgements: one line for each institution
    that answered one of them, with when, and how long after it was told. Exit code 1 when there is none, and then
    nothing but the heading is written.

    \b
    Examples:
      fsoc alerts export --from alerts.ndjson --bom --out alerts.csv
      fsoc alerts export --format json --since 2026-03-01 --kind joint | jq length
      fsoc alerts export --acknowledgements --since 7d --out answers.csv --brokers 127.0.0.1:9092
    """
    if bom and form != "csv":
        raise click.UsageError("--bom is for CSV.")
    source, selection = Source.of(options), _selection(options)
    shelf = Shelf()
    acknowledged = source.read_answered(shelf)
    chosen = [one for one in shelf.newest.values() if selection.holds(one.alert, shelf.now_ms)]
    chosen.sort(key=lambda one: (one.alert.raised_ms, one.alert.alert_id))
    if answered:
        from fsoc.cli.acknowledged_shown import exported

        answers = [(one.alert.alert_id, answer) for one in chosen for answer in acknowledged.of(one.alert.alert_id)]
        write(exported(answers, form, bom=bom), out)
        if not answers:
            sys.exit(_NONE)
        return
    write(_exported(chosen, form, bom=bom), out)
    if not chosen:
        sys.exit(_NONE)


def _exported(chosen: list[AlertRecord], form: str, *, bom: bool) -> bytes:
    if form == "json":
        return orjson.dumps([orjson.Fragment(one.value) for one in chosen]) + b"\n"
    if form == "ndjson":
        return b"".join(one.value + b"\n" for one in chosen)
    from fsoc.cli.alert_csv import lines

    return "".join(lines((one.alert for one in chosen), bom=bom)).encode()


def _only(shelf: Shelf, alert_id: str) -> str:
    """The id of the one alert that was found; of several, of the one that is called exactly so.

    Raises:
        RefusedToStart: there is none, or several.
    """
    found = list(shelf.newest)
    if alert_id in shelf.newest or len(found) == 1:
        return alert_id if alert_id in shelf.newest else found[0]
    if not found:
        raise RefusedToStart(Problem(alert_id[:64], f"no alert begins so; {shelf.read_total:,} revisions were read"))
    some = ", ".join(sorted(found)[:5]) + (", …" if len(found) > 5 else "")
    raise RefusedToStart(Problem(alert_id[:64], f"{len(found):,} alerts begin so: {some}"))


def _selection(options: dict[str, Any]) -> Selection:
    since_ms, since_span_ms = _since(options.pop("since"))
    return Selection(
        options.pop("level"),
        options.pop("kinds"),
        options.pop("statuses"),
        options.pop("rule"),
        options.pop("institutions"),
        since_ms,
        since_span_ms,
        options.pop("suppressed"),
    )


def _since(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    try:
        return None, duration_ms(text)
    except ValueError:
        pass
    try:
        return milliseconds(f"{text}T00:00:00Z" if len(text) == len("2026-03-02") else text), None
    except BadTime as error:
        such = "expected a day, a time with its offset, or a span such as 90m, 24h or 7d"
        raise RefusedToStart(Problem("--since", f'"{text[:64]}" {error}; {such}')) from error
