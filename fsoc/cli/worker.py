"""`fsoc worker`: one worker of the group, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fsoc.errors import Problem, RefusedToStart, together
from fsoc.settings import Settings, load

if TYPE_CHECKING:
    from fsoc.pipeline import Pipeline

_path = click.Path(path_type=Path)


@click.command("worker")
@click.option("--brokers", metavar="HOST:PORT,…", help="The Kafka cluster.")
@click.option("--institutions", type=_path, metavar="FILE", help="Who sends: a YAML file, read again every 30 s.")
@click.option("--rules", type=_path, multiple=True, metavar="DIR", help="Rule files or folders. Default: fsoc's own.")
@click.option("--topic-prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc.")
@click.option("--environment", metavar="NAME", help="production (default), exercise or test.")
@click.option("--exercise-id", metavar="ID", help="Of a drill's workers: what is not of this exercise is refused.")
@click.option("--detections-partitions", type=int, metavar="N", help="How wide correlation is. Default: 8.")
@click.option("--group", metavar="NAME", help="The consumer group; its workers share the work. Default: fsoc.")
@click.option("--port", type=int, metavar="PORT", help="Of /livez, /readyz and /metrics. Default: any free one.")
@click.option("--settings", "file", type=_path, metavar="FILE", help="All of these, as YAML.")
def command(file: Path | None, port: int | None, **options: Any) -> None:
    """Run one worker of the group.

    Prints where it answers, then logs JSON lines on stderr. Start as many as there are cores, anywhere; stop or kill
    any at any time. Topics must exist: `fsoc topics apply`. Rules that are changed on disk are taken up while it runs;
    SIGHUP has it look at once. Every option may also be given as FSOC_BROKERS and so on.
    Exit code 0 when told to stop, 1 when a restart is called for, 2 when something must be changed first.

    \b
    Examples:
      fsoc worker --brokers 127.0.0.1:9092 --institutions institutions.yml
      fsoc worker --settings worker.yml --port 8090
    """
    settings = load(file, options={**options, "http_port": port})
    missing = [name for name in ("brokers", "institutions") if not getattr(settings, name)]
    if missing:
        raise RefusedToStart(*(Problem(f"--{name}", f"is needed (or FSOC_{name.upper()})") for name in missing))
    raise SystemExit(work(settings))


def work(settings: Settings) -> int:
    """Run a worker in this process; return its exit code."""
    # Late: Faust and the rules take a second to import and compile, and bad settings are told at once.
    from fsoc.runtime.cache import Cache, cache_folder
    from fsoc.runtime.faust.run import run
    from fsoc.runtime.loglines import log_as_json
    from fsoc.runtime.reload import Reloader, hangup_is_for_rules
    from fsoc.runtime.rule_files import RuleFiles
    from fsoc.runtime.rules import beside

    log_as_json()
    if hangup_is_for_rules():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is somebody to look
    pipeline = _pipeline(settings)
    files = RuleFiles(settings.rules, settings.logsources, settings.placeholders, settings.pipeline)
    reloader = Reloader(pipeline, files, Cache(cache_folder(settings.rules_cache)), settings.engine, beside)
    return asyncio.run(run(settings, pipeline, lambda url: click.echo(f"fsoc worker at {url}/metrics"), reloader))


def _pipeline(settings: Settings) -> Pipeline:
    """The only one to hold the rules, so that they can go when they are replaced."""
    from fsoc.pipeline import Pipeline
    from fsoc.runtime.alert_key import alert_key
    from fsoc.runtime.reload import tell_refused
    from fsoc.runtime.rules import beside, load_registry, load_ruleset

    institutions = settings.institutions
    assert institutions is not None  # noqa: S101 - the caller has seen to it
    rules, registry = together(
        lambda: load_ruleset(
            settings.rules,
            settings.logsources,
            placeholders=settings.placeholders,
            pipeline=settings.pipeline,
            engine=settings.engine,
            cache=settings.rules_cache,
            background=beside,
        ),
        lambda: load_registry(institutions, settings.allowed_lateness_ms),
    )
    tell_refused(rules)
    return Pipeline(
        rules,
        registry,
        settings.detections_partitions,
        ends=settings.environment != "production",
        caution=settings.caution,
        drill=settings.exercise_id,
        alert_key=alert_key(settings, warns=True),
    )
