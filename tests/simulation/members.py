"""What the members of a simulated sector send, and when it arrives: all of it drawn before anything runs.

No message is so late that the sector has settled its time for good (a day): clocks, outages, delays and the time until
a correction add up to less. Up to there, what is published in the end must not depend on when it came.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from fsoc.tickets.times import TIME_MAX_MS, rfc3339

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BASE_MS = 20_000 * DAY
FUTURE_MAX_MS = 5 * MINUTE

TRAITS = (
    "late",
    "reordering",
    "duplicating",
    "revising",
    "retracting",
    "conflicting",
    "garbage",
    "slow clock",
    "fast clock",
    "year 9999",
    "silent",
    "flooding",
    "beating",
)
DETECTIONS = ("one", "two", "three")
BEAT_MS = 30 * MINUTE
TACTICS = ("execution", "exfiltration", "impact")
NUMBERS = ("1", "-2", "0.1", "0.2", "2.5", "1e2", "n/a", 7, 0.25, True, None)


@dataclass(frozen=True)
class Message:
    """One record of an institution's topic."""

    arrives_ms: int
    institution: str
    payload: bytes
    is_garbage: bool = False


@dataclass(frozen=True)
class Campaign:
    """What several members see at about one time."""

    at: int
    spread: int
    indicators: tuple[str, ...]
    users: tuple[str, ...]
    supplier: str


@dataclass
class Member:
    """One institution: how it sends."""

    name: str
    holding: str | None
    lateness_ms: int
    traits: frozenset[str]
    tickets: int
    seq: int = 0
    silent: tuple[int, int] = (0, 0)
    behind_ms: int = 0
    sent: list[Message] = field(default_factory=list)


def draw_members(lot: Random, count: int, tickets: int, horizon_ms: int) -> list[Member]:
    members = []
    for number in range(count):
        traits = frozenset(lot.sample(TRAITS, lot.choice((0, 1, 2, 3, 5))))
        start = BASE_MS + lot.randrange(horizon_ms)
        members.append(
            Member(
                name=f"fi-{number:03}",
                holding=f"group-{number % 2}" if lot.random() < 0.4 else None,
                lateness_ms=lot.choice((15 * MINUTE, HOUR, HOUR, 2 * HOUR)),
                traits=traits,
                tickets=max(1, int(tickets * lot.uniform(0.3, 1.7))) * (8 if "flooding" in traits else 1),
                silent=(start, start + lot.randrange(HOUR, 4 * HOUR)) if "silent" in traits else (0, 0),
                behind_ms=lot.randrange(HOUR, 3 * HOUR) if "slow clock" in traits else 0,
            )
        )
    return members


def draw_campaigns(lot: Random, horizon_ms: int) -> list[Campaign]:
    return [
        Campaign(
            at=BASE_MS + lot.choice((lot.randrange(horizon_ms), lot.randrange(horizon_ms // DAY + 1) * DAY)),
            spread=lot.choice((20 * MINUTE, HOUR, 3 * HOUR)),
            indicators=tuple(f"c{number}-{one}.example" for one in range(lot.randint(1, 2))),
            users=tuple(f"user-{lot.randrange(4)}" for _ in range(2)),
            supplier=f"S-{lot.randrange(3)}",
        )
        for number in range(lot.randint(1, 1 + horizon_ms // (8 * HOUR)))
    ]


def traffic(lot: Random, member: Member, campaigns: list[Campaign], horizon_ms: int) -> list[Message]:
    """Everything one member sends, in order of arrival."""
    for number in range(member.tickets):
        _ticket(lot, member, campaigns, horizon_ms, number)
    if "garbage" in member.traits:
        _garbage(lot, member, horizon_ms)
    for _ in range(lot.randrange(3)):
        _status(lot, member, BASE_MS + lot.randrange(horizon_ms))
    if "beating" in member.traits:
        for at in range(BASE_MS, BASE_MS + horizon_ms, BEAT_MS):
            if lot.random() < 0.8:
                _status(lot, member, at)
    return sorted(member.sent, key=lambda message: message.arrives_ms)


def farewell(member: Member, at: int) -> Message:
    """The last ticket of a member, long after everything else; no rule cares for it."""
    body = body_of(member, "farewell", 1, "production", at, at, {"category": "test.test"})
    return Message(at, member.name, json.dumps(body).encode())


def _ticket(lot: Random, member: Member, campaigns: list[Campaign], horizon_ms: int, number: int) -> None:
    """One ticket's life."""
    campaign = lot.choice(campaigns)
    if lot.random() < 0.8:
        at = campaign.at + lot.randrange(-campaign.spread, campaign.spread)
    else:
        at = BASE_MS + lot.randrange(horizon_ms)
    if lot.random() < 0.5:
        at -= at % (15 * MINUTE)  # equal times, and distances of exactly a timespan
    environment = lot.choice(("production", "production", "production", "exercise"))
    # The same name is another ticket at another member, and in the other environment.
    _revisions(lot, member, campaign, f"t-{number}", environment, at)
    if lot.random() < 0.05:
        _revisions(lot, member, campaign, f"t-{number}", "production" if environment == "exercise" else "exercise", at)


def _revisions(lot: Random, member: Member, campaign: Campaign, name: str, environment: str, at: int) -> None:
    """A ticket's revisions, what of them is sent again, each with its time of arrival."""
    revisions = 1
    if "revising" in member.traits and lot.random() < 0.4:
        revisions = lot.randint(2, 3)
    arrives = at + member.behind_ms + _delay(lot, member)
    for revision in range(1, revisions + 1):
        moved = at + lot.choice((0, 0, 0, lot.randrange(-HOUR, HOUR))) if revision > 1 else at
        changes = content(lot, campaign)
        if revision > 1:
            changes |= {"action": "update"}
        if lot.random() < (0.3 if "retracting" in member.traits else 0.0):
            changes |= lot.choice(
                (
                    {"action": "retract"},
                    {"action": "close", "status": "resolved", "verdict": "false_positive"},
                    {"action": "close", "status": "resolved", "verdict": "true_positive"},
                )
            )
        # A later revision mostly comes later, and now and then before what it corrects.
        arrives_at = arrives + (lot.randrange(-HOUR, 3 * HOUR) if revision > 1 else 0)
        _send(lot, member, name, revision, environment, moved, arrives_at, changes)


def _send(
    lot: Random,
    member: Member,
    name: str,
    revision: int,
    environment: str,
    at: int,
    arrives_at: int,
    changes: dict[str, Any],
) -> None:
    if "fast clock" in member.traits and lot.random() < 0.3:
        at = arrives_at + lot.randrange(FUTURE_MAX_MS, DAY)
    elif "year 9999" in member.traits and lot.random() < 0.2:
        at = TIME_MAX_MS - lot.randrange(DAY)
    else:
        arrives_at = max(arrives_at, at - lot.randrange(FUTURE_MAX_MS))
    arrives_at = _heard(member, arrives_at)
    body = body_of(member, name, revision, environment, at, arrives_at, changes)
    _occurred(lot, member, body, at)
    member.sent.append(Message(arrives_at, member.name, json.dumps(body).encode()))
    if "duplicating" in member.traits and lot.random() < 0.5:
        for _ in range(lot.randint(1, 2)):
            later = _heard(member, arrives_at + lot.randrange(2 * HOUR))
            again = {**body, "sent_at": rfc3339(later), "seq": body["seq"]}
            member.sent.append(Message(later, member.name, json.dumps(again).encode()))
    if "conflicting" in member.traits and lot.random() < 0.2:
        later = _heard(member, arrives_at + lot.randrange(HOUR))
        other = {**body, "title": "not what it was"}
        if body["kind"] == "ticket":  # intel without any would be no intel
            other["observables"] = []
        member.sent.append(Message(later, member.name, json.dumps(other).encode()))


def _delay(lot: Random, member: Member) -> int:
    if "late" in member.traits and lot.random() < 0.2:
        return lot.randrange(member.lateness_ms, 4 * HOUR)
    if "reordering" in member.traits:
        return lot.randrange(member.lateness_ms)
    return lot.randrange(3 * MINUTE)


def _heard(member: Member, arrives_at: int) -> int:
    """A member that is cut off keeps what it has and sends it when it is back."""
    begins, ends = member.silent
    return ends if begins <= arrives_at < ends else arrives_at


def _occurred(lot: Random, member: Member, body: dict[str, Any], at: int) -> None:
    """Event time said by occurred_from, or by detected_at where occurred_from is not to be believed."""
    draw = lot.random()
    if draw < 0.2:
        body["occurred_from"] = rfc3339(at)
        body["detected_at"] = rfc3339(at + lot.randrange(member.lateness_ms))
    elif draw < 0.3:
        body["occurred_from"] = rfc3339(at - 10 * DAY)


def content(lot: Random, campaign: Campaign) -> dict[str, Any]:
    """What rules match and group by."""
    observables = [
        {"type": "domain", "value": value.upper() if lot.random() < 0.2 else value, "role": lot.choice(ROLES)}
        for value in campaign.indicators
        if lot.random() < 0.9
    ]
    return {
        "kind": "intel" if observables and lot.random() < 0.15 else "ticket",
        "category": lot.choice(("fraud.phishing", "availability.ddos", "availability.ddos")),
        "severity": lot.randint(0, 5),
        "attack": [
            {"tactic": lot.choice(TACTICS), "technique": lot.choice(("T1486", "T1498", "T1485"))}
            for _ in range(lot.choice((1, 1, 2)))
        ],
        "observables": observables,
        "evidence": [_evidence(lot, campaign) for _ in range(lot.choice((1, 1, 1, 2)))],
        "suppliers": [{"supplier_id": campaign.supplier}] if lot.random() < 0.5 else [],
    }


ROLES = ("attacker", "attacker", "infrastructure", "victim")


def _evidence(lot: Random, campaign: Campaign) -> dict[str, Any]:
    fields: dict[str, Any] = {"Hits": lot.sample(DETECTIONS, lot.choice((1, 1, 1, 2, 3)))}
    if lot.random() < 0.9:
        fields["User"] = list(campaign.users) if lot.random() < 0.3 else lot.choice(campaign.users)
    if lot.random() < 0.5:
        fields["Account"] = lot.choice(campaign.users)
    if lot.random() < 0.8:
        fields["Bytes"] = [lot.choice(NUMBERS) for _ in range(2)] if lot.random() < 0.3 else lot.choice(NUMBERS)
    if lot.random() < 0.1:
        fields["institution"] = "fi-999"  # nobody believes it
    return {"fields": fields}


def body_of(
    member: Member, name: str, revision: int, environment: str, at: int, arrives_at: int, changes: dict[str, Any]
) -> dict[str, Any]:
    member.seq += 1
    sent = rfc3339(arrives_at)
    return {
        "schema": "fsoc.ticket/1",
        "kind": "ticket",
        "institution": member.name,
        "feed": "siem",
        "seq_epoch": "e1",
        "seq": member.seq,
        "ticket_id": name,
        "revision": revision,
        "action": "open",
        "environment": environment,
        "detected_at": rfc3339(at),
        "created_at": sent,
        "sent_at": sent,
        "title": "seen",
        "severity": 1,
        "is_incident": False,
        "confidence": 50,
        "status": "new",
        "trigger": {"kind": "manual"},
        "tlp": "amber",
        "attribution": "anonymous",
        **({"exercise_id": "x"} if environment == "exercise" else {}),
        **changes,
        **({} if "attack" in changes else {"attack_unmapped_reason": "none"}),
        **({"attack_version": "18.1"} if "attack" in changes else {}),
    }


def _garbage(lot: Random, member: Member, horizon_ms: int) -> None:
    def at() -> int:
        return _heard(member, BASE_MS + lot.randrange(horizon_ms))

    whole = json.dumps(body_of(member, "g", 1, "production", BASE_MS, BASE_MS, {"category": "test.test"}))
    spoilt = (
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        whole.replace('"revision": 1', '"revision": 0').encode(),
        whole.replace(member.name, "fi-998", 1).encode(),
        whole.replace(".000Z", "").encode(),
        whole[:-1].encode() + b', "kind": "ticket"}',
    )
    member.sent.extend(
        Message(at(), member.name, lot.choice(spoilt), is_garbage=True) for _ in range(lot.randint(1, 6))
    )


def _status(lot: Random, member: Member, at: int) -> None:
    """A heartbeat, in time; now and then told twice. Those of an outage are told together, of one time."""
    at = _heard(member, at)
    body = {
        "schema": "fsoc.ticket/1",
        "kind": "source_status",
        "institution": member.name,
        "feed": lot.choice(("siem", "siem", "edr")),
        "seq_epoch": "e1",
        "last_seq": lot.randrange(member.seq + 5),
        "period_from": rfc3339(at - 5 * MINUTE),
        "period_to": rfc3339(at),
        "environment": "production",
    }
    message = Message(at + lot.randrange(3 * MINUTE), member.name, json.dumps(body).encode())
    member.sent.extend([message] * (2 if lot.random() < 0.1 else 1))


def matches(body: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The detections of a simulated ticket or heartbeat; stands in for Sigma, which has its own tests."""
    if body["kind"] == "source_status":
        yield "beat", -1
        return
    if body["kind"] == "intel":
        yield "heard", -1
        return
    if body["category"] == "fraud.phishing":
        yield "four", -1
    for index, item in enumerate(body.get("evidence") or ()):
        for name in item["fields"]["Hits"]:
            yield name, index
