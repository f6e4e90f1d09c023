"""`fsoc campaigns`: look at campaigns, and decide about them: split, merge, undo. A decision is a record on the log."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson

from fsoc.cli.topic_source import on_cluster, with_options
from fsoc.cli.variadic import VariadicCommand
from fsoc.errors import Problem, RefusedToStart
from fsoc.settings import load

if TYPE_CHECKING:
    from fsoc.campaigns.records import Decision
    from fsoc.runtime.campaigns import Known
    from fsoc.runtime.log import Log

T = TypeVar("T")
_path = click.Path(path_type=Path)


@click.group(name="campaigns", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look at campaigns, and say where they are wrong: split, merge, undo.

    A campaign is what joint alerts and rare values have in common: one story, not forty alerts. What analysts decide is
    written beside it with name and reason, kept for ever, and can be undone.

    \b
    看聯防攻擊活動，並由分析人員拆分（split）、合併（merge）或復原（undo）；決定均留存姓名與理由。
    """


_CLUSTER = (
    click.option("--brokers", metavar="HOST:PORT,…", help="The cluster. Kafka 叢集。"),
    click.option("--topic-prefix", "--prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc."),
    click.option("--settings", "file", type=_path, metavar="FILE", help="Both of these, as YAML: the workers' own."),
)
_LOOK = (
    *_CLUSTER,
    click.option("--from", "source", type=_path, metavar="FILE", help="NDJSON of campaigns and decisions instead."),
    click.option("--json", "as_json", is_flag=True, help="NDJSON on stdout."),
    click.option("--zh", is_flag=True, help="In Traditional Chinese. 以繁體中文顯示。"),
)
_DECIDE = (
    click.option("--by", required=True, metavar="WHO", help="Who decides. 決定者。"),
    click.option("--reason", required=True, metavar="TEXT", help="Why. 理由。"),
    *_CLUSTER,
)


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Those too that were merged or retracted.")
@with_options(_LOOK)
def list_command(everything: bool, as_json: bool, zh: bool, **where: Any) -> None:
    """List the campaigns that stand, the newest first.

    \b
    Examples:
      fsoc campaigns list --brokers 127.0.0.1:9092
      fsoc campaigns list --from campaigns.ndjson --zh
      fsoc campaigns list --all --json | jq -r 'select(.merged_into) | .campaign_id'
    """
    from fsoc.cli.campaigns_shown import table  # late, as what follows: it costs what a pipeline is made of

    known = _known(where)
    found = [one for one in known.campaigns.values() if everything or one["status"] in {"open", "final"}]
    found.sort(key=lambda one: (one["last_seen"], one["campaign_id"]), reverse=True)
    if as_json:
        for one in found:
            click.echo(orjson.dumps(one))
        return
    for line in table(found, zh=zh):
        click.echo(line)


@command.command("show", cls=VariadicCommand)
@click.argument("names", nargs=-1, required=True, metavar="CAMPAIGN…")
@with_options(_LOOK)
def show_command(names: Sequence[str], as_json: bool, zh: bool, **where: Any) -> None:
    """Say of campaigns what ties them together, what is in them, and what was decided about them.

    CAMPAIGN is an id, or as much of its beginning as only one has.

    \b
    Examples:
      fsoc campaigns show ca-36df --brokers 127.0.0.1:9092
      fsoc campaigns show ca-36df --from campaigns.ndjson --zh
    """
    import msgspec

    from fsoc.cli.campaigns_shown import lines

    known = _known(where)
    for one in [_campaign(known, name) for name in names]:
        about = known.about(one)
        if as_json:
            decisions = [
                {**msgspec.to_builtins(each), "holds": known.decisions.holds(each.decision_id)} for each in about
            ]
            click.echo(orjson.dumps({**one, "decisions": decisions}))
            continue
        for line in lines(one, [(each, known.decisions.holds(each.decision_id)) for each in about], zh=zh):
            click.echo(line)


@command.command("split", cls=VariadicCommand)
@click.argument("name", metavar="CAMPAIGN")
@click.argument("links", nargs=-1, required=True, metavar="LINK…")
@with_options(_DECIDE)
def split_command(name: str, links: Sequence[str], by: str, reason: str, **where: Any) -> None:
    """Say that these links or alerts do not tie the campaign together.

    LINK is the id of one of its links or alerts, or its value. A link's value ties nothing together from then on, in
    whatever tickets it is seen. What is left goes on, as one campaign, as several, or as none.

    \b
    Example:
      fsoc campaigns split ca-36df 198.18.183.52 --by lin --reason 'an address of the carrier'
    """

    def split(known: Known) -> Decision:
        from fsoc.campaigns.nodes import group_text

        campaign = _standing(known, name)
        named = [name for link in links for name in _members(campaign, link)]
        values = [(one["rule_id"], group_text(one["group"])) for one in campaign["links"] if one["id"] in set(named)]
        return _decision("split", by, reason, [campaign], named=tuple(dict.fromkeys(named)), values=tuple(values))

    _decide(where, split)


@command.command("merge")
@click.argument("one", metavar="CAMPAIGN")
@click.argument("other", metavar="CAMPAIGN")
@with_options(_DECIDE)
def merge_command(one: str, other: str, by: str, reason: str, **where: Any) -> None:
    """Say that two campaigns are one, and so is what joins either of them later.

    \b
    Example:
      fsoc campaigns merge ca-36df ca-622e --by lin --reason 'same tooling, see INC-2041'
    """

    def merge(known: Known) -> Decision:
        from fsoc.runtime.campaigns import members_of

        both = [_standing(known, one), _standing(known, other)]
        if both[0] is both[1]:
            raise RefusedToStart(Problem(other, "is the same campaign"))
        if both[0]["environment"] != both[1]["environment"]:
            raise RefusedToStart(Problem(other, "is of another environment: a drill and an incident are never one"))
        return _decision("merge", by, reason, both, named=tuple(name for each in both for name in members_of(each)))

    _decide(where, merge)


@command.command("undo")
@click.argument("name", metavar="DECISION")
@with_options(_DECIDE)
def undo_command(name: str, by: str, reason: str, **where: Any) -> None:
    """Undo a split or a merge, as if it had never been decided. Both stay to be seen.

    \b
    Example:
      fsoc campaigns undo de-4f1c --by chen --reason 'it was not the carrier'
    """

    def undo(known: Known) -> Decision:
        decided = known.decisions.all[_one_of(known.decisions.all, name, "decision")]
        if decided.op == "undo":
            raise RefusedToStart(Problem(name, "undoes another; decide anew instead"))
        if not known.decisions.holds(decided.decision_id):
            raise RefusedToStart(Problem(name, "is undone already"))
        campaigns = [{"campaign_id": one, "environment": decided.environment} for one in decided.campaigns]
        return _decision("undo", by, reason, campaigns, undoes=decided.decision_id)

    _decide(where, undo)


def _decision(op: Any, by: str, reason: str, campaigns: Sequence[dict[str, Any]], **more: Any) -> Decision:
    from fsoc.campaigns.records import Decision

    return Decision(
        decision_id=f"de-{uuid.uuid4().hex}",
        op=op,
        by=by,
        reason=reason,
        decided_at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        environment=campaigns[0]["environment"] if campaigns else "production",
        campaigns=tuple(one["campaign_id"] for one in campaigns),
        **more,
    )


def _decide(where: dict[str, Any], make: Callable[[Known], Decision]) -> None:
    """Look at what is there, decide, write it down, and say its id."""
    import msgspec

    from fsoc.campaigns.decisions import DECISIONS_MAX
    from fsoc.campaigns.records import decision_from
    from fsoc.runtime.campaigns import read, write

    async def decided(log: Log, prefix: str) -> str:
        known = await read(log, prefix)
        if len(known.decisions) >= DECISIONS_MAX:
            raise RefusedToStart(Problem("decisions", f"there are {len(known.decisions):,}, limit {DECISIONS_MAX:,}"))
        decision = make(known)
        try:
            decision_from(msgspec.json.encode(decision))
        except msgspec.MsgspecError as error:
            raise RefusedToStart(Problem("decision", str(error))) from error
        await write(log, prefix, decision)
        return decision.decision_id

    click.echo(_on_log(where, decided))


def _known(where: dict[str, Any]) -> Known:
    from fsoc.runtime.campaigns import read, read_file

    source = where.pop("source")
    return read_file(source) if source is not None else _on_log(where, read)


def _on_log(where: dict[str, Any], work: Callable[[Log, str], Awaitable[T]]) -> T:
    """Raises: RefusedToStart: no cluster is given, or it does not answer."""
    settings = load(where.pop("file"), options=where)
    if not settings.brokers:
        raise RefusedToStart(Problem("--brokers", "is needed (or FSOC_BROKERS)"))
    return on_cluster(settings, work)


def _campaign(known: Known, name: str) -> dict[str, Any]:
    return known.campaigns[_one_of(known.campaigns, name, "campaign")]


def _standing(known: Known, name: str) -> dict[str, Any]:
    """Raises: RefusedToStart: nothing can be decided about it any more."""
    campaign = _campaign(known, name)
    if campaign["merged_into"] is not None:
        raise RefusedToStart(Problem(name, f"is merged into {campaign['merged_into']}"))
    if campaign["status"] == "retracted":
        raise RefusedToStart(Problem(name, "is retracted: nothing is left of it"))
    return campaign


def _members(campaign: dict[str, Any], link: str) -> list[str]:
    """All links on that value; else the one link or alert of that id, or whose id begins so."""
    by_value = [str(one["id"]) for one in campaign["links"] if link in map(str, one["group"].values())]
    if by_value:
        return by_value
    ids = dict.fromkeys([*(one["id"] for one in campaign["links"]), *campaign["alert_ids"]])
    return [_one_of(ids, link, "link or alert of it")]


def _one_of(names: Any, beginning: str, what: str) -> str:
    """Raises: RefusedToStart: none begins so, or several do."""
    if beginning in names:
        return beginning
    found = [name for name in names if name.startswith(beginning)]
    if len(found) != 1:
        count = f"{len(found)} {what}s begin so" if found else f"there is no {what} of this id"
        raise RefusedToStart(Problem(beginning, count))
    return str(found[0])
