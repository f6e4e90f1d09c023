"""`fsoc up`: Kafka unless given, topics, and workers that are started again when they end, until interrupted."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import click

from fsoc.errors import Problem, RefusedToStart
from fsoc.settings import load

_path = click.Path(path_type=Path)


@click.command("up")
@click.option("--institutions", type=_path, metavar="FILE", help="Who sends: a YAML file, read again every 30 s.")
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="How many. Default: one per core.")
@click.option("--brokers", metavar="HOST:PORT,…", help="Use this cluster instead of starting a broker.")
@click.option("--rules", type=_path, multiple=True, metavar="DIR", help="Rule files or folders. Default: fsoc's own.")
@click.option("--topic-prefix", metavar="PREFIX", help="Before every topic's name. Default: fsoc.")
@click.option("--environment", metavar="NAME", help="production (default), exercise or test.")
@click.option("--exercise-id", metavar="ID", help="Of a drill's workers: what is not of this exercise is refused.")
@click.option("--detections-partitions", type=int, metavar="N", help="How wide correlation is. Default: 8.")
@click.option("--group", metavar="NAME", help="The workers' consumer group. Default: fsoc.")
@click.option("--data", type=_path, metavar="DIR", help="Where our own broker keeps its records, kept when it stops.")
@click.option("--settings", "file", type=_path, metavar="FILE", help="All of these but --workers, as YAML.")
def command(file: Path | None, workers: int | None, **options: Any) -> None:
    """Run Kafka (unless given) and workers until interrupted.

    Makes the topics that are missing. A worker that ends is started again; Ctrl-C ends all in order. Workers' logs are
    JSON lines on stderr. Every option may also be given as FSOC_INSTITUTIONS and so on.

    \b
    Examples:
      fsoc up --institutions institutions.yml
      fsoc up --institutions institutions.yml --brokers kafka-1.example:9092 --workers 4
    """
    settings = load(file, options=options)
    if settings.institutions is None:
        raise RefusedToStart(Problem("--institutions", "is needed (or FSOC_INSTITUTIONS)"))
    # Late: bad settings are told at once.
    from fsoc.runtime.supervisor import up

    raise SystemExit(asyncio.run(up(settings, workers or _cores(), click.echo)))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
