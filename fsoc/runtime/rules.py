"""Reads rules, ATT&CK tables and the registry from disk into what a pipeline is made of. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from fsoc.attack.techniques import Techniques
from fsoc.correlation.allow_lists import AllowLists
from fsoc.correlation.entries import Version
from fsoc.correlation.policy_reader import read_policy
from fsoc.correlation.ruleset import RuleSet
from fsoc.detection.engine import Background, EngineName
from fsoc.errors import together
from fsoc.institutions.registry import ALLOWED_LATENESS_MS, Registry
from fsoc.runtime.cache import Cache, cache_folder
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.compiled import Advance, Compiled
from fsoc.runtime.content import read_source
from fsoc.runtime.loading import detector_of, load
from fsoc.runtime.rule_files import Content, RuleFiles


def load_ruleset(
    paths: Sequence[Path] = (),
    logsources: Path | None = None,
    *,
    placeholders: Path | None = None,
    pipeline: Path | None = None,
    engine: EngineName = "auto",
    cache: Path | None = None,
    background: Background | None = None,
    advance: Advance = lambda _: None,
) -> RuleSet:
    """Compile all rules of these files and folders, or find them compiled; () are the rules that fsoc ships.

    A rule that cannot be used is refused alone; the set counts it and names its problems.

    Raises:
        RefusedToStart: a path cannot be read, the mappings are wrong, or no rule is usable: with every problem.
    """
    with collector_paused():
        content = RuleFiles(tuple(paths), logsources, placeholders, pipeline).read()
        compiled = load(content, Cache(cache_folder(cache)), advance)
        return ruleset_of(compiled, content, engine, background)


def beside(work: Callable[[], None]) -> None:
    """Do a piece of work in a thread, which does not keep the process."""
    Thread(target=work, name="replan", daemon=True).start()


def ruleset_of(
    compiled: Compiled, content: Content, engine: EngineName = "auto", background: Background | None = None
) -> RuleSet:
    """What a pipeline works by; `compiled` was made of `content`.

    Raises:
        RefusedToStart: the mapping of logsources, the ATT&CK tables, clocks or suppressions are wrong, or the engine is
            not installed.
    """
    detector, techniques, lists, policy = together(
        lambda: detector_of(compiled, content, engine, background),
        lambda: Techniques.parse((table.path, table.text) for table in content.attack),
        lambda: AllowLists.parse(content.allow_lists),
        lambda: read_policy(content.clocks, content.suppressions),
    )
    version = Version(compiled.dated, compiled.digest, techniques.version)
    problems, refused = compiled.problems, compiled.refused
    correlations = compiled.correlations()
    return RuleSet.of(detector, compiled.facts, correlations, techniques, version, problems, refused, lists, policy)


def load_registry(path: Path, allowed_lateness_ms: int = ALLOWED_LATENESS_MS) -> Registry:
    """The institutions file. allowed_lateness_ms: of institutions that name none.

    Raises:
        RefusedToStart: it cannot be read, or with every problem of it.
    """
    source = read_source(path)
    return Registry.parse(source.text, source.path, allowed_lateness_ms=allowed_lateness_ms)
