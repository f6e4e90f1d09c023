"""The records of `fsoc.links`, and the words that go back to the alerts. Pure; decides nothing.

    key  <id>             what one link or joint alert says now: `Told`
         decision/<id>    what an analyst decided: `Decision`
         reach/<number>   how far back one partition of detections may still reach: `Reach`

A partition tells its reach after everything that it has told before, in the same order in which it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, NamedTuple, Protocol, TypeVar

import msgspec
import orjson
from msgspec import Meta, Struct

from fsoc.alerts.traces import Traces
from fsoc.correlation.policy import Kind

TOLD_SCHEMA: Final = "fsoc.link/1"
DECISION_SCHEMA: Final = "fsoc.decision/1"
REACH_SCHEMA: Final = "fsoc.reach/1"

DECISION: Final = b"decision/"
REACH: Final = b"reach/"

WORDS: Final = b'{"op":"campaign"'
"""What the records begin with that name campaigns to a partition of detections; they have no key."""

WORDS_MAX: Final = 5_000
"""Words in one record."""

NAMED_MAX: Final = 5_000
"""Links and alerts that one decision may name."""

S = TypeVar("S")

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class Technique(NamedTuple):
    """One technique under one tactic, and when its tickets happened."""

    tactic: str
    technique: str
    first_ms: int
    last_ms: int


class Told(Struct, frozen=True):
    """What one link or joint alert says now. The highest `told` of an id replaces those before.

    what: a link is a rare value that institutions share, and raises nothing; an alert is on `fsoc.alerts`.
    partition: of the detections that made it, where its campaign is to be named.
    members: institution → what counts once of it: its holding group, or itself. tickets: (institution, ticket id).
    """

    id: Name
    told: Annotated[int, Meta(ge=0)]
    what: Literal["link", "alert"]
    partition: Annotated[int, Meta(ge=0)]
    status: Literal["open", "final", "retracted"]
    kind: Kind
    rule_id: str
    rule_title: str
    rule_title_zh: str
    level: str
    severity: int
    environment: str
    group: dict[str, Any]
    members: dict[str, str]
    tickets: tuple[tuple[str, str], ...]
    attack: tuple[Technique, ...]
    first_ms: int
    last_ms: int
    schema: Literal["fsoc.link/1"] = "fsoc.link/1"


class Decision(Struct, frozen=True, kw_only=True):
    """What one analyst decided, and why. It is never changed and never taken away, only undone by another.

    split: `named` links and alerts, and links with one of these `values`, tie nothing together any more.
    merge: what is `named` belongs together. undo: the split or merge `undoes` is as if it had never been.
    campaigns: which it was about. values: (rule id, JSON list of the group's values).
    """

    decision_id: Name
    op: Literal["split", "merge", "undo"]
    by: Annotated[str, Meta(min_length=1, max_length=200)]
    reason: Annotated[str, Meta(min_length=1, max_length=2_000)]
    decided_at: str
    environment: str
    campaigns: Annotated[tuple[Name, ...], Meta(max_length=2)] = ()
    named: Annotated[tuple[Name, ...], Meta(max_length=NAMED_MAX)] = ()
    values: Annotated[tuple[tuple[str, str], ...], Meta(max_length=NAMED_MAX)] = ()
    undoes: str | None = None
    schema: Literal["fsoc.decision/1"] = "fsoc.decision/1"


class Reach(Struct, frozen=True):
    """Nothing that this partition tells from now on is of a ticket with an event time below `reach_ms`."""

    partition: Annotated[int, Meta(ge=0)]
    reach_ms: int
    schema: Literal["fsoc.reach/1"] = "fsoc.reach/1"


class Word(NamedTuple):
    """What one alert is told. revision: 0 names no campaign. let_go: nothing more will be said of it."""

    revision: int
    campaign: str | None
    let_go: bool


class Tellable(Protocol):
    """An alert, as far as campaigns are told of it."""

    @property
    def id(self) -> str: ...
    @property
    def told(self) -> int: ...
    @property
    def link(self) -> bool: ...
    @property
    def status(self) -> Literal["open", "final", "retracted"]: ...
    @property
    def body(self) -> Mapping[str, Any]: ...
    @property
    def traces(self) -> Traces | None: ...


def told_of(alert: Tellable, partition: int) -> bytes:
    """What an alert or link that is told says. It has traces."""
    body, traces = alert.body, alert.traces
    assert traces is not None  # noqa: S101 - the book gives every alert that is told its traces
    return msgspec.json.encode(
        Told(
            id=alert.id,
            told=alert.told,
            what="link" if alert.link else "alert",
            partition=partition,
            status=alert.status,
            kind=body["kind"],
            rule_id=body["rule_id"],
            rule_title=body["rule_title"],
            rule_title_zh=body["rule_title_zh"],
            level=body["level"],
            severity=body["severity"],
            environment=body["environment"],
            group=body["group"],
            members=dict(traces.members),
            tickets=tuple((name, ticket) for name, tickets in body["tickets"].items() for ticket in tickets),
            attack=tuple(Technique(*each) for each in traces.attack),
            first_ms=traces.first_ms,
            last_ms=traces.last_ms,
        )
    )


def words_record(words: Mapping[str, Word]) -> bytes:
    """What a partition of detections is told of its alerts, by id."""
    return orjson.dumps({"op": "campaign", "words": {name: tuple(word) for name, word in words.items()}})


def is_words(value: bytes) -> bool:
    """Whether a record without a key names campaigns; else it is one of progress."""
    return value.startswith(WORDS)


def words_of(value: bytes) -> dict[str, Word]:
    """The inverse of `words_record`.

    Raises:
        msgspec.MsgspecError: it is no such record.
    """
    return _words(value).words


class _Words(Struct):
    words: dict[str, Word]


_words: Final = msgspec.json.Decoder(_Words).decode
told_from: Final = msgspec.json.Decoder(Told).decode
decision_from: Final = msgspec.json.Decoder(Decision).decode
reach_from: Final = msgspec.json.Decoder(Reach).decode


def record_of(key: bytes, value: bytes) -> Told | Decision | Reach:
    """What a record of `fsoc.links` says.

    Raises:
        msgspec.MsgspecError: none of these, or not of what its key names.
    """
    if key.startswith(DECISION):
        decision = decision_from(value)
        return _named(decision, key, DECISION + decision.decision_id.encode())
    if key.startswith(REACH):
        reach = reach_from(value)
        return _named(reach, key, reach_key(reach.partition))
    told = told_from(value)
    return _named(told, key, told.id.encode())


def reach_key(partition: int) -> bytes:
    return REACH + str(partition).encode()


def decision_key(name: str) -> bytes:
    return DECISION + name.encode()


def _named(said: S, key: bytes, expected: bytes) -> S:
    if key != expected:
        raise msgspec.ValidationError(f"the key is {key[:80]!r}, the record is of {expected[:80]!r}")
    return said
