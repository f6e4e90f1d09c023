"""What an exercise is asked for and what it consists of. No generation here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
import yaml

from fsoc.errors import Problem, RefusedToStart

START_MS = 1_772_409_600_000
"""2026-03-02T00:00:00Z: every exercise plays on this day, whatever the clock says."""

HOUR_MS = 3_600_000
MINUTE_MS = 60_000

INSTITUTIONS_MIN, INSTITUTIONS_MAX = 8, 1_000
HOURS_MIN, HOURS_MAX = 12, 168
SEED_MAX = 2**63 - 1
TICKETS_PER_INSTITUTION_MAX = 20_000


class CampaignKind(StrEnum):
    PHISHING_KIT = "phishing_kit"
    SHARED_SUPPLIER = "shared_supplier"
    CREDENTIAL_STUFFING = "credential_stuffing"
    RANSOMWARE_CHAIN = "ransomware_chain"
    DDOS_WAVE = "ddos_wave"


REPEATABLE = (CampaignKind.PHISHING_KIT, CampaignKind.CREDENTIAL_STUFFING, CampaignKind.SHARED_SUPPLIER)
"""Kinds that leave indicators of their own, so that two on one day can be told apart."""


@dataclass(frozen=True, slots=True)
class ExerciseSpec:
    """What to simulate. Equal specs give byte-identical exercises.

    tickets_per_institution: mean of the background; the largest institution writes twenty times what the smallest does.
    campaigns: how many to plant: one of each kind first, then repeats. None: five to seven, as the seed has it.

    Raises:
        RefusedToStart: a number is out of its bounds.
    """

    institutions: int = 40
    seed: int = 7
    hours: int = 24
    tickets_per_institution: int = 160
    campaigns: int | None = None

    def __post_init__(self) -> None:
        bounds = {
            "institutions": (self.institutions, INSTITUTIONS_MIN, INSTITUTIONS_MAX),
            "seed": (self.seed, 0, SEED_MAX),
            "hours": (self.hours, HOURS_MIN, HOURS_MAX),
            "tickets_per_institution": (self.tickets_per_institution, 1, TICKETS_PER_INSTITUTION_MAX),
            "campaigns": (0 if self.campaigns is None else self.campaigns, 0, 1_000),
        }
        problems = [
            Problem(name, f"found {value}, allowed {lowest} to {highest}")
            for name, (value, lowest, highest) in bounds.items()
            if not lowest <= value <= highest
        ]
        if problems:
            raise RefusedToStart(*problems)

    @property
    def end_ms(self) -> int:
        return START_MS + self.hours * HOUR_MS


class Delivery(NamedTuple):
    """One record as it reaches the log of an institution. at_ms: the record's timestamp."""

    at_ms: int
    institution: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class PlantedCampaign:
    """Ground truth of one campaign.

    institutions: all that it struck, in the order of the event time of their first ticket.
    first_at_ms: event time of the first ticket.
    decided_at_ms: event time at which the third independent institution was struck; before that, hardly anybody
        would call it joint.
    """

    id: str
    kind: str
    title: str
    institutions: tuple[str, ...]
    ticket_ids: tuple[str, ...]
    first_at_ms: int
    decided_at_ms: int


@dataclass(frozen=True, slots=True)
class Exercise:
    """A sector and its day.

    institutions: dicts of the institutions file.
    deliveries: in order of at_ms; each institution's own order is the order of its log.
    truth: the planted campaigns, in order of first_at_ms.
    decoys: what looks like a campaign and is taken back by its reporters. An alert on it must end as retracted.
    """

    spec: ExerciseSpec
    institutions: tuple[dict[str, Any], ...]
    deliveries: list[Delivery]
    truth: tuple[PlantedCampaign, ...]
    decoys: tuple[PlantedCampaign, ...]

    def institutions_yaml(self) -> str:
        """The institutions file."""
        return yaml.safe_dump(
            {"institutions": list(self.institutions)}, allow_unicode=True, sort_keys=False, default_flow_style=None
        )

    def tickets_ndjson(self) -> Iterator[bytes]:
        """Lines for `fsoc replay --tickets`, in order of arrival and with `received_at`; each ends with a newline."""
        for delivery in self.deliveries:
            body = orjson.loads(delivery.payload)
            body["received_at"] = rfc3339(delivery.at_ms)
            yield orjson.dumps(body) + b"\n"


_TAIPEI = timezone(timedelta(hours=8))


def rfc3339(at_ms: int, *, local: bool = False) -> str:
    """`2026-03-02T00:00:00.000Z`, or as a Taipei clock writes it: `2026-03-02T08:00:00.000+08:00`."""
    if local:
        return datetime.fromtimestamp(at_ms / 1000, _TAIPEI).isoformat(timespec="milliseconds")
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
