"""The lanes of the pipeline: which topics they work and where their state lies. Same on Kafka and in-process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from fsoc.correlation.progress import in_one
from fsoc.feeds.record import Outgoing, Stage
from fsoc.pipeline import Pipeline
from fsoc.runtime.feed_metrics import Processing
from fsoc.runtime.kafka.topics import intake_state_partition
from fsoc.runtime.log import Log
from fsoc.runtime.worker import Lane, Place, Slice, Source

TICKETS = "tickets."
DETECTIONS = "detections"
INTAKE_STATE = "intake.state"
CORRELATION_STATE = "correlation.state"
LINKS = "links"
CAMPAIGN_STATE = "campaign.state"
SHARING = "sharing"
SHARING_STATE = "sharing.state"
AUDIT = "audit"

# What an institution has of its own, each followed by its id.
INSTITUTION_TOPICS = (TICKETS, "receipts.", "feedback.")


def intake_lane(
    pipeline: Pipeline,
    log: Log,
    prefix: str,
    clock: Callable[[], float] = time.monotonic,
    processing: Processing | None = None,
) -> Lane:
    """Tickets: one source per institution. clock: as in `Lane`. processing: told of all that is worked."""

    def stage_of(source: Source) -> Stage:
        return pipeline.intake(institution_of(source))

    def observe(slice_: Slice) -> None:
        if processing is not None:
            processing.observe(institution_of(slice_.source), slice_.records)

    return Lane("intake", stage_of, _intake_place, log, prefix, clock, progress_last, observe)


def correlation_lane(pipeline: Pipeline, log: Log, prefix: str, clock: Callable[[], float] = time.monotonic) -> Lane:
    """Detections: one source per partition. clock: as in `Lane`."""

    def stage_of(source: Source) -> Stage:
        return pipeline.correlate(source.partition)

    return Lane("correlate", stage_of, _correlation_place, log, prefix, clock)


def campaign_lane(pipeline: Pipeline, log: Log, prefix: str, clock: Callable[[], float] = time.monotonic) -> Lane:
    """Links: one source in all. clock: as in `Lane`."""

    def stage_of(_: Source) -> Stage:
        return pipeline.campaigns()

    return Lane("campaign", stage_of, _campaign_place, log, prefix, clock)


def sharing_lane(pipeline: Pipeline, log: Log, prefix: str, clock: Callable[[], float] = time.monotonic) -> Lane:
    """Alerts, to be told: one source in all. clock: as in `Lane`."""

    def stage_of(_: Source) -> Stage:
        return pipeline.sharing()

    return Lane("sharing", stage_of, _sharing_place, log, prefix, clock)


def progress_last(published: Iterable[Outgoing]) -> list[Outgoing]:
    """What a checkpoint of intake publishes, with progress told once to each partition, after all else.

    Every slice tells all partitions how far its institution is. With twenty institutions of a few tickets each that is
    thirty records for every detection, which the other side reads one by one.
    """
    kept: list[Outgoing] = []
    told: dict[int, list[bytes]] = {}
    for record in published:
        if record.topic == DETECTIONS and record.key is None:
            told.setdefault(record.partition, []).append(record.value)
        else:
            kept.append(record)
    made: dict[tuple[bytes, ...], bytes] = {}  # mostly, all partitions are told the same
    for partition, values in told.items():
        values_told = tuple(values)
        if values_told not in made:
            made[values_told] = in_one(values)
        kept.append(Outgoing(DETECTIONS, partition, None, made[values_told]))
    return kept


def institution_of(source: Source) -> str:
    """Whose tickets these are."""
    return source.topic.removeprefix(TICKETS)


def _intake_place(source: Source) -> Place:
    institution = institution_of(source)
    return Place(INTAKE_STATE, intake_state_partition(institution), f"{institution}/".encode())


def _correlation_place(source: Source) -> Place:
    return Place(CORRELATION_STATE, source.partition)


def _sharing_place(_: Source) -> Place:
    return Place(SHARING_STATE, 0)


def _campaign_place(_: Source) -> Place:
    return Place(CAMPAIGN_STATE, 0)
