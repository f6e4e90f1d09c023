"""The alerts of one detections partition: raised, revised, final, retracted. Pure: laws 7, 8 and 10.

A revision rises only when the body changes, and the book is written to state before anything of it is published: one
(alert id, revision) never has two bodies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final, Literal, NamedTuple

import msgspec
import orjson

from fsoc.alerts.compose import compose
from fsoc.alerts.identity import alert_id
from fsoc.alerts.traces import Traces, traces_of
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
    told: int = 0
    word: int = 0
    let_go: bool = False


_revised: Final = msgspec.json.Decoder(_Revised).decode


def alert_newness(value: bytes) -> int:
    """Rises with everything a record of the state may say anew of its alert; its body is not read for that.

    Raises:
        msgspec.MsgspecError: it is no such record.
    """
    said = _revised(value)
    return said.revision + said.told + said.word + said.let_go


@dataclass(slots=True)
class Alert:
    """The newest revision of one alert, or of one link, which is no alert to anybody but campaigns.

    depth: of its rule, which says when it is settled. told: rises with whatever campaigns are to know of it; 0 where
    that is nothing. word: the revision of what they said last. let_go: they will say nothing more.
    """

    key: GroupKey
    episode: int
    episode_ms: int
    depth: int
    revision: int
    status: Status
    body: dict[str, Any]
    link: bool = False
    traces: Traces | None = None
    told: int = 0
    word: int = 0
    let_go: bool = False

    @property
    def id(self) -> str:
        name: str = self.body["alert_id"]
        return name

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
                "link": self.link,
                "traces": None if self.traces is None else tuple(self.traces),
                "told": self.told,
                "word": self.word,
                "let_go": self.let_go,
            }
        )


class Assigned(NamedTuple):
    """What campaigns said changes. revised: alerts that say otherwise. kept: for the state alone. gone: forgotten."""

    revised: list[Alert]
    kept: list[Alert]
    gone: list[str]


class Book:
    """Every alert that may still change, or be continued.

    tactics: short name → place in the kill chain. policy: clocks and suppressions. Alerts are composed by both.
    attack_version: in whose words techniques stand; "" where it is not known.
    alert_key: by which ids are made. waits: what campaigns were told of is kept until they let it go.
    """

    def __init__(
        self,
        tactics: Mapping[str, int],
        policy: Policy = NO_POLICY,
        attack_version: str = "",
        alert_key: bytes = b"",
    ) -> None:
        self.expired_total = 0
        self.tactics = tactics
        self.policy = policy
        self.attack_version = attack_version
        self.alert_key = alert_key
        self.waits = False
        self.links = 0
        self._named: dict[str, tuple[GroupKey, int]] = {}
        self._waiting: set[str] = set()
        self._alerts: dict[tuple[GroupKey, int], Alert] = {}
        self._episodes: dict[GroupKey, set[int]] = {}
        self._open: set[tuple[GroupKey, int]] = set()
        self._ends: dict[int, list[tuple[int, GroupKey, int]]] = {}  # by depth, as what follows
        self._expiry: dict[int, list[tuple[int, GroupKey, int]]] = {}

    def __iter__(self) -> Iterator[Alert]:
        return iter(self._alerts.values())

    @property
    def raised_total(self) -> int:
        """Alerts ever raised here, whatever became of them; links are none."""
        return self.expired_total + len(self._alerts) - self.links

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
            before_it = alert_id(key, number - 1, self.alert_key) if continued else None
            name = alert_id(key, number, self.alert_key)
            body = compose(rule, key, episode, before_it, self.tactics, self.policy, self.attack_version, name)
            traces = traces_of(episode.entries)
            alert = self._alerts.get((key, number))
            if alert is not None and alert.depth != rule.depth:
                alert.depth = rule.depth
                self._await(alert)
            if alert is None:
                alert = Alert(key, number, rule.episode_ms, rule.depth, 1, "open", body, rule.link)
                yield _told(self._keep(alert), traces)
                continue
            body["campaign_id"] = alert.body["campaign_id"]
            if alert.status == "retracted" or alert.body != body:
                alert.body, alert.revision = body, alert.revision + 1
                if alert.status == "retracted":
                    alert.status = "open"
                    self._count_open(alert)
                    self._await(alert)
                yield _told(alert, traces)
            elif alert.traces != traces:
                yield _told(alert, traces)
        for number in sorted(self._episodes.get(key, ())):
            alert = self._alerts[key, number]
            if alert.episode_ms != rule.episode_ms:
                continue  # named by an earlier definition: its episodes cannot be told from these numbers
            if number >= live_from and number not in holding and alert.status != "retracted":
                alert.status, alert.revision = "retracted", alert.revision + 1
                self._open.discard((key, number))
                yield _told(alert, alert.traces)

    def finalise(self, closed_until_ms: int, depth: int = 1) -> Iterator[Alert]:
        """Progress has passed these alerts' episodes: nothing that is still to come can add to them."""
        ends = self._ends.get(depth, [])
        while ends and ends[0][0] <= closed_until_ms:
            _, key, number = heappop(ends)
            alert = self._alerts.get((key, number))
            if alert is not None and alert.status == "open" and alert.depth == depth:
                alert.status, alert.revision = "final", alert.revision + 1
                self._open.discard((key, number))
                yield _told(alert, alert.traces)

    def assign(self, words: Mapping[str, tuple[int, str | None, bool]]) -> Assigned:
        """Put into alerts what campaigns say of them: by id, (revision, campaign, whether they let it go)."""
        found = Assigned([], [], [])
        for name, (revision, campaign, let_go) in words.items():
            known = self._named.get(name)
            if known is None:
                continue
            alert = self._alerts[known]
            said = revision > alert.word and alert.body["campaign_id"] != campaign
            if said:
                alert.body, alert.revision = {**alert.body, "campaign_id": campaign}, alert.revision + 1
            alert.word, alert.let_go = max(revision, alert.word), let_go or alert.let_go
            (found.revised if said else found.kept).append(alert)
            if let_go and name in self._waiting:
                self._forget(alert)
                found.gone.append(name)
        return found

    def expire(self, closed_until_ms: int, depth: int = 1) -> Iterator[str]:
        """Forget alerts that can neither change nor be continued; yield their ids."""
        expiry = self._expiry.get(depth, [])
        while expiry and expiry[0][0] <= closed_until_ms:
            _, key, number = heappop(expiry)
            alert = self._alerts.get((key, number))
            if alert is None or alert.depth != depth:
                continue
            name = alert.id
            if self.waits and alert.told and not alert.let_go:
                self._waiting.add(name)
                continue
            self._forget(alert)
            yield name

    def _forget(self, alert: Alert) -> None:
        key, number = name = (alert.key, alert.episode)
        del self._alerts[name], self._named[alert.id]
        self._waiting.discard(alert.id)
        self.expired_total += not alert.link
        self.links -= alert.link
        self._open.discard(name)
        self._episodes[key].discard(number)
        if not self._episodes[key]:
            del self._episodes[key]

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
                state.get("link", False),
                _traces(state["traces"]) if state.get("traces") else None,
                state.get("told", 0),
                state.get("word", 0),
                state.get("let_go", False),
            )
        )
        return state["depth"], state["closed_until_ms"]

    def _keep(self, alert: Alert) -> Alert:
        self._alerts[alert.key, alert.episode] = alert
        self._named[alert.id] = alert.key, alert.episode
        self.links += alert.link
        self._episodes.setdefault(alert.key, set()).add(alert.episode)
        self._count_open(alert)
        self._await(alert)
        return alert

    def _count_open(self, alert: Alert) -> None:
        if alert.status == "open" and not alert.link:
            self._open.add((alert.key, alert.episode))

    def _await(self, alert: Alert) -> None:
        """See to it that the alert is looked at when its episode ends, and when it can be forgotten."""
        end, name = alert.episode_end_ms, (alert.key, alert.episode)
        heappush(self._ends.setdefault(alert.depth, []), (end, *name))
        heappush(self._expiry.setdefault(alert.depth, []), (end + 2 * alert.episode_ms, *name))


def _told(alert: Alert, traces: Traces | None) -> Alert:
    """It says otherwise than before. What is joint is told to campaigns, and so is all that was told to them before."""
    alert.traces = traces
    if alert.told or alert.body["kind"] == "joint":
        alert.told += 1
    return alert


def _traces(said: list[Any]) -> Traces:
    """From JSON, which knows no tuples."""
    return msgspec.convert(said, Traces)
