"""`fsoc standard build`: the operating standard (作業標準), made from what fsoc is, so that it cannot drift."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from fsoc import __version__
from fsoc.cli.topic_source import write
from fsoc.feeds.words import span_said
from fsoc.runtime.feeds import contract_of
from fsoc.runtime.kafka.topics import acls, table

_path = click.Path(path_type=Path)
_ANY: Final = "<institution>"


@click.group(name="standard", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make the operating standard that institutions are given.

    \b
    產製聯防 SOC 作業標準。
    """


@command.command("build")
@click.option("--format", "form", type=click.Choice(["html", "markdown"]), default="html", help="Default: html.")
@click.option("--contract", type=_path, metavar="FILE", help="What is asked of feeds, by tier. Default: fsoc's own.")
@click.option("--topic-prefix", "--prefix", default="fsoc.", metavar="PREFIX", help="Default: fsoc.")
@click.option("--out", type=_path, metavar="FILE", help="Write there, not to stdout.")
def build_command(form: str, contract: Path | None, topic_prefix: str, out: Path | None) -> None:
    """Write it: sources, classes and grades, the ticket's format with examples, transport, receipts, contract, codes.

    It is made from the models, tables and contract that fsoc works by, in English and Traditional Chinese.

    \b
    Examples:
      fsoc standard build --out standard.html
      fsoc standard build --format markdown --contract contract.yml --out standard.md
    """
    from fsoc.standard.document import Topic, standard  # late: only this needs them
    from fsoc.standard.render import html, markdown

    rights = {
        rule.name: rule.operation
        for rule in acls(topic_prefix, [_ANY], "fsoc")
        if rule.principal == f"User:{_ANY}" and rule.resource == "topic"
    }
    topics = [
        Topic(
            spec.name,
            rights[spec.name],
            ("newest of each key, " if spec.compacted else "") + span_said(spec.retention_ms),
            spec.batch_bytes_max,
        )
        for spec in table(topic_prefix, [_ANY])
        if spec.name in rights
    ]
    document = standard(__version__, topics, contract_of(contract))
    write((html if form == "html" else markdown)(document).encode(), out)
