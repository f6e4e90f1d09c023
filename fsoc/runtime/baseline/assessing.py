"""Plays attack scripts: events through detection and triggers to tickets, tickets through the whole pipeline to alerts.

The stages are those that workers run (`direct.py`), on no log and in no clock's time: each script in a pipeline of its
own, as an exercise of its own, so that nothing of one joins with another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
import yaml

from fsoc.baseline.assess.forms import Recorded, recorded
from fsoc.baseline.assess.judge import Judged, Played, judge
from fsoc.baseline.assess.play import Member, happenings
from fsoc.baseline.assess.read import read_script
from fsoc.baseline.assess.recording import read_expected, script_of
from fsoc.baseline.assess.script import Script
from fsoc.baseline.assess.triggers import FirstLine, first_line
from fsoc.baseline.model import Baseline
from fsoc.correlation.ruleset import RuleSet
from fsoc.detection import Detector
from fsoc.errors import Problem, RefusedToStart
from fsoc.feeds.record import Outgoing, Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.baseline.load import SCRIPTS, baseline_folder
from fsoc.runtime.content import RULE_SUFFIXES, read_source, read_sources
from fsoc.runtime.direct import Direct
from fsoc.tickets.times import milliseconds

RECEIVED_AFTER_MS: Final = 1_000
_TAKEN: Final = "accepted"


@dataclass(frozen=True, slots=True)
class Stage:
    """What scripts are played on: the institutions' side, and the joint SOC's.

    detector, detections: of the baseline's rules; ids by name. joint: rules of the joint SOC.
    """

    baseline: Baseline
    detector: Detector
    detections: Mapping[str, str]
    joint: RuleSet

    @property
    def correlations(self) -> dict[str, str]:
        """What raises joint alerts, ids by name."""
        return {rule.name: rule.id for rule in self.joint.correlations.values() if rule.name}


def read_scripts(paths: Sequence[Path] = (), baseline: Path | None = None) -> list[Script]:
    """Scripts of files and folders, in the order of their names; () are those of the baseline.

    Raises:
        RefusedToStart: with every problem of every file.
    """
    scripts: list[Script] = []
    problems: list[Problem] = []
    for source in read_sources(paths or [baseline_folder(baseline) / SCRIPTS], RULE_SUFFIXES):
        try:
            scripts.append(read_script(source.text, source.path))
        except RefusedToStart as refused:
            problems.extend(refused.problems)
    if problems:
        raise RefusedToStart(*problems)
    return scripts


def members_of(name: str, registry: Registry | None, count: int) -> list[Member]:
    """The institution that is assessed, and others that are independent of it and of each other.

    registry: where they are taken from; None: of tier 1, others made up.

    Raises:
        RefusedToStart: it is not in the registry, or there are too few others.
    """
    if registry is None:
        return [Member(name, 1), *(Member(f"{name[:26]}-x{number}", 1) for number in range(2, count + 1))]
    first = registry.get(name)
    if first is None:
        raise RefusedToStart(Problem("--as", f"{name} is not in the registry"))
    found = {registry.independent_of(name): Member(first.id, first.tier)}
    for other in registry.institutions.values():
        if not other.suspended:
            found.setdefault(registry.independent_of(other.id), Member(other.id, other.tier))
    if len(found) < count:
        text = f"a script strikes {count} institutions; the registry has {len(found)} independent ones"
        raise RefusedToStart(Problem("--institutions", text))
    return list(found.values())[:count]


def assess(
    scripts: Iterable[Script],
    stage: Stage,
    name: str,
    registry: Registry | None = None,
    tell: Callable[[Script], None] = lambda _: None,
) -> list[Judged]:
    """Play each script as this institution and judge its steps. tell: shown each script that begins.

    Raises:
        RefusedToStart: as `members_of`.
    """
    judged: list[Judged] = []
    for script in scripts:
        tell(script)
        members = members_of(name, registry, script.institutions)
        played = play(script, members, stage)
        judged.extend(judge(script, members, played, stage.baseline, stage.detections, stage.correlations))
    return judged


def play(script: Script, members: Sequence[Member], stage: Stage) -> Played:
    """What comes of a script, from the events to the alerts."""
    happened = happenings(script, members)
    exercise = f"assess-{script.id}"[:64]
    first_lines = {
        member.id: first_line(
            member.id, member.tier, happened[member.id], stage.baseline, stage.detector, exercise_id=exercise
        )
        for member in members
    }
    accepted: set[tuple[str, str]] = set()

    def watch(item: Outgoing) -> None:
        kind, _, institution = item.topic.partition(".")
        if kind == "receipts":
            told = orjson.loads(item.value)
            accepted.update((institution, one["ticket_id"]) for one in told if one["outcome"] == _TAKEN)

    direct = Direct(Pipeline(stage.joint, _registry(members), ends=True), watch)
    direct.work({name: _records(line) for name, line in first_lines.items() if line.opened})
    direct.finish()
    return Played(happened, first_lines, accepted, direct.newest_alerts())


def _records(line: FirstLine) -> list[Record]:
    return [
        Record(offset, milliseconds(one.body["sent_at"]) + RECEIVED_AFTER_MS, None, orjson.dumps(one.body))
        for offset, one in enumerate(line.opened)
    ]


def _registry(members: Sequence[Member]) -> Registry:
    """The members alone, each independent of the others: who else there is says nothing."""
    entries = [
        {"id": one.id, "name": one.id, "sector": "bank", "tier": one.tier, "feeds": ["assess"]} for one in members
    ]
    return Registry.parse(yaml.safe_dump({"institutions": entries}), "assess")


def read_recording(file: Path, expect: Path, stage: Stage) -> Script:
    """Recorded events, a JSON object a line or a list of them, and what is expected of them, a line each.

    Raises:
        RefusedToStart: either cannot be read.
    """
    text = read_source(file).text.strip()
    problems: list[Problem] = []
    events: list[Recorded] = []
    for number, line in enumerate([text] if text.startswith("[") else text.splitlines(), 1):
        try:
            told = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            problems.append(Problem(f"{file}:{number}", f"not JSON: {error}"))
            continue
        for event in told if isinstance(told, list) else [told]:
            if isinstance(event, dict):
                events.append(recorded(event))
            else:
                problems.append(Problem(f"{file}:{number}", "not a JSON object"))
    if problems:
        raise RefusedToStart(*problems)
    expected = read_expected(read_source(expect).text.encode().splitlines(), str(expect), len(events))
    name = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:48] or "recording"
    return script_of(name, str(file), events, expected, stage.baseline, stage.detections)
