"""`fsoc institution key make|add|list|retire|require`: by which keys an institution signs, and since when it must."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
import orjson

from fsoc.cli.institution_asked import known_to, registry_at, settings_of
from fsoc.cli.table import Column, table
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.edit import with_signing
from fsoc.institutions.registry import Registry
from fsoc.institutions.signing import Signing, SigningKey, key_of_jwk, moment_ms
from fsoc.tickets.times import rfc3339

_path = click.Path(path_type=Path)
_INSTITUTIONS: Final = click.option("--institutions", type=_path, metavar="FILE", help="The registry, YAML. 名冊檔。")
_SETTINGS: Final = click.option("--settings", type=_path, metavar="FILE", help="Says where it is, as YAML. 設定檔。")
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout. 以 JSON 輸出。")


@click.group("key", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """The keys by which an institution signs its tickets, and since when it must.

    The institution makes a key and keeps the private one; the joint SOC registers the public one. Workers and gateways
    read the registry again every 30 s. What a signature is: fsoc/feeds/README.md.

    \b
    機構簽署事件單之金鑰：私鑰由機構產製並自行保管，公鑰由聯防中心登錄。
    """


@command.command("make")
@click.argument("file", type=_path)
def make_command(file: Path) -> None:
    """Make a key: the private one into FILE, which must not be there yet (mode 0600); the public one on stdout.

    \b
    產製金鑰：私鑰寫入 FILE（權限 0600），公鑰印出，交聯防中心登錄。

    \b
    Example:
      fsoc institution key make signing.jwk > signing.pub.jwk
    """
    from fsoc.client.signing import make_key

    click.echo(make_key(file))


@command.command("add")
@click.argument("name", metavar="ID")
@click.argument("file", type=_path)
@click.option("--not-after", metavar="DAY", help="Its last day, in UTC, such as 2027-06-30. 最後有效日。")
@_INSTITUTIONS
@_SETTINGS
@_JSON
def add_command(name: str, file: Path, not_after: str | None, as_json: bool, **options: Any) -> None:
    """Register the public key of FILE, a JWK. Both keys are taken while one follows the other.

    \b
    登錄公鑰（JWK 檔）。新舊金鑰可並存，以便輪替。

    \b
    Example:
      fsoc institution key add fi-005 fi-005.pub.jwk --not-after 2027-06-30 --institutions institutions.yml
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise RefusedToStart(Problem(str(file), f"key cannot be read: {reason}")) from error
    ends_ms = None if not_after is None else _moment("--not-after", not_after, last=True)
    key = replace(key_of_jwk(text, str(file)), ends_ms=ends_ms)

    def added(signing: Signing) -> Signing:
        if any(one.kid == key.kid for one in signing.keys):
            raise RefusedToStart(Problem(str(file), f'"{name}" has a key "{key.kid}" already'))
        return replace(signing, keys=(*signing.keys, key))

    _change(name, added, options, as_json=as_json)


@command.command("retire")
@click.argument("name", metavar="ID")
@click.argument("kid", metavar="KID")
@click.option("--at", metavar="TIME", help="A day or a time, such as 2027-06-30T12:00:00Z. Default: now. 停用時間。")
@_INSTITUTIONS
@_SETTINGS
@_JSON
def retire_command(name: str, kid: str, at: str | None, as_json: bool, **options: Any) -> None:
    """Let a key sign no more: what Kafka takes later than that is quarantined. What was taken before stays as it is.

    The key stays in the registry: whoever reads the log again judges as was judged. A day counts whole.

    \b
    停用金鑰：此後收到之簽章一律隔離，先前已採用者不受影響。金鑰仍留存於名冊，以利重新驗證。

    \b
    Example:
      fsoc institution key retire fi-005 kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --institutions institutions.yml
    """
    ends_ms = _now_ms() if at is None else _moment("--at", at, last=True)

    def retired(signing: Signing) -> Signing:
        if all(one.kid != kid for one in signing.keys):
            text = f'"{name}" has no such key; `fsoc institution key list` tells which it has'
            raise RefusedToStart(Problem(kid[:64], text))
        # One that has ended already is not given longer by this.
        keys = [
            replace(one, ends_ms=ends_ms if one.ends_ms is None else min(one.ends_ms, ends_ms))
            if one.kid == kid
            else one
            for one in signing.keys
        ]
        return replace(signing, keys=tuple(keys))

    _change(name, retired, options, as_json=as_json)


@command.command("require")
@click.argument("name", metavar="ID")
@click.option("--from", "since", metavar="TIME", help="A day in UTC, or a time. 起始日。")
@click.option("--never", is_flag=True, help="Signatures need not be there any more. 取消要求。")
@_INSTITUTIONS
@_SETTINGS
@_JSON
def require_command(name: str, since: str | None, never: bool, as_json: bool, **options: Any) -> None:
    """Ask of everything that Kafka takes from then on that it be signed; what is not, is quarantined.

    \b
    自指定日起，本機構送出者均須附簽章，否則隔離。

    \b
    Examples:
      fsoc institution key require fi-005 --from 2027-01-01 --institutions institutions.yml
      fsoc institution key require fi-005 --never --institutions institutions.yml
    """
    if (since is None) is not never:
        raise click.UsageError("Give --from TIME, or --never.")
    required_ms = None if since is None else _moment("--from", since, last=False)
    _change(name, lambda signing: replace(signing, required_from_ms=required_ms), options, as_json=as_json)


@command.command("list")
@click.argument("name", metavar="ID")
@_INSTITUTIONS
@_SETTINGS
@_JSON
def list_command(name: str, as_json: bool, **options: Any) -> None:
    """The keys of one institution, and until when each is taken.

    \b
    列出機構之金鑰及其期限。

    \b
    Example:
      fsoc institution key list fi-005 --institutions institutions.yml
    """
    path, registry = _registry(options)
    known_to(registry, name, path)
    _tell(name, registry.institutions[name].signing, as_json=as_json)


def _change(name: str, change: Callable[[Signing], Signing], options: dict[str, Any], *, as_json: bool) -> None:
    from fsoc.runtime.onboarding import registry_file

    path, registry = _registry(options)

    def edit(text: str, where: str) -> str:
        # By what the file says now, which is held against others who change it.
        known = Registry.parse(text, where).institutions.get(name)
        return with_signing(text, where, name, change(Signing() if known is None else known.signing))

    registry_file.change(path, edit)
    _, registry = _registry(options)
    _tell(name, registry.institutions[name].signing, as_json=as_json)


def _registry(options: dict[str, Any]) -> tuple[Path, Registry]:
    settings, path = settings_of(dict(options), needs_brokers=False)
    return path, registry_at(path, settings)


_COLUMNS: Final[tuple[Column, ...]] = (
    ("key 金鑰", lambda one: one.kid),
    ("taken until 有效至", lambda one: "–" if one.ends_ms is None else rfc3339(one.ends_ms)),
    ("state 狀態", lambda one: "ended 已停用" if _has_ended(one) else "taken 有效"),
)


def _tell(name: str, signing: Signing, *, as_json: bool) -> None:
    if as_json:
        keys = [
            {**written, "ended": _has_ended(key)}
            for written, key in zip(signing.as_written()["keys"], signing.keys, strict=True)
        ]
        click.echo(orjson.dumps({"id": name, **signing.as_written(), "keys": keys}))
        return
    for line in table(_COLUMNS, signing.keys, "yellow", _has_ended):
        click.echo(line)
    since = signing.required_from_ms
    needed = "never 不要求" if since is None else f"from 自 {rfc3339(since)}"
    click.echo(f"{name}: signatures are required 要求簽章: {needed}")


def _has_ended(key: SigningKey) -> bool:
    return key.ends_ms is not None and key.ends_ms <= _now_ms()


def _now_ms() -> int:
    return round(dt.datetime.now(dt.UTC).timestamp() * 1000)


def _moment(option: str, text: str, *, last: bool) -> int:
    try:
        return moment_ms(text, last=last)
    except (ValueError, OverflowError) as error:
        expected = "expected a day such as 2027-06-30, or a time with its offset: 2027-06-30T12:00:00Z"
        raise RefusedToStart(Problem(option, f"{text[:40]!r}: {expected}")) from error
