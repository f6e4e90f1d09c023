"""Rules that change on disk: taken up between slices where they can be used, told and left alone where they cannot."""

from __future__ import annotations

import asyncio
import gc
import weakref

import msgspec
import orjson
import pytest
from structlog.testing import capture_logs

from fsoc.errors import Retry
from fsoc.exercise import ExerciseSpec, generate
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime import metrics, reload
from fsoc.runtime.cache import Cache
from fsoc.runtime.compiled import compile_content
from fsoc.runtime.content import LOGSOURCES, shipped
from fsoc.runtime.inprocess import InProcess
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog
from fsoc.runtime.reload import Reloader
from fsoc.runtime.rule_files import RuleFiles
from fsoc.runtime.rules import load_ruleset
from tests.builders import said

RULE = """\
title: A rule
id: {id}
date: {day}
logsource: {{category: test}}
detection: {{one: {{a: {id}}}, condition: one}}
"""
TEST = {"category": "test"}
PREFIX = "m."


class Place:
    """A folder of rules, a pipeline on them, and what follows the folder. Compiling is done here, and counted."""

    def __init__(self, folder):
        self.folder = folder / "rules"
        self.folder.mkdir()
        self.logsources = folder / LOGSOURCES
        self.logsources.write_bytes((shipped("rules") / LOGSOURCES).read_bytes())
        self.attack = folder / "attack"
        self.attack.mkdir()
        for table_ in shipped("attack_mappings").glob("*.tsv"):
            (self.attack / table_.name).write_bytes(table_.read_bytes())
        self.write("one")
        self.files = RuleFiles((self.folder,), self.logsources, attack=self.attack)
        self.cache = Cache(folder / "cache")
        self.pipeline = Pipeline(load_ruleset([self.folder], self.logsources, cache=folder / "cache"), Registry.open())
        self.compiled = 0
        self.fails_with = None
        self.reloader = Reloader(self.pipeline, self.files, self.cache, compile_=self.compile)

    async def compile(self, content):
        self.compiled += 1
        if self.fails_with is not None:
            raise self.fails_with
        return compile_content(content)

    def write(self, name, text=None, day="2024-05-06"):
        (self.folder / f"{name}.yml").write_text(RULE.format(id=name, day=day) if text is None else text)

    async def settle(self):
        """Look until nothing moves; return how often something was taken up."""
        return sum([await self.reloader.look() for _ in range(4)])

    def matches(self, name):
        return self.pipeline.rules.detector.match_event({"a": name}, TEST)


@pytest.fixture
async def place(tmp_path):
    place = Place(tmp_path)
    # The tables' place is not among what was loaded first, so their names, and with them the digest, differ.
    await place.settle()
    place.compiled = 0
    return place


def figure(name, **labels):
    return metrics.REGISTRY.get_sample_value(name, labels)


async def test_a_rule_that_is_added_changed_or_removed_is_taken_up(place):
    place.write("two")
    assert (await place.settle(), place.matches("two")) == (1, ["two"])

    place.write("two", RULE.format(id="two", day="2024-05-06").replace("{a: two}", "{a: zwei}"))
    assert (await place.settle(), place.matches("two"), place.matches("zwei")) == (1, [], ["two"])

    (place.folder / "two.yml").unlink()
    assert (await place.settle(), place.matches("zwei"), place.matches("one")) == (1, [], ["one"])


async def test_what_is_still_being_written_to_is_left_until_it_rests(place):
    for number in range(5):
        place.write(f"rule-{number}")
        assert not await place.reloader.look()
    assert await place.reloader.look()
    assert (place.compiled, place.matches("rule-4")) == (1, ["rule-4"])


async def test_who_is_in_a_hurry_does_not_wait_for_that(place):
    place.write("two")
    assert await place.reloader.look(at_once=True)


async def test_a_file_that_is_written_anew_with_the_same_text_changes_nothing(place):
    before = place.pipeline.rules
    place.write("one")

    assert (await place.settle(), place.compiled) == (0, 0)
    assert place.pipeline.rules is before


async def test_what_another_worker_has_compiled_is_not_compiled_again(place, tmp_path):
    place.write("two")
    await place.settle()
    place.write("two", day="2025-01-01")
    await place.settle()
    place.write("two")

    assert (await place.settle(), place.compiled, place.matches("two")) == (1, 2, ["two"])


async def test_a_bad_rule_is_refused_alone_told_and_counted(place):
    with capture_logs() as logs:
        place.write("two")
        place.write("bad", "title: bad\nlogsource: {category: x}\n")
        assert await place.settle() == 1

    assert place.matches("two") == ["two"]
    (refused,) = [line for line in logs if line["event"] == "rules_refused"]
    assert (refused["rules"], refused["log_level"]) == (1, "warning")
    assert "bad.yml:1" in refused["first"]
    assert figure("fsoc_rules_refused") == 1
    assert figure("fsoc_rules_stale") == 0


async def test_operators_see_which_rules_are_in_use(place):
    place.write("two", day="2025-01-31")
    await place.settle()

    version = place.pipeline.rules.version
    assert version.version == "2025-01-31"
    assert figure("fsoc_rules_info", version=version.version, digest=version.digest) == 1
    samples = [
        sample for family in metrics.REGISTRY.collect() if family.name == "fsoc_rules_info" for sample in family.samples
    ]
    assert len(samples) == 1
    assert figure("fsoc_rules_loaded", kind="detection") == 2


def no_usable_rule(place):
    place.write("one", "title: bad\nlogsource: {category: x}\n")


def no_rules(place):
    (place.folder / "one.yml").unlink()


def bad_logsources(place):
    place.logsources.write_text("logsources: 5\n")


def no_logsources(place):
    place.logsources.unlink()


def bad_tables(place):
    next(place.attack.glob("enterprise*.tsv")).write_text("nothing of the kind\n")


def no_text(place):
    (place.folder / "two.yml").write_bytes(b"title: \xff")


@pytest.mark.parametrize("spoil", [no_usable_rule, no_rules, bad_logsources, no_logsources, bad_tables, no_text])
async def test_a_set_that_cannot_be_used_changes_nothing_is_told_once_and_is_over_when_mended(place, spoil):
    before = place.pipeline.rules
    saved = {path: path.read_bytes() for path in place.folder.parent.rglob("*") if path.is_file()}
    failed = figure("fsoc_rules_reloads_total", outcome="failed")
    with capture_logs() as logs:
        spoil(place)
        assert await place.settle() == 0

    assert place.pipeline.rules is before
    (told,) = [line for line in logs if line["event"] == "rules_reload_failed"]
    assert (told["log_level"], bool(told["problems"])) == ("error", True)
    assert figure("fsoc_rules_stale") == 1
    assert figure("fsoc_rules_reloads_total", outcome="failed") == failed + 1

    for path in [path for path in place.folder.rglob("*") if path not in saved]:
        path.unlink()
    for path, content in saved.items():
        path.write_bytes(content)
    assert await place.settle() == 0
    assert place.pipeline.rules is before
    assert figure("fsoc_rules_stale") == 0


async def test_problems_are_told_up_to_a_bound(place):
    for number in range(reload.PROBLEMS_TOLD_MAX + 4):
        place.write(f"rule-{number}", "title: bad\nlogsource: {category: x}\n")
    place.write("one", "title: bad\nlogsource: {category: x}\n")
    with capture_logs() as logs:
        await place.settle()

    (told,) = [line for line in logs if line["event"] == "rules_reload_failed"]
    assert (len(told["problems"]), told["more"]) == (reload.PROBLEMS_TOLD_MAX, 6)


@pytest.mark.parametrize("error", [Retry("the child crashed"), ZeroDivisionError("a defect")])
async def test_a_failure_of_the_child_is_tried_again_at_growing_distances(place, error):
    place.write("two")
    place.fails_with = error
    before = place.pipeline.rules
    looks = []
    for _ in range(40):
        tried = place.compiled
        await place.reloader.look()
        looks.append(place.compiled > tried)

    assert [number for number, tried in enumerate(looks) if tried] == [1, 3, 7, 15, 31]
    assert place.pipeline.rules is before
    assert figure("fsoc_rules_stale") == 1
    place.fails_with = None
    assert await place.reloader.look(at_once=True)
    assert (place.matches("two"), figure("fsoc_rules_stale")) == (["two"], 0)


async def test_following_looks_by_the_interval_and_at_once_when_told(place, monkeypatch):
    looked, told = asyncio.Queue(), []

    async def look(*, at_once=False):
        looked.put_nowait(at_once)
        return at_once

    monkeypatch.setattr(place.reloader, "look", look)
    following = asyncio.ensure_future(place.reloader.follow(0.001, lambda: told.append("they can go")))
    assert [await looked.get(), await looked.get(), *told] == [False, False]
    place.reloader.hurry()
    while not await looked.get():
        pass
    following.cancel()
    assert told == ["they can go"]


# Under load: tickets flow, and rules are added, edited and taken away all the time.

RELOADS = 100
TOGGLED = """\
title: Toggled {name}
id: toggled-{name}
description: edit {edit}
logsource: {{product: fsoc}}
detection: {{one: {{institution|startswith: fi, severity|gte: {severity}}}, condition: one}}
---
title: Counted {name}
id: counted-{name}
correlation:
    type: {kind}
    rules: [toggled-{name}]
    group-by: [{group}]
    timespan: {timespan}h
    condition: {condition}
"""


def edit(folder, number):
    """Another set each time; what the shipped rules say is the same in all of them."""
    name = "abc"[number % 3]
    path = folder / f"{name}.yml"
    if path.exists() and number % 4 == 0:
        path.unlink()
        return
    counts_values = number % 5 < 2
    text = TOGGLED.format(
        name=name,
        edit=number,
        severity=number % 3,
        kind="value_count" if counts_values else "event_count",
        group=("category", "institution", "category, institution")[number % 7 % 3],
        timespan=1 + number % 30,
        condition="{gte: 2, field: institution}" if counts_values else "{gte: 4}",
    )
    path.write_text(text)


class Run:
    """An exercise through the pipeline on a log, a few records at a time."""

    def __init__(self, exercise, rules):
        self.exercise = exercise
        registry = Registry.parse(exercise.institutions_yaml(), "institutions.yml")
        self.pipeline = Pipeline(rules, registry, 4, ends=True)
        self.log = MemoryLog(clock=lambda: 0)

    async def to_the_end(self, between=None):
        """between: called between two steps."""
        await self.log.create(table(PREFIX, self.pipeline.registry.institutions, 4, "exercise"))
        for delivery in self.exercise.deliveries:
            await self.log.append(f"{PREFIX}tickets.{delivery.institution}", 0, None, delivery.payload, delivery.at_ms)
        workers, moved = InProcess(self.pipeline, self.log, PREFIX), True
        while moved:
            moved = await workers.intake.step(wait_ms=0, records_max=4)
            if between is not None:
                await between()
            moved = await workers.correlate.step(wait_ms=0, records_max=500) or moved
        await workers.close()

    async def detections(self, rules):
        """What was put to and withdrawn from these correlation rules, in whichever order, by whatever set."""
        bodies = map(said, await self._read("detections"))
        kept = [body for body in bodies if body["op"] != "progress" and body["rule"] in rules]
        return sorted(map(msgspec.json.encode, kept))

    async def alerts(self, rules):
        """Of these rules: the newest of each alert that is not retracted, but for its revision."""
        told = [orjson.loads(record.value) for record in await self._read("alerts")]
        newest = {alert["alert_id"]: {**alert, "revision": 0} for alert in told}
        kept = {name: alert for name, alert in newest.items() if alert["rule_id"] in rules}
        return {name: alert for name, alert in kept.items() if alert["status"] != "retracted"}

    async def _read(self, topic):
        partitions = (await self.log.partitions(PREFIX + topic))[PREFIX + topic]
        reader = await self.log.reader({(PREFIX + topic, number): 0 for number in range(partitions)})
        found = []
        while fetched := await reader.slices():
            found += [record for records in fetched.values() for record in records]
        return found


class Watched:
    """Rule sets that were in use, as long as anything still holds them: by their detectors, engines and feeders."""

    def __init__(self):
        self._references = []

    def add(self, rules):
        engine = getattr(rules.detector, "engine", rules.detector)
        parts = (rules.detector, engine, engine._router, rules.feeder)
        self._references.append([weakref.ref(part) for part in parts])

    def alive(self):
        gc.collect()
        return [sum(part() is not None for part in parts) for parts in zip(*self._references, strict=True)]


@pytest.fixture(scope="module")
def exercise():
    return generate(ExerciseSpec(institutions=12, tickets_per_institution=40, seed=3, hours=24))


async def test_a_hundred_reloads_under_load_change_nothing_of_unchanged_rules_and_leave_nothing_behind(
    exercise, tmp_path
):
    folder = tmp_path / "rules"
    folder.mkdir()
    unchanged = load_ruleset()
    undisturbed = Run(exercise, unchanged)
    await undisturbed.to_the_end()
    reloaded, watched, alive = Run(exercise, load_ruleset()), Watched(), []
    watched.add(reloaded.pipeline.rules)
    compiled = 0

    async def compile_here(content):
        nonlocal compiled
        compiled += 1
        return compile_content(content)

    files = RuleFiles((shipped("rules"), folder))
    reloader = Reloader(reloaded.pipeline, files, Cache(tmp_path / "cache"), compile_=compile_here)

    async def between():
        if compiled == RELOADS:
            return
        edit(folder, compiled)
        with capture_logs():
            assert await reloader.look(at_once=True)
        watched.add(reloaded.pipeline.rules)
        if compiled % 10 == 0:
            alive.append(watched.alive())

    await reloaded.to_the_end(between)

    assert compiled == RELOADS
    rules = set(unchanged.correlations)
    assert await reloaded.detections(rules) == await undisturbed.detections(rules)
    assert await reloaded.alerts(rules) == await undisturbed.alerts(rules)
    assert len(await undisturbed.alerts(rules)) > 5
    assert await reloaded.detections({"counted-a", "counted-b", "counted-c"})
    assert alive == [[1, 1, 1, 1]] * (RELOADS // 10)
