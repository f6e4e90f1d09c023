"""What is known of a running exercise: feeds, alerts, how far everything is. No clock, no terminal, no log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from fsoc.campaigns.words import WORD, said_from
from fsoc.exercise import Exercise, Score
from fsoc.feeds.ledger import END_MS

Alert = dict[str, Any]


@dataclass(slots=True)
class FeedHealth:
    """One institution, as its intake header says. sent: records put on its topic so far."""

    institution: str
    sent: int = 0
    received: int = 0
    used: int = 0
    duplicate: int = 0
    late: int = 0
    quarantined: int = 0
    missing: int = 0
    ended: bool = False

    def take(self, header: Mapping[str, Any]) -> None:
        self.received = header["received"]
        self.used = header["used"]
        self.duplicate = header["duplicate"]
        self.late = header["late"]
        self.quarantined = header["quarantined"]
        self.ended = header["ended"]
        self.missing = sum(
            last - first + 1
            for epochs in header["feeds"].values()
            for epoch in epochs.values()
            for first, last in epoch["missing"]
        )


@dataclass(slots=True)
class Picture:
    """The exercise as it is shown.

    carrier: what carries the records, in words. phase: what is happening now, in words.
    clock_ms: arrival time of the newest record sent; the exercise's own time.
    alerts: the newest revision of each, in the order in which they were first seen.
    """

    seed: int
    feeds: dict[str, FeedHealth]
    total: int
    detections_partitions: int
    carrier: str = ""
    phase: str = "Starting"
    clock_ms: int = 0
    alerts: dict[str, Alert] = field(default_factory=dict)
    score: Score | None = None
    _closed: dict[int, tuple[int | None, int]] = field(default_factory=dict)
    _revisions: dict[str, int] = field(default_factory=dict)
    _words: dict[str, str | None] = field(default_factory=dict)
    _has_links: bool = False
    _links_until_ms: int | None = None

    @classmethod
    def of(cls, exercise: Exercise, *, detections_partitions: int, carrier: str = "") -> Picture:
        return cls(
            seed=exercise.spec.seed,
            feeds={entry["id"]: FeedHealth(entry["id"]) for entry in exercise.institutions},
            total=len(exercise.deliveries),
            detections_partitions=detections_partitions,
            carrier=carrier,
            clock_ms=exercise.deliveries[0].at_ms,
        )

    @property
    def sent(self) -> int:
        return sum(feed.sent for feed in self.feeds.values())

    @property
    def received(self) -> int:
        return sum(feed.received for feed in self.feeds.values())

    def count(self, name: str) -> int:
        """One of FeedHealth's numbers over all institutions."""
        return sum(getattr(feed, name) for feed in self.feeds.values())

    def joint(self) -> list[Alert]:
        """Joint alerts, the newest first."""
        return [alert for alert in reversed(self.alerts.values()) if alert["kind"] == "joint"]

    def local_total(self) -> int:
        return sum(alert["kind"] == "local" for alert in self.alerts.values())

    def take_sent(self, institution: str, at_ms: int) -> None:
        """A record was put on the institution's topic."""
        self.feeds[institution].sent += 1
        self.clock_ms = at_ms

    def take_intake(self, key: bytes, value: bytes | None) -> None:
        """Take a record of the intake state; all but institutions' headers are passed over."""
        institution, _, what = key.decode().partition("/")
        if what == "header" and value is not None and institution in self.feeds:
            self.feeds[institution].take(orjson.loads(value))

    def take_correlation(self, partition: int, key: bytes, value: bytes | None) -> None:
        """Take a record of the correlation state: the header, or an alert's newest revision, which is there first."""
        if value is None:
            return
        if key == b"header":
            header = orjson.loads(value)
            self._has_links |= header.get("reached_ms") is not None
            self._closed[partition] = (header["closed_until_ms"], header["raised_total"])
        elif key.startswith(b"alert/"):
            alert = orjson.loads(value)
            if not alert.get("link"):  # which is no alert to anybody but campaigns
                self._revisions[key.decode().removeprefix("alert/")] = alert["revision"]

    def take_campaigns(self, key: bytes, value: bytes | None) -> None:
        """Take a record of the campaigns' state: the header, or the newest word of an alert's campaign.

        Words that are forgotten still hold: nothing more is said of the alert.
        """
        if value is None:
            return
        if key == b"header":
            self._links_until_ms = orjson.loads(value)["reach_ms"]
        elif key.startswith(WORD):
            self._words[key.removeprefix(WORD).decode()] = said_from(value).campaign

    def take_alert(self, value: bytes) -> Alert | None:
        """Take a record of the alerts; return the alert if this revision is news."""
        alert: Alert = orjson.loads(value)
        known = self.alerts.get(alert["alert_id"])
        if known is not None and known["revision"] >= alert["revision"]:
            return None
        self.alerts[alert["alert_id"]] = alert
        return alert

    @property
    def worked(self) -> int:
        """Records that intake has decided on, so that a standstill can be told from slow work."""
        return self.received + sum(raised for _, raised in self._closed.values())

    @property
    def finished(self) -> bool:
        """Everything sent is decided, every correlation is closed, and every alert's last revision was seen here."""
        return (
            self.sent == self.total
            and all(feed.ended and feed.received == feed.sent for feed in self.feeds.values())
            and len(self._closed) == self.detections_partitions
            and all(closed == END_MS for closed, _ in self._closed.values())
            and sum(raised for _, raised in self._closed.values()) == len(self.alerts)
            and not self._unseen()
            and self._links_are_worked
            and not self._unnamed()
        )

    def _unseen(self) -> list[str]:
        """Alerts whose newest revision is decided and has not come yet."""
        return [
            name
            for name, revision in self._revisions.items()
            if name not in self.alerts or self.alerts[name]["revision"] < revision
        ]

    @property
    def _links_are_worked(self) -> bool:
        """Campaigns have heard all that there is to hear; there are none where there are no links."""
        return not self._has_links or self._links_until_ms == END_MS

    def _unnamed(self) -> list[str]:
        """Alerts whose campaign is decided, or that they are in none, and that do not say so yet."""
        return [
            name for name, campaign in self._words.items() if self.alerts.get(name, {}).get("campaign_id") != campaign
        ]

    def waiting_for(self) -> str:
        """What is not finished, in words; for the message when nothing moves any more."""
        behind = [feed.institution for feed in self.feeds.values() if not feed.ended or feed.received != feed.sent]
        if behind:
            return f"intake of {_some(behind)} ({self.received} of {self.sent} records)"
        partitions = range(self.detections_partitions)
        still = [str(number) for number in partitions if self._closed.get(number, (None, 0))[0] != END_MS]
        if still:
            return f"correlation in partitions {_some(still)}"
        if unseen := self._unseen():
            return f"the newest revision of {_some(unseen)}"
        if not self._links_are_worked:
            return "campaigns"
        if unnamed := self._unnamed():
            return f"the campaign of {_some(unnamed)}"
        return f"{sum(raised for _, raised in self._closed.values())} alerts, {len(self.alerts)} seen"


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
