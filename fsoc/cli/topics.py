"""`fsoc topics plan|apply|check`: make a cluster's topics and access rules what the table says. Deletes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka.admin import broker_count
from fsoc.runtime.kafka.connection import connected
from fsoc.runtime.kafka.plan import Plan, apply, make_plan
from fsoc.runtime.kafka.security import Security
from fsoc.runtime.kafka.topics import Access, Acl, table
from fsoc.runtime.rules import load_registry
from fsoc.settings import Settings, load

# Of each kind of difference.
LINES_MAX = 40


@click.group(name="topics", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Plan, apply or check the topics of a cluster.

    The topics, their settings and who may use them are one table in fsoc; the institutions file says for whom. Every
    option may also be given as FSOC_BROKERS, FSOC_INSTITUTIONS, FSOC_TOPIC_PREFIX and so on, or in a settings file.
    """


_OPTIONS = (
    click.option("--institutions", type=click.Path(path_type=Path), metavar="FILE", help="Who sends: a YAML file."),
    click.option("--brokers", metavar="HOST:PORT,…", help="The cluster."),
    click.option("--topic-prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc."),
    click.option("--environment", metavar="NAME", help="production (default), exercise or test: whose stamps count."),
    click.option("--detections-partitions", type=int, metavar="N", help="How wide correlation is. Default: 8."),
    click.option("--group", metavar="NAME", help="The workers' consumer group, for its access rule. Default: fsoc."),
    click.option("--settings", type=click.Path(path_type=Path), metavar="FILE", help="All of these, as YAML."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout."),
)


def _with_options(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@command.command("plan")
@_with_options
def plan_command(as_json: bool, **options: Any) -> None:
    """Say what `apply` would do, and do nothing. Exit code 0; 2 when it cannot be applied.

    \b
    Examples:
      fsoc topics plan --brokers 127.0.0.1:9092 --institutions institutions.yml
      fsoc topics plan --json | jq '.create[].name'
    """
    plan = asyncio.run(_plan(_settings(options), applying=False))
    _tell(plan, as_json, "to be created", "to be altered", "to be added", "to be set")
    plan.refuse_if_wrong()


@command.command("apply")
@_with_options
def apply_command(as_json: bool, **options: Any) -> None:
    """Create topics that are missing, alter settings that differ, add access rules, set quotas.

    May be run again at any time. Refuses to do anything when a topic has another number of partitions than it must
    have.

    \b
    Example:
      fsoc topics apply --brokers 127.0.0.1:9092 --institutions institutions.yml
    """
    plan = asyncio.run(_plan(_settings(options), applying=True))
    _tell(plan, as_json, "created", "altered", "added", "set")


@command.command("check")
@_with_options
def check_command(as_json: bool, **options: Any) -> None:
    """Exit code 0 when the cluster is as the table says, 1 when not, 2 when workers would refuse to start.

    \b
    Example:
      fsoc topics check --brokers 127.0.0.1:9092 --institutions institutions.yml
    """
    plan = asyncio.run(_plan(_settings(options), applying=False))
    _tell(plan, as_json, "missing", "different", "missing", "different")
    plan.refuse_if_wrong()
    if not plan.is_empty:
        raise SystemExit(1)


def _settings(options: dict[str, Any]) -> Settings:
    settings = load(options.pop("settings"), options=options)
    missing = [name for name in ("brokers", "institutions") if not getattr(settings, name)]
    if missing:
        raise RefusedToStart(*(Problem(f"--{name}", f"is needed (or FSOC_{name.upper()})") for name in missing))
    return settings


async def _plan(settings: Settings, *, applying: bool) -> Plan:
    assert settings.institutions is not None  # noqa: S101 - _settings has seen to it
    registry = load_registry(settings.institutions)
    prefix = settings.topic_prefix
    async with connected(",".join(settings.brokers), Security.of(settings)) as admin:
        specs = table(
            prefix,
            registry.institutions,
            settings.detections_partitions,
            settings.environment,
            replicas=min(3, await broker_count(admin)),
        )
        access = Access.of(registry, prefix, settings.group)
        plan = await make_plan(admin, prefix, specs, access.allow, access.quotas, access.forbid)
        if applying:
            await apply(admin, plan)
    return plan


def _tell(plan: Plan, as_json: bool, created: str, altered: str, added: str, limited: str) -> None:
    if as_json:
        click.echo(json.dumps(_facts(plan)))
        return
    _list("+ {}  {}", [(spec.name, _partitions(spec.partitions)) for spec in plan.create])
    _list("~ {}  {} {} → {}", plan.alter)
    _list("? {}  is not in the table; left as it is", [(name,) for name in plan.extra])
    _list("! {}: not in the table; remove it, or a ticket's sender is not known", [(one,) for one in plan.intruders])
    _list("- {}: may {} {} no more, it is suspended", [(one.principal, one.operation, one.name) for one in plan.forbid])
    rules = (
        f"{len(plan.allow):,} access rules {added}" if plan.has_authorizer else "the cluster enforces no access rules"
    )
    limits = f"{len(plan.limit):,} quotas {limited}"
    altered_topics = len({change.topic for change in plan.alter})
    click.echo(
        f"{plan.topics:,} topics: {len(plan.create):,} {created}, {altered_topics:,} {altered}; {rules}; {limits}."
    )


def _list(line: str, entries: Sequence[tuple[object, ...]]) -> None:
    for entry in entries[:LINES_MAX]:
        click.echo(line.format(*entry))
    if len(entries) > LINES_MAX:
        click.echo(f"{line[0]} … and {len(entries) - LINES_MAX:,} more; --json tells all")


def _partitions(count: int) -> str:
    return f"{count} partition{'s' if count > 1 else ''}"


def _facts(plan: Plan) -> dict[str, Any]:
    return {
        "topics": plan.topics,
        "create": [{"name": spec.name, "partitions": spec.partitions} for spec in plan.create],
        "alter": [change._asdict() for change in plan.alter],
        "wrong": [{"topic": problem.where, "problem": problem.text} for problem in plan.wrong],
        "extra": plan.extra,
        "has_authorizer": plan.has_authorizer,
        "allow": [_rule(acl) for acl in plan.allow],
        "forbid": [_rule(acl) for acl in plan.forbid],
        "intruders": plan.intruders,
        "limit": [{"user": quota.user, **quota.limits} for quota in plan.limit],
    }


def _rule(acl: Acl) -> dict[str, str]:
    return {"principal": acl.principal, acl.resource: acl.name, "operation": acl.operation}
