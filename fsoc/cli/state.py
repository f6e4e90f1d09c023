"""`fsoc state show|verify`: what workers have written down of their work, and whether it holds. Writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson

from fsoc.cli.printable import printable
from fsoc.cli.progress import ProgressLine
from fsoc.cli.variadic import VariadicCommand
from fsoc.errors import Problem, RefusedToStart, Retry
from fsoc.settings import Settings, load

if TYPE_CHECKING:
    from fsoc.correlation.ruleset import RuleSet
    from fsoc.runtime.audit.findings import Verdict
    from fsoc.runtime.audit.reading import Cluster, Tell

T = TypeVar("T")
_path = click.Path(path_type=Path)


@click.group(name="state", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look at the state that workers keep in Kafka, or verify it.

    Reads only, and may be used at any time, workers running or not. Every option may also be given as FSOC_BROKERS,
    FSOC_GROUP and so on, or in a settings file.
    """


_OPTIONS = (
    click.option("--brokers", metavar="HOST:PORT,…", help="The cluster."),
    click.option("--topic-prefix", "--prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc."),
    click.option("--environment", metavar="NAME", help="production (default), exercise or test."),
    click.option("--group", metavar="NAME", help="The workers' consumer group. Default: fsoc."),
    click.option("--rules", type=_path, multiple=True, metavar="DIR…", help="The workers' rules. Default: fsoc's own."),
    click.option("--settings", "file", type=_path, metavar="FILE", help="All of these, as YAML: the workers' own."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout."),
)


def _with_options(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@command.command("show", cls=VariadicCommand)
@click.argument("which", nargs=-1, metavar="[INSTITUTION|PARTITION]…")
@_with_options
def show_command(which: Sequence[str], as_json: bool, file: Path | None, **options: Any) -> None:
    """Say what the state says: of each institution's intake, and of each partition of detections.

    INSTITUTION is an id, PARTITION a number; none are all. A rule's definition is compared with the rules on disk:
    unchanged; changed, to be judged anew by workers with those; regrouped, to be let go of by them; removed, judged as
    before until it has expired.

    \b
    Examples:
      fsoc state show --brokers 127.0.0.1:9092
      fsoc state show --settings worker.yml fi-001 3
      fsoc state show --json | jq '.institutions[] | select(.missing > 0) | .institution'
    """
    from fsoc.cli.state_shown import lines  # late: it needs what a pipeline is made of
    from fsoc.runtime.audit.show import Report, show

    async def shown(cluster: Cluster, rules: RuleSet, tell: Tell) -> Report:
        partitions = [int(name) for name in which if name.isdecimal()]
        wrong = [number for number in partitions if number >= cluster.partitions]
        if wrong:
            text = f"there are {cluster.partitions} partitions of detections, from 0"
            raise RefusedToStart(*(Problem(str(number), text) for number in wrong))
        institutions = [name for name in which if not name.isdecimal()]
        if not which:
            return await show(cluster, rules, tell=tell)
        return await show(cluster, rules, institutions, partitions, tell)

    report = _read(file, options, shown)
    if as_json:
        click.echo(orjson.dumps(report.as_json()))
        return
    for line in lines(report):
        click.echo(line)


@command.command("verify", cls=VariadicCommand)
@click.option("--institutions", type=_path, metavar="FILE", help="The workers' institutions file, if at hand.")
@_with_options
def verify_command(institutions: Path | None, as_json: bool, file: Path | None, **options: Any) -> None:
    """Hold the state to what must be true of it; a line for each thing that is not, with its place.

    Conservation per institution; nothing committed that the state does not have; every record readable and where
    workers look for it; live tickets and entries agree; every alert that may still change is what its entries say,
    judged anew; what was published is what the state has. What is in flight while workers run is counted and is no
    fault; stop them, or wait until nothing lags, and everything must agree.
    Exit code 0 when it is sound, 1 when something was found, 2 when it cannot be read.

    \b
    Examples:
      fsoc state verify --brokers 127.0.0.1:9092
      fsoc state verify --settings worker.yml --json | jq -r '.findings[].code' | sort | uniq -c
    """
    from fsoc.cli.state_shown import verdict_json, verdict_lines  # late, as above
    from fsoc.runtime.alert_key import alert_key
    from fsoc.runtime.audit.verify import verify
    from fsoc.runtime.rules import load_registry

    async def verified(cluster: Cluster, rules: RuleSet, tell: Tell) -> Verdict:
        registry = load_registry(given.institutions, given.allowed_lateness_ms) if given.institutions else None
        return await verify(cluster, rules, registry, tell, alert_key(given))

    options["institutions"] = institutions
    given = _settings(file, options)
    verdict = _read(file, options, verified)
    if as_json:
        click.echo(orjson.dumps(verdict_json(verdict)))
    else:
        for line in verdict_lines(verdict):
            click.echo(line)
    if not verdict.is_sound:
        raise SystemExit(1)


def _settings(file: Path | None, options: dict[str, Any]) -> Settings:
    settings = load(file, options=options)
    if not settings.brokers:
        raise RefusedToStart(Problem("--brokers", "is needed (or FSOC_BROKERS)"))
    return settings


def _read(file: Path | None, options: dict[str, Any], look: Callable[[Cluster, RuleSet, Tell], Awaitable[T]]) -> T:
    """Open the cluster, load the rules, look.

    Raises:
        RefusedToStart: it cannot be read, for whatever reason.
    """
    from fsoc.runtime.audit.reading import Cluster  # late: it needs aiokafka
    from fsoc.runtime.kafka.client import KafkaLog
    from fsoc.runtime.rules import load_ruleset

    settings = _settings(file, options)
    progress = ProgressLine()

    async def opened() -> T:
        log = await KafkaLog.of(settings)
        try:
            cluster = await Cluster.of(log, settings.topic_prefix, settings.group)
            rules = await asyncio.to_thread(
                load_ruleset,
                settings.rules,
                settings.logsources,
                placeholders=settings.placeholders,
                pipeline=settings.pipeline,
                engine=settings.engine,
                cache=settings.rules_cache,
            )
            return await look(cluster, rules, lambda text: progress.show(lambda: printable(text)))
        finally:
            await log.close()

    try:
        return asyncio.run(opened())
    except Retry as error:
        raise RefusedToStart(Problem("--brokers", f"could not be read to the end: {error}")) from error
    finally:
        progress.clear()
