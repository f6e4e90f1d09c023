"""The lanes of the pipeline: which topics they work and where their state lies. Same on Kafka and in-process."""

from __future__ import annotations

import time
from collections.abc import Callable

from fsoc.feeds.record import Stage
from fsoc.pipeline import Pipeline
from fsoc.runtime.kafka.topics import intake_state_partition
from fsoc.runtime.log import Log
from fsoc.runtime.worker import Lane, Place, Source

TICKETS = "tickets."
DETECTIONS = "detections"
INTAKE_STATE = "intake.state"
CORRELATION_STATE = "correlation.state"
LINKS = "links"
CAMPAIGN_STATE = "campaign.state"

# What an institution has of its own, each followed by its id.
INSTITUTION_TOPICS = (TICKETS, "receipts.", "feedback.")


def intake_lane(pipeline: Pipeline, log: Log, prefix: str, clock: Callable[[], float] = time.monotonic) -> Lane:
    """Tickets: one source per institution. clock: as in `Lane`."""

    def stage_of(source: Source) -> Stage:
        return pipeline.intake(institution_of(source))

    return Lane("intake", stage_of, _intake_place, log, prefix, clock)


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


def institution_of(source: Source) -> str:
    """Whose tickets these are."""
    return source.topic.removeprefix(TICKETS)


def _intake_place(source: Source) -> Place:
    institution = institution_of(source)
    return Place(INTAKE_STATE, intake_state_partition(institution), f"{institution}/".encode())


def _correlation_place(source: Source) -> Place:
    return Place(CORRELATION_STATE, source.partition)


def _campaign_place(_: Source) -> Place:
    return Place(CAMPAIGN_STATE, 0)
