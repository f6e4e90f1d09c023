"""`fsoc feedback`: what institutions are told; look at it before they are, hold it, release it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
import orjson

from fsoc.cli.feedback_told import ack_command, export_command, show_command
from fsoc.cli.topic_source import on_cluster, with_options
from fsoc.errors import Problem, RefusedToStart
from fsoc.settings import Settings, load

if TYPE_CHECKING:
    from fsoc.runtime.log import Log
    from fsoc.runtime.sharing import Alerts

T = TypeVar("T")
_path = click.Path(path_type=Path)


@click.group(name="feedback", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look at what institutions are told of joint alerts, hold it, release it; show it in any form, answer it.

    Each is told of its own tickets, and of all the others in one statement a day that names nobody. What is decided is
    written beside it with name and reason, and stands in the audit (`fsoc audit`).

    \b
    看各機構收到之聯防告警回饋，發送前預覽（preview）、暫緩（hold）或放行（release）；決定均留存姓名與理由並列入稽核。
    """


for _one in (show_command, export_command, ack_command):
    command.add_command(_one)

_CLUSTER = (
    click.option("--brokers", metavar="HOST:PORT,…", help="The cluster. Kafka 叢集。"),
    click.option("--topic-prefix", "--prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc."),
    click.option("--settings", "file", type=_path, metavar="FILE", help="Both of these, as YAML: the workers' own."),
)
_DECIDE = (
    click.argument("alert", metavar="ALERT"),
    click.option("--by", required=True, metavar="WHO", help="Who decides. 決定者。"),
    click.option("--reason", required=True, metavar="TEXT", help="Why. 理由。"),
    click.option("--json", "as_json", is_flag=True, help="The decision as JSON."),
    *_CLUSTER,
)


@command.command("list")
@click.option("--held", is_flag=True, help="Those alone that wait to be released. 僅列待放行者。")
@with_options(_CLUSTER)
@click.option("--json", "as_json", is_flag=True, help="NDJSON on stdout.")
@click.option("--zh", is_flag=True, help="In Traditional Chinese. 以繁體中文顯示。")
def list_command(held: bool, as_json: bool, zh: bool, **where: Any) -> None:
    """List alerts by what institutions are told of them, those that wait first.

    \b
    told        institutions are told            held   somebody has to release it
    taken_back  they were told it is none        environment, suppressed, red, few, settled   nobody is told; why

    \b
    Examples:
      fsoc feedback list --brokers 127.0.0.1:9092
      fsoc feedback list --held --zh
      fsoc feedback list --json | jq -r 'select(.standing == "few") | .alert_id'
    """
    from fsoc.cli.feedback_shown import rows, table  # late, as what follows: it costs what a pipeline is made of
    from fsoc.runtime.sharing import read

    found = [row for row in rows(_on_log(load(where.pop("file"), options=where), read)) if not held or row["held"]]
    lines: Iterable[bytes | str] = map(orjson.dumps, found) if as_json else table(found, zh=zh)
    for line in lines:
        click.echo(line)


@command.command("preview")
@click.argument("alert", metavar="ALERT")
@click.option("--as", "institution", required=True, metavar="INSTITUTION", help="Who would be told. 收件機構。")
@click.option("--from", "source", type=_path, metavar="FILE", help="NDJSON of alerts instead, such as a replay's.")
@click.option("--institutions", type=_path, metavar="FILE", help="The registry: who is told, and who hides whom.")
@with_options(_CLUSTER)
@click.option("--json", "as_json", is_flag=True, help="The record as it would be written.")
@click.option("--zh", is_flag=True, help="In Traditional Chinese. 以繁體中文顯示。")
def preview_command(alert: str, institution: str, source: Path | None, as_json: bool, zh: bool, **where: Any) -> None:
    """Show what an institution would be told of an alert now, whether it is held or not. Nobody is told by it.

    ALERT is an id, or as much of its beginning as only one has. Exit code 1 where it would be told nothing.

    \b
    Examples:
      fsoc feedback preview al-36df --as fi-007 --settings worker.yml
      fsoc feedback preview al-36df --as fi-007 --from alerts.ndjson --institutions institutions.yml --zh
    """
    from fsoc.cli.feedback_shown import lines
    from fsoc.runtime.rules import load_registry
    from fsoc.runtime.sharing import OnPaper, read, read_file
    from fsoc.sharing.preview import preview
    from fsoc.sharing.statement import untold

    settings = load(where.pop("file"), options=where)
    if settings.institutions is None:
        raise RefusedToStart(Problem("--institutions", "is needed (or FSOC_INSTITUTIONS): who is told, and among whom"))
    registry = load_registry(settings.institutions)
    if registry.get(institution) is None:
        raise RefusedToStart(Problem("--as", f"{institution} is not in {settings.institutions}"))
    alerts = read_file(source) if source is not None else _on_log(settings, read)
    shared = alerts.shared[_one_of(alerts, alert)]
    # A file is of whatever it was replayed from; on the log, an installation is for one environment.
    caution = replace(settings.caution, environment=None) if source is not None else settings.caution
    sector = OnPaper.of(registry, caution)
    known = alerts.known.get(shared.alert_id)
    record = preview(known, shared, institution, int(time.time() * 1000), sector)
    if record is None:
        if known is not None and known.settled:
            reason: str = "settled"
        elif shared.status in {"retracted", "merged"}:
            reason = "retracted"
        else:
            reason = untold(shared, sector.caution, sector.registered) or "not_concerned"
        raise SystemExit(_tell_why(reason))
    if as_json:
        click.echo(record)
        return
    for line in lines(orjson.loads(record), zh=zh):
        click.echo(line)


@command.command("hold")
@with_options(_DECIDE)
def hold_command(**given: Any) -> None:
    """Have institutions told nothing more of an alert, until it is released. A retraction is told all the same.

    \b
    Example:
      fsoc feedback hold al-36df --by lin --reason 'asking fi-007 first' --brokers 127.0.0.1:9092
    """
    _decide("hold", **given)


@command.command("release")
@with_options(_DECIDE)
def release_command(**given: Any) -> None:
    """Have institutions told of an alert that is held, by a person or by the setting feedback_hold.

    \b
    Example:
      fsoc feedback release al-36df --by chen --reason 'confirmed with two members' --brokers 127.0.0.1:9092
    """
    _decide("release", **given)


def _decide(op: Literal["hold", "release"], *, alert: str, by: str, reason: str, as_json: bool, **where: Any) -> None:
    """Look at what is there, decide, write it down, and say its id."""
    import msgspec

    from fsoc.runtime.sharing import read, write
    from fsoc.sharing.records import Decision, decision_from

    async def decided(log: Log, prefix: str) -> Decision:
        alerts = await read(log, prefix)
        decision = Decision(
            decision_id=f"de-{uuid.uuid4().hex}",
            op=op,
            alert_id=_one_of(alerts, alert),
            by=by,
            reason=reason,
            decided_at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        known = alerts.known.get(decision.alert_id)
        if known is not None and known.settled:
            raise RefusedToStart(Problem(alert, "is over for so long that nothing is told of it any more"))
        try:
            decision_from(msgspec.json.encode(decision))
        except msgspec.MsgspecError as error:
            raise RefusedToStart(Problem("decision", str(error))) from error
        await write(log, prefix, decision)
        return decision

    decision = _on_log(load(where.pop("file"), options=where), decided)
    click.echo(msgspec.json.encode(decision) if as_json else decision.decision_id)


def _on_log(settings: Settings, work: Callable[[Log, str], Awaitable[T]]) -> T:
    """Raises: RefusedToStart: no cluster is given, or it does not answer."""
    if not settings.brokers:
        raise RefusedToStart(Problem("--brokers", "is needed (or FSOC_BROKERS)"))
    return on_cluster(settings, work)


def _one_of(alerts: Alerts, beginning: str) -> str:
    """Raises: RefusedToStart: no alert's id begins so, or several do."""
    if beginning in alerts.shared:
        return beginning
    found = [name for name in {**alerts.shared, **alerts.known} if name.startswith(beginning)]
    if len(found) != 1:
        count = f"{len(found)} alerts begin so" if found else "there is no alert of this id that anybody may be told of"
        raise RefusedToStart(Problem(beginning, count))
    if found[0] not in alerts.shared:
        raise RefusedToStart(Problem(beginning, "is over for so long that nothing is told of it any more"))
    return found[0]


_WHY = {
    "not_concerned": "it has no ticket in the alert, and alerts of this level are not told to those at risk",
    "settled": "the alert has been over for so long that nothing is told of it any more",
    "retracted": "the alert was taken back before this institution was told of it",
    "environment": "the alert is of another environment than this installation, such as a drill's in production",
    "suppressed": "the alert is suppressed",
    "red": "the alert is not sure to stand without tickets that are TLP:RED",
    "few": "too few institutions are left to hide among: nobody is told",
    "kind": "the alert is one institution's own",
}


def _tell_why(reason: str) -> int:
    """Say why nothing would be told; return the exit code for that."""
    click.echo(f"fsoc: nothing would be told: {_WHY[reason]}", err=True)
    return 1
