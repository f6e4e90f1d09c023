"""A whole show on a scripted stage: what is told to whom, how it ends, and that everything is put away."""

from __future__ import annotations

import asyncio
import io

import orjson
import pytest

from fsoc.errors import Problem, RefusedToStart
from fsoc.exercise import ExerciseSpec
from fsoc.runtime.demo import show as show_module
from fsoc.runtime.demo.presenter import LinesPresenter
from fsoc.runtime.demo.show import Programme, show
from fsoc.runtime.demo.stage import ShowStopped


@pytest.fixture
def programme(tmp_path, small):
    return Programme(spec=small.spec, once=True, seconds=0, detections_partitions=2, run="r1", folder=tmp_path)


@pytest.fixture
def told():
    return io.StringIO(), io.StringIO()


@pytest.fixture
def presenter(told):
    return LinesPresenter(*told)


def lines(told):
    return [orjson.loads(line) for line in told[0].getvalue().splitlines()]


async def test_a_show_that_finds_everything_passes_and_tells_alerts_then_the_score(
    programme, presenter, told, scripted_stage, alert_on
):
    stage = scripted_stage(lambda exercise: [alert_on(campaign) for campaign in exercise.truth])

    assert await show(programme, [stage], presenter) is True
    found = lines(told)
    assert [line["type"] for line in found] == ["alert"] * (len(found) - 1) + ["score"]
    assert found[0]["alert"]["explanation"]["timespan"] == "4h"
    assert found[-1]["passes"] is True
    assert found[-1]["seed"] == programme.spec.seed
    assert told[1].getvalue() == ""
    assert stage.told == ["open", "raise 4", "lower", "lower", "close"]


async def test_a_missed_campaign_fails_the_show(programme, presenter, told, scripted_stage, alert_on):
    stage = scripted_stage(lambda exercise: [alert_on(campaign) for campaign in exercise.truth[1:]])

    assert await show(programme, [stage], presenter) is False
    assert lines(told)[-1]["missed"] == 1


async def test_every_revision_is_told_once(programme, presenter, told, scripted_stage, alert_on):
    def script(exercise):
        first = exercise.truth[0]
        return [alert_on(first), alert_on(first), alert_on(first, revision=2, status="retracted")]

    await show(programme, [scripted_stage(script)], presenter)

    assert [line["alert"]["revision"] for line in lines(told)[:-1]] == [1, 2]


async def test_where_a_stage_is_unavailable_the_next_one_plays_and_one_line_says_so(
    programme, presenter, told, scripted_stage, alert_on
):
    reason = RefusedToStart(Problem("java", "is missing"))
    lacking = scripted_stage(lambda _: [], "unavailable", reason)
    stage = scripted_stage(lambda exercise: [alert_on(campaign) for campaign in exercise.truth])

    assert await show(programme, [lacking, stage], presenter) is True
    assert told[1].getvalue().splitlines() == ["java: is missing. Going on without it, in this process."]
    assert lacking.told[-1] == "close"


async def test_where_no_stage_is_available_the_reason_is_raised(programme, presenter, scripted_stage):
    reason = RefusedToStart(Problem("java", "is missing"))

    with pytest.raises(RefusedToStart, match="java: is missing"):
        await show(programme, [scripted_stage(lambda _: [], "unavailable", reason)], presenter)


async def test_a_dead_worker_ends_the_show_with_its_log_and_everything_is_put_away(
    programme, presenter, told, scripted_stage
):
    stage = scripted_stage(lambda _: [], "dies")

    with pytest.raises(ShowStopped, match=r"worker 1 ended with code 3: worker-1\.log"):
        await show(programme, [stage], presenter)
    assert stage.told[-1] == "close"
    assert [line["type"] for line in lines(told)] == []


async def test_a_standstill_ends_the_show_and_says_what_is_waited_for(
    programme, presenter, scripted_stage, monkeypatch
):
    monkeypatch.setattr(show_module, "STANDSTILL_SECONDS", 0.0)
    monkeypatch.setattr(show_module, "STANDSTILL_SECONDS_EACH", 0.0)
    monkeypatch.setattr(show_module, "REFRESH_SECONDS", 0.001)
    stage = scripted_stage(lambda _: [], "sleeps")

    with pytest.raises(ShowStopped, match=r"nothing has moved.*waiting for intake of fi-001"):
        await show(programme, [stage], presenter)
    assert stage.told[-1] == "close"


async def test_an_interrupted_show_is_put_away_and_stays_interrupted(programme, presenter, scripted_stage):
    stage = scripted_stage(lambda _: [], "sleeps")
    playing = asyncio.create_task(show(programme, [stage], presenter))
    while "raise 4" not in stage.told:
        await asyncio.sleep(0)
    playing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await playing
    assert stage.told[-1] == "close"


async def test_without_once_the_next_seed_follows_until_somebody_has_seen_enough(
    programme, presenter, told, scripted_stage, alert_on, monkeypatch
):
    monkeypatch.setattr(show_module, "APPLAUSE_SECONDS", 0.0)
    stage = scripted_stage(lambda exercise: [alert_on(campaign) for campaign in exercise.truth])
    going_on = Programme(programme.spec, False, 0, 2, "r2", programme.folder)
    playing = asyncio.create_task(show(going_on, [stage], presenter))
    while "raise 6" not in stage.told:
        await asyncio.sleep(0)
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)

    assert [line["seed"] for line in lines(told) if line["type"] == "score"] == [4, 5]


async def test_a_spec_that_cannot_be_played_is_refused_before_anything_starts():
    with pytest.raises(RefusedToStart, match="institutions: found 2"):
        ExerciseSpec(institutions=2)
