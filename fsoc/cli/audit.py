"""`fsoc audit`: who was told what, when, under which decision; and that nobody has changed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from fsoc.cli.printable import printable
from fsoc.cli.topic_source import on_cluster, with_options
from fsoc.errors import Problem, RefusedToStart
from fsoc.settings import load

if TYPE_CHECKING:
    from fsoc.runtime.log import Log
    from fsoc.sharing.chain import Chain, Head

_path = click.Path(path_type=Path)
_WHERE = (
    click.option("--brokers", metavar="HOST:PORT,…", help="The cluster. Kafka 叢集。"),
    click.option("--topic-prefix", "--prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc."),
    click.option("--settings", "settings_file", type=_path, metavar="FILE", help="Both of these, as YAML."),
    click.option("--file", "file", type=_path, metavar="FILE", help="An NDJSON file of the audit instead."),
    click.option("--json", "as_json", is_flag=True, help="JSON on stdout."),
)


@click.group(name="audit", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Show who was told what, when and under which decision, and verify that nobody has changed it.

    Each record has the hash of the one before. What was changed, taken out, added or moved is found by that; that the
    end is missing is found by a head that you keep elsewhere.

    \b
    看誰在何時、依何決定被告知何事，並驗證紀錄未遭竄改；請將 head 另存他處，方能查出尾端遭刪。
    """


@command.command("verify")
@click.option("--head", "head_text", metavar="HEAD", help="One that was exported: number:hash.")
@click.option("--head-file", type=_path, metavar="FILE", help="The same, in a file.")
@with_options(_WHERE)
def verify_command(head_text: str | None, head_file: Path | None, as_json: bool, **where: Any) -> None:
    """Read the whole audit and say whether it is as it was written. Exit code 1 where it is not.

    \b
    Examples:
      fsoc audit verify --brokers 127.0.0.1:9092
      fsoc audit verify --brokers 127.0.0.1:9092 --head-file /mnt/worm/head
      fsoc audit verify --file audit.ndjson --head 112:b83a…49c4
    """
    head = _given(head_text, head_file)
    chain = _read(where)
    if head is not None:
        chain.compare(head)
    if as_json:
        said = {
            "whole": not chain.faults_total,
            "records": chain.head.seq,
            "head": chain.head.text(),
            "repeated": chain.repeated,
            "faults_total": chain.faults_total,
            "faults": [fault._asdict() for fault in chain.faults],
        }
        click.echo(orjson.dumps(said))
    else:
        for fault in chain.faults:
            click.echo(click.style(f"line {fault.line}: {printable(fault.text)}", fg="red"))
        if chain.faults_total > len(chain.faults):
            click.echo(f"and {chain.faults_total - len(chain.faults)} more")
        verdict = f"{chain.faults_total} faults" if chain.faults_total else "whole"
        against = "" if head is None else f", against the head of record {head.seq}"
        click.echo(f"{verdict}: {chain.head.seq} records{against}; head {chain.head.text()}")
    raise SystemExit(1 if chain.faults_total else 0)


@command.command("head")
@with_options(_WHERE)
def head_command(as_json: bool, **where: Any) -> None:
    """Print the head, to be kept where nobody who can write to the cluster can: paper, a WORM disk, a partner.

    Exit code 1, and nothing printed, where the audit is not as it was written.

    \b
    Example:
      fsoc audit head --brokers 127.0.0.1:9092 >> /mnt/worm/heads
    """
    chain = _read(where)
    if chain.faults_total:
        raise RefusedToStart(Problem("audit", f"{chain.faults_total} faults; `fsoc audit verify` tells them"))
    head = chain.head
    click.echo(orjson.dumps({"seq": head.seq, "hash": head.hash, "head": head.text()}) if as_json else head.text())


@command.command("show")
@click.option("--institution", metavar="ID", help="What this one was told alone.")
@click.option("--alert", metavar="ALERT", help="Of this alert alone: its id, or the beginning of it.")
@with_options(_WHERE)
def show_command(institution: str | None, alert: str | None, as_json: bool, **where: Any) -> None:
    """Show the audit, the oldest first. With --json, byte for byte as it is written: what `verify --file` reads.

    What is no sound record is left out of a list, and of --json where you ask for some alone; of all of it nothing is.
    Exit code 1, and how many faults there are, where it is not as it was written: then trust none of it.

    \b
    Examples:
      fsoc audit show --institution fi-007 --brokers 127.0.0.1:9092
      fsoc audit show --brokers 127.0.0.1:9092 --json > audit.ndjson
    """

    def show(line: bytes, said: dict[str, Any] | None) -> None:
        if as_json and institution is None and alert is None:
            click.echo(line)  # whatever it is: what is read from it must not be sounder than what was written
            return
        if said is None or (alert is not None and not str(said.get("alert_id", "")).startswith(alert)):
            return
        if institution is not None and institution not in _told(said):
            return
        if as_json:
            click.echo(line)
            return
        for text in _shown(said, institution):
            click.echo(text)

    chain = _read(where, show)
    if chain.faults_total:
        click.echo(
            f"the audit is not as it was written: {chain.faults_total} faults; `fsoc audit verify` tells them"
            "  稽核紀錄與當初所寫不符",
            err=True,
        )
        raise SystemExit(1)


def _told(said: dict[str, Any]) -> dict[str, Any]:
    """Who was told what; of a record with a sound hash that says something else, nobody."""
    told = said.get("told")
    return {name: own for name, own in told.items() if isinstance(own, dict)} if isinstance(told, dict) else {}


def _shown(said: dict[str, Any], institution: str | None) -> Iterator[str]:
    """As lines. Whoever can write to the topic can add any record with a sound hash: what is missing is shown as ?."""
    at, what, alert_id = (str(said.get(name, "?")) for name in ("at", "what", "alert_id"))
    about = f"{said['seq']:>6}  {at[:19].replace('T', ' ')}  {what:<7}  {alert_id}"
    if what == "decided":
        yield printable(f"{about}  {said.get('op', '?')} by {said.get('by', '?')}: {said.get('reason', '?')}")
        return
    told = {name: own for name, own in _told(said).items() if institution in {None, name}}
    by = "" if said.get("decision_id") is None else f"  under {said['decision_id']}"
    count = f"  {len(told)} institutions" if told else ""
    yield printable(f"{about}  revision {said.get('alert_revision', '?')}{count}{by}")
    for name, own in told.items():
        revision, status, digest = (str(own.get(part, "?")) for part in ("revision", "status", "sha256"))
        yield printable(f"          {name}  revision {revision}  {status}  sha256 {digest[:16]}…")


def _read(where: dict[str, Any], show: Callable[[bytes, dict[str, Any] | None], None] | None = None) -> Chain:
    """Read all of the audit, record by record.

    Raises:
        RefusedToStart: the file cannot be read; no cluster is given, or it does not answer.
    """
    from fsoc.runtime.sharing import audit, audit_file
    from fsoc.sharing.chain import Chain

    chain = Chain()

    def take(line: bytes) -> None:
        said = chain.take(line)
        if show is not None:
            show(line, said)

    file, settings_file = where.pop("file"), where.pop("settings_file")
    if file is not None:
        for line in audit_file(file):
            take(line)
        return chain
    settings = load(settings_file, options=where)
    if not settings.brokers:
        raise RefusedToStart(Problem("--brokers", "is needed (or FSOC_BROKERS), or --file FILE"))

    async def on_log(log: Log, prefix: str) -> None:
        async for line in audit(log, prefix):
            take(line)

    on_cluster(settings, on_log)
    return chain


def _given(text: str | None, file: Path | None) -> Head | None:
    """Of a file of several lines the last counts.

    Raises:
        RefusedToStart: it is no head, or two are given, or the file has none.
    """
    from fsoc.sharing.chain import Head

    if text is not None and file is not None:
        raise RefusedToStart(Problem("--head", "give it or --head-file, not both"))
    where = "--head"
    if text is None and file is not None:
        where = str(file)
        try:
            lines = file.read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise RefusedToStart(Problem(where, f"cannot be read: {error}")) from error
        text = lines[-1] if lines else ""
    if text is None:
        return None
    try:
        return Head.parse(text)
    except ValueError as error:
        raise RefusedToStart(Problem(where, str(error))) from error
