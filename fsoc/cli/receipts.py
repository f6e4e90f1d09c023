"""`fsoc receipts`: what became of each ticket, from an institution's receipts topic or from a file."""

from __future__ import annotations

import signal
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, get_args

import click
import orjson

from fsoc.cli.alert_words import LANGUAGES, Language
from fsoc.cli.printable import printable
from fsoc.cli.receipts_shown import Tally, heading, lines
from fsoc.cli.topic_source import OPTIONS, TopicSource, complain, with_options
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.log import Log
from fsoc.runtime.receipts import Asked, Once, Received, followed, of_lines, on_topic
from fsoc.tickets.receipts import Told

_OUTCOMES: Final = get_args(Told)


@click.command("receipts", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("institution", required=False)
@click.option("--from", "from_", metavar="FILE|-", help="Receipts, one record a line, instead of a cluster.")
@click.option("--outcome", "outcomes", type=click.Choice(_OUTCOMES), multiple=True, help="Of this outcome; again: or.")
@click.option("--ticket", "tickets", multiple=True, metavar="ID", help="Of this ticket; may be given again.")
@click.option("--newest", type=click.IntRange(1), metavar="N", help="The last N of them.")
@click.option("--follow", "-f", is_flag=True, help="Go on with those that come, until Ctrl-C.")
@click.option("--missing", is_flag=True, help="Only what is still asked for: which numbers to send again.")
@click.option("--json", "as_json", is_flag=True, help="NDJSON: each receipt as it is on the wire.")
@click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", help="Default: en.")
@with_options(OPTIONS)
def command(
    institution: str | None,
    outcomes: tuple[str, ...],
    tickets: tuple[str, ...],
    newest: int | None,
    follow: bool,
    missing: bool,
    as_json: bool,
    language: Language,
    **options: Any,
) -> None:
    """Tell what became of INSTITUTION's tickets: accepted, duplicate, late or quarantined, why, and how to mend it.

    A receipt that a restarted worker told twice is shown once. INSTITUTION may be left out with --settings of its own
    user, and with --from; then all that the file has are shown. Exit code 1 where one that is shown says late or
    quarantined, or --missing finds numbers to send again; else 0, also at Ctrl-C.

    \b
    查詢各事件單之處理結果：採用、重複、逾時、隔離，並列出欄位、原因與修正方式。

    \b
    Examples:
      fsoc receipts fi-001 --brokers 127.0.0.1:9092
      fsoc receipts --settings kit-fi-001/fi-001.yml --follow
      curl -H "Authorization: Bearer $(cat token)" https://gateway.example:8443/v1/receipts | fsoc receipts --from -
      fsoc receipts fi-001 --outcome quarantined --lang zh-TW
      fsoc receipts fi-001 --missing --json | jq -c '[.feed, .seq_epoch, .first, .last]'
      fsoc receipts fi-001 --follow --json | jq -r 'select(.outcome != "accepted") | .ticket_id'
      fsoc replay --tickets day.ndjson --rules rules --receipts - --out alerts.ndjson | fsoc receipts --from -
    """
    if follow and (options["from_"] is not None or newest is not None):
        raise click.UsageError("--follow is for a cluster, and without --newest.")
    if missing and (follow or outcomes or tickets or newest is not None):
        raise click.UsageError("--missing goes by all receipts; give no --follow, --outcome, --ticket or --newest.")
    source = TopicSource.of(options)
    if source.file is None and institution is None:
        institution = source.settings.kafka_username
        if institution is None:
            raise RefusedToStart(Problem("INSTITUTION", "is needed: whose receipts?"))

    def wanted(one: Received) -> bool:
        return (
            (institution is None or one.institution in {None, institution})
            and (not outcomes or one.receipt.outcome in outcomes)
            and (not tickets or one.receipt.ticket_id in tickets)
        )

    if missing:
        _missing(filter(wanted, Once().new(_all(source, institution))), language, as_json=as_json)
        return
    shown = _Shown(language, as_json=as_json)
    if follow:
        _follow(source, str(institution), wanted, shown)
        return
    found: Iterable[Received] = filter(wanted, Once().new(_all(source, institution)))
    if newest is not None:
        found = deque(found, maxlen=newest)
    shown.take(found)
    shown.end()
    if shown.tally.refused:
        sys.exit(1)


class _Shown:
    """Writes receipts as they come."""

    def __init__(self, language: Language, *, as_json: bool) -> None:
        self.tally = Tally()
        self._language: Language = language
        self._as_json = as_json

    def take(self, received: Iterable[Received]) -> None:
        for one in received:
            if self.tally.total == 0 and not self._as_json:
                click.echo(heading(self._language))
            self.tally.add(one.receipt.outcome)
            if self._as_json:
                click.echo(one.wire)
                continue
            for line in lines(one, self._language):
                click.echo(line)

    def end(self) -> None:
        if not self._as_json:
            click.echo(self.tally.line(self._language))


def _missing(received: Iterable[Received], language: Language, *, as_json: bool) -> None:
    """What is still to be sent again, a range a line."""
    asked = Asked()
    for one in received:
        asked.take(one)
    found = list(asked.missing())
    for institution, feed, epoch, first, last in found:
        if as_json:
            named = {"institution": institution or None, "feed": feed, "seq_epoch": epoch}
            click.echo(orjson.dumps({**named, "first": first, "last": last}))
        else:
            whose = f"{institution} " if institution else ""
            click.echo(printable(f"{whose}{feed}/{epoch} {first}" + (f"-{last}" if last != first else "")))
    if found:
        sys.exit(1)
    if not as_json:
        click.echo("nothing is missing" if language == "en" else "沒有缺漏")


def _all(source: TopicSource, institution: str | None) -> Iterator[Received]:
    if source.file is not None:
        yield from of_lines(source.lines())
        return

    async def read(log: Log, prefix: str) -> list[Received]:
        return [one async for several in on_topic(log, prefix, str(institution), complain) for one in several]

    yield from source.on_log(read)


def _follow(source: TopicSource, institution: str, wanted: Any, shown: _Shown) -> None:
    once = Once()

    async def read(log: Log, prefix: str) -> None:
        async for several in followed(log, prefix, institution, complain):
            shown.take(filter(wanted, once.new(several)))
            sys.stdout.flush()

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):  # how one stops following
            source.on_log(read)
        shown.end()
    finally:
        signal.signal(signal.SIGTERM, before)
