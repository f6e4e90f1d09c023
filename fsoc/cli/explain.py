"""`fsoc explain`: why a rule matches an event, or does not, as a tree."""

from __future__ import annotations

import difflib
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import click
import orjson
from rich.console import Console

from fsoc.cli.explained import as_json as explained_as_json
from fsoc.cli.explained import lines
from fsoc.cli.one_event import read_event, read_logsource, subjects
from fsoc.cli.printable import printable
from fsoc.cli.progress import ProgressLine
from fsoc.cli.variadic import VariadicCommand
from fsoc.detection import LoadedRules, LogsourceMap, Source, load_rules
from fsoc.detection.detector import TICKET
from fsoc.detection.explain import explain
from fsoc.detection.given import read_pipeline, read_placeholders
from fsoc.detection.rules import Draft
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.content import LOGSOURCES, read_source, read_sources, shipped

_NEAR_MAX: Final = 3
_path = click.Path(path_type=Path)


class _Given(NamedTuple):
    """What the rules are read with."""

    rules: tuple[Path, ...]
    placeholders: Path | None
    pipeline: Path | None


@click.command("explain", cls=VariadicCommand)
@click.option("--rule", "wanted", required=True, metavar="RULE", help="A rule's file, or its id, name or title.")
@click.option("--event", required=True, metavar="FILE[:LINE]|-", help="A file of one event, or a line of one of many.")
@click.option("--rules", type=_path, multiple=True, metavar="DIR…", help="Where to look for it. Default: ours.")
@click.option("--logsource", metavar="product=…,category=…", help="What the event's sender would state.")
@click.option("--logsources", type=_path, metavar="FILE", help="Which events are of which logsource. Default: ours.")
@click.option("--placeholders", type=_path, metavar="FILE", help="Values for `expand`: YAML, name: [value, …].")
@click.option("--pipeline", type=_path, metavar="FILE", help="A processing pipeline of pySigma's for the rules.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each rule explained.")
def command(
    wanted: str,
    event: str,
    rules: tuple[Path, ...],
    logsource: str | None,
    logsources: Path | None,
    placeholders: Path | None,
    pipeline: Path | None,
    as_json: bool,
) -> None:
    """Say which selections, lines and values of a Sigma rule an event satisfies, which it does not, and why.

    Exit code 0 if it matches, 1 if not, 2 if rule or event cannot be used. Filters among the rules are applied as ever.
    Of a ticket, rules about tickets are shown the ticket itself, others each of its evidence items.

    \b
    Examples:
      fsoc explain --rule my_rule.yml --event event.json
      fsoc explain --rule "Shadow Copies Deleted" --event sysmon.ndjson:17
      fsoc explain --rule 0f06a3a5-6a09-413f-8743-e6cf35561297 --rules sigma/rules --event - < event.json
      fsoc explain --rule my_rule.yml --event e.json --logsource product=windows,category=process_creation
    """
    mapping = LogsourceMap.parse(read_source(logsources or shipped("rules") / LOGSOURCES))
    fields = read_event(event)
    stated = read_logsource(logsource) if logsource is not None else None
    drafts = _drafts(wanted, _Given(rules, placeholders, pipeline))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that cannot show ✔ shows ? and the rest is told
    console = Console(highlight=False, soft_wrap=True)
    matched = False
    for draft in drafts:
        about_tickets = draft.rule is not None and draft.rule.logsource.product == TICKET
        for subject in subjects(fields, stated, about_tickets=about_tickets):
            explanation = explain(draft, subject.fields, mapping, subject.stated)
            matched |= explanation.matched
            if as_json:
                click.echo(orjson.dumps(explained_as_json(explanation, subject.name)))
            else:
                for line in lines(explanation, subject.name):
                    console.print(line)
    sys.exit(0 if matched else 1)


def _drafts(wanted: str, given: _Given) -> list[Draft]:
    """The rules meant, loaded.

    Raises:
        RefusedToStart: there is none, or it cannot be used: with its problems.
    """
    file = Path(wanted)
    if file.is_file():
        others = [source for source in _sources(given.rules) if Path(source.path).resolve() != file.resolve()]
        found, loaded = _load([read_source(file), *others], given, lambda draft: draft.document.path == wanted)
    else:
        sources = _sources(given.rules or (shipped("rules"),))
        # Loading thousands of rules for one takes seconds: first only the files in which it may be, and filters.
        near = [source for source in sources if wanted.casefold() in source.text.casefold() or "filter:" in source.text]
        found, loaded = _load(near, given, lambda draft: _is_called(draft, wanted))
        if not found:
            found, loaded = _load(sources, given, lambda draft: _is_called(draft, wanted))
    usable = [draft for draft in found if draft.rule is not None]
    refused = {draft.document.path for draft in found if draft.rule is None}
    if file.is_file() and not found:
        refused.add(wanted)
    problems = [problem for problem in loaded.problems if problem.where.rpartition(":")[0] in refused]
    if not usable:
        raise RefusedToStart(*problems or [Problem("--rule", _not_there(wanted, loaded))])
    for problem in problems:
        click.echo(f"fsoc: {printable(str(problem))}", err=True)
    return usable


def _sources(paths: Iterable[Path]) -> list[Source]:
    paths = tuple(paths)
    return read_sources(paths) if paths else []


def _load(sources: list[Source], given: _Given, is_meant: Callable[[Draft], bool]) -> tuple[list[Draft], LoadedRules]:
    progress = ProgressLine()
    found: list[Draft] = []

    def reading() -> Iterator[Source]:
        for number, source in enumerate(sources, 1):
            progress.show(lambda number=number: f"read {number:,} of {len(sources):,} files")  # type: ignore[misc]
            yield source

    with collector_paused():
        loaded = load_rules(
            reading(),
            placeholders=read_placeholders(read_source(given.placeholders)) if given.placeholders else None,
            pipeline=read_pipeline(read_source(given.pipeline)) if given.pipeline else None,
            tell=lambda draft: found.append(draft) if is_meant(draft) else None,
        )
    progress.clear()
    return found, loaded


def _is_called(draft: Draft, wanted: str) -> bool:
    data = draft.document.data
    names = (data.get("id"), data.get("name"), str(data.get("title")).casefold())
    return wanted in names[:2] or wanted.casefold() == names[2]


def _not_there(wanted: str, loaded: LoadedRules) -> str:
    for document in loaded.correlations:
        if wanted in (document.path, document.data.get("id"), document.data.get("name"), document.data.get("title")):
            stated = document.data.get("correlation")
            rules = stated.get("rules") if isinstance(stated, dict) else None
            return f"{wanted} is a correlation, and looks at no event itself; explain a rule it counts: {rules}"
    titles = {rule.title.casefold(): rule.title for rule in loaded.rules}
    part = wanted.casefold()
    near = [title for key, title in titles.items() if part in key]
    near += [rule.id for rule in loaded.rules if rule.id.casefold().startswith(part)]
    near += [titles[key] for key in difflib.get_close_matches(part, titles, n=_NEAR_MAX) if titles[key] not in near]
    hint = f"; near: {', '.join(near[:_NEAR_MAX])}" if near else ""
    return f"{wanted} is no file, and of {len(loaded.rules):,} rules none has such an id, name or title{hint}"
