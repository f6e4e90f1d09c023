"""Reads the baseline and the detections it rests on from disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fsoc.attack.techniques import Techniques
from fsoc.baseline.model import Baseline
from fsoc.baseline.read import read_baseline
from fsoc.detection import LoadedRules, LogsourceMap, Source, load_rules
from fsoc.detection.given import read_pipeline
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.attack_files import read_techniques
from fsoc.runtime.collector import collector_paused
from fsoc.runtime.content import (
    LOGSOURCES,
    RULE_SUFFIXES,
    files_of,
    logsources_files,
    read_source,
    read_sources,
    shipped,
)

HEADER: Final = "baseline.yml"
ITEMS: Final = "items"
SCRIPTS: Final = "scripts"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A baseline and what it rests on.

    problems: of the baseline's own files; what is wrong with its rules is in `rules.problems`.
    texts: the file of each rule, by its path in `rules`.
    """

    folder: Path
    baseline: Baseline
    rules: LoadedRules
    texts: dict[str, Source]
    logsources: LogsourceMap
    techniques: Techniques
    problems: Sequence[Problem]


def baseline_folder(given: Path | None) -> Path:
    """The folder that was given, else what comes with fsoc."""
    return given or shipped("attack_mappings/baseline")


def load_baseline(
    given: Path | None = None,
    rules: Sequence[Path] = (),
    logsources: Path | None = None,
    pipeline: Path | None = None,
) -> Loaded:
    """Read a baseline with its rules. () are the detections that fsoc ships.

    logsources: None is the one among the rules, else ours. pipeline: an institution's field mapping, for its rules.

    Raises:
        RefusedToStart: a folder or its header cannot be read, or the ATT&CK tables or the map of logsources are wrong.
    """
    folder = baseline_folder(given)
    header = folder / HEADER
    if not header.is_file():
        raise RefusedToStart(Problem(str(header), "no such file: a baseline has its version there"))
    paths = list(rules) or [shipped("rules") / "detection"]
    with collector_paused(for_ever=False):
        sources = read_sources(paths)
        loaded = load_rules(sources, pipeline=read_pipeline(read_source(pipeline)) if pipeline else None)
        place = logsources or next(iter(logsources_files(paths)), shipped("rules") / LOGSOURCES)
        mapping = LogsourceMap.parse(read_source(place))
        techniques = read_techniques()
    names = {rule.name: rule.id for rule in loaded.rules if rule.name}
    items = [(source.path, source.text) for source in _in(folder / ITEMS)]
    read = read_source(header)
    baseline, problems = read_baseline((read.path, read.text), items, names)
    texts = {source.path: source for source in sources}
    return Loaded(folder, baseline, loaded, texts, mapping, techniques, problems)


def _in(folder: Path) -> Iterator[Source]:
    for file in files_of(folder, RULE_SUFFIXES):
        yield read_source(file)
