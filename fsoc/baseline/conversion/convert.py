"""One Sigma rule to one SIEM's query, or the reason why there is none. Never silent: what is not the same is noted.

`convert` imports pySigma's backends when it is first asked for a target: workers never do.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from fsoc.baseline.conversion.mend import CannotMendError, mend, names_of
from fsoc.baseline.conversion.targets import TARGETS, Note, Target
from fsoc.detection import Source
from fsoc.detection.given import read_pipeline
from fsoc.errors import Problem, RefusedToStart

REASON_MAX: Final = 300
_RULE_UNNAMED = re.compile(r"\s*\(while converting rule [^)]*\)")
_KUSTO_NUMBERS = re.compile(r'(\w+) in~ \(("\d+"(?:, "\d+")*)\)')
_KUSTO_RANGE = re.compile(r'ipv4_is_in_range\(([^,()]+), "([^"]+)"\)')


@dataclass(frozen=True, slots=True)
class Converted:
    """queries: most often one; a rule with several conditions has one for each. notes: what their reader must know.

    warnings: what the backend itself says of them.
    """

    target: str
    queries: tuple[str, ...]
    notes: tuple[Note, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "\n\n".join(self.queries)


@dataclass(frozen=True, slots=True)
class NotExpressible:
    """The target cannot say what the rule asks, and why."""

    target: str
    reason: str


def convert(rule_yaml: str, target: str, pipeline: str | None = None) -> Converted | NotExpressible:
    """One rule as the target's query.

    pipeline: field mapping: one of the backend's own by name (`pipelines_of`), or the YAML of one; None keeps Sigma's
    names, but for what the target's names cannot have.

    Raises:
        RefusedToStart: the text is no Sigma rule, target or pipeline is unknown, or the backend is not installed.
    """
    at = _target(target)
    rule = _rule(rule_yaml)
    if isinstance(rule, str):
        return NotExpressible(target, rule)
    backend = _backend_of(at)
    try:
        notes = mend(rule, at)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", UserWarning)
            queries = backend(_mapping(at, pipeline) + names_of(at)).convert_rule(rule)
    except CannotMendError as error:
        return NotExpressible(target, str(error))
    except (SigmaError, NotImplementedError) as error:
        return NotExpressible(target, _reason(error))
    texts = tuple(str(query).strip() for query in queries)
    if not texts or not all(texts):
        return NotExpressible(target, "the backend gave no query")
    if at.id == "sentinel" and pipeline is None:
        table = _table(rule)
        texts = tuple(f"{table}\n| where {text}" for text in texts)
        notes.add("table")
    texts = tuple(_finished(at, text) for text in texts)
    told = tuple(sorted({_line(str(one.message)) for one in warned if issubclass(one.category, UserWarning)}))
    if told:
        notes.add("backend-warns")
    return Converted(target, texts, tuple(sorted(notes)), told)


def pipelines_of(target: str) -> tuple[str, ...]:
    """The field mappings that come with a target's backend, by name."""
    return tuple(_pipelines(_target(target)))


def missing_backends(targets: Iterable[str] = TARGETS) -> dict[str, str]:
    """Those of the targets whose backend is not installed, and the package that has it."""
    found: dict[str, str] = {}
    for target in map(_target, targets):
        try:
            _backend_of(target)
        except RefusedToStart:
            found[target.id] = target.package
    return found


def _reason(error: Exception) -> str:
    """The first sentence of what a backend says; the others list all that it would have taken."""
    line = _line(_RULE_UNNAMED.sub("", str(error)).partition("\n")[0])
    return line.partition(". ")[0].removesuffix(".") or type(error).__name__


def _line(text: str) -> str:
    return " ".join(text.split())[:REASON_MAX]


def _target(name: str) -> Target:
    if name not in TARGETS:
        raise RefusedToStart(Problem("target", f"{name[:40]!r} is unknown; known: {', '.join(TARGETS)}"))
    return TARGETS[name]


def _rule(text: str) -> SigmaRule | str:
    """The rule of a text; or why it cannot be converted."""
    try:
        rules = SigmaCollection.from_yaml(text).rules
    except (SigmaError, ValueError) as error:
        raise RefusedToStart(Problem("rule", f"pySigma does not read it: {str(error)[:REASON_MAX]}")) from error
    if len(rules) != 1:
        raise RefusedToStart(Problem("rule", f"expected one rule, found {len(rules)}"))
    if not isinstance(rules[0], SigmaRule):
        return "a correlation: order and window would be lost; it is evaluated by the joint SOC"
    if rules[0].logsource.product == "fsoc":
        return "it is about tickets, which only the joint SOC has"
    return rules[0]


@lru_cache(maxsize=16)
def _backend_of(target: Target) -> Any:
    module, _, name = target.backend.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise RefusedToStart(
            Problem(target.id, f"its backend is not installed: pip install {target.package}")
        ) from error
    return _with_exists(found) if target.id == "qradar" else found


def _with_exists(backend: Any) -> Any:
    """QRadar's backend knows null and not `exists`, which in AQL is the same."""

    class WithExists(backend):  # type: ignore[misc]
        field_exists_expression = "{field} IS NOT NULL"
        field_not_exists_expression = "{field} IS NULL"

    return WithExists


def _pipelines(target: Target) -> Mapping[str, Any]:
    _backend_of(target)
    return {
        name: made for module in target.pipelines for name, made in importlib.import_module(module).pipelines.items()
    }


def _mapping(target: Target, pipeline: str | None) -> ProcessingPipeline:
    if pipeline is None:
        return ProcessingPipeline()
    if "\n" in pipeline:
        return read_pipeline(Source("pipeline", pipeline))
    known = _pipelines(target)
    if pipeline not in known:
        text = f"{pipeline[:40]!r} is no field mapping for {target.id}; known: {', '.join(known)}, or a file"
        raise RefusedToStart(Problem("pipeline", text))
    return known[pipeline]()


def _table(rule: SigmaRule) -> str:
    """`Sigma_windows_process_creation`: what an institution calls its table is its own."""
    source = rule.logsource
    return "_".join(["Sigma", *(each for each in (source.product, source.category, source.service) if each)])


def _finished(target: Target, text: str) -> str:
    """What a backend writes that its target does not take, or takes for something else, put right."""
    if target.id == "splunk" and text.startswith("|"):
        return f"*\n{text}"  # a search begins with events
    if target.id == "sentinel":
        # Kusto's function for IPv4 is null for what is no IPv4, and NOT of null is no match: an address of the other
        # kind, or none, would be outside of nothing. And `in~` takes texts alone, be the column of numbers.
        return _KUSTO_NUMBERS.sub(r"tostring(\1) in~ (\2)", _KUSTO_RANGE.sub(_range, text))
    return text


def _range(found: re.Match[str]) -> str:
    version = "6" if ":" in found[2] else "4"
    return f'coalesce(ipv{version}_is_in_range({found[1]}, "{found[2]}"), false)'
