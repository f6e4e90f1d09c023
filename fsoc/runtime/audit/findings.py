"""What `fsoc state verify` has to say: findings, each with its place, and what it looked at. Finds nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

Code: TypeAlias = Literal[
    "unreadable",
    "misplaced",
    "conservation",
    "committed-ahead",
    "count",
    "claim",
    "no-header",
    "no-definition",
    "unfit",
    "missing-entry",
    "stale-entry",
    "unfed-entry",
    "missing-withdrawal",
    "missing-relay",
    "wrong-relay",
    "missing-alert",
    "wrong-alert",
    "extra-alert",
    "wrong-status",
    "published-ahead",
    "published-otherwise",
    "restart",
    "wrong-campaign",
]
"""
unreadable           a record is not what fsoc writes
misplaced            a record lies in another partition than its key belongs to, or under another's key
conservation         received is not used + duplicate + late + quarantined, or more than there were records
committed-ahead      an offset is committed whose effects the state does not have
count                a header counts other than there are
claim                what correlation knows of an institution's progress is not what its intake says
no-header            there is state, and nothing that sums it up
no-definition        entries are held of a rule of which no definition is
unfit                an entry was not made by a definition such as its rule's
missing-entry        a live ticket feeds a group that does not hold it
stale-entry          a group holds another revision or event time of a ticket than intake has
unfed-entry          a group holds a ticket that does not feed it
missing-withdrawal   a live ticket left a group, which does not know that
missing-relay        the condition of a group holds around a ticket, which is not relayed to the correlation that asks
wrong-relay          a ticket is relayed at another time, by another revision or to other groups than its group says
missing-alert        the entries raise an alert that is not there
wrong-alert          an alert says other than its entries do
extra-alert          an alert stands that its entries do not raise
wrong-status         an alert is open that is settled, or final that is not
published-ahead      fsoc.alerts or fsoc.campaigns has a higher revision than the state
published-otherwise  the same have another body of the same revision
restart              a worker could not restore this, or would write other alerts or campaigns than are there
wrong-campaign       an alert says it is in another campaign than campaigns say
"""


KEY_SHOWN_MAX = 160
"""Characters of a key that a line shows."""


class Place(NamedTuple):
    """Where in the log. key: None is the whole partition; offsets committed, for one."""

    topic: str
    partition: int
    key: bytes | None = None

    def __str__(self) -> str:
        """`fsoc.intake.state/3 fi-001/header`; a long key is cut."""
        where = f"{self.topic}/{self.partition}"
        if self.key is None:
            return where
        name = self.key.decode("utf-8", "backslashreplace")
        return f"{where} {name if len(name) <= KEY_SHOWN_MAX else name[:KEY_SHOWN_MAX] + '…'}"


class Finding(NamedTuple):
    """One thing that is not as it must be. text: what was found and what was expected."""

    code: Code
    place: Place
    text: str


@dataclass(slots=True)
class Looked:
    """At how much a verification has looked, and what it could not judge because it is under way.

    in_flight_tickets: of which intake's output is not known to be out.
    in_flight_entries: named by detections that are not committed.
    in_flight_relays, in_flight_alerts: of groups that such detections may change.
    unpublished: alerts and campaigns of which an older revision is published, or none yet.
    let_go: entries that are not there, as many as bounds have dropped.
    """

    institutions: int = 0
    live: int = 0
    partitions: int = 0
    entries: int = 0
    groups: int = 0
    relays: int = 0
    alerts: int = 0
    campaigns: int = 0
    in_flight_tickets: int = 0
    in_flight_entries: int = 0
    in_flight_relays: int = 0
    in_flight_alerts: int = 0
    unpublished: int = 0
    let_go: int = 0


@dataclass(slots=True)
class Verdict:
    """All that was found. notes: what an operator should know and is no fault."""

    looked: Looked = field(default_factory=Looked)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def find(self, code: Code, place: Place, text: str) -> None:
        self.findings.append(Finding(code, place, text))

    @property
    def is_sound(self) -> bool:
        return not self.findings
