"""The records of `fsoc.sharing`: alerts, as far as anybody else may be told of them, and what analysts decided. Pure.

    key  <alert id>         the newest revision of an alert, as on `fsoc.alerts`: `Shared` is what is read of it
         decision/<id>      `Decision`: hold an alert, or release it

One partition: what is told, and the audit of it, follow from the order of its records and from nothing else.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from fsoc.correlation.policy import Kind
from fsoc.tickets.vocabulary import Attribution, Environment, ObservableRole, ObservableType, Tlp

DECISION: Final = b"decision/"
DECISION_SCHEMA: Final = "fsoc.sharing-decision/1"

TOLD: Final = frozenset({"joint", "feed", "rule"})
"""Kinds of alert that anybody is told of. One on a feed names one institution, and is told to that alone."""

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class Pair(Struct, frozen=True):
    tactic: str
    technique: str


class Row(Struct, frozen=True):
    """Of the alert's timeline; how many tickets and institutions there were is not read."""

    tactic: str
    techniques: tuple[str, ...]
    first_seen: str
    last_seen: str


class Offered(Struct, frozen=True):
    type: ObservableType
    value: str
    role: ObservableRole
    confidence: int


class Red(Struct, frozen=True):
    """What is left of an alert without its red tickets."""

    digest: str
    attack: tuple[Pair, ...]
    timeline: tuple[Row, ...]
    first_seen: str | None
    last_seen: str | None


class Sharing(Struct, frozen=True):
    """As in `fsoc/alerts/sharing.py`; the defaults are of an alert that an earlier fsoc composed."""

    confidence: int | None = None
    told_tlp: Tlp | None = "amber"
    institutions_least: int = 2
    stands: bool = True
    institutions: tuple[str, ...] | None = None
    key: Literal["attacker", "infrastructure", "own"] = "attacker"
    offers: tuple[Offered, ...] = ()
    attribution: dict[str, Attribution] = {}
    red: Red | None = None


class Shared(Struct, frozen=True):
    """What is read of an alert. No word of a ticket is in it but its id, which its own institution is told alone."""

    alert_id: Name
    revision: Annotated[int, Meta(ge=1)]
    status: Literal["open", "final", "retracted", "merged"]
    kind: Kind
    rule_title: str
    rule_title_zh: str
    level: Literal["informational", "low", "medium", "high", "critical"]
    environment: Environment
    group: dict[str, Any]
    first_seen: str
    last_seen: str
    attack: tuple[Pair, ...]
    timeline: tuple[Row, ...]
    tickets: dict[str, tuple[str, ...]]
    suppressed: dict[str, Any] | None = None
    sharing: Sharing = Sharing()

    @property
    def told_of(self) -> tuple[str, ...]:
        """The institutions that are in it by tickets that are not red."""
        told = self.sharing.institutions
        return tuple(self.tickets) if told is None else told

    @property
    def red_digest(self) -> str:
        """Which of its tickets are red; "" where none is."""
        return "" if self.sharing.red is None else self.sharing.red.digest


class Decision(Struct, frozen=True, kw_only=True):
    """What one analyst decided of one alert, and why; the newest on the log holds."""

    decision_id: Name
    op: Literal["hold", "release"]
    alert_id: Name
    by: Annotated[str, Meta(min_length=1, max_length=200)]
    reason: Annotated[str, Meta(min_length=1, max_length=2_000)]
    decided_at: str
    schema: Literal["fsoc.sharing-decision/1"] = "fsoc.sharing-decision/1"


shared_from: Final = msgspec.json.Decoder(Shared).decode
decision_from: Final = msgspec.json.Decoder(Decision).decode


def decision_key(name: str) -> bytes:
    return DECISION + name.encode()


def record_of(key: bytes, value: bytes) -> Shared | Decision:
    """What a record of `fsoc.sharing` says.

    Raises:
        msgspec.MsgspecError: neither, or not of what its key names.
    """
    said = decision_from(value) if key.startswith(DECISION) else shared_from(value)
    named = decision_key(said.decision_id) if isinstance(said, Decision) else said.alert_id.encode()
    if key != named:
        raise msgspec.ValidationError(f"the key is {key[:80]!r}, the record is of {named[:80]!r}")
    return said
