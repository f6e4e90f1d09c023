"""What an exercise is asked for and what it consists of. No generation here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import yaml

from fsoc.errors import Problem, RefusedToStart

START_MS = 1_781_481_600_000
"""2026-06-15T00:00:00Z, a Monday: every exercise begins on this day, whatever the clock says."""

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

INSTITUTIONS_MIN, INSTITUTIONS_MAX = 8, 1_000
HOURS_MIN, HOURS_MAX = 12, 45 * 24
HEARTBEAT_MIN, HEARTBEAT_MAX = 5, 240
SEED_MAX = 2**63 - 1
TICKETS_PER_INSTITUTION_MAX = 20_000
TICKETS_PER_DAY = 31
"""Mean of an institution's day, where the spec does not say how many it writes in all."""

WARM_UP_MS = 40 * HOUR_MS
"""By then every institution has met all that its everyday life will ever bring."""

RUN_IN_MS = 72 * HOUR_MS
"""In exercises with a past: how long what is raised is not scored."""

PLANTED_FROM_MS = 3 * DAY_MS
"""From here on campaigns are planted, in exercises that have a past."""

PAST_HOURS_MIN = 120
"""An exercise of so many hours has a past: two days of everyday life, and room for campaigns after it."""


class CampaignKind(StrEnum):
    PHISHING_KIT = "phishing_kit"
    SHARED_SUPPLIER = "shared_supplier"
    CREDENTIAL_STUFFING = "credential_stuffing"
    RANSOMWARE_CHAIN = "ransomware_chain"
    DDOS_WAVE = "ddos_wave"
    TECHNIQUE_WAVE = "technique_wave"
    KILL_CHAIN = "kill_chain"
    LOW_AND_SLOW = "low_and_slow"
    SWIFT_FRAUD = "swift_fraud"
    ATM_CASHOUT = "atm_cashout"


class Noise(StrEnum):
    """How much of what is harmless looks as if it were not; how much a struck institution forgets to write down."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Detail(StrEnum):
    """FULL: tickets as `fsoc.ticket/1` has them. SPARSE: rule ids, assets and counts, and nothing else."""

    FULL = "full"
    SPARSE = "sparse"


@dataclass(frozen=True, slots=True)
class ExerciseSpec:
    """What to simulate. Equal specs give byte-identical exercises.

    hours: how long it lasts. From PAST_HOURS_MIN on it has a past, and campaigns begin after PLANTED_FROM_MS.
    tickets_per_institution: mean of all that is no attack; the largest institution writes twenty times what the
        smallest does. None: TICKETS_PER_DAY a day.
    campaigns: how many to plant: one of each kind that has room first, then repeats. None: one of each and up to two
        more, as the seed has it.
    heartbeat_minutes: how often a feed says that it lives.

    Raises:
        RefusedToStart: a number is out of its bounds.
    """

    institutions: int = 40
    seed: int = 7
    hours: int = 14 * 24
    tickets_per_institution: int | None = None
    campaigns: int | None = None
    noise: Noise = Noise.MEDIUM
    detail: Detail = Detail.FULL
    heartbeat_minutes: int = 60

    def __post_init__(self) -> None:
        bounds = {
            "institutions": (self.institutions, INSTITUTIONS_MIN, INSTITUTIONS_MAX),
            "seed": (self.seed, 0, SEED_MAX),
            "hours": (self.hours, HOURS_MIN, HOURS_MAX),
            "tickets_per_institution": (self.tickets, 1, TICKETS_PER_INSTITUTION_MAX),
            "campaigns": (0 if self.campaigns is None else self.campaigns, 0, 1_000),
            "heartbeat_minutes": (self.heartbeat_minutes, HEARTBEAT_MIN, HEARTBEAT_MAX),
        }
        problems = [
            Problem(name, f"found {value}, allowed {lowest} to {highest}")
            for name, (value, lowest, highest) in bounds.items()
            if not lowest <= value <= highest
        ]
        if self.detail is Detail.SPARSE and not self.has_past:
            problems.append(Problem("detail", f"sparse tickets tell nothing in less than {PAST_HOURS_MIN} hours"))
        if problems:
            raise RefusedToStart(*problems)

    @property
    def tickets(self) -> int:
        """Mean of everyday tickets of an institution."""
        if self.tickets_per_institution is None:
            return max(1, TICKETS_PER_DAY * self.hours // 24)
        return self.tickets_per_institution

    @property
    def has_past(self) -> bool:
        """Whether an institution can be judged against what it saw before."""
        return self.hours >= PAST_HOURS_MIN

    @property
    def planted_from_ms(self) -> int:
        """Before this no campaign strikes."""
        return START_MS + (PLANTED_FROM_MS if self.has_past else HOUR_MS)

    @property
    def scored_from_ms(self) -> int:
        """What is raised before is run-in: nothing can be known of anybody's past yet. No campaign strikes so early."""
        return START_MS + (RUN_IN_MS if self.has_past else 0)

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
    ticket_ids, reporters: its tickets in order of event time, and the institution that wrote each.
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
    reporters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedTrouble:
    """Ground truth of one sick feed: it says nothing from from_ms until to_ms, or a tenth of what it should.

    kind: feed_silent or feed_volume_drop.
    """

    id: str
    kind: str
    institution: str
    feed: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class RuleDefect:
    """Ground truth of one new rule of the baseline that fired everywhere at once, and found nothing.

    rule_id: as tickets name it. version: of the baseline that brought it. institutions: where it fired, in the order of
    their first tickets. first_ms, last_ms: event times of the first and the last of its tickets.
    """

    id: str
    rule_id: str
    version: str
    institutions: tuple[str, ...]
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Exercise:
    """A sector and its days.

    institutions: dicts of the institutions file.
    deliveries: in order of at_ms; each institution's own order is the order of its log.
    truth: the planted campaigns, in order of first_at_ms.
    decoys: what looks like a campaign and is taken back by its reporters. An alert on it must end as retracted.
    feed_truth: the feeds that fall ill, in order of from_ms.
    rule_truth: the rules that were published wrong, in order of first_ms.
    """

    spec: ExerciseSpec
    institutions: tuple[dict[str, Any], ...]
    deliveries: list[Delivery]
    truth: tuple[PlantedCampaign, ...]
    decoys: tuple[PlantedCampaign, ...]
    feed_truth: tuple[FeedTrouble, ...] = ()
    rule_truth: tuple[RuleDefect, ...] = ()

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

    def truth_ndjson(self) -> Iterator[bytes]:
        """A line for every ticket of a planted campaign: `{"ticket_id", "institution", "label"}`; each ends so.

        The label is the campaign's id with its kind, such as `campaign-3:phishing_kit`. Decoys have none.
        """
        for campaign in self.truth:
            label = f"{campaign.id}:{campaign.kind}"
            for ticket_id, institution in zip(campaign.ticket_ids, campaign.reporters, strict=True):
                yield orjson.dumps({"ticket_id": ticket_id, "institution": institution, "label": label}) + b"\n"


_TAIPEI = timezone(timedelta(hours=8))


def rfc3339(at_ms: int, *, local: bool = False) -> str:
    """`2026-06-15T00:00:00.000Z`, or as a Taipei clock writes it: `2026-06-15T08:00:00.000+08:00`."""
    minute, ms = divmod(at_ms, MINUTE_MS)
    return f"{_minute(minute, local=local)}{ms // 1000:02d}.{ms % 1000:03d}{'+08:00' if local else 'Z'}"


# Remembered: an exercise writes every minute of its days many times.
@lru_cache(maxsize=2**16)
def _minute(minute: int, *, local: bool) -> str:
    """`2026-06-15T08:00:`"""
    return datetime.fromtimestamp(minute * 60, _TAIPEI if local else UTC).strftime("%Y-%m-%dT%H:%M:")
