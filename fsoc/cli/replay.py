"""`fsoc replay`: the whole pipeline over ticket files, without a broker."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import orjson

from fsoc.cli.rules_bar import rules_bar
from fsoc.cli.variadic import VariadicCommand
from fsoc.correlation.ruleset import RuleSet
from fsoc.errors import together
from fsoc.feeds.record import Outgoing
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.runtime.feeds import of_direct
from fsoc.runtime.replay import check_files, registry_of, replay
from fsoc.runtime.rules import load_registry, load_ruleset
from fsoc.tickets.told import receipts_line

_path = click.Path(path_type=Path)
_file = click.File("wb", lazy=True)


@click.command("replay", cls=VariadicCommand)
@click.option("--tickets", type=_path, multiple=True, required=True, metavar="FILE…", help="Tickets, one a line.")
@click.option("--rules", type=_path, multiple=True, required=True, metavar="DIR…", help="Rule files or folders.")
@click.option("--institutions", type=_path, metavar="FILE", help="Who may send; default: everyone met.")
@click.option("--out", type=_path, metavar="FILE", help="Write the alerts here, not to stdout.")
@click.option("--receipts", type=_file, metavar="FILE|-", help="Write receipts, for fsoc receipts --from.")
@click.option("--quarantine", type=_file, metavar="FILE|-", help="Write what is refused, for fsoc quarantine --from.")
@click.option("--feedback", type=_file, metavar="FILE|-", help="Write what institutions are told, each revision.")
@click.option("--audit", type=_file, metavar="FILE|-", help="Write who was told what, for fsoc audit --file.")
@click.option("--feeds", type=_file, metavar="FILE|-", help="Write the state of the feeds, for fsoc feeds --from.")
def command(
    tickets: tuple[Path, ...],
    rules: tuple[Path, ...],
    institutions: Path | None,
    out: Path | None,
    receipts: click.utils.LazyFile | None,
    quarantine: click.utils.LazyFile | None,
    feedback: click.utils.LazyFile | None,
    audit: click.utils.LazyFile | None,
    feeds: click.utils.LazyFile | None,
) -> None:
    """Run ticket files through the pipeline and print the alerts.

    Several files are one stream in the order given; the end of input makes every alert final. Prints the newest
    revision of each alert as NDJSON, sorted by alert_id, and one JSON summary line on stderr.

    \b
    Examples:
      fsoc replay --tickets monday.ndjson --rules rules
      fsoc replay --tickets mon.ndjson tue.ndjson --rules rules --out alerts.ndjson
      fsoc replay --tickets day.ndjson --rules rules --institutions institutions.yml
      fsoc replay --tickets day.ndjson --rules rules --out alerts.ndjson --receipts - | fsoc receipts --from -
      fsoc replay --tickets day.ndjson --rules rules --out alerts.ndjson --feedback feedback.ndjson --audit audit.ndjson
    """
    to_stdout = [
        file for file in (receipts, quarantine, feedback, audit, feeds) if file is not None and file.name == "-"
    ]
    if len(to_stdout) + (out is None) > 1:
        raise click.UsageError("Only one output can go to stdout; alerts do without --out.")
    started = time.monotonic()
    ruleset, known, _ = together(
        lambda: _ruleset(rules),
        lambda: load_registry(institutions).without_signing() if institutions else None,
        lambda: check_files(tickets),
    )
    if ruleset.refused:
        click.echo(f"fsoc: {ruleset.refused} rules refused, see fsoc check rules", err=True)
    registry: Registry = known or registry_of(tickets)
    direct = Direct(Pipeline(ruleset, registry, ends=True), watch=_writer(receipts, quarantine, feedback, audit))
    _run(direct, registry, tickets)
    if feeds is not None:
        feeds.write(b"".join(state.line() + b"\n" for state in of_direct(direct)))
    lines = b"".join(orjson.dumps(alert, option=orjson.OPT_SORT_KEYS) + b"\n" for alert in direct.newest_alerts())
    if out is None:
        sys.stdout.buffer.write(lines)
        sys.stdout.buffer.flush()
    else:
        out.write_bytes(lines)
    counts = direct.counts()
    summary = {
        "received": counts.received,
        "used": counts.used,
        "duplicate": counts.duplicate,
        "late": counts.late,
        "quarantined": counts.quarantined,
        "detections": sum(intake.ledger.detections for intake in direct.intakes.values()),
        "alerts": len(direct.alerts),
        "seconds": round(time.monotonic() - started, 3),
    }
    click.echo(orjson.dumps(summary).decode(), err=True)


def _writer(
    receipts: click.utils.LazyFile | None,
    quarantine: click.utils.LazyFile | None,
    feedback: click.utils.LazyFile | None,
    audit: click.utils.LazyFile | None,
) -> Callable[[Outgoing], None]:
    """Writes what is published of receipts, refused payloads, feedback and its audit, a record a line."""
    as_it_is = {"quarantine": quarantine, "feedback": feedback, "audit": audit}
    for file in (receipts, *as_it_is.values()):
        if file is not None:
            file.open()  # it is there, if empty, also where nothing comes of it

    def write(item: Outgoing) -> None:
        kind, _, institution = item.topic.partition(".")
        if kind == "receipts" and receipts is not None:
            receipts.write(receipts_line(institution, item.value) + b"\n")
        elif (file := as_it_is.get(kind)) is not None:
            file.write(item.value + b"\n")

    return write


def _ruleset(rules: tuple[Path, ...]) -> RuleSet:
    with rules_bar() as advance:
        return load_ruleset(rules, advance=advance)


def _run(direct: Direct, registry: Registry, tickets: tuple[Path, ...]) -> None:
    total = sum(path.stat().st_size for path in tickets)
    if not sys.stderr.isatty():
        replay(direct, registry, tickets, lambda _: None)
        return
    with click.progressbar(length=total, label="replay", file=sys.stderr) as bar:
        replay(direct, registry, tickets, bar.update)
