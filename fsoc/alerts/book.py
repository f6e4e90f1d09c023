"""The alerts of one detections partition: raised, revised, final, retracted. Pure: laws 7, 8 and 10.

A revision rises only when the body changes, and the book is written to state before anything of it is published: one
(alert id, revision) never has two bodies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final, Literal

import msgspec
import orjson

from fsoc.alerts.compose import compose
from fsoc.alerts.identity import alert_id
from fsoc.correlation.entries import GroupKey
from fsoc.correlation.policy import NO_POLICY, Policy
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import Satisfied

Status = Literal["open", "final", "retracted"]

ALERT: Final = b"alert/"
"""What the keys of alerts begin with in the state; the alert's id follows."""


def alert_key(name: str) -> bytes:
    """Where the state keeps the alert of this id."""
    return ALERT + name.encode()


class _Revised(msgspec.Struct):
    revision: int


_revised: Final = msgspec.json.Decoder(_Revised).decode


def alert_revision(value: bytes) -> int:
    """Which revision of its alert a record of the state has; its body is not read for that.

    Raises:
        msgspec.MsgspecError: it is no such record.
    """
    return _revised(value).revision


@dataclass(slots=True)
class Alert:
    """The newest revision of one alert. depth: of its rule, which says when it is settled."""

    key: GroupKey
    episode: int
    episode_ms: int
    depth: int
    revision: int
    status: Status
    body: dict[str, Any]

    @property
    def id(self) -> str:
        return alert_id(self.key, self.episode)

    @property
    def episode_end_ms(self) -> int:
        return (self.episode + 1) * self.episode_ms

    def wire(self) -> bytes:
        """What is on `fsoc.alerts`: byte for byte equal for equal alerts."""
        return orjson.dumps(
            {**self.body, "revision": self.revision, "status": self.status}, option=orjson.OPT_SORT_KEYS
        )

    def state(self, closed_until_ms: int | None) -> bytes:
        """closed_until_ms: how far event time was settled when it became so."""
        return orjson.dumps(
            {
                "closed_until_ms": closed_until_ms,
                "key": tuple(self.key),
                "episode": self.episode,
                "episode_ms": self.episode_ms,
                "depth": self.depth,
                "revision": self.revision,
                "status": self.status,
                "body": self.body,
            }
        )


class Book:
    """Every alert that may still change, or be continued.

    tactics: short name → place in the kill chain. policy: clocks and suppressions. Alerts are composed by both.
    """

    def __init__(self, tactics: Mapping[str, int], policy: Policy = NO_POLICY) -> None:
        self.expired_total = 0
        self.tactics = tactics
        self.policy = policy
        self._alerts: dict[tuple[GroupKey, int], Alert] = {}
        self._episodes: dict[GroupKey, set[int]] = {}
        self._open: set[tuple[GroupKey, int]] = set()
        self._ends: dict[int, list[tuple[int, GroupKey, int]]] = {}  # by depth, as what follows
        self._expiry: dict[int, list[tuple[int, GroupKey, int]]] = {}

    def __iter__(self) -> Iterator[Alert]:
        return iter(self._alerts.values())

    @property
    def raised_total(self) -> int:
        """Alerts ever raised here, whatever became of them."""
        return self.expired_total + len(self._alerts)

    @property
    def open_total(self) -> int:
        return len(self._open)

    def revise(
        self, rule: CorrelationRule, key: GroupKey, found: Iterable[Satisfied], live_from: int
    ) -> Iterator[Alert]:
        """Make the group's alerts say what was found; yield those that changed.

        found: of that, the episodes from live_from on: the first that may still be judged; the entries of earlier ones
        are gone.
        """
        holding = {episode.episode: episode for episode in found}
        for number, episode in sorted(holding.items()):
            before = self._alerts.get((key, number - 1))
            continued = number - 1 in holding or (
                before is not None and number - 1 < live_from and before.status != "retracted"
            )
            before_it = alert_id(key, number - 1) if continued else None
            body = compose(rule, key, episode, before_it, self.tactics, self.policy)
            alert = self._alerts.get((key, number))
            if alert is not None and alert.depth != rule.depth:
                alert.depth = rule.depth
                self._await(alert)
            if alert is None:
                yield self._keep(Alert(key, number, rule.episode_ms, rule.depth, 1, "open", body))
            elif alert.status == "retracted" or alert.body != body:
                alert.body, alert.revision = body, alert.revision + 1
                if alert.status == "retracted":
                    alert.status = "open"
                    self._open.add((key, number))
                    self._await(alert)
                yield alert
        for number in sorted(self._episodes.get(key, ())):
            alert = self._alerts[key, number]
            if alert.episode_ms != rule.episode_ms:
                continue  # named by an earlier definition: its episodes cannot be told from these numbers
            if number >= live_from and number not in holding and alert.status != "retracted":
                alert.status, alert.revision = "retracted", alert.revision + 1
                self._open.discard((key, number))
                yield alert

    def finalise(self, closed_until_ms: int, depth: int = 1) -> Iterator[Alert]:
        """Progress has passed these alerts' episodes: nothing that is still to come can add to them."""
        ends = self._ends.get(depth, [])
        while ends and ends[0][0] <= closed_until_ms:
            _, key, number = heappop(ends)
            alert = self._alerts.get((key, number))
            if alert is not None and alert.status == "open" and alert.depth == depth:
                alert.status, alert.revision = "final", alert.revision + 1
                self._open.discard((key, number))
                yield alert

    def expire(self, closed_until_ms: int, depth: int = 1) -> Iterator[str]:
        """Forget alerts that can neither change nor be continued; yield their ids."""
        expiry = self._expiry.get(depth, [])
        while expiry and expiry[0][0] <= closed_until_ms:
            _, key, number = heappop(expiry)
            alert = self._alerts.get((key, number))
            if alert is None or alert.depth != depth:
                continue
            del self._alerts[key, number]
            self.expired_total += 1
            self._open.discard((key, number))
            self._episodes[key].discard(number)
            if not self._episodes[key]:
                del self._episodes[key]
            yield alert.id

    def restore(self, value: bytes) -> tuple[int, int | None]:
        """Take an alert from the state; return its depth, and how far that was settled at least."""
        state = orjson.loads(value)
        self._keep(
            Alert(
                GroupKey(*state["key"]),
                state["episode"],
                state["episode_ms"],
                state["depth"],
                state["revision"],
                state["status"],
                state["body"],
            )
        )
        return state["depth"], state["closed_until_ms"]

    def _keep(self, alert: Alert) -> Alert:
        self._alerts[alert.key, alert.episode] = alert
        self._episodes.setdefault(alert.key, set()).add(alert.episode)
        if alert.status == "open":
            self._open.add((alert.key, alert.episode))
        self._await(alert)
        return alert

    def _await(self, alert: Alert) -> None:
        """See to it that the alert is looked at when its episode ends, and when it can be forgotten."""
        end, name = alert.episode_end_ms, (alert.key, alert.episode)
        heappush(self._ends.setdefault(alert.depth, []), (end, *name))
        heappush(self._expiry.setdefault(alert.depth, []), (end + 2 * alert.episode_ms, *name))
