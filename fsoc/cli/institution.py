"""`fsoc institution add|list|show|rotate|suspend|key`: institutions join, are looked at, and leave. Decides nothing."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from fsoc.cli import institution_key
from fsoc.cli.institution_asked import (
    first_feed,
    kit_folder,
    known_to,
    refuse_incomplete,
    refuse_other,
    registry_at,
    settings_of,
    whose_is,
)
from fsoc.cli.institution_shown import (
    entry_lines,
    entry_of,
    listed,
    steps_json,
    steps_lines,
    tell,
)
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.checklist import Standing, checklist, is_complete
from fsoc.institutions.edit import with_entry, with_suspension
from fsoc.institutions.registry import Registry
from fsoc.settings import Settings

if TYPE_CHECKING:
    from fsoc.runtime.onboarding.kit import Kit

_path = click.Path(path_type=Path)


@click.group(name="institution", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Let an institution join, look at how far it has come, give it another password or key, suspend it.

    The registry (--institutions) says who takes part; workers read it again every 30 s. With --apply the cluster is
    made to agree, as a user who may do that (--settings of fsoc-admin); without, Kafka's own commands are printed.

    \b
    讓機構加入、檢視進度、換發密碼或停用。名冊由 --institutions 指定，worker 每 30 秒重讀；
    加 --apply 直接設定叢集（需管理者權限），否則印出 Kafka 指令。
    """


command.add_command(institution_key.command)

_CLUSTER = (
    click.option("--institutions", type=_path, metavar="FILE", help="The registry, YAML. 名冊檔。"),
    click.option("--brokers", metavar="HOST:PORT,…", help="The cluster. Kafka 叢集。"),
    click.option("--topic-prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc."),
    click.option("--environment", metavar="NAME", help="production (default), exercise or test."),
    click.option("--settings", type=_path, metavar="FILE", help="All of these, and who we are, as YAML. 設定檔。"),
    click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout. 以 JSON 輸出。"),
)
_GATEWAY = (
    click.option(
        "--credentials", "gateway_credentials", type=_path, metavar="FILE", help="The gateway's. 閘道憑證檔。"
    ),
    click.option("--gateway", "gateway_url", metavar="URL", help="Where the gateway is, for the kit. 閘道網址。"),
    click.option("--gateway-ca", "gateway_ca_file", type=_path, metavar="FILE", help="Its CA, PEM. 閘道 CA 憑證。"),
)
_CHANGE = (
    click.option("--apply", "applies", is_flag=True, help="Change the cluster, too. 直接設定叢集。"),
    click.option("--kit", type=_path, metavar="DIR", help="The folder to hand over. Default: kit-ID. 交付資料夾。"),
    *_GATEWAY,
)


def _with(*options: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def add(function: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            function = option(function)
        return function

    return add


@command.command("add")
@click.argument("name", metavar="ID")
@click.option("--name", "full_name", metavar="TEXT", help="In English. Needed of a new one. 英文名稱。")
@click.option("--name-zh", metavar="TEXT", help="In Chinese. 中文名稱。")
@click.option("--sector", metavar="WORD", help="bank, securities, insurance … Needed of a new one. 業別。")
@click.option("--tier", type=int, metavar="N", help="1, 2 or 3. Needed of a new one. 級別。")
@click.option("--group", "holding", metavar="ID", help="Its holding group. 所屬金控。")
@click.option("--feed", "feeds", multiple=True, metavar="NAME", help="What it sends by; may be given again. 資料來源。")
@click.option("--delegate", "delegates", multiple=True, metavar="ID", help="Who sends on its behalf; again. 代送單位。")
@click.option("--allowed-lateness", metavar="SPAN", help="Such as 2h. 可接受延遲。")
@_with(*_CHANGE, *_CLUSTER)
def add_command(name: str, applies: bool, kit: Path | None, as_json: bool, **options: Any) -> None:
    """Register an institution, make its topics, rules, quota and password, and a kit to hand to its engineers.

    May be run again: what is there stays, what is missing is made. The kit has what is needed to send: how to reach the
    cluster, first tickets, and a manual in two languages. Where the gateway's credentials file is named, a token for it
    too: the token is in the kit alone, and what stands for it in that file.

    \b
    登錄機構，建立主題、權限、配額與密碼，並產生交付給機構工程師的資料夾。可重複執行。
    指定閘道憑證檔（--credentials）時，一併核發 HTTPS 權杖；權杖僅存於交付資料夾。

    \b
    Examples:
      fsoc institution add fi-005 --name "Fifth Bank" --sector bank --tier 2 --feed siem \\
          --institutions institutions.yml --settings fsoc-admin.yml --apply
      fsoc institution add fi-005 --apply --institutions institutions.yml --settings fsoc-admin.yml
    """
    entry = {
        "id": name,
        "name": options.pop("full_name"),
        "name_zh": options.pop("name_zh"),
        "sector": options.pop("sector"),
        "tier": options.pop("tier"),
        "group": options.pop("holding"),
        "feeds": list(options.pop("feeds")) or None,
        "delegations": list(options.pop("delegates")) or None,
        "allowed_lateness": options.pop("allowed_lateness"),
    }
    settings, path = settings_of(options, needs_brokers=True)
    from fsoc.runtime.onboarding.registry_file import change

    is_begun = path.exists() and bool(path.read_bytes().strip())
    known = registry_at(path, settings).institutions.get(name) if is_begun else None
    if known is not None:
        refuse_other(known, entry, path)
        registry = registry_at(path, settings)
        tell(name, registry, _join(settings, registry, name, kit, applies=applies), as_json)
        return
    refuse_incomplete(entry)
    told: dict[str, Any] = {"registered": True}

    def edit(text: str, where: str) -> str:
        # The cluster first: workers refuse a registry whose topics are not there, and say so each time they read it.
        made = with_entry(text, where, entry)
        told.update(_join(settings, Registry.parse(made, where), name, kit, applies=applies))
        return made

    change(path, edit)
    tell(name, registry_at(path, settings), told, as_json)


@command.command("list")
@_with(_CLUSTER[0], _CLUSTER[4], _CLUSTER[5])
def list_command(as_json: bool, **options: Any) -> None:
    """Who is registered.

    \b
    列出已登錄的機構。

    \b
    Example:
      fsoc institution list --institutions institutions.yml
    """
    settings, path = settings_of(options, needs_brokers=False)
    institutions = list(registry_at(path, settings).institutions.values())
    if as_json:
        click.echo(orjson.dumps({"institutions": [entry_of(one) for one in institutions]}))
        return
    for line in listed(institutions):
        click.echo(line)


@command.command("show")
@click.argument("name", metavar="ID")
@_with(*_CLUSTER)
def show_command(name: str, as_json: bool, **options: Any) -> None:
    """One institution, and how far it is on its way to a feed that works.

    With a cluster (--brokers or --settings, as fsoc-admin) every step is looked at: exit code 0 when nothing is open, 1
    when something is. Without one, only what the registry says.

    \b
    檢視一家機構及其加入進度；未完成者結束代碼為 1。

    \b
    Example:
      fsoc institution show fi-005 --institutions institutions.yml --settings fsoc-admin.yml
    """
    settings, path = settings_of(options, needs_brokers=False)
    registry = known_to(registry_at(path, settings), name, path)
    standing, intruders = Standing(suspended=registry.institutions[name].suspended), list[str]()
    if settings.brokers:
        from fsoc.runtime.onboarding.standing import look

        standing, intruders = asyncio.run(look(settings, registry, name))
    steps = checklist(name, standing)
    if as_json:
        facts = {**entry_of(registry.institutions[name]), "standing": asdict(standing)}
        click.echo(orjson.dumps({**facts, "checklist": steps_json(steps), "intruders": intruders}))
    else:
        for line in (*entry_lines(registry.institutions[name]), *steps_lines(steps)):
            click.echo(line)
        for intruder in intruders:
            click.secho(f"! {intruder}: a ticket's sender is not known 可冒名送件，請移除", fg="red")
    if settings.brokers and (intruders or not is_complete(steps)):
        raise SystemExit(1)


@command.command("rotate")
@click.argument("name", metavar="ID")
@_with(*_CHANGE, *_CLUSTER)
def rotate_command(name: str, applies: bool, kit: Path | None, as_json: bool, **options: Any) -> None:
    """Give an institution, or whoever sends on its behalf, another password, and a kit with it.

    The password before is good for no new connection from then on; what is connected stays so until it ends. With
    --credentials the token of its kit is another as well; gateways know within 30 s. Tokens that are of no kit stay.

    \b
    為機構或代送單位換發密碼；舊密碼即刻無法再連線，既有連線至其結束為止。
    指定 --credentials 時一併換發 HTTPS 權杖，閘道於 30 秒內生效；非本資料夾核發之權杖不受影響。

    \b
    Example:
      fsoc institution rotate fi-005 --apply --institutions institutions.yml --settings fsoc-admin.yml
    """
    settings, path = settings_of(options, needs_brokers=True)
    registry = registry_at(path, settings)
    whose = whose_is(registry, name, path)
    from fsoc.runtime.onboarding import commands, member
    from fsoc.runtime.onboarding.kit import Kit

    has_passwords = member.asks_who_comes(settings)
    if not has_passwords and settings.gateway_credentials is None:
        text = f"kafka_protocol is {settings.kafka_protocol}: this cluster has no passwords, as far as we are told"
        raise RefusedToStart(Problem("--settings", text))
    if registry.institutions[whose].suspended:
        raise RefusedToStart(Problem(str(path), f'"{whose}" is suspended; `fsoc institution suspend --lift` first'))
    made = Kit(kit_folder(kit, name), name)
    password = made.write_access(settings)
    made.write_first_steps(settings, whose, first_feed(registry, whose), dt.datetime.now(dt.UTC))
    lines: list[str] = []
    if password is not None and applies:
        asyncio.run(member.renew(settings, name, password))
        made.scram.unlink(missing_ok=True)
    elif password is not None:
        lines = commands.renewing(",".join(settings.brokers), name, made.scram)
    token = _give_token(settings, made, whose, keep=False)
    tell(name, registry, {"applied": applies, "kit": str(made.folder), "commands": lines, **token}, as_json)


@command.command("suspend")
@click.argument("name", metavar="ID")
@click.option("--lift", is_flag=True, help="Let it take part again, with a new password. 解除停用，並換發密碼。")
@_with(*_CHANGE, *_CLUSTER)
def suspend_command(name: str, lift: bool, applies: bool, kit: Path | None, as_json: bool, **options: Any) -> None:
    """Let an institution neither send nor read. What it has sent stays, and is worked to its end.

    Its access rules are taken back, which stops connections that are open too, and its password. The gateway refuses it
    within 30 s, whatever it comes with; with --credentials its tokens and certificates are taken out of that file, too,
    so that they do not come back when the suspension is lifted.

    \b
    停用機構：收回存取權限（既有連線亦即失效）與密碼；已送出的事件單保留並處理完畢。
    閘道於 30 秒內拒絕該機構；指定 --credentials 時一併移除其權杖與用戶端憑證。

    \b
    Examples:
      fsoc institution suspend fi-005 --apply --institutions institutions.yml --settings fsoc-admin.yml
      fsoc institution suspend fi-005 --lift --apply --institutions institutions.yml --settings fsoc-admin.yml
    """
    settings, path = settings_of(options, needs_brokers=True)
    known_to(registry_at(path, settings), name, path)
    from fsoc.runtime.onboarding import commands, member
    from fsoc.runtime.onboarding.registry_file import change

    changed = change(path, partial(with_suspension, name=name, suspended=not lift))
    registry = registry_at(path, settings)
    if lift:
        told = _join(settings, registry, name, kit, applies=applies)
        tell(name, registry, {"lifted": changed, **told}, as_json)
        return
    # Before the cluster, which may not answer: what is ours to take is taken.
    tokens = _take_tokens(settings, name)
    lines: list[str] = []
    taken, had = 0, False
    if applies:
        plan, had = asyncio.run(member.leave(settings, registry, name))
        taken = len(plan.forbid)
    else:
        share = member.Share.of(registry, name, settings)
        has_password = member.asks_who_comes(settings)
        lines = commands.leaving(",".join(settings.brokers), share, name, has_password=has_password)
    told = {"suspended": changed, "applied": applies, "rules_taken": taken, "password_taken": had, "commands": lines}
    tell(name, registry, {**told, **tokens}, as_json)


def _give_token(settings: Settings, kit: Kit, whose: str, *, keep: bool) -> dict[str, Any]:
    from fsoc.runtime.onboarding import token

    if settings.gateway_credentials is None:
        return {}
    return {"token": token.give(settings.gateway_credentials, kit, whose, keep=keep)}


def _take_tokens(settings: Settings, name: str) -> dict[str, Any]:
    from fsoc.runtime.onboarding import token

    if settings.gateway_credentials is None:
        return {}
    return {"tokens_taken": token.take(settings.gateway_credentials, name)}


def _join(settings: Settings, registry: Registry, name: str, kit: Path | None, *, applies: bool) -> dict[str, Any]:
    """Make what is missing of a member and its kit; or the commands that would."""
    from fsoc.runtime.onboarding import commands, member
    from fsoc.runtime.onboarding.kit import Kit

    if registry.institutions[name].suspended:
        raise RefusedToStart(Problem(name, "is suspended; `fsoc institution suspend --lift` lets it take part again"))
    made = Kit(kit_folder(kit, name), name)
    made.write_first_steps(settings, name, first_feed(registry, name), dt.datetime.now(dt.UTC))
    if not applies:
        # Printed again, it is the same password: nobody can tell whether the commands were run.
        password = made.write_access(settings, keep=True)
        share = member.Share.of(registry, name, settings)
        lines = commands.joining(",".join(settings.brokers), share, name, made.scram if password else None)
        token = _give_token(settings, made, name, keep=True)
        return {"applied": False, "kit": str(made.folder), "commands": lines, **token}

    def new_password() -> str:
        password = made.write_access(settings)
        made.scram.unlink(missing_ok=True)
        assert password is not None  # noqa: S101 - asked only where there are passwords
        return password

    plan, is_new = asyncio.run(member.join(settings, registry, name, new_password))
    if not member.asks_who_comes(settings):
        made.write_access(settings)
    return {
        "applied": True,
        "kit": str(made.folder),
        "commands": [],
        "topics_created": len(plan.create),
        "rules_added": len(plan.allow),
        "quotas_set": len(plan.limit),
        "password": "new"
        if is_new
        else "unchanged (`rotate` gives another)"
        if member.asks_who_comes(settings)
        else "none",
        **_give_token(settings, made, name, keep=True),
    }
