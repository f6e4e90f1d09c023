"""`fsoc coverage show|layer|html|csv|metrics|export`: who covers what of the monitoring baseline, drawn on ATT&CK."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import click
import orjson

from fsoc.cli.progress import ProgressLine
from fsoc.cli.topic_source import OPTIONS, TopicSource, complain, on_cluster, with_options, write
from fsoc.cli.variadic import VariadicCommand
from fsoc.coverage.gaps import Gap, alerts_of, gaps, used_in
from fsoc.coverage.groups import By, Group, groups_of
from fsoc.coverage.judge import DAY_MS, Member, Norm, judge_all
from fsoc.coverage.seen import line_of, newest_of
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.duration import duration_ms
from fsoc.institutions.registry import Registry
from fsoc.runtime.alert_records import records_of_lines
from fsoc.runtime.coverage import Reading, metrics_of, norm_of, read_lines, read_log, write_whole
from fsoc.runtime.log import Log
from fsoc.runtime.rules import load_registry
from fsoc.settings import Settings, load

_path = click.Path(path_type=Path)
_KINDS: Final = get_args(By)
_READ: Final = (
    click.option(
        "--from",
        "from_",
        multiple=True,
        metavar="FILE…|-",
        help="NDJSON: tickets and heartbeats, or what export wrote; beside a cluster, or instead of one.",
    ),
    click.option(
        "--alerts", type=_path, metavar="FILE", help="NDJSON of alerts, as fsoc replay writes it, for ranking."
    ),
    click.option("--institutions", type=_path, metavar="FILE", help="The registry: names, tiers, sectors."),
    click.option("--baseline", type=_path, metavar="DIR", help="What is held against. Default: what fsoc ships."),
    click.option("--older", type=_path, multiple=True, metavar="DIR", help="A baseline that was before it."),
    click.option("--days", type=click.IntRange(1, 3650), default=90, help="How far back tickets count. Default: 90."),
    click.option("--silent-after", default="24h", metavar="SPAN", help="Without a heartbeat so long. Default: 24h."),
)
_WHICH: Final = (
    click.option("--institution", metavar="ID", help="Of this one alone."),
    click.option("--tier", type=int, metavar="N", help="Of this tier."),
    click.option("--sector", metavar="NAME", help="Of this sector."),
)


@click.group("coverage", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Who covers what of the monitoring baseline: covered, declared only, silent, outdated, missing.

    Read at the time of asking, from a cluster, as a user that may read alerts, states and tickets (fsoc-console), or
    from files. What each word means exactly is in fsoc/coverage/README.md.

    \b
    各機構對資安監控組態基準之涵蓋情形：已涵蓋、僅宣告、靜默、版本過舊、未部署。

    \b
    Examples:
      fsoc coverage show --brokers 127.0.0.1:9092 --institutions institutions.yml
      fsoc coverage show --from tickets.ndjson --alerts alerts.ndjson --institutions institutions.yml
      fsoc coverage html --tier 1 --out tier-1.html
    """


@dataclass(frozen=True, slots=True)
class Found:
    """What was read and judged."""

    reading: Reading
    norm: Norm
    members: Sequence[Member]
    now_ms: int
    window_ms: int

    def gaps(self, members: Sequence[Member]) -> list[Gap]:
        return gaps(members, self.norm, self._used)

    @property
    def used(self) -> dict[str, int]:
        """Item → how many joint alerts of the window it would have shown."""
        return alerts_of(self.norm, self._used)

    @property
    def _used(self) -> dict[str, frozenset[str]]:
        alerts = (record.alert for record in self.reading.shelf.newest.values())
        return used_in(alerts, self.reading.environment, self.now_ms - self.window_ms, self.norm)


@command.command("show", cls=VariadicCommand)
@click.option("--by", type=click.Choice(_KINDS), multiple=True, help="Default: all, tier, sector and institution.")
@click.option("--gaps", "gaps_max", type=click.IntRange(0), default=10, help="Gaps that are shown. Default: 10.")
@click.option("--floor", type=click.FloatRange(0, 1), help="Exit code 1 where an institution covers less: 0.8.")
@click.option("--json", "as_json", is_flag=True, help="NDJSON: an object for each group and for each gap.")
@with_options((*_READ, *OPTIONS))
def show_command(by: tuple[By, ...], gaps_max: int, floor: float | None, as_json: bool, **options: Any) -> None:
    """Tables of groups, institutions and gaps.

    \b
    Examples:
      fsoc coverage show --from tickets.ndjson --institutions institutions.yml --by tier --by institution
      fsoc coverage show --json | jq -r 'select(.what == "gap" and .alerts > 0) | .item'
    """
    from fsoc.cli.coverage_shown import json_lines, lines

    found = _found(options)
    groups = groups_of(found.members, found.norm, by or _KINDS)
    ranked = found.gaps(found.members)
    for line in json_lines(groups, ranked, found.norm) if as_json else lines(groups, ranked[:gaps_max], found.norm):
        click.echo(line)
    if floor is not None and any(member.share is not None and member.share < floor for member in found.members):
        sys.exit(1)


@command.command("layer", cls=VariadicCommand)
@click.option("--by", type=click.Choice(_KINDS), multiple=True, help="A layer for each of these. Default: all of them.")
@click.option("--out", type=_path, metavar="DIR", help="A file for each layer, in this folder; not for one alone.")
@with_options((*_WHICH, *_READ, *OPTIONS))
def layer_command(
    by: tuple[By, ...],
    out: Path | None,
    institution: str | None,
    tier: int | None,
    sector: str | None,
    **options: Any,
) -> None:
    """ATT&CK Navigator layers, format 4.5, UTF-8. With one of --institution, --tier, --sector: one, on stdout.

    \b
    Examples:
      fsoc coverage layer --by tier --by sector --out layers
      fsoc coverage layer --institution fi-001 > fi-001.json
    """
    from fsoc.coverage.layer import layer_of

    one = institution is not None or tier is not None or sector is not None
    if one == (out is not None) or (one and by):
        raise click.UsageError("Give --out DIR, with --by or without; or one of --institution, --tier and --sector.")
    found = _found(options)
    groups = [_one(found, institution, tier, sector)] if one else groups_of(found.members, found.norm, by or _KINDS)
    for group in groups:
        text = orjson.dumps(layer_of(group, found.norm, found.now_ms), option=orjson.OPT_INDENT_2) + b"\n"
        if out is None:
            write(text, None)
            continue
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RefusedToStart(Problem("--out", f"{out}: {error.strerror}")) from error
        write(text, out / f"{group.name}.json")
        click.echo(f"wrote {out / group.name}.json")


@command.command("html", cls=VariadicCommand)
@click.option("--out", type=_path, metavar="FILE", help="Write there, not to stdout.")
@with_options((*_WHICH, *_READ, *OPTIONS))
def html_command(
    out: Path | None, institution: str | None, tier: int | None, sector: str | None, **options: Any
) -> None:
    """A heatmap of every tactic: one file in both languages that needs nothing else, and prints on A3.

    That of one institution says nothing of any other.

    \b
    Examples:
      fsoc coverage html --out sector.html
      fsoc coverage html --institution fi-001 --out fi-001.html
    """
    from fsoc.coverage.heatmap import html_of

    found = _found(options)
    group = _one(found, institution, tier, sector)
    ranked = found.gaps(group.members)
    read = found.reading.alerts_read
    text = html_of(group, found.norm, ranked, now_ms=found.now_ms, window_ms=found.window_ms, alerts_read=read)
    write(text.encode(), out)


@command.command("csv", cls=VariadicCommand)
@click.option("--gaps", "only_gaps", is_flag=True, help="A line for each gap, ranked, not for each item of each.")
@click.option("--bom", is_flag=True, help="Begin with a byte order mark, so that Excel reads it as UTF-8.")
@click.option("--out", type=_path, metavar="FILE", help="Write there, not to stdout.")
@with_options((*_WHICH, *_READ, *OPTIONS))
def csv_command(
    only_gaps: bool,
    bom: bool,
    out: Path | None,
    institution: str | None,
    tier: int | None,
    sector: str | None,
    **options: Any,
) -> None:
    """A line for each item that an institution must have; no spreadsheet takes a cell for a formula.

    \b
    Examples:
      fsoc coverage csv --bom --out coverage.csv
      fsoc coverage csv --gaps --tier 1 --out gaps.csv
    """
    from fsoc.cli.coverage_csv import csv_of, gaps_csv_of

    found = _found(options)
    group = _one(found, institution, tier, sector)
    if only_gaps:
        text = gaps_csv_of(found.gaps(group.members), found.norm, bom=bom)
    else:
        text = csv_of(group, found.norm, found.used, bom=bom)
    write(text.encode(), out)


@command.command("metrics", cls=VariadicCommand)
@click.option("--out", type=_path, metavar="FILE", help="Write there, whole at once, not to stdout.")
@with_options((*_READ, *OPTIONS))
def metrics_command(out: Path | None, **options: Any) -> None:
    """Gauges by institution, for the textfile collector of node-exporter: run by a timer, once an hour or a day.

    \b
    Example:
      fsoc coverage metrics --out /var/lib/node_exporter/fsoc_coverage.prom
    """
    found = _found(options)
    text = metrics_of(groups_of(found.members, found.norm, ["all"]), found.gaps(found.members), found.norm)
    write(text, None) if out is None else write_whole(text, out)


@command.command("export", cls=VariadicCommand)
@click.option("--out", type=_path, metavar="FILE", help="Write there, whole at once, not to stdout.")
@with_options((*_READ, *OPTIONS))
def export_command(out: Path | None, **options: Any) -> None:
    """What was read, a line for each institution, to be read with --from: a cluster keeps tickets for 35 days.

    \b
    Example, each day; the first time without --from:
      fsoc coverage export --from seen.ndjson --out seen.ndjson
    """
    found = _found(options)
    text = b"".join(line_of(name, seen) + b"\n" for name, seen in sorted(found.reading.seen.items()))
    write(text, None) if out is None else write_whole(text, out)


def _found(options: dict[str, Any]) -> Found:
    """Read all that the options name, and judge it.

    Raises:
        RefusedToStart: something cannot be read, or nothing is named.
    """
    from_, alerts, days = options["from_"], options["alerts"], options["days"]
    try:
        silent_after_ms = duration_ms(options["silent_after"])
    except ValueError as error:
        raise RefusedToStart(Problem("--silent-after", str(error))) from error
    settings = load(
        options["file"], options={name: options[name] for name in ("brokers", "topic_prefix", "environment")}
    )
    if not from_ and not settings.brokers:
        raise RefusedToStart(Problem("--brokers", "is needed (or FSOC_BROKERS), or --from FILE"))
    norm = norm_of(options["baseline"], options["older"])
    path = options["institutions"] or settings.institutions
    known = load_registry(path, settings.allowed_lateness_ms) if path is not None else None
    live = bool(settings.brokers) and settings.environment == "production"
    now_ms, window_ms = present_ms(), days * DAY_MS
    reading = Reading(norm, settings.environment, since_ms=now_ms - window_ms if live else 0)
    _read(reading, from_, alerts, settings, known)
    registry = known if known is not None else _met(reading)
    if not live:
        now_ms = newest_of(reading.seen)
    members = judge_all(
        list(registry.institutions.values()),
        reading.seen,
        norm,
        now_ms=now_ms,
        window_ms=window_ms,
        silent_after_ms=silent_after_ms,
    )
    if reading.refused:
        complain(f"{reading.refused:,} messages are none that intake would use, and were passed over")
    for environment, count in sorted(reading.others.items()):
        complain(f"{count:,} messages of environment {environment} were passed over; --environment says which count")
    return Found(reading, norm, members, now_ms, window_ms)


def present_ms() -> int:
    """What production's coverage of a cluster is told against."""
    return time.time_ns() // 1_000_000


def _read(
    reading: Reading, from_: Sequence[str], alerts: Path | None, settings: Settings, registry: Registry | None
) -> None:
    progress = ProgressLine()

    def advance() -> None:
        progress.show(lambda: f"read {reading.read:,} messages of {len(reading.seen):,} institutions")

    for name in from_:
        read_lines(reading, TopicSource(name, settings).lines(), advance)
    if alerts is not None:
        try:
            with alerts.open("rb") as stream:
                for record in records_of_lines(stream, str(alerts)):
                    reading.shelf.take(record)
        except OSError as error:
            raise RefusedToStart(Problem(str(alerts), error.strerror or str(error))) from error
        reading.alerts_read = True
    if settings.brokers:
        if registry is None:
            raise RefusedToStart(Problem("--institutions", "is needed to read a cluster: whose topics there are"))
        names = list(registry.institutions)

        async def work(log: Log, prefix: str) -> None:
            await read_log(reading, log, prefix, names, complain, advance)

        on_cluster(settings, work)
    progress.clear()


def _met(reading: Reading) -> Registry:
    """Without a registry: those that were read of, each of tier 3."""
    registry = Registry.open()
    for name in sorted(reading.seen):
        registry.get(name)
    return registry


def _one(found: Found, institution: str | None, tier: int | None, sector: str | None) -> Group:
    """The group that is asked for; all where none is.

    Raises:
        RefusedToStart: nobody is of it.
    """
    given = [each for each in (institution, tier, sector) if each is not None]
    if len(given) > 1:
        raise click.UsageError("Give one of --institution, --tier and --sector.")
    wanted: Callable[[Member], bool] = lambda member: (  # noqa: E731 - three conditions in one place
        (institution is None or member.institution.id == institution)
        and (tier is None or member.institution.tier == tier)
        and (sector is None or member.institution.sector == sector)
    )
    members = [member for member in found.members if wanted(member)]
    if given and not members:
        option = "--institution" if institution is not None else "--tier" if tier is not None else "--sector"
        raise RefusedToStart(Problem(option, f"{str(given[0])[:64]!r}: no institution is of it"))
    by: By = "institution" if institution is not None else "tier" if tier is not None else "sector" if sector else "all"
    return groups_of(members, found.norm, [by])[0]
