"""One exercise from curtain to score, and exercise after exercise. Knows neither Kafka nor the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fsoc.exercise import Exercise, ExerciseSpec, Score, generate, score
from fsoc.runtime.demo.picture import Picture
from fsoc.runtime.demo.presenter import Presenter
from fsoc.runtime.demo.replayer import replay
from fsoc.runtime.demo.stage import Production, ShowStopped, Stage, StageUnavailable
from fsoc.runtime.demo.watcher import watch
from fsoc.runtime.log import Log

REFRESH_SECONDS = 0.15
# When a show is given up. At the end every correlation of all institutions is decided at once, and nothing else moves.
STANDSTILL_SECONDS, STANDSTILL_SECONDS_EACH = 60.0, 0.5
APPLAUSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Programme:
    """What is to be shown.

    once: end with the first exercise's score; else seed after seed.
    seconds: how long the replay takes; the rest of the exercise is work that is left.
    run: sets this run's topics apart from every other's.
    """

    spec: ExerciseSpec
    once: bool
    seconds: float
    detections_partitions: int
    run: str
    folder: Path


async def show(programme: Programme, stages: Sequence[Stage], presenter: Presenter) -> bool:
    """Perform on the first of the stages that is available; return whether every exercise that was scored passed.

    Raises:
        ShowStopped: something that was started has ended, or nothing moves any more.
        RefusedToStart: none of the stages is available, and what the last one lacks.
    """
    try:
        presenter.prepare(f"{programme.spec.institutions} institutions are getting ready")
        # While the log starts: the generator is a second of work and would hold the event loop.
        making = asyncio.create_task(asyncio.to_thread(generate, programme.spec))
        for stage in stages:
            try:
                await stage.open(presenter.prepare)
            except StageUnavailable as lacking:
                if stage is stages[-1]:
                    raise lacking.__cause__ or lacking from None
                why = "; ".join(str(lacking.__cause__).splitlines())
                presenter.notice(f"{why}. Going on without it, in this process.")
            else:
                return await _perform_all(programme, await making, stage, presenter)
    finally:
        presenter.close()
        for stage in stages:
            await stage.close()
    raise AssertionError("there is at least one stage")


async def _perform_all(programme: Programme, exercise: Exercise, stage: Stage, presenter: Presenter) -> bool:
    passed = True
    while True:
        result = await _perform(programme, exercise, stage, presenter)
        passed = passed and result.passes
        if programme.once:
            return passed
        following = replace(exercise.spec, seed=exercise.spec.seed + 1)
        making = asyncio.create_task(asyncio.to_thread(generate, following))
        await asyncio.sleep(APPLAUSE_SECONDS)
        exercise = await making


async def _perform(programme: Programme, exercise: Exercise, stage: Stage, presenter: Presenter) -> Score:
    institutions = programme.folder / f"institutions-{exercise.spec.seed}.yml"
    institutions.write_text(exercise.institutions_yaml(), encoding="utf-8")
    prefix = f"fsoc-exercise-{exercise.spec.seed}-{programme.run}."
    picture = Picture.of(exercise, detections_partitions=programme.detections_partitions, carrier=stage.carrier)
    try:
        presenter.begin(picture)
        async with _watched(stage, picture, presenter):
            picture.phase = "Making topics, starting workers"
            log = await stage.raise_curtain(Production(exercise, prefix, institutions))
            await _play(log, prefix, exercise, picture, presenter, programme.seconds)
        picture.score = score(
            exercise.truth,
            picture.alerts.values(),
            exercise.feed_truth,
            exercise.spec.scored_from_ms,
            exercise.rule_truth,
        )
        picture.phase = "Passed" if picture.score.passes else "Failed"
        presenter.end()
        return picture.score
    finally:
        await stage.lower_curtain()


async def _play(
    log: Log, prefix: str, exercise: Exercise, picture: Picture, presenter: Presenter, seconds: float
) -> None:
    async def send() -> None:
        picture.phase = "Replaying"
        await replay(log, prefix, exercise.deliveries, picture, seconds=seconds)
        picture.phase = "Finishing"

    tasks = [asyncio.create_task(send()), asyncio.create_task(watch(log, prefix, picture, presenter.alert))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _watched(stage: Stage, picture: Picture, presenter: Presenter) -> AsyncIterator[None]:
    """Refresh what is shown meanwhile, and end the body with ShowStopped when the stage fails or nothing moves."""
    body = asyncio.current_task()
    assert body is not None  # noqa: S101 - we are in a coroutine
    stopped: list[ShowStopped] = []

    async def keep_watch() -> None:
        still = _Standstill(picture, asyncio.get_running_loop().time)
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            presenter.refresh()
            try:
                stage.check()
                still.check()
            except ShowStopped as reason:
                stopped.append(reason)
                body.cancel()
                return

    watching = asyncio.create_task(keep_watch())
    try:
        yield
    except asyncio.CancelledError:
        if stopped:
            body.uncancel()
            raise stopped[0] from None
        raise
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


class _Standstill:
    """Notices that nothing has changed for a while."""

    def __init__(self, picture: Picture, clock: Callable[[], float]) -> None:
        self._picture = picture
        self._clock = clock
        self._patience_s = STANDSTILL_SECONDS + STANDSTILL_SECONDS_EACH * len(picture.feeds)
        self._last: tuple[int, ...] = ()
        self._since = clock()

    def check(self) -> None:
        now = (self._picture.sent, self._picture.worked, len(self._picture.alerts))
        if now != self._last or not self._picture.sent:  # making topics may take long
            self._last, self._since = now, self._clock()
        elif self._clock() - self._since > self._patience_s:
            raise ShowStopped(
                f"nothing has moved for {self._patience_s:.0f} s, waiting for {self._picture.waiting_for()}"
            )
