"""`fsoc sample`: test tickets of an institution on stdout, one a line, to try a way in. Sends nothing."""

from __future__ import annotations

import time
from typing import Final

import click
import orjson

from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.tickets.trial import trial

COUNT_MAX: Final = 100_000


@click.command("sample", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("institution")
@click.option(
    "--feed", default="siem", show_default=True, metavar="NAME", help="One of its registered feeds. 資料來源。"
)
@click.option(
    "--count", default=10, show_default=True, type=click.IntRange(1, COUNT_MAX), metavar="N", help="How many. 張數。"
)
@click.option("--heartbeat", is_flag=True, help="And a source_status that tells of them. 另加一張監控設備狀況單。")
def command(institution: str, feed: str, count: int, heartbeat: bool) -> None:
    """Print test tickets of INSTITUTION, valid now, one a line: ten, unless told otherwise.

    They say `environment: test`, and no production alert counts them. Each call makes others, so that none is a
    duplicate of one that was sent before.

    \b
    產生該機構的測試事件單（一行一張），供試送之用；environment 為 test，不計入正式告警，每次執行皆不重複。

    \b
    Examples:
      fsoc sample fi-001 > tickets.ndjson
      fsoc sample fi-001 --heartbeat | fsoc send - --settings kit-fi-001/fi-001.yml
    """
    if Registry.open().get(institution) is None:
        text = f'"{institution[:64]}" is no institution: 2 to 32 of a–z, 0–9 and -'
        raise RefusedToStart(Problem("INSTITUTION", text))
    for body in trial(institution, feed, time.time_ns() // 1_000_000, count, heartbeat=heartbeat):
        click.echo(orjson.dumps(body))
