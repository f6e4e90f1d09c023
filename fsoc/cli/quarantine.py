"""`fsoc quarantine list|show|replay`: look at refused payloads, mend them, send them again."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import orjson

from fsoc.cli.alert_words import LANGUAGES, Language
from fsoc.cli.quarantine_shown import Done, entry_json, rows, step_json, step_lines, whole
from fsoc.cli.topic_source import OPTIONS, STDIN, TopicSource, complain, with_options
from fsoc.cli.variadic import VariadicCommand
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.log import Log
from fsoc.runtime.quarantine import Shelf, Step, of_lines, on_topic, send, step_of
from fsoc.tickets.told import Refused

_path = click.Path(path_type=Path)

_FROM: Final = click.option(
    "--from", "from_", metavar="FILE|-", help="Records of the quarantine, instead of a cluster."
)
_LANGUAGE: Final = click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", help="Default: en.")
_CHOICE: Final = (
    click.option("--institution", "institutions", multiple=True, metavar="ID", help="Of this one; may be given again."),
    click.option("--code", "codes", multiple=True, metavar="CODE", help="With this fault; may be given again."),
    click.option("--all", "everything", is_flag=True, help="Those too that were sent again already."),
)


@click.group(name="quarantine", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look at payloads that were refused, mend them, and send them again.

    Each is called by its institution and its offset there, as its receipt says: fi-001/4711.

    \b
    檢視遭隔離之內容，修正後重新送出。
    """


@command.command("list", cls=VariadicCommand)
@with_options(_CHOICE)
@_FROM
@click.option("--json", "as_json", is_flag=True, help="NDJSON, without the payloads.")
@_LANGUAGE
@with_options(OPTIONS)
def list_command(
    institutions: Sequence[str],
    codes: Sequence[str],
    everything: bool,
    as_json: bool,
    language: Language,
    **options: Any,
) -> None:
    """List what was refused and not sent again yet, and why. Exit code 1 where there is some, 0 where there is none.

    \b
    Examples:
      fsoc quarantine list --brokers 127.0.0.1:9092
      fsoc quarantine list --institution fi-001 --code time.future
      fsoc quarantine list --json | jq -r '.faults[].code' | sort | uniq -c
    """
    shelf = _read(TopicSource.of(options))
    chosen = _chosen(shelf, institutions, codes, everything=everything)
    if as_json:
        for one in chosen:
            click.echo(orjson.dumps(entry_json(one, shelf.last_replay(one.name))))
    else:
        for line in rows([(one, shelf.last_replay(one.name)) for one in chosen], language):
            click.echo(line)
    if any(shelf.last_replay(one.name) is None for one in chosen):
        sys.exit(1)


@command.command("show")
@click.argument("name", metavar="INSTITUTION/OFFSET")
@_FROM
@click.option("--json", "as_json", is_flag=True, help="The record as it was kept: a line for --from.")
@click.option("--raw", is_flag=True, help="The payload alone, byte for byte, to be mended in an editor.")
@_LANGUAGE
@with_options(OPTIONS)
def show_command(name: str, as_json: bool, raw: bool, language: Language, **options: Any) -> None:
    """Tell one whole: the payload, laid out, each fault at its place with how to mend it.

    What is from the wire is shown escaped; --raw and --json write it as it is, so do not send --raw to a terminal.

    \b
    Examples:
      fsoc quarantine show fi-001/4711 --brokers 127.0.0.1:9092 --lang zh-TW
      fsoc quarantine show fi-001/4711 --raw > mend.json
      fsoc quarantine show fi-001/4711 --json >> refused.ndjson
    """
    if as_json and raw:
        raise click.UsageError("--json and --raw cannot both be given.")
    shelf = _read(TopicSource.of(options))
    one = _named(shelf, name)
    if raw:
        sys.stdout.buffer.write(one.payload)
        sys.stdout.buffer.flush()
    elif as_json:
        import msgspec

        click.echo(msgspec.json.encode(one))
    else:
        for line in whole(one, shelf.replayed.get(name, ()), language):
            click.echo(line)


@command.command("replay", cls=VariadicCommand)
@click.argument("names", nargs=-1, metavar="[INSTITUTION/OFFSET]…")
@with_options(_CHOICE[:2])
@click.option("--payload", type=_path, metavar="FILE", help="Send this instead: the payload, mended. For one name.")
@click.option("--again", is_flag=True, help="Also what was sent again already.")
@click.option("--anyway", is_flag=True, help="Also what would be refused again as it is.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
@click.option("--by", metavar="WHO", help="Who sends it again. Default: the user of this machine.")
@_FROM
@click.option("--json", "as_json", is_flag=True, help="NDJSON: what was done with each.")
@_LANGUAGE
@with_options(OPTIONS)
def replay_command(
    names: Sequence[str],
    institutions: Sequence[str],
    codes: Sequence[str],
    payload: Path | None,
    again: bool,
    anyway: bool,
    dry_run: bool,
    by: str | None,
    as_json: bool,
    language: Language,
    **options: Any,
) -> None:
    """Send refused payloads to their institution's ticket topic again: as they are, or one as --payload has it.

    Each is checked first, and what would be refused again is not sent. That it is sent is written down beside what was
    refused, before it is sent: what was sent once is not sent twice unless --again says so. With --from FILE the
    note is written to that file, and the payload goes to the cluster: so may an institution replay what the F-SOC
    gave it, with its own right to its own topic. Exit code 1 where one was left out, 2 where nothing could be done.

    \b
    Examples:
      fsoc quarantine replay fi-001/4711 --payload mended.json
      fsoc quarantine replay --institution fi-001 --code time.future --dry-run
      fsoc quarantine replay fi-001/4711 --from refused.ndjson --payload mended.json --brokers kafka.example:9092
    """
    _refuse_misuse(names, payload, chosen_by=bool(institutions or codes), file=options["from_"])
    source = TopicSource.of(options)
    if not source.settings.brokers:
        raise RefusedToStart(Problem("--brokers", "is needed (or FSOC_BROKERS): where to send it"))
    shelf = _read(source)
    if names:
        chosen = [_named(shelf, name) for name in dict.fromkeys(names)]
    else:
        chosen = _chosen(shelf, institutions, codes, everything=again)
    mended = _mended(payload)
    steps = [step_of(one, shelf, mended, again=again, anyway=anyway) for one in chosen]
    if not dry_run:
        _send(source, [step for step in steps if step.left_out is None], by or _user())
    sent: Done = "would be sent" if dry_run else "sent"
    for step in steps:
        done: Done = sent if step.left_out is None else "left out"
        if as_json:
            click.echo(orjson.dumps(step_json(step, done)))
        else:
            for line in step_lines(step, done, language):
                click.echo(line)
    if not steps:
        complain("nothing of that kind was refused, or all was sent again already")
    if not steps or any(step.left_out is not None for step in steps):
        sys.exit(1)


def _refuse_misuse(names: Sequence[str], payload: Path | None, *, chosen_by: bool, file: str | None) -> None:
    if payload is not None and len(names) != 1:
        raise click.UsageError("--payload is for exactly one INSTITUTION/OFFSET.")
    if not names and not chosen_by:
        raise click.UsageError("Name what to send: INSTITUTION/OFFSET…, --institution or --code.")
    if file == STDIN:
        raise click.UsageError("--from - cannot be written to: what is sent again is noted in the file.")


def _send(source: TopicSource, steps: Sequence[Step], by: str) -> None:
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    file = None if source.file is None else Path(source.file)

    async def send_all(log: Log, prefix: str) -> None:
        await send(log, prefix, steps, at, by, file)

    if steps:
        source.on_log(send_all)


def _read(source: TopicSource) -> Shelf:
    if source.file is not None:
        return of_lines(source.lines())

    async def read(log: Log, prefix: str) -> Shelf:
        return await on_topic(log, prefix, complain)

    return source.on_log(read)


def _chosen(shelf: Shelf, institutions: Sequence[str], codes: Sequence[str], *, everything: bool) -> list[Refused]:
    return [
        one
        for one in shelf.refused.values()
        if (not institutions or one.institution in institutions)
        and (not codes or any(fault.code in codes for fault in one.faults))
        and (everything or shelf.last_replay(one.name) is None)
    ]


def _named(shelf: Shelf, name: str) -> Refused:
    """Raises: RefusedToStart: nothing of that name was refused."""
    one = shelf.refused.get(name)
    if one is None:
        text = f"nothing of this name was refused; {len(shelf.refused):,} were, as fsoc quarantine list --all tells"
        raise RefusedToStart(Problem(name[:64], text))
    return one


def _mended(path: Path | None) -> bytes | None:
    """Raises: RefusedToStart: the file cannot be read."""
    if path is None:
        return None
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise RefusedToStart(Problem(str(path), error.strerror or str(error))) from error


def _user() -> str:
    try:
        return getpass.getuser()[:64]
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"
