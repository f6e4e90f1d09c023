"""Texts to rules that can be evaluated, and every problem of all of them. Pure: the shell reads the files.

A rule that cannot be evaluated is refused alone, with file, line and reason; the others load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline

from fsoc.detection.collection import Unfolded, unfold
from fsoc.detection.documents import Document, Source, read
from fsoc.detection.filters import Filter, read_filter, unmet
from fsoc.detection.logsource import Logsource
from fsoc.detection.metadata import Metadata, read_metadata, tactics, techniques
from fsoc.detection.modifiers import ModifierClass, Placeholders, modifiers
from fsoc.detection.nodes import Node, all_of
from fsoc.detection.section import Section, compile_section, read_section, through
from fsoc.errors import Problem


@dataclass(frozen=True, slots=True)
class Rule:
    """One detection, compiled.

    id: the document's, else its name, else its title. Variants of one rule (`action: repeat`) share it.
    techniques, tactics: as tagged, in our spelling (T1059.001, defense_evasion); versions are not told apart here.
    fsoc: the document's own `fsoc:` key. condition: true of the events the rule is about.
    """

    id: str
    title: str
    name: str | None
    level: str | None
    status: str | None
    logsource: Logsource
    tags: tuple[str, ...]
    path: str
    line: int
    condition: Node
    fsoc: Mapping[str, Any] = field(default_factory=dict)

    @property
    def techniques(self) -> tuple[str, ...]:
        return techniques(self.tags)

    @property
    def tactics(self) -> tuple[str, ...]:
        return tactics(self.tags)


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """What a set of sources holds: the rules that can be evaluated, and why the rest cannot.

    correlations: the documents as written; fsoc/correlation reads them.
    filters: those that can be applied; each is part of the condition of every rule it covers.
    refused: how many documents, or whole sources, the problems are about.
    """

    rules: tuple[Rule, ...]
    correlations: tuple[Document, ...]
    filters: tuple[Filter, ...]
    problems: tuple[Problem, ...]
    refused: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that means to be a rule, and what was made of it.

    sections: its own, then those of the filters that cover it, as a pipeline left them; as far as they can be read.
    rule: None where it is refused.
    """

    document: Unfolded
    sections: tuple[Section, ...]
    rule: Rule | None


def load_rules(
    sources: Iterable[Source],
    *,
    placeholders: Placeholders | None = None,
    pipeline: ProcessingPipeline | None = None,
    tell: Callable[[Draft], None] | None = None,
) -> LoadedRules:
    """Load every rule, filter and correlation of the sources, in their order.

    placeholders: values for `expand`, by name without percent signs.
    pipeline: applied to every rule, and to filters as if they were part of each rule they cover.
    tell: called for each rule, loaded or refused, as soon as that is known.
    """
    known = modifiers(placeholders or {})
    documents, unreadable = read(sources)
    unfolded, unfit = unfold(documents)
    refusals = [[problem] for problem in (*unreadable, *unfit)]
    filters: list[Filter] = []
    rules: list[Rule] = []
    taken: dict[str, Rule] = {}
    for document in unfolded:
        if "filter" in document.data:
            each, problems = read_filter(document, known, compiled=pipeline is None)
            filters += [each] if each is not None else []
            refusals += [problems] if problems else []
    for document in unfolded:
        if "correlation" in document.data or "filter" in document.data:
            continue
        draft, problems = _read_rule(document, known, filters, pipeline)
        rule = draft.rule
        problems += _clashes(document, rule, taken) if rule is not None else []
        if rule is not None and not problems:
            rules.append(rule)
            taken.update((key, rule) for key in (rule.id, rule.name) if key is not None)
        refusals += [problems] if problems else []
        if tell is not None:
            tell(replace(draft, rule=None) if problems else draft)
    refusals += [[problem] for problem in unmet(filters, [(rule.id, rule.name, rule.logsource) for rule in rules])]
    return LoadedRules(
        rules=tuple(rules),
        correlations=tuple(document for document in unfolded if "correlation" in document.data),
        filters=tuple(filters),
        problems=tuple(problem for problems in refusals for problem in problems),
        refused=len(refusals),
    )


def _read_rule(
    document: Unfolded,
    known: Mapping[str, ModifierClass],
    filters: Iterable[Filter],
    pipeline: ProcessingPipeline | None,
) -> tuple[Draft, list[Problem]]:
    """The rule with its filters, or every problem of it."""
    if "detection" not in document.data and "logsource" not in document.data:
        return Draft(document, (), None), [document.problem("neither a detection nor a correlation nor a filter")]
    metadata, problems = read_metadata(document)
    section, more = read_section(document, "detection", known)
    problems += more
    if metadata is None or section is None or problems:
        more = compile_section(section)[1] if section is not None and pipeline is None else []
        return Draft(document, () if section is None else (section,), None), problems + more
    logsource = metadata.logsource
    sections: list[Section] = []
    nodes: list[Node | None] = []
    covering = [each for each in filters if each.covers(metadata.id, metadata.name, logsource)]
    for part in (section, *(each.section for each in covering)):
        try:
            changed, logsource = (
                (part, logsource) if pipeline is None else through(pipeline, part, metadata.sigma, metadata.logsource)
            )
            sections.append(changed)
            node, more = compile_section(changed)
        except SigmaError as error:
            node, more = None, [document.problem(f"the pipeline refuses it: {error.args[0] if error.args else error}")]
        nodes.append(node)
        problems += more
    condition = all_of(nodes)
    refused = condition is None or bool(problems)
    rule = None if refused or condition is None else _rule(document, metadata, logsource, condition)
    return Draft(document, tuple(sections), rule), problems


def _rule(document: Document, metadata: Metadata, logsource: Logsource, condition: Node) -> Rule:
    return Rule(
        id=metadata.id,
        title=metadata.title,
        name=metadata.name,
        level=metadata.level,
        status=metadata.status,
        logsource=logsource,
        tags=metadata.tags,
        path=document.path,
        line=document.line,
        condition=condition,
        fsoc=metadata.fsoc,
    )


def _clashes(document: Unfolded, rule: Rule, taken: Mapping[str, Rule]) -> list[Problem]:
    """Ids and names are references: of two rules with the same, one would be meant by chance."""
    problems = []
    for key, value in (("id" if "id" in document.data else "title", rule.id), ("name", rule.name)):
        first = taken.get(value) if value is not None else None
        if first is not None and not (document.shares_id and first.id == rule.id and first.path == rule.path):
            text = f'{key} "{value}" is used twice, first in {first.path}:{first.line}'
            problems.append(document.problem(text, key))
    return problems
