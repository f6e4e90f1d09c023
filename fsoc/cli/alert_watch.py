"""`fsoc alerts watch`: a live table on a terminal, every new revision as a line in a pipe. Decides nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from io import TextIOWrapper
from typing import Final, Protocol

from rich.console import Console
from rich.live import Live

from fsoc.alerts.selection import Selection
from fsoc.cli.alert_source import Source
from fsoc.cli.alert_table import AlertTable
from fsoc.cli.alert_words import Language
from fsoc.cli.topic_source import STDIN, complain
from fsoc.errors import Retry
from fsoc.runtime.acknowledgements import Answers
from fsoc.runtime.alert_records import AlertRecord, Shelf, followed
from fsoc.sharing.acknowledged import Acknowledged

REDRAWN_PER_SECOND: Final = 2
ALERTS_MAX: Final = 10_000
"""Kept for the table; of more, those first seen longest ago are let go of."""


class _Watcher(Protocol):
    """Is told what was read, then that all is read; `close` is always called."""

    def take(self, records: Iterable[AlertRecord]) -> None: ...

    def answered(self, acknowledged: Acknowledged) -> None: ...

    def notice(self, text: str) -> None: ...

    def end(self) -> None: ...

    def close(self) -> None: ...


def watch(source: Source, selection: Selection, language: Language, *, once: bool) -> None:
    """Until the file ends, or Ctrl-C; of a cluster, with `once`, until all that is there was read."""
    # It ends as Ctrl-C does, and gives the terminal back.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    watcher: _Watcher
    if sys.stdout.isatty():
        live = source.file == STDIN or (source.file is None and not once)
        watcher = _Screen(source, selection, language, live=live)
    else:
        watcher = _Lines(selection)
    try:
        if source.file is not None:
            for record in source.records():
                watcher.take([record])
        elif once:
            shelf = Shelf()
            watcher.answered(source.read_answered(shelf))
            watcher.take(shelf.newest.values())
        else:
            asyncio.run(_follow(source, watcher))
        watcher.end()
    except KeyboardInterrupt:  # how one stops watching
        watcher.end()
    finally:
        watcher.close()
        signal.signal(signal.SIGTERM, before)


async def _follow(source: Source, watcher: _Watcher) -> None:
    from fsoc.runtime.kafka.client import KafkaLog  # late: it needs aiokafka

    log = await KafkaLog.of(source.settings)
    try:
        answers = await Answers.follow(log, source.settings.topic_prefix)
        watcher.answered(answers.acknowledged)
        try:
            async for records in followed(log, source.settings.topic_prefix, watcher.notice, watcher.notice):
                watcher.take(records)
                with suppress(Retry):  # `followed` has told of it, and it is asked again
                    await answers.hear()
        finally:
            await answers.close()
    finally:
        await log.close()


class _Lines:
    """NDJSON on stdout: each new revision as it is on the wire."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._revisions: dict[str, int] = {}
        self._now_ms = 0

    def take(self, records: Iterable[AlertRecord]) -> None:
        for alert, value in records:
            self._now_ms = max(self._now_ms, alert.last_seen_ms)
            if self._revisions.get(alert.alert_id, 0) >= alert.revision:
                continue
            self._revisions[alert.alert_id] = alert.revision
            if self._selection.holds(alert, self._now_ms):
                sys.stdout.buffer.write(value + b"\n")
        sys.stdout.buffer.flush()

    def answered(self, acknowledged: Acknowledged) -> None:
        """A line is an alert as it is on the wire; `fsoc alerts export --acknowledgements` has what is answered."""

    def notice(self, text: str) -> None:
        complain(text)

    def end(self) -> None:
        """Nothing is left to say."""

    def close(self) -> None:
        """Nothing was taken."""


class _Screen:
    """The table: on the terminal's other page where it is live, drawn there by a thread; and once at the end."""

    def __init__(self, source: Source, selection: Selection, language: Language, *, live: bool) -> None:
        self._source, self._selection, self._language = source, selection, language
        self._shelf = Shelf(alerts_max=ALERTS_MAX)
        self._acknowledged = Acknowledged()
        self._notice = ""
        self._console = console()
        self._live: Live | None = None
        if live:
            draw = partial(self._table, full=True)
            self._live = Live(
                console=self._console, screen=True, get_renderable=draw, refresh_per_second=REDRAWN_PER_SECOND
            )
            self._live.start()

    def take(self, records: Iterable[AlertRecord]) -> None:
        for record in records:
            self._shelf.take(record)
        if self._shelf.let_go_total:
            self._notice = (
                f"the {ALERTS_MAX:,} newest alerts are kept; {self._shelf.let_go_total:,} older ones are not shown"
            )

    def answered(self, acknowledged: Acknowledged) -> None:
        self._acknowledged = acknowledged

    def notice(self, text: str) -> None:
        self._notice = text

    def end(self) -> None:
        self.close()
        self._console.print(self._table(full=False))

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self, *, full: bool) -> AlertTable:
        now_ms = self._source.now_ms(self._shelf)
        every = list(self._shelf.newest.values())  # at once: more may be coming meanwhile
        whole = replace(self._selection, suppressed=True)
        asked = [record.alert for record in every if whole.holds(record.alert, self._shelf.now_ms)]
        shown = [alert for alert in asked if self._selection.suppressed or alert.suppressed is None]
        shown.sort(key=lambda alert: (-alert.raised_ms, alert.alert_id))
        hidden = len(asked) - len(shown)
        answered = {alert.alert_id: len(self._acknowledged.of(alert.alert_id)) for alert in shown}
        return AlertTable(shown, now_ms, self._language, hidden, self._notice, full, answered)


def console() -> Console:
    """Where text goes, stdout: colours on terminals alone."""
    if isinstance(sys.stdout, TextIOWrapper):
        if sys.stdout.isatty():
            sys.stdout.reconfigure(errors="replace")  # a terminal that cannot show └ shows ? and goes on
        else:
            sys.stdout.reconfigure(encoding="utf-8")
    return Console(highlight=False, markup=False, emoji=False)
