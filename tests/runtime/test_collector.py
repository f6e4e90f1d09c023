"""When the collector of cycles looks, at what, and that there is next to nothing to be found."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter

import pytest
from structlog.testing import capture_logs

from fsoc.exercise import ExerciseSpec, generate
from fsoc.feeds.record import Record
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.collector import GROWN_BLOCKS, NEW_OBJECTS, Collector, collector_paused, look_at_new
from fsoc.runtime.direct import Direct
from fsoc.runtime.faust import watch
from fsoc.runtime.rules import load_ruleset


class Circle:
    def __init__(self):
        self.itself = self


class Memory:
    """Blocks as the interpreter would count them."""

    def __init__(self):
        self.blocks = 1000

    def __call__(self):
        return self.blocks


def lost():
    """A circle that nothing reaches, and what tells whether it is still there."""
    return weakref.ref(Circle())


def old():
    """The same, but it was looked at while it was in use."""
    circle = Circle()
    gc.collect(1)
    return weakref.ref(circle)


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def quiet():
    """Only what a test asks for looks."""
    gc.disable()
    gc.collect()
    yield
    gc.enable()


def test_it_runs_again_after_loading():
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_while_it_is_paced_it_never_looks_at_everything_by_itself_and_afterwards_as_before(memory):
    before = gc.get_threshold()
    with Collector(memory).paced():
        assert gc.get_threshold()[0] > NEW_OBJECTS
        assert gc.get_threshold()[2] > 10**9
    assert gc.get_threshold() == before


@pytest.mark.usefixtures("quiet")
def test_between_checkpoints_it_looks_at_much_that_is_new_and_at_nothing_twice():
    few = lost()
    look_at_new()
    assert few()

    many = [[] for _ in range(NEW_OBJECTS)]
    before = old()
    many += [[] for _ in range(NEW_OBJECTS)]
    few, in_use = lost(), Circle()
    look_at_new()
    used = weakref.ref(in_use)
    del in_use
    gc.collect(1)

    assert few() is None
    assert before()
    assert used(), "it was looked at, and is old"
    gc.collect()
    assert before() is None
    assert used() is None


@pytest.mark.usefixtures("quiet", "freezing")
def test_what_is_old_is_looked_at_once_memory_has_grown_by_much(memory):
    collector, garbage = Collector(memory), old()
    memory.blocks += GROWN_BLOCKS - 1
    assert collector.look() is None
    assert garbage()

    memory.blocks += 1
    found = collector.look()

    assert found is not None
    assert found.found >= 1
    assert garbage() is None
    assert collector.look() is None, "it has not grown since"


@pytest.mark.usefixtures("quiet", "freezing")
def test_what_a_look_at_the_old_has_left_is_looked_at_again_only_where_all_is_wanted(memory):
    collector, circle = Collector(memory), Circle()
    memory.blocks += GROWN_BLOCKS
    collector.look()
    garbage = weakref.ref(circle)
    del circle

    memory.blocks += GROWN_BLOCKS
    collector.look()
    assert garbage()

    collector.want_all()
    collector.look()
    assert garbage() is None
    assert collector.look() is None, "it is wanted once"


async def test_a_worker_says_what_a_look_was_good_for(memory, monkeypatch):
    monkeypatch.setattr(watch, "TICK_SECONDS", 0.001)
    collector = Collector(memory)
    with capture_logs() as lines:
        ticking = asyncio.create_task(watch.tick_collector(collector))
        await asyncio.sleep(0.02)
        assert lines == []
        collector.want_all()
        while not lines:
            await asyncio.sleep(0.001)
        ticking.cancel()
    assert lines[0]["event"] == "collector_looked"
    assert lines[0]["found"] >= 0


def test_the_stages_leave_nothing_behind_that_only_the_collector_could_find():
    exercise = generate(ExerciseSpec(institutions=12, tickets_per_institution=60, seed=3, hours=24))
    direct = Direct(Pipeline(load_ruleset(), Registry.parse(exercise.institutions_yaml(), "exercise")))
    records = [
        (delivery.institution, Record(offset, delivery.at_ms, None, delivery.payload))
        for offset, delivery in enumerate(exercise.deliveries)
    ]
    half = len(records) // 2
    for institution, record in records[:half]:  # what libraries make at the first use of a type is made here
        direct.work({institution: [record]})
    gc.collect()
    gc.disable()
    try:
        gc.set_debug(gc.DEBUG_SAVEALL)
        for institution, record in records[half:]:
            direct.work({institution: [record]})
        gc.collect()
        found = Counter(type(one).__name__ for one in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert len(direct.alerts) > 5
    assert found == {}
