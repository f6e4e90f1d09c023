"""`fsoc demo`: everything on this machine, an exercise replayed, joint alerts on the screen, and the score."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import structlog

from fsoc.errors import FsocError, Problem, RefusedToStart
from fsoc.exercise import ExerciseSpec, Noise
from fsoc.exercise.spec import HOURS_MAX
from fsoc.runtime.demo.in_process_stage import InProcessStage
from fsoc.runtime.demo.kafka_stage import KafkaStage
from fsoc.runtime.demo.presenter import Presenter, presenter_for
from fsoc.runtime.demo.show import Programme, show
from fsoc.runtime.demo.stage import ShowStopped, Stage
from fsoc.runtime.kafka.broker import default_data_dir
from fsoc.settings import Settings, load

REQUIRE_KAFKA = "FSOC_REQUIRE_KAFKA"
DAYS_MAX = HOURS_MAX // 24


@click.command("demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--institutions", type=int, default=40, show_default=True, metavar="N", help="How many, 8 to 1000.")
@click.option("--seed", type=int, default=7, show_default=True, metavar="N", help="Same seed, same exercise.")
@click.option("--days", type=int, default=14, show_default=True, metavar="N", help="How long it lasts, 1 to 45.")
@click.option(
    "--noise",
    type=click.Choice([noise.value for noise in Noise]),
    default=Noise.MEDIUM.value,
    show_default=True,
    help="How much of what is harmless looks as if it were not.",
)
@click.option("--once", is_flag=True, help="End with the score. Without it: seed after seed, until Ctrl-C.")
@click.option(
    "--duration",
    type=click.FloatRange(0, 86_400),
    default=20.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the replay takes; 0 is as fast as it goes.",
)
@click.option("--brokers", metavar="HOST:PORT", help="Use this Kafka cluster instead of starting a broker.")
@click.option("--in-process", is_flag=True, help="Without Kafka: log and pipeline in this process.")
@click.option("--keep", is_flag=True, help="Leave topics, records and logs of the exercise where they are.")
@click.option("--json", "as_json", is_flag=True, help="NDJSON on a terminal too; in a pipe that is the default.")
@click.option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same.")
def command(
    institutions: int,
    seed: int,
    days: int,
    noise: str,
    once: bool,
    duration: float,
    brokers: str | None,
    in_process: bool,
    keep: bool,
    as_json: bool,
    no_color: bool,
) -> None:
    """Show everything on this machine: Kafka, two workers, a simulated sector, joint alerts.

    Two weeks of tickets with planted campaigns are replayed in seconds. On a terminal: a live view of the joint alerts
    with why, and of every institution's feed. In a pipe: NDJSON, alerts as they come, then one score line. Everything
    that was started is stopped at the end.

    \b
    Exit codes with --once:
      0  every planted campaign was alerted and nothing else was
      1  not so, or it could not be played to the end
      2  refused

    \b
    Examples:
      fsoc demo
      fsoc demo --once --seed 3
      fsoc demo --days 30 --noise high
      fsoc demo --once --brokers kafka-1.example:9092
      fsoc demo --once --in-process | jq 'select(.type == "score")'
    """
    settings = load(options={"brokers": brokers})
    if in_process and brokers:
        raise RefusedToStart(Problem("--in-process", "cannot be used with --brokers"))
    run = f"{time.time_ns() // 1_000_000:x}"
    programme = Programme(
        spec=_spec(institutions, seed, days, noise),
        once=once,
        seconds=duration,
        detections_partitions=settings.detections_partitions,
        run=run,
        folder=_folder(settings, run),
    )
    stages: list[Stage] = []
    if not in_process:
        stages.append(KafkaStage(programme.folder, settings, keep=keep))
    if in_process or not (settings.brokers or os.environ.get(REQUIRE_KAFKA)):
        stages.append(InProcessStage(settings))
    presenter = presenter_for(lines=as_json, no_color=no_color)
    _log_to(programme.folder / "demo.log")
    try:
        passed = asyncio.run(_until_interrupted(programme, stages, presenter))
    except RefusedToStart as refused:
        if str(programme.folder) not in str(refused):  # else it names a log that must still be there
            _tidy(programme.folder, keep=keep)
        raise
    except FsocError as error:
        raise ShowStopped(f"{error}\nAll logs are in {programme.folder}") from error
    except BrokenPipeError:  # who read our lines has seen enough
        _tidy(programme.folder, keep=keep)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in its buffer is not missed
        sys.exit(141)  # click would make it 1, which says that the exercise failed
    except asyncio.CancelledError:
        _tidy(programme.folder, keep=keep)
        sys.exit(130 if once else 0)  # without --once, Ctrl-C is how it ends
    _tidy(programme.folder, keep=keep)
    sys.exit(0 if passed else 1)


def _spec(institutions: int, seed: int, days: int, noise: str) -> ExerciseSpec:
    problems = [] if 1 <= days <= DAYS_MAX else [Problem("--days", f"found {days}, allowed 1 to {DAYS_MAX}")]
    try:
        # A number of days that is refused is not multiplied: what follows from it would be refused as well.
        spec = ExerciseSpec(
            institutions=institutions, seed=seed, hours=24 if problems else 24 * days, noise=Noise(noise)
        )
    except RefusedToStart as refused:
        problems = [Problem(f"--{one.where}", one.text) for one in refused.problems] + problems
        raise RefusedToStart(*problems) from refused
    if problems:
        raise RefusedToStart(*problems)
    return spec


async def _until_interrupted(programme: Programme, stages: Sequence[Stage], presenter: Presenter) -> bool:
    """The first signal ends the show in order, and those after it too: what was started must be stopped."""
    playing = asyncio.current_task()
    assert playing is not None  # noqa: S101 - we are in a coroutine
    told: list[int] = []

    def stop(number: int) -> None:
        if not told:
            told.append(number)
            playing.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    return await show(programme, stages, presenter)


def _folder(settings: Settings, run: str) -> Path:
    """Where this run keeps its broker, its workers' logs and its own."""
    folder = (settings.data or default_data_dir().parent) / "demo" / run
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise RefusedToStart(Problem(str(folder), f"cannot be used for logs: {error.strerror}")) from error
    return folder


def _tidy(folder: Path, *, keep: bool) -> None:
    if keep:
        click.echo(f"Kept in {folder}", err=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _log_to(path: Path) -> None:
    """Everything that libraries and the pipeline log goes to a file: the screen and the lines are not theirs."""
    logging.basicConfig(filename=path, level=logging.WARNING, force=True)
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(path.open("a", encoding="utf-8")))
