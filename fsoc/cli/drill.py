"""`fsoc drill`: exercises of the sector on topics of their own: begin, pose, end, score."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import orjson

from fsoc.cli.printable import printable
from fsoc.cli.topic_source import on_cluster, with_options, write
from fsoc.drills.script import KINDS, DrillSpec, Inject, model_answer, script
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.runtime import drills
from fsoc.runtime.log import Log
from fsoc.runtime.rules import load_registry
from fsoc.settings import Settings, load

T = TypeVar("T")
MINUTES_MAX: Final = 24 * 60
_UNFINISHED: Final = 1
"""Exit code where something was missed, or nothing is there."""
_path = click.Path(path_type=Path)
_CLUSTER: Final = (
    click.option("--brokers", metavar="HOST:PORT,…", help="The cluster. Also FSOC_BROKERS. Kafka 叢集。"),
    click.option("--settings", "file", type=_path, metavar="FILE", help="Settings as YAML, of fsoc-admin's. 設定檔。"),
)
_REGISTRY: Final = (
    click.option("--institutions", type=_path, metavar="FILE", help="The registry; also in the settings. 機構登錄檔。"),
    *_CLUSTER,
)


@click.group(name="drill", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Hold a drill: institutions are posed what their monitoring would show, and scored by how fast they answer.

    A drill NAME has topics of its own, `fsoc-drill-NAME.…`, and workers of its own; whatever happens there is in no
    production figure, and all that is told of it is marked 【演練】. Run it as who may make topics (fsoc-admin).

    \b
    演練：以獨立主題進行，所有回饋均標示【演練】，不影響正式統計。
    """


@command.command("start")
@click.argument("name")
@click.option("--seed", type=click.IntRange(0), default=7, metavar="N", help="Same seed, same drill. Default: 7.")
@click.option("--scenario", "scenarios", multiple=True, type=click.Choice(KINDS), help="May be given again. 情境。")
@click.option("--only", "only", multiple=True, metavar="ID", help="Who takes part; default: all. May be given again.")
@click.option(
    "--minutes", type=click.FloatRange(0, MINUTES_MAX), default=0, metavar="N",
    help="Pose them over so long; default 0: all at once. 狀況分批下達之總時間。",
)  # fmt: skip
@click.option("--rehearse", is_flag=True, help="Answer each inject too, as its institution would. 預演：自動代答。")
@click.option("--dry-run", is_flag=True, help="Say what would be posed to whom, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="NDJSON: each inject as it is posed.")
@with_options(_REGISTRY)
def start_command(
    name: str, seed: int, scenarios: tuple[str, ...], only: tuple[str, ...], minutes: float, rehearse: bool,
    dry_run: bool, as_json: bool, **options: Any,
) -> None:  # fmt: skip
    """Begin drill NAME: make its topics, pose its injects. Started again, it goes on where it was interrupted.

    Workers are started beside it; what to run is said. Institutions send and read as ever, with the drill's prefix.

    \b
    Examples:
      fsoc drill start spring --minutes 60 --institutions institutions.yml --settings joint-soc/security/fsoc-admin.yml
      fsoc drill start spring --scenario phishing_kit --dry-run --institutions institutions.yml
      fsoc drill start try-out --rehearse --institutions institutions.yml --brokers 127.0.0.1:9092
    """
    prefix = drills.prefix_of(name)
    settings = _settings(options, registry=True, cluster=not dry_run)
    registry = load_registry(settings.institutions or Path())
    players = _players(registry, only)
    spec = DrillSpec(name, seed, scenarios)
    injects = script(spec, players)
    if dry_run:
        for inject in injects:
            _tell(inject, as_json=as_json, minutes=minutes)
        return
    asyncio.run(_make_topics(settings, registry, prefix))

    async def play(log: Log, _: str) -> None:
        drill = await drills.read_drill(log, name)
        if drill.stopped_at_ms is not None:
            raise RefusedToStart(Problem(name, "is over; give the next one another name"))
        if drill.started_at_ms is None:
            await drills.begin(log, drill, spec, players)
            drill = await drills.read_drill(log, name)
            if not as_json:
                _say_how(name, settings)
        elif (drill.spec, drill.institutions) != (spec, tuple(players)):
            raise RefusedToStart(Problem(name, "has begun with another seed, other scenarios or other institutions"))
        await _pose_all(log, drill, registry, injects, minutes, rehearse=rehearse, as_json=as_json)

    on_cluster(settings, play)


@command.command("stop")
@click.argument("name")
@with_options(_REGISTRY)
def stop_command(name: str, **options: Any) -> None:
    """End drill NAME: every feed ends, alerts become final, and what comes later is not scored.

    Its topics stay to be read, until somebody deletes them.

    \b
    Example:
      fsoc drill stop spring --institutions institutions.yml --settings joint-soc/security/fsoc-admin.yml
    """
    settings = _settings(options, registry=True)
    registry = load_registry(settings.institutions or Path())

    async def stop(log: Log, _: str) -> None:
        drill = await drills.read_drill(log, name)
        if drill.started_at_ms is None:
            raise RefusedToStart(Problem(name, "there is no such drill; `fsoc drill list` tells which there are"))
        if drill.stopped_at_ms is not None:
            raise RefusedToStart(Problem(name, "is over already"))
        await drills.end(log, drill, registry, time.time_ns() // 1_000_000)

    on_cluster(settings, stop)
    click.echo(f"{name} is over  演練已結束；`fsoc drill score {name}` 查看成績")


@command.command("score")
@click.argument("name")
@click.option("--report", type=_path, metavar="FILE", help="And write it as a report: .html or .md. 成績報告。")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_options(_REGISTRY)
def score_command(name: str, report: Path | None, as_json: bool, **options: Any) -> None:
    """Score drill NAME, while it goes on or when it is over: per institution, time to ticket, to acknowledge, missed.

    Times are the log's own. Exit code 1 where an inject was missed or feedback is not acknowledged.

    \b
    Examples:
      fsoc drill score spring --institutions institutions.yml --settings joint-soc/security/fsoc-admin.yml
      fsoc drill score spring --report spring.html --brokers 127.0.0.1:9092 --institutions institutions.yml
      fsoc drill score spring --json | jq '.members[] | select(.missed > 0) | .institution'
    """
    from fsoc.drills.report import html_of, markdown_of

    if report is not None and report.suffix not in {".html", ".md"}:
        raise click.UsageError("--report is written as .html or .md.")
    settings = _settings(options, registry=True)
    registry = load_registry(settings.institutions or Path())

    async def read(log: Log, _: str) -> Any:
        return await drills.read_score(log, await drills.read_drill(log, name), registry)

    score = on_cluster(settings, read)
    if report is not None:
        write((html_of(score) if report.suffix == ".html" else markdown_of(score)).encode(), report)
    said = score.wire()
    if as_json:
        click.echo(orjson.dumps(said))
    else:
        from fsoc.cli.drill_shown import shown

        shown(score)
    if said["missed"] or said["unanswered"]:
        sys.exit(_UNFINISHED)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="NDJSON.")
@with_options(_CLUSTER)
def list_command(as_json: bool, **options: Any) -> None:
    """List the drills of a cluster: when they began and ended, with how many. Exit code 1 where there is none.

    \b
    Example:
      fsoc drill list --settings joint-soc/security/fsoc-admin.yml
    """
    settings = _settings(options)
    names = drills.names_of(asyncio.run(_topics(settings)))

    async def read(log: Log, _: str) -> list[drills.Drill]:
        return [await drills.read_drill(log, name) for name in names]

    from fsoc.tickets.times import rfc3339

    for drill in on_cluster(settings, read):
        at = [None if one is None else rfc3339(one) for one in (drill.started_at_ms, drill.stopped_at_ms)]
        if as_json:
            facts = {"name": drill.name, "started_at": at[0], "stopped_at": at[1], "posed": len(drill.posed)}
            click.echo(orjson.dumps({**facts, "institutions": list(drill.institutions)}))
        else:
            until = f"until {at[1]}" if at[1] else "goes on 進行中"
            counts = f"{len(drill.institutions)} institutions, {len(drill.posed)} injects"
            click.echo(f"{drill.name:<24}  {at[0] or 'not begun'}  {until}  {counts}")
    if not names:
        sys.exit(_UNFINISHED)


@command.command("injects")
@click.argument("name")
@click.option("--institution", metavar="ID", help="Whose; default: the user of --settings. 機構代碼。")
@click.option("--json", "as_json", is_flag=True, help="NDJSON, with evidence and observables.")
@with_options(_CLUSTER)
def injects_command(name: str, institution: str | None, as_json: bool, **options: Any) -> None:
    """Show an institution what it was posed in drill NAME, and how to answer. For the institution's own engineers.

    \b
    查看本機構於演練中收到之狀況。

    \b
    Example:
      fsoc drill injects spring --settings kit-fi-001/fi-001.yml
    """
    prefix, settings = drills.prefix_of(name), _settings(options)
    who = institution or settings.kafka_username
    if who is None:
        raise RefusedToStart(Problem("--institution", "is needed: whose injects?"))
    found = on_cluster(settings, lambda log, _: drills.injects_of(log, prefix, str(who)))
    for one in found:
        if as_json:
            click.echo(orjson.dumps(one))
            continue
        click.echo(f"{printable(one['posed_at'])}  {printable(one['inject_id'])}")
        for line in (one["title"], one["text"], one["how_to_answer"], one["how_to_answer_zh"]):
            click.echo(f"  {printable(line)}")
        for seen in one["observables"]:
            click.echo(f"  - {printable(seen['type'])} {printable(seen['value'])} ({printable(seen['role'])})")
        click.echo()
    if not found:
        sys.exit(_UNFINISHED)


async def _pose_all(
    log: Log, drill: drills.Drill, registry: Registry, injects: Sequence[Inject], minutes: float, *, rehearse: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Each at its time from the start, which a restart does not move; those that were posed before are passed over."""
    posed = {one.inject_id for one in drill.posed}
    assert drill.started_at_ms is not None  # noqa: S101 - start_command has begun it
    for number, inject in enumerate(injects, 1):
        if inject.inject_id in posed:
            continue
        due_ms = drill.started_at_ms + inject.after * minutes * 60_000
        await asyncio.sleep(max(due_ms / 1000 - time.time(), 0))
        await drills.pose(log, drill, inject)
        _tell(inject, as_json=as_json, minutes=minutes)
        if rehearse:
            known = registry.get(inject.institution)
            feed = known.feeds[0] if known is not None and known.feeds else "siem"
            answer = model_answer(inject, feed, number, time.time_ns() // 1_000_000)
            await log.write([(f"{drill.prefix}tickets.{inject.institution}", 0, None, orjson.dumps(answer))])


def _tell(inject: Inject, *, as_json: bool, minutes: float) -> None:
    if as_json:
        facts = {"inject_id": inject.inject_id, "institution": inject.institution, "scenario": inject.scenario}
        click.echo(orjson.dumps({**facts, "after_minutes": round(inject.after * minutes, 1)}))
    else:
        title = printable(str(inject.body["title"]))
        click.echo(f"{inject.after * minutes:6.1f} min  {inject.institution:<12} {inject.scenario:<20} {title}")


def _say_how(name: str, settings: Settings) -> None:
    prefix = drills.prefix_of(name)
    where = f"--topic-prefix {prefix} --environment exercise"
    group = f"--exercise-id {name} --group {prefix}workers"
    click.echo(f"workers:       fsoc up {where} {group} --institutions {settings.institutions}")
    click.echo(f"institutions:  fsoc drill injects {name};  fsoc send … {where};  fsoc receipts … {where}")
    click.echo(f"               fsoc feedback show|ack … {where} --exercise-id {name}")
    click.echo(f"the end:       fsoc drill stop {name};  fsoc drill score {name} --report {name}.html\n")


def _settings(options: dict[str, Any], *, registry: bool = False, cluster: bool = True) -> Settings:
    file = options.pop("file")
    settings = load(file, options=options)
    wanted = (*(("brokers",) if cluster else ()), *(("institutions",) if registry else ()))
    missing = [name for name in wanted if not getattr(settings, name)]
    if missing:
        raise RefusedToStart(*(Problem(f"--{name}", f"is needed (or FSOC_{name.upper()})") for name in missing))
    return settings


def _players(registry: Registry, only: Sequence[str]) -> list[str]:
    there = [name for name, one in registry.institutions.items() if not one.suspended]
    if unknown := [name for name in only if name not in there]:
        raise RefusedToStart(
            *(Problem("--only", f'"{name[:64]}" is not in the registry, or suspended') for name in unknown)
        )
    return sorted(only or there)


async def _make_topics(settings: Settings, registry: Registry, prefix: str) -> None:
    """The drill's topics and rights, as `fsoc topics apply` makes production's."""
    from fsoc.runtime.kafka.admin import broker_count
    from fsoc.runtime.kafka.plan import apply, make_plan
    from fsoc.runtime.kafka.topics import Access

    async def work(admin: Any) -> None:
        replicas = min(3, await broker_count(admin))
        specs = drills.topics_of(prefix, registry.institutions, settings.detections_partitions, replicas)
        access = Access.of(registry, prefix, f"{prefix}workers")
        rules = [*access.allow, *drills.acls_of(prefix, registry)]
        await apply(admin, await make_plan(admin, prefix, specs, rules, access.quotas, access.forbid))

    await _on_admin(settings, work)


async def _topics(settings: Settings) -> list[str]:
    from fsoc.runtime.kafka.admin import topic_partitions

    return list(await _on_admin(settings, topic_partitions))


async def _on_admin(settings: Settings, work: Callable[[Any], Awaitable[T]]) -> T:
    from fsoc.runtime.kafka.connection import connected
    from fsoc.runtime.kafka.security import Security

    async with connected(",".join(settings.brokers), Security.of(settings)) as admin:
        return await work(admin)
