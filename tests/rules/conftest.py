"""The shipped rules, compiled once; tickets built from small changes; a sector that answers with its alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from fsoc.attack import Techniques
from fsoc.correlation.allow_lists import AllowLists
from fsoc.correlation.entries import Version
from fsoc.correlation.ruleset import RuleSet
from fsoc.detection import LogsourceMap, Source, load_rules
from fsoc.detection.engine import make_detector
from fsoc.exercise.generate import generate
from fsoc.exercise.score import Score, score
from fsoc.exercise.spec import ExerciseSpec
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.direct import Direct
from fsoc.tickets.sample import source_status, ticket

ROOT = Path(__file__).parents[2]
START_MS = 1_772_409_600_000
HOUR_MS = 3_600_000

Ticket = tuple[str, int, dict[str, Any]]
"""(institution, event time in ms, changes to the sample ticket)."""


def rule_files() -> list[Path]:
    return sorted(path for path in (ROOT / "rules").rglob("*.yml") if path.parent != ROOT / "rules")


def rule_documents() -> dict[str, dict[str, Any]]:
    """Every rule of rules/ by its name."""
    documents = [document for path in rule_files() for document in yaml.safe_load_all(path.read_text("utf-8"))]
    named = {document["name"]: document for document in documents}
    assert len(named) == len(documents), "two rules have one name"
    return named


def cases(*parts: str) -> dict[str, Any]:
    """The cases of one file, or of every file of a folder, by rule name."""
    where = Path(__file__).parent.joinpath(*parts)
    found: dict[str, Any] = {}
    for path in sorted(where.glob("*.yml")) if where.is_dir() else [where]:
        found |= yaml.safe_load(path.read_text("utf-8"))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per case, named after its rule: `hit`, `miss` for detections, `joint`, `local` for correlations."""
    wanted = set(metafunc.fixturenames)
    for kind in wanted & {"hit", "miss"}:
        found = [(name, case) for name, both in cases("detection").items() for case in both[PLURAL[kind]]]
        metafunc.parametrize(kind, found, ids=[name for name, _ in found])
    for kind in wanted & {"joint", "grouped", "local", "warned"}:
        documents = rule_documents()
        known = {name: case for name, case in cases("correlation.yml").items() if name in documents}
        metafunc.parametrize(kind, [name for name, case in known.items() if kind in _kinds(documents[name], case)])


SILENT = {"token_shared"}
"""Raise nothing themselves; the cases of correlations that name them show them."""

PLURAL = {"hit": "hits", "miss": "misses"}


def _kinds(document: dict[str, Any], case: dict[str, Any]) -> set[str]:
    """local: within one institution. joint: across them, about whatever; grouped: by something they must share.

    warned: intel must have named it.
    """
    if document["name"] in SILENT:
        return set()
    scope = document["fsoc"].get("scope", "sector")
    if scope in {"institution", "feed"}:
        return {"local"} if scope == "institution" else set()
    kinds = {"joint", "grouped"} if document["correlation"].get("group-by") else {"joint"}
    return kinds | {"warned"} if "intel" in case else kinds


@pytest.fixture(scope="session")
def detection_cases() -> dict[str, Any]:
    return cases("detection")


@pytest.fixture(scope="session")
def correlation_cases() -> dict[str, Any]:
    return cases("correlation.yml")


@pytest.fixture(scope="session")
def documents() -> dict[str, dict[str, Any]]:
    return rule_documents()


@pytest.fixture(scope="session")
def rule_texts() -> dict[str, str]:
    """The text of every rule file by its path."""
    return {str(path.relative_to(ROOT)): path.read_text("utf-8") for path in rule_files()}


@pytest.fixture(scope="session")
def rule_places() -> list[tuple[str, dict[str, Any]]]:
    """(folder under rules/, document) of every rule."""
    return [
        (path.parent.relative_to(ROOT / "rules").as_posix(), yaml.safe_load(path.read_text("utf-8")))
        for path in rule_files()
    ]


@pytest.fixture(scope="session")
def start_ms() -> int:
    return START_MS


@pytest.fixture(scope="session")
def techniques() -> Techniques:
    return Techniques.parse((path.name, path.read_text("utf-8")) for path in (ROOT / "attack_mappings").glob("*.tsv"))


@pytest.fixture(scope="session")
def ruleset(techniques) -> RuleSet:
    sources = [Source(str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in rule_files()]
    where = ROOT / "rules" / "logsources.yml"
    logsources = LogsourceMap.parse(Source("rules/logsources.yml", where.read_text("utf-8")))
    loaded = load_rules(sources)
    detector = make_detector(loaded.rules, logsources)
    lists = AllowLists.parse([Source("rules/allow_lists.yml", (ROOT / "rules/allow_lists.yml").read_text("utf-8"))])
    version = Version("", "")
    ruleset = RuleSet.of(detector, loaded.rules, loaded.correlations, techniques, version, loaded.problems, lists=lists)
    assert [str(problem) for problem in ruleset.problems] == []
    return ruleset


@pytest.fixture(scope="session")
def rule_id(documents) -> Callable[[str], str]:
    return lambda name: documents[name]["id"]


@pytest.fixture
def sector(ruleset) -> Callable[..., list[dict[str, Any]]]:
    """Send tickets, end the day, get the newest alerts, and links as alerts. groups: institution → holding group."""

    def alerts(tickets: Iterable[Ticket], groups: dict[str, str] | None = None) -> list[dict[str, Any]]:
        sent = list(tickets)
        names = sorted({institution for institution, _, _ in sent})
        entries = [
            {
                "id": name,
                "name": name,
                "sector": "bank",
                "tier": 1,
                "group": (groups or {}).get(name),
                "feeds": ["siem"],
            }
            for name in names
        ]
        registry = Registry.parse(yaml.safe_dump({"institutions": entries}), "institutions.yml")
        direct = Direct(Pipeline(ruleset, registry, ends=True))
        direct.work(_slices(sent))
        direct.finish()
        assert direct.counts().used == len(sent)
        links = [{**link, "institutions": sorted(link["members"])} for link in direct.newest_links()]
        return [*direct.newest_alerts(), *links]

    return alerts


@pytest.fixture
def feeds(ruleset) -> Callable[..., list[dict[str, Any]]]:
    """Send heartbeats, (institution, end of period in ms, changes) each, end all; get the newest alerts about feeds."""

    def alerts(heartbeats: Iterable[Ticket]) -> list[dict[str, Any]]:
        registry = Registry.open()
        direct = Direct(Pipeline(ruleset, registry, ends=True))
        slices: dict[str, list[Record]] = {}
        for institution, at_ms, changes in sorted(heartbeats, key=lambda one: one[1]):
            registry.get(institution)
            times = [datetime.fromtimestamp(at / 1000, UTC).isoformat() for at in (at_ms - HOUR_MS, at_ms, at_ms)]
            period = dict(zip(("period_from", "period_to", "sent_at"), times, strict=True))
            if institution not in slices:  # its past is known from its first ticket on
                body = ticket(institution=institution, **dict(_times(at_ms)))
                slices[institution] = [Record(0, at_ms + 60_000, None, orjson.dumps(body))]
            records = slices[institution]
            body = source_status(institution=institution, **(period | changes))
            records.append(Record(len(records), at_ms + 1_000, None, orjson.dumps(body)))
        direct.work(slices)
        direct.finish()
        return [alert for alert in direct.newest_alerts() if alert["kind"] == "feed"]

    return alerts


@pytest.fixture
def play(ruleset) -> Callable[..., Score]:
    """Generate an exercise, send it through the pipeline, score the alerts."""

    def scored(**spec: Any) -> Score:
        exercise = generate(ExerciseSpec(**spec))
        registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
        direct = Direct(Pipeline(ruleset, registry, ends=True))
        slices: dict[str, list[Record]] = {}
        for at_ms, institution, payload in exercise.deliveries:
            records = slices.setdefault(institution, [])
            records.append(Record(len(records), at_ms, None, payload))
        direct.work(slices)
        direct.finish()
        return score(
            exercise.truth,
            direct.newest_alerts(),
            exercise.feed_truth,
            exercise.spec.scored_from_ms,
            exercise.rule_truth,
        )

    return scored


def _slices(sent: Iterable[Ticket]) -> dict[str, list[Record]]:
    slices: dict[str, list[Record]] = {}
    for number, (institution, at_ms, changes) in enumerate(sorted(sent, key=lambda one: one[1])):
        records = slices.setdefault(institution, [])
        body = ticket(
            institution=institution,
            **({"ticket_id": f"T-{number}", "seq": len(records) + 1} | dict(_times(at_ms)) | changes),
        )
        records.append(Record(len(records), at_ms + 60_000, None, orjson.dumps(body)))
    return slices


def _times(at_ms: int) -> Iterator[tuple[str, str]]:
    for name, after_ms in (("occurred_from", 0), ("detected_at", 20_000), ("created_at", 30_000), ("sent_at", 40_000)):
        yield name, datetime.fromtimestamp((at_ms + after_ms) / 1000, UTC).isoformat(timespec="milliseconds")
    yield "occurred_to", datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
