"""`fsoc check rules|tickets|mappings`: every error of what people and machines send us, with file and line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click
import orjson

from fsoc import attack
from fsoc.attack import Techniques
from fsoc.correlation.rules import parse
from fsoc.detection import LoadedRules, LogsourceMap, load_rules
from fsoc.detection.given import read_pipeline, read_placeholders
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.content import (
    TABLE_SUFFIXES,
    collector_paused,
    logsources_files,
    read_source,
    read_sources,
    shipped,
)
from fsoc.runtime.ticket_files import faults_of

# Data sources, mitigations and campaigns are Sigma's tags too; ATT&CK tables here have techniques and tactics.
_NO_TECHNIQUE: Final = re.compile(r"attack\.(ds|m|c)\d{4}", re.IGNORECASE)
_paths = click.argument("paths", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="PATH…")
_as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout: counts and problems.")


@click.group("check", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Check rules, tickets or mappings: every error with file and line. Exit code 1 if there is any."""


@command.command("rules")
@_paths
@_as_json
@click.option("--placeholders", type=click.Path(path_type=Path), metavar="FILE", help="Values for `expand`.")
@click.option("--pipeline", type=click.Path(path_type=Path), metavar="FILE", help="A pipeline of pySigma's.")
def rules_command(paths: tuple[Path, ...], as_json: bool, placeholders: Path | None, pipeline: Path | None) -> None:
    """Check Sigma rules, filters and correlations, and a logsources.yml among them.

    \b
    Examples:
      fsoc check rules rules
      fsoc check rules my_rule.yml --json
    """
    with collector_paused():
        loaded = load_rules(
            read_sources(paths),
            placeholders=read_placeholders(read_source(placeholders)) if placeholders else None,
            pipeline=read_pipeline(read_source(pipeline)) if pipeline else None,
        )
    correlations, unfit = parse(loaded.correlations, loaded.rules)
    problems = [*loaded.problems, *unfit, *_unknown_tags(loaded), *_bad_logsources(paths)]
    counts = {"rules": len(loaded.rules), "filters": len(loaded.filters), "correlations": len(correlations)}
    _tell(counts, problems, as_json)


@command.command("tickets")
@_paths
@_as_json
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
    _tell({"tickets": tickets}, problems, as_json)


@command.command("mappings")
@_paths
@_as_json
def mappings_command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Check ATT&CK tables and crosswalks (.tsv), all together.

    \b
    Example:
      fsoc check mappings attack_mappings
    """
    sources = read_sources(paths, TABLE_SUFFIXES)
    _tell({"files": len(sources)}, attack.check((source.path, source.text) for source in sources), as_json)


def _tell(counts: Mapping[str, int], problems: Iterable[Problem], as_json: bool) -> None:
    """Problems in the order of their files and lines, then the counts; leaves with 1 if there is any problem."""
    found = sorted(dict.fromkeys(problems), key=_place)
    if as_json:
        stated = [{"where": problem.where, "text": problem.text} for problem in found]
        click.echo(orjson.dumps({**counts, "problems": stated}))
    else:
        for problem in found:
            click.echo(str(problem))
        counted = ", ".join(_counted(number, name) for name, number in counts.items())
        click.echo(f"{counted}: {_counted(len(found), 'problems')}")
    if found:
        sys.exit(1)


def _counted(number: int, things: str) -> str:
    return f"{number:,} {things.removesuffix('s') if number == 1 else things}"


def _place(problem: Problem) -> tuple[str, int]:
    path, _, line = problem.where.rpartition(":")
    return (path, int(line)) if line.isdecimal() else (problem.where, 0)


def _unknown_tags(loaded: LoadedRules) -> Iterator[Problem]:
    tables = read_sources([shipped("attack_mappings")], TABLE_SUFFIXES)
    techniques = Techniques.parse((table.path, table.text) for table in tables)
    tagged: list[tuple[str, Iterable[Any]]] = [(f"{rule.path}:{rule.line}", rule.tags) for rule in loaded.rules]
    for document in loaded.correlations:
        tags = document.data.get("tags")
        tagged.append((f"{document.path}:{document.line_of('tags')}", tags if isinstance(tags, list) else []))
    for where, tags in tagged:
        named = [tag for tag in map(str, tags) if not _NO_TECHNIQUE.fullmatch(tag)]
        yield from (Problem(where, complaint) for complaint in techniques.complaints(named))


def _bad_logsources(paths: Iterable[Path]) -> Iterator[Problem]:
    for file in logsources_files(paths):
        try:
            LogsourceMap.parse(read_source(file))
        except RefusedToStart as refusal:
            yield from refusal.problems
