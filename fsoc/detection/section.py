"""The `detection:` of a rule or `filter:` of a filter: read, put through a pipeline, compiled. Not their metadata."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaDetection, SigmaDetections, SigmaLogSource, SigmaRule

from fsoc.detection.build import Builder
from fsoc.detection.compile import CannotEvaluateError, compile_detection
from fsoc.detection.condition import BadConditionError, parse
from fsoc.detection.documents import Document
from fsoc.detection.logsource import Logsource
from fsoc.detection.modifiers import ModifierClass
from fsoc.detection.nodes import Item, Node, any_of
from fsoc.errors import Problem

_NEVER: Final = Item(None, ())
_NOT_DETECTIONS: Final = {
    "detection": frozenset({"condition"}),
    "filter": frozenset({"condition", "rules"}),
}


@dataclass(frozen=True, slots=True)
class Section:
    """Named detections and the conditions over them, of which one must hold.

    key: where it stands in its document. broken: detections that could not be built.
    as_written: no pipeline changed it.
    """

    document: Document
    key: str
    detections: Mapping[str, SigmaDetection]
    conditions: tuple[str, ...]
    broken: frozenset[str] = frozenset()
    as_written: bool = True

    def problem(self, text: str, *keys: str | int) -> Problem:
        return self.document.problem(text, self.key, *keys)


def read_section(
    document: Document, key: str, modifiers: Mapping[str, ModifierClass]
) -> tuple[Section | None, list[Problem]]:
    """The section under `key`, as far as it can be built, and every problem of it."""
    stated = document.data.get(key)
    if not isinstance(stated, Mapping):
        return None, [document.problem(f"{key} is missing — expected search identifiers and a condition", key)]
    builder = Builder(document, modifiers)
    detections = builder.detections(stated, (key,), without=_NOT_DETECTIONS[key])
    if "timeframe" in stated:
        builder.refuse("timeframe is no longer part of Sigma — write a correlation with a timespan", key, "timeframe")
    given = stated.get("condition")
    conditions: list[Any] = given if isinstance(given, list) else [given]
    if not conditions or not all(isinstance(condition, str) and condition.strip() for condition in conditions):
        builder.refuse("condition is missing — expected text, or a list of texts", key, "condition")
        conditions = []
    elif not detections and not builder.problems:
        builder.refuse("no search identifier is defined", key)
        conditions = []
    broken = frozenset(map(str, stated)) - detections.keys() - _NOT_DETECTIONS[key]
    return Section(document, key, detections, tuple(conditions), broken), builder.problems


def compile_section(section: Section) -> tuple[Node | None, list[Problem]]:
    """The node that is true where one of the conditions holds, or every problem."""
    problems: list[Problem] = []
    # A condition may name what is broken: that is one problem, not two.
    nodes: dict[str, Node | None] = dict.fromkeys(section.broken, _NEVER)
    for name, detection in section.detections.items():
        nodes[name] = _NEVER
        try:
            nodes[name] = compile_detection(detection)
        except CannotEvaluateError as error:
            problem = section.problem(str(error), name)
            problems.append(
                problem if error.line is None else Problem(f"{section.document.path}:{error.line}", problem.text)
            )
    found: list[Node | None] = []
    for condition in section.conditions:
        try:
            found.append(parse(condition, nodes))
        except BadConditionError as error:
            problems.append(section.problem(str(error), "condition"))
    node = any_of(found)
    if node is None and section.conditions and not problems:
        problems.append(section.problem("the pipeline leaves nothing to evaluate"))
    return (None, problems) if problems else (node, [])


def through(
    pipeline: ProcessingPipeline, section: Section, sigma: Mapping[str, Any], logsource: Logsource
) -> tuple[Section, Logsource]:
    """The section as a pipeline of pySigma's changes it for a rule with this metadata and logsource.

    Raises:
        SigmaError: the pipeline refuses the rule.
    """
    rule = SigmaRule(
        logsource=SigmaLogSource(logsource.category, logsource.product, logsource.service),
        detection=SigmaDetections(copy.deepcopy(dict(section.detections)), list(section.conditions)),
        **sigma,
    )
    pipeline.apply(rule)
    changed = Section(
        section.document,
        section.key,
        rule.detection.detections,
        tuple(condition.condition for condition in rule.detection.parsed_condition),
        as_written=False,
    )
    stated = {name: getattr(rule.logsource, name) for name in ("product", "category", "service")}
    return changed, Logsource.read(stated)
