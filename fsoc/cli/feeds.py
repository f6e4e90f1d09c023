"""`fsoc feeds`: every institution's feeds at a glance, and their data-quality report of a month."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any, Final

import click
import orjson

from fsoc.cli.alert_words import LANGUAGES, Language
from fsoc.cli.feeds_shown import lines
from fsoc.cli.topic_source import OPTIONS, TopicSource, complain, with_options, write
from fsoc.errors import Problem, RefusedToStart
from fsoc.feeds.figures import FeedState
from fsoc.feeds.overview import newest_ms, overview
from fsoc.feeds.quality import DAYS_KEPT
from fsoc.institutions.registry import Registry
from fsoc.runtime.alert_records import Shelf, records_to_end
from fsoc.runtime.feeds import contract_of, of_lines, on_log
from fsoc.runtime.log import Log
from fsoc.runtime.rules import load_registry

_path = click.Path(path_type=Path)
_is_month: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])").fullmatch

_FROM: Final = click.option("--from", "from_", metavar="FILE|-", help="What export wrote, instead of a cluster.")
_LANGUAGE: Final = click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", help="Default: en.")
_JUDGED: Final = (
    click.option("--institutions", type=_path, metavar="FILE", help="The registry: names, tiers, feeds."),
    click.option("--contract", type=_path, metavar="FILE", help="What is asked, by tier. Default: fsoc's own."),
)


@click.group(name="feeds", invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--days", type=click.IntRange(1, DAYS_KEPT), default=7, help="Figures of so many days. Default: 7.")
@click.option("--institution", "wanted", multiple=True, metavar="ID", help="Of this one; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="NDJSON: an object for each feed.")
@_LANGUAGE
@with_options((*_JUDGED, _FROM, *OPTIONS))
@click.pass_context
def command(
    context: click.Context,
    /,
    days: int,
    wanted: tuple[str, ...],
    as_json: bool,
    language: Language,
    institutions: Path | None,
    contract: Path | None,
    **options: Any,
) -> None:
    """Show every feed at a glance: timely, complete, alive, and where it falls short of its contract.

    Delays are of tickets' first messages; shares of all that came; days are Taipei's. Marked are feeds that miss a
    term of their tier, have numbers missing, or open alerts of rules over heartbeats (silence, drop in volume).
    Without a registry at hand every institution is taken for tier 3. Ages are told against the present for production's
    feeds of a cluster, else against the newest message. Exit code 1 where a feed is marked, 0 where none is.

    \b
    各機構資料來源一覽：即時性、完整性、心跳與合約門檻。

    \b
    Examples:
      fsoc feeds --brokers 127.0.0.1:9092 --institutions institutions.yml
      fsoc feeds --institution fi-001 --days 1 --lang zh-TW
      fsoc feeds --json | jq -r 'select(.missing_total > 0) | .institution'
      fsoc feeds report --month 2026-03 --institutions institutions.yml --out march.html
    """
    if context.invoked_subcommand is not None:
        return
    terms = contract_of(contract)
    source = TopicSource.of(options)
    registry = _registry(institutions, source)
    states, alerts = _read(source)
    live = source.file is None and source.settings.environment == "production"
    now_ms = time.time_ns() // 1_000_000 if live else newest_ms(states.values())
    views = overview(states, registry, terms, now_ms=now_ms, days=days, alerts=alerts)
    shown = [view for view in views if not wanted or view.figures.institution in wanted]
    _refuse_unknown(wanted, [view.figures.institution for view in views])
    if as_json:
        for view in shown:
            click.echo(orjson.dumps(view.as_json()))
    else:
        for line in lines(shown, language, days=days):
            click.echo(line)
    if not all(view.is_well for view in shown):
        sys.exit(1)


@command.command("export")
@click.option("--out", type=_path, metavar="FILE", help="Write there, not to stdout.")
@with_options(OPTIONS)
def export_command(out: Path | None, **options: Any) -> None:
    """Write what is known of every institution's feeds, a line each, to be read with --from.

    \b
    Example:
      fsoc feeds export --brokers 127.0.0.1:9092 --out feeds.ndjson
    """
    states, _ = _read(TopicSource.of(options))
    write(b"".join(state.line() + b"\n" for state in states.values()), out)


@command.command("report")
@click.option("--month", required=True, metavar="YYYY-MM", help="Taipei's month: 2026-03.")
@click.option("--institution", metavar="ID", help="Of this one alone. Default: the sector, with all of them.")
@click.option("--format", "form", type=click.Choice(["html", "csv"]), default="html", help="Default: html.")
@click.option("--bom", is_flag=True, help="Begin the CSV with a byte order mark, so that Excel reads it as UTF-8.")
@click.option("--out", type=_path, metavar="FILE", help="Write there, not to stdout.")
@with_options((*_JUDGED, _FROM, *OPTIONS))
def report_command(
    month: str,
    institution: str | None,
    form: str,
    bom: bool,
    out: Path | None,
    institutions: Path | None,
    contract: Path | None,
    **options: Any,
) -> None:
    """Write the data-quality report of a month, for one institution or for the sector, in both languages.

    The HTML is one file that needs nothing else and prints on A4. The CSV has a line for each feed, and no spreadsheet
    takes a cell of it for a formula. What is kept are 100 days up to an institution's newest. Exit code 1 where nothing
    is known of that month.

    \b
    監控設備狀況單彙整：各機構每月資料品質報告（HTML、CSV），中英並列，日期附民國紀年。

    \b
    Examples:
      fsoc feeds report --month 2026-03 --institutions institutions.yml --out march.html
      fsoc feeds report --month 2026-03 --institution fi-001 --out fi-001.html
      fsoc feeds report --month 2026-03 --format csv --bom --out march.csv
    """
    from fsoc.cli.feeds_csv import csv_of  # late: only this needs them
    from fsoc.feeds.report import Report
    from fsoc.feeds.report_html import html_of

    found = _is_month(month)
    if found is None or not 1970 < int(found[1]) < 9999:
        raise RefusedToStart(Problem("--month", f'"{month[:32]}": expected a year and a month, such as 2026-03'))
    if bom and form != "csv":
        raise click.UsageError("--bom is for CSV.")
    terms = contract_of(contract)
    source = TopicSource.of(options)
    registry = _registry(institutions, source)
    states, _ = _read(source)
    names = [*registry.institutions, *states]
    _refuse_unknown([institution] if institution else [], names)
    report = Report.of(
        states, registry, terms, int(found[1]), int(found[2]), only=institution, now_ms=newest_ms(states.values())
    )
    write((html_of(report) if form == "html" else csv_of(report, bom=bom)).encode(), out)
    if report.is_empty:
        complain(f"nothing is known of {month}")
        sys.exit(1)


def _read(source: TopicSource) -> tuple[dict[str, FeedState], dict[tuple[str, str], list[str]]]:
    """States by institution, and the titles of open alerts about feeds; of a file there are none."""
    if source.file is not None:
        return of_lines(source.lines()), {}

    async def read(log: Log, prefix: str) -> tuple[dict[str, FeedState], dict[tuple[str, str], list[str]]]:
        states = await on_log(log, prefix, complain)
        shelf = Shelf()
        async for record in records_to_end(log, prefix, complain):
            shelf.take(record)
        told: dict[tuple[str, str], list[str]] = {}
        for one in shelf.newest.values():
            alert = one.alert
            if alert.kind == "feed" and alert.status == "open":
                name = (str(alert.group.get("institution", "")), str(alert.group.get("feed", "")))
                told.setdefault(name, []).append(f"{alert.rule_title} · {alert.rule_title_zh}")
        return states, told

    return source.on_log(read)


def _registry(file: Path | None, source: TopicSource) -> Registry:
    """The one that is named; none is one that names nobody.

    Raises:
        RefusedToStart: it cannot be read, or what is wrong with it.
    """
    path = file or source.settings.institutions
    return Registry({}) if path is None else load_registry(path, source.settings.allowed_lateness_ms)


def _refuse_unknown(wanted: Any, known: list[str]) -> None:
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise RefusedToStart(*(Problem(name[:64], "nothing is known of this institution") for name in unknown))
