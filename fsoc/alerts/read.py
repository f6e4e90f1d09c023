"""An alert as it is read back off the wire, by whoever shows it. Pure; nothing of it is believed but its shape.

Alerts that an earlier fsoc wrote lack what was added since: such fields have a default here.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from fsoc.tickets.times import BadTime, milliseconds


class Technique(Struct, frozen=True):
    tactic: str
    technique: str


class Intel(Struct, frozen=True):
    institution: str
    ticket_id: str
    at: str


class Reason(Struct, frozen=True):
    text: str
    text_zh: str
    points: int = 0


class Grade(Struct, frozen=True):
    grade: int
    reasons: tuple[Reason, ...] = ()
    note: str = ""
    note_zh: str = ""


class Tactic(Struct, frozen=True):
    tactic: str
    techniques: tuple[str, ...]
    first_seen: str
    last_seen: str
    tickets: int
    institutions: int


class Clock(Struct, frozen=True):
    id: str
    name: str
    name_zh: str
    starts_at: str
    due_at: str


class Suppressed(Struct, frozen=True):
    id: str
    owner: str
    until: str
    reason: str


class Unusual(Struct, frozen=True):
    kind: str
    seen: float = 0
    before: float | None = None


class Explanation(Struct, frozen=True):
    text: str
    text_zh: str
    condition: dict[str, float]
    seen: float
    timespan: str
    share: dict[str, int]
    margin: float | None = None
    deciding: dict[str, tuple[str, ...]] = {}
    novelty: dict[str, Unusual] = {}
    detections: dict[str, int] = {}


class ReadAlert(Struct, frozen=True):
    """What is shown of one revision; `fsoc schema alert` says what each field is."""

    alert_id: str
    revision: int
    status: str
    rule_id: str
    rule_title: str
    kind: str
    level: str
    severity: int
    environment: str
    group: dict[str, Any]
    window_from: str
    window_to: str
    first_seen: str
    last_seen: str
    raised_at_event_time: str
    institutions: tuple[str, ...]
    institution_count: int
    ticket_ids: tuple[str, ...]
    ticket_count: int
    tickets: dict[str, tuple[str, ...]]
    attack: tuple[Technique, ...]
    explanation: Explanation
    rule_title_zh: str = ""
    rule_version: str | None = None
    independent_count: int = 0
    campaign_id: str | None = None
    continues: str | None = None
    severity_reasons: tuple[Reason, ...] = ()
    suggested_grade: Grade | None = None
    timeline: tuple[Tactic, ...] = ()
    clocks: tuple[Clock, ...] = ()
    suppressed: Suppressed | None = None
    intel: tuple[Intel, ...] = ()
    attack_version: str | None = None

    @property
    def raised_ms(self) -> int:
        return milliseconds(self.raised_at_event_time)

    @property
    def last_seen_ms(self) -> int:
        return milliseconds(self.last_seen)

    @property
    def techniques(self) -> tuple[str, ...]:
        """Each once, in the order of their tactics."""
        return tuple(dict.fromkeys(item.technique for item in self.attack))


_decoder: Final = msgspec.json.Decoder(ReadAlert)


def read_alert(value: bytes) -> ReadAlert:
    """One record of the alerts topic, or one line of `fsoc replay`.

    Raises:
        ValueError: it is no alert; the text says why.
    """
    alert = _decoder.decode(value)  # msgspec's errors are ValueErrors
    for name in ("raised_at_event_time", "first_seen", "last_seen"):
        _check_time(name, getattr(alert, name))
    for heard in alert.intel:
        _check_time("at", heard.at)
    for clock in alert.clocks:
        _check_time("due_at", clock.due_at)
    return alert


def _check_time(name: str, text: str) -> None:
    try:
        milliseconds(text)
    except BadTime as error:
        raise ValueError(f"{name} {error}") from error
