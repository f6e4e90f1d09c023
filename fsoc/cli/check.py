"""`fsoc check rules|tickets|mappings|baseline`: every error of what people and machines send us, with file and line."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from fsoc import attack
from fsoc.cli.check_baseline import command as baseline_command
from fsoc.cli.checked import as_json_option, counted, in_order, tell
from fsoc.cli.junit import junit
from fsoc.cli.progress import ProgressLine
from fsoc.correlation.allow_lists import read_allow_lists
from fsoc.correlation.policy_reader import read_policy
from fsoc.correlation.reader import parse
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.ruleset import orders_of
from fsoc.correlation.stand_alone import stand_alone
from fsoc.detection import LoadedRules, Logsource, LogsourceMap, Source, load_rules
from fsoc.detection.given import read_pipeline, read_placeholders
from fsoc.detection.lint import Review
from fsoc.detection.rules import Draft
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.attack_files import read_techniques
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.content import (
    CLOCKS,
    LOGSOURCES,
    RULE_SUFFIXES,
    SUPPRESSIONS,
    TABLE_SUFFIXES,
    allow_lists_files,
    files_named,
    logsources_files,
    read_source,
    read_sources,
    shipped,
)
from fsoc.runtime.ticket_files import faults_of
from fsoc.tickets.adapters.mapping import TicketMapping

_path = click.Path(path_type=Path)
_paths = click.argument("paths", type=_path, nargs=-1, required=True, metavar="PATH…")


@click.group("check", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Check rules, tickets, mappings or the baseline: every error with file and line. Exit code 1 if there is any."""


command.add_command(baseline_command)


@command.command("rules")
@_paths
@as_json_option
@click.option("--placeholders", type=_path, metavar="FILE", help="Values for `expand`.")
@click.option("--pipeline", type=_path, metavar="FILE", help="A pipeline of pySigma's.")
@click.option("--logsources", type=_path, metavar="FILE", help="Which logsources there are. Default: ours.")
@click.option("--strict", is_flag=True, help="Warnings are problems too.")
@click.option("--junit", "junit_file", type=click.File("wb", lazy=True), metavar="FILE|-", help="Write JUnit XML too.")
def rules_command(
    paths: tuple[Path, ...],
    as_json: bool,
    placeholders: Path | None,
    pipeline: Path | None,
    logsources: Path | None,
    strict: bool,
    junit_file: click.utils.LazyFile | None,
) -> None:
    """Check Sigma rules, filters and correlations, and logsources.yml and its like among them.

    Problems: what is refused; ids and names used twice; selections that no condition uses, selections and conditions
    that can never be true; ATT&CK tags that are none; filters that name rules in vain. Warnings, which leave the exit
    code alone: techniques that ATT&CK has moved, and where to; techniques and tactics of one rule
    that do not belong together; a logsource that is not known; conditions that every
    event satisfies; rules that must be tried on every event; suppressions that have expired, or suppress nothing.

    \b
    Examples:
      fsoc check rules rules
      fsoc check rules my_rule.yml --strict
      fsoc check rules my_rules --json | jq -r '.problems[].where'
      fsoc check rules my_rules --junit report.xml
    """
    to_stdout = junit_file is not None and junit_file.name == "-"
    if to_stdout and as_json:
        raise click.UsageError("--json and --junit - would both be written to stdout.")
    techniques = read_techniques()
    review = Review(techniques)
    known, problems = _known_logsources(paths, logsources)
    lists, wrong = read_allow_lists(read_sources(allow_lists_files(paths)))
    loaded = _load(paths, placeholders, pipeline, review)
    review.see_all(loaded, known)
    correlations, unfit = parse(loaded.correlations, loaded.rules, orders=orders_of(techniques), lists=lists.names)
    unread, idle = _policy(paths, [*correlations, *stand_alone(correlations, loaded.rules)])
    warnings: Sequence[Problem] = [*review.warnings, *idle]
    problems += [*wrong, *loaded.problems, *unfit, *review.problems, *unread, *(warnings if strict else ())]
    warnings = () if strict else warnings
    counts = {"rules": len(loaded.rules), "filters": len(loaded.filters), "correlations": len(correlations)}
    if junit_file is not None:
        junit_file.write(junit(review.cases, in_order(problems), in_order(warnings)))
    if not to_stdout:
        tell(counts, problems, as_json, warnings)
    elif problems:
        sys.exit(1)


@command.command("tickets")
@_paths
@as_json_option
def tickets_command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check tickets: files with one a line, or one JSON object, or a list; folders of .ndjson, .jsonl and .json.

    \b
    Example:
      fsoc check tickets outbox/monday.ndjson
    """
    problems: list[Problem] = []
    tickets = 0
    for found in faults_of(paths):
        tickets += 1
        problems += found
    tell({"tickets": tickets}, problems, as_json)


@command.command("mappings")
@_paths
@as_json_option
def mappings_command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check ATT&CK tables and crosswalks (.tsv), all together, and mappings of events to tickets (.yml).

    What counters and shows techniques (defenses-18.1 and its like) is held against that version's techniques. A
    monitoring baseline that lies beside them is left to `fsoc check baseline`.

    \b
    Examples:
      fsoc check mappings attack_mappings
      fsoc check mappings my-ecs.yml
    """
    sources = [source for source in read_sources(paths, TABLE_SUFFIXES | RULE_SUFFIXES) if not _of_baseline(source)]
    tables = [source for source in sources if source.path.endswith(tuple(TABLE_SUFFIXES))]
    problems = list(attack.check((table.path, table.text) for table in tables)) if tables else []
    for source in sources:
        if source not in tables:
            try:
                TicketMapping.parse(source.text, source.path)
            except RefusedToStart as refusal:
                problems += refusal.problems
    tell({"files": len(sources)}, problems, as_json)


def _of_baseline(source: Source) -> bool:
    file = Path(source.path)
    return file.suffix in RULE_SUFFIXES and any((folder / "baseline.yml").is_file() for folder in file.parents[:2])


def _load(paths: tuple[Path, ...], placeholders: Path | None, pipeline: Path | None, review: Review) -> LoadedRules:
    progress = ProgressLine()
    sources = read_sources(paths)
    rules = 0

    def reading() -> Iterator[Source]:
        for number, source in enumerate(sources, 1):
            progress.show(lambda number=number: f"read {number:,} of {counted(len(sources), 'files')}")  # type: ignore[misc]
            yield source

    def tell(draft: Draft) -> None:
        nonlocal rules
        rules += 1
        review.see(draft)
        progress.show(lambda: f"checked {counted(rules, 'rules')} of {counted(len(sources), 'files')}")

    with collector_paused():
        loaded = load_rules(
            reading(),
            placeholders=read_placeholders(read_source(placeholders)) if placeholders else None,
            pipeline=read_pipeline(read_source(pipeline)) if pipeline else None,
            tell=tell,
        )
    progress.clear()
    return loaded


def _known_logsources(paths: Iterable[Path], given: Path | None) -> tuple[list[Logsource], list[Problem]]:
    """What the mapping names, and those that are checked with the rules; and what is wrong with these."""
    known = list(LogsourceMap.parse(read_source(given or shipped("rules") / LOGSOURCES)).named)
    problems: list[Problem] = []
    for file in logsources_files(paths):
        try:
            known += LogsourceMap.parse(read_source(file)).named
        except RefusedToStart as refusal:
            problems += refusal.problems
    return known, problems


def _policy(paths: Iterable[Path], rules: Sequence[CorrelationRule]) -> tuple[Sequence[Problem], Sequence[Problem]]:
    """What is wrong with clocks and suppressions among what is checked; then, of suppressions, what to see to."""
    paths = list(paths)
    clocks, suppressions = (map(read_source, files_named(paths, name)) for name in (CLOCKS, SUPPRESSIONS))
    try:
        policy = read_policy(clocks, suppressions)
    except RefusedToStart as refusal:
        return refusal.problems, ()
    return (), list(policy.warnings(rules, time.time_ns() // 1_000_000))
