"""Reads rules, ATT&CK tables and the registry from disk into what a pipeline is made of. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog

from fsoc.attack.techniques import Techniques
from fsoc.correlation.ruleset import RuleSet
from fsoc.detection import LogsourceMap
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.registry import ALLOWED_LATENESS_MS, Registry
from fsoc.runtime.content import LOGSOURCES, collector_paused, read_source, read_sources, shipped

_log = structlog.get_logger(__name__)


def load_ruleset(paths: Sequence[Path] = (), logsources: Path | None = None) -> RuleSet:
    """Compile all rules of these files and folders; () are the rules that fsoc ships.

    A rule that cannot be used is refused alone, and logged: `fsoc check rules` prints them all.

    Raises:
        RefusedToStart: a path cannot be read, the mappings are wrong, or no rule is usable: with every problem.
    """
    with collector_paused():
        sources = read_sources(paths or [shipped("rules")])
        mapping = LogsourceMap.parse(read_source(logsources or shipped("rules") / LOGSOURCES))
        ruleset, problems = RuleSet.compile(sources, mapping, load_techniques())
    if not ruleset.detections:
        raise RefusedToStart(*problems, Problem(", ".join(map(str, paths)) or "rules", "no rule can be used"))
    if problems:
        _log.warning("rules_refused", rules=len(problems), first=str(problems[0]), do="run fsoc check rules")
    return ruleset


def load_techniques() -> Techniques:
    """The ATT&CK tables that fsoc ships."""
    folder = shipped("attack_mappings")
    return Techniques.parse((str(path), path.read_text("utf-8")) for path in sorted(folder.glob("*.tsv")))


def load_registry(path: Path, allowed_lateness_ms: int = ALLOWED_LATENESS_MS) -> Registry:
    """The institutions file. allowed_lateness_ms: of institutions that name none.

    Raises:
        RefusedToStart: it cannot be read, or with every problem of it.
    """
    source = read_source(path)
    return Registry.parse(source.text, source.path, allowed_lateness_ms=allowed_lateness_ms)
