"""Are the alerts what the entries say, judged anew by walking over all of them, and those published? Reads nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from fsoc.alerts.compose import compose
from fsoc.alerts.identity import alert_id
from fsoc.correlation.entries import Entry, GroupKey, name_of
from fsoc.correlation.groups import settled_from
from fsoc.correlation.past import Seal
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.window import satisfied_by_past
from fsoc.runtime.audit.findings import Verdict
from fsoc.runtime.audit.intake import Member
from fsoc.runtime.audit.partition import ALERT, DEPTHS, Shard
from fsoc.runtime.audit.records import AlertRecord

NEVER_MS = -(2**63)
SHOWN_MAX = 3
"""Fields of an alert's body that are named where they differ."""


class Published(NamedTuple):
    """The newest revision of an alert on fsoc.alerts. digest: of the whole record."""

    revision: int
    digest: bytes


def digest_of(value: bytes) -> bytes:
    return blake2b(value, digest_size=16).digest()


class _Group(NamedTuple):
    """One group to be judged.

    soon_ms: how far event time will be settled once all that waits is worked.
    since, before, seals: of institutions' pasts; before: from when on they were known before what is in flight.
    """

    rule: CorrelationRule
    key: GroupKey
    entries: Sequence[Entry]
    alerts: Mapping[int, AlertRecord]
    closed_ms: int | None
    soon_ms: int | None
    live_from: int
    is_in_flight: bool
    since: Mapping[str, int]
    before: Mapping[str, int]
    seals: Mapping[str, Seal]

    def otherwise(self) -> Iterator[_Group]:
        """As it may be judged as well while workers run: as it will be, and as it was."""
        soon = self._replace(closed_ms=self.soon_ms)
        is_soon_otherwise = not self.rule.rising and self.soon_ms != self.closed_ms
        if is_soon_otherwise:
            yield soon
        if self.rule.past is not None and self.before != self.since:
            yield self._replace(since=self.before)
            if is_soon_otherwise:
                yield soon._replace(since=self.before)


def check_alerts(
    found: Shard,
    members: Mapping[str, Member],
    partitions: int,
    tactics: Mapping[str, int],
    verdict: Verdict,
    alert_key: bytes = b"",
) -> int:
    """Judge every group that may still change; return how much was found. alert_key: by which workers make ids."""
    if not found.is_judgeable:
        return 0
    before = len(verdict.findings)
    settled = [found.expired_until(members, depth) for depth in DEPTHS]
    soon = found.closed_soon(frozenset(members), partitions)
    moving = {name_of(key)[0] for key in found.tail.named}
    alerts: dict[GroupKey, dict[int, AlertRecord]] = {}
    for record in found.alerts.values():
        alerts.setdefault(GroupKey(*record.key), {})[record.episode] = record
    groups = found.groups()
    verdict.looked.groups += len(groups)
    since, earlier = found.known_since(), found.since_before()
    for key in sorted(groups.keys() | alerts.keys()):
        defined = found.definitions.get(key.rule)
        if key in found.doubted:
            continue
        of_it = alerts.get(key, {})
        is_in_flight = key in moving
        _check_status(found, of_it, soon, is_in_flight, verdict)
        if defined is None or key not in groups or defined.rule.silent:
            continue  # nothing of it is held, and no worker judges it again; or it raises no alerts
        rule, place = defined.rule, defined.rule.depth - 1
        live_from, closed_ms = settled_from(rule, settled[place]), found.closed_ms(rule.depth)
        past = (since, earlier, found.seals.get(key, {}))
        group = _Group(rule, key, groups[key], of_it, closed_ms, soon[place], live_from, is_in_flight, *past)
        _check_group(found, group, tactics, verdict, alert_key)
    return len(verdict.findings) - before


def _check_group(found: Shard, group: _Group, tactics: Mapping[str, int], verdict: Verdict, alert_key: bytes) -> None:
    now = bodies(group, tactics, alert_key)
    otherwise = [bodies(other, tactics, alert_key) for other in group.otherwise()]
    for episode in sorted(group.alerts.keys() | now.keys() | {number for other in otherwise for number in other}):
        if episode < group.live_from:
            continue
        record = group.alerts.get(episode)
        if record is not None and record.episode_ms != group.rule.episode_ms:
            continue  # named by an earlier definition: its episodes cannot be told from these numbers
        expected = now.get(episode)
        if _agrees(record, expected):
            continue
        if group.is_in_flight or any(other.get(episode) != expected for other in otherwise):
            verdict.looked.in_flight_alerts += 1
            continue
        _tell(found, alert_id(group.key, episode, alert_key), record, expected, verdict)


def bodies(group: _Group, tactics: Mapping[str, int], alert_key: bytes = b"") -> dict[int, dict[str, Any]]:
    """What the alerts of the episodes that may still change must say, by episode: the plain way."""
    decided = None if group.rule.rising else (NEVER_MS if group.closed_ms is None else group.closed_ms)
    judged = satisfied_by_past(group.rule, group.entries, decided, group.since, group.seals)
    holding = {each.episode: each for each in judged}
    composed: dict[int, dict[str, Any]] = {}
    for number, episode in holding.items():
        if number < group.live_from:
            continue
        before = group.alerts.get(number - 1)
        stood = before is not None and number - 1 < group.live_from and before.status != "retracted"
        goes_on = (number - 1 in holding and number - 1 >= group.live_from) or stood
        continues = alert_id(group.key, number - 1, alert_key) if goes_on else None
        body = compose(group.rule, group.key, episode, continues, tactics, name=alert_id(group.key, number, alert_key))
        composed[number] = _as_compared(orjson.loads(orjson.dumps(body)))
    return composed


def _as_compared(body: dict[str, Any]) -> dict[str, Any]:
    """Without what is of the day on which it was written, as ATT&CK's order, and what campaigns say of it."""
    compared = {
        name: value
        for name, value in body.items()
        if name not in {"clocks", "suppressed", "campaign_id", "attack_version"}
    }
    for name in ("attack", "timeline"):
        if isinstance(body.get(name), list):
            compared[name] = sorted(map(str, body[name]))
    return compared


def _agrees(record: AlertRecord | None, expected: dict[str, Any] | None) -> bool:
    if expected is None:
        return record is None or record.status == "retracted"
    return record is not None and record.status != "retracted" and _as_compared(record.body) == expected


def _tell(
    found: Shard, name: str, record: AlertRecord | None, expected: dict[str, Any] | None, verdict: Verdict
) -> None:
    key = ALERT + name.encode()
    if key in found.unreadable:
        return
    if expected is None:
        verdict.find("extra-alert", found.place(key), "stands, and its entries do not raise it; expected retracted")
    elif record is None:
        tickets = expected["ticket_count"]
        text = f"is not there; {tickets} tickets raise it at {expected['raised_at_event_time']}"
        verdict.find("missing-alert", found.place(key), text)
    elif record.status == "retracted":
        text = f"is retracted; {expected['ticket_count']} tickets raise it at {expected['raised_at_event_time']}"
        verdict.find("wrong-alert", found.place(key), text)
    else:
        verdict.find(
            "wrong-alert", found.place(key), f"its body differs from its entries: {_differences(record, expected)}"
        )


def _differences(record: AlertRecord, expected: dict[str, Any]) -> str:
    body = _as_compared(record.body)
    names = sorted(name for name in body.keys() | expected.keys() if body.get(name) != expected.get(name))
    shown = [f"{name} {_short(body.get(name))}, expected {_short(expected.get(name))}" for name in names[:SHOWN_MAX]]
    more = f"; and {len(names) - SHOWN_MAX} more fields" if len(names) > SHOWN_MAX else ""
    return "; ".join(shown) + more


def _short(value: object) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}…"


def _check_status(
    found: Shard,
    alerts: Mapping[int, AlertRecord],
    soon: Sequence[int | None],
    is_in_flight: bool,
    verdict: Verdict,
) -> None:
    """An alert that stands is final as soon as event time is settled past its episode."""
    for episode, record in alerts.items():
        end_ms = (episode + 1) * record.episode_ms
        times = (found.closed_ms(record.depth), soon[record.depth - 1])
        now, then = (at is not None and at >= end_ms for at in times)
        if record.status == "retracted" or (record.status == "final") == now:
            continue
        if is_in_flight or now != then:
            verdict.looked.in_flight_alerts += 1
            continue
        expected = "final" if now else "open"
        place = found.place(ALERT + record.alert().id.encode())
        verdict.find("wrong-status", place, f"is {record.status}, expected {expected}")


def check_published(found: Shard, published: Mapping[str, Published], verdict: Verdict) -> None:
    """The newest revision that was published, read before the state was, is at most the state's, and the same.

    Not of alerts that are known to be wrong in the state.
    """
    told = {finding.place.key for finding in verdict.findings}
    for key, record in found.alerts.items():
        if key in told or record.link:
            continue
        alert = record.alert()
        seen = published.get(alert.id)
        if seen is None or seen.revision < alert.revision:
            verdict.looked.unpublished += 1
        elif seen.revision > alert.revision:
            text = f"is at revision {alert.revision}; fsoc.alerts has revision {seen.revision}"
            verdict.find("published-ahead", found.place(key), text)
        elif seen.digest != digest_of(alert.wire()):
            text = f"fsoc.alerts has another body of revision {alert.revision}"
            verdict.find("published-otherwise", found.place(key), text)
