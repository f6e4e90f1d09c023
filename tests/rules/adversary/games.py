"""What an adversary does to tickets of its own to count for more than it is. Each game is one idea."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from fsoc.tickets.sample import source_status
from fsoc.tickets.times import milliseconds, rfc3339
from tests.rules.adversary.sector import ALONE, DAY, HONEST, HOUR, MINUTE, Sent

Game = Callable[[Random, Sent], Sequence[Sent]]
"""From one message to all that is sent in its place."""

NUMBERS: Sequence[Any] = (
    *(0, 1, 99, 10**6, 10**12, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 10**30, -1, -(10**12)),
    *(0.5, 1e12, 1e300, -1e300, "9" * 18, "1e12", "1E+400", "-5", "inf", "NaN", "0x7fffffff", " 7 ", "７"),
    *(True, None, [10**12, 10**12], {"$gt": 0}),
)
VOLUME = (
    "count distinct_sources peak_bps peak_pps peak_rps failed_logins successful_logins distinct_accounts duration_s"
)
LOOK_ALIKES = str.maketrans({"a": "а", "e": "е", "i": "і", "o": "о", "c": "с", "-": "‐", "0": "О"})


def fresh_id(rng: Random) -> str:
    return f"T-{rng.getrandbits(48):x}"


def again(rng: Random, one: Sent) -> Sequence[Sent]:
    """A burst: more tickets like it."""
    return [one, *(one.but(later_ms=rng.randrange(1_000), ticket_id=fresh_id(rng)) for _ in range(rng.randint(1, 5)))]


def resent(rng: Random, one: Sent) -> Sequence[Sent]:
    return [one, one.but(later_ms=1, seq=one.body["seq"] + 1), one.but(later_ms=2)]


def revised(rng: Random, one: Sent) -> Sequence[Sent]:
    """Corrections, which may come in any order."""
    later = [
        one.but(later_ms=rng.randrange(3), revision=revision, action="update", severity=rng.randint(0, 5))
        for revision in rng.sample(range(2, 9), rng.randint(1, 3))
    ]
    return [one, *later, one.but(later_ms=3, revision=9, action="update")]


def conflicting(rng: Random, one: Sent) -> Sequence[Sent]:
    return [one, one.but(later_ms=1, title="Another body under the same revision")]


def withdrawn(rng: Random, one: Sent) -> Sequence[Sent]:
    """Taken back, and mostly opened again."""
    back = {"action": "retract"}
    if rng.random() < 0.5:
        back = {"action": "close", "verdict": "false_positive", "status": "resolved"}
    gone = one.but(later_ms=1, revision=2, **back)
    return [one, gone] if rng.random() < 0.3 else [one, gone, one.but(later_ms=2, revision=3, action="update")]


def other_feeds(rng: Random, one: Sent) -> Sequence[Sent]:
    """By a feed that is known and one that is not, in any epoch and with any number."""
    changes = {"feed": rng.choice(("edr", "unheard-of")), "seq_epoch": rng.choice(("a", "2026-03-02", "z"))}
    return [one, one.but(ticket_id=fresh_id(rng), seq=rng.choice((1, 10**9, 2**53)), **changes)]


def other_environments(rng: Random, one: Sent) -> Sequence[Sent]:
    drill = {"environment": "exercise", "exercise_id": "drill-1"}
    return [one, one.but(**drill), one.but(environment="test")]


def other_times(rng: Random, one: Sent) -> Sequence[Sent]:
    """What occurred long before it was detected, after it, or never; at another offset from Greenwich."""
    detected = milliseconds(one.body["detected_at"])
    occurred = rfc3339(detected - rng.choice((-HOUR, 30 * MINUTE, HOUR, HOUR + 1, 3 * DAY)))
    moved = one.but(later_ms=1, ticket_id=fresh_id(rng), occurred_from=occurred, occurred_to=occurred)
    local = one.but(later_ms=1, ticket_id=fresh_id(rng), detected_at=one.body["detected_at"].replace("Z", "-00:30"))
    return [one, moved, local]


def late(rng: Random, one: Sent) -> Sequence[Sent]:
    return [one, _at(rng, one, -rng.choice((MINUTE, 50 * MINUTE, 2 * HOUR, 3 * DAY, 40 * DAY)))]


def future(rng: Random, one: Sent) -> Sequence[Sent]:
    return [one, _at(rng, one, rng.choice((4 * MINUTE, 10 * MINUTE, DAY, 4_000 * DAY)))]


def _at(rng: Random, one: Sent, moved_ms: int) -> Sent:
    at = rfc3339(milliseconds(one.body["detected_at"]) + moved_ms)
    times = dict.fromkeys(("occurred_from", "occurred_to", "detected_at", "created_at"), at)
    return one.but(later_ms=1, ticket_id=fresh_id(rng), **times)


def other_names(rng: Random, one: Sent) -> Sequence[Sent]:
    """In the body, another institution; or itself, in other letters."""
    own = one.institution
    names = [
        *(*rng.sample(HONEST, 2), *rng.sample(ALONE, 2), own.upper(), own.translate(LOOK_ALIKES)),
        *(f"{own} ", f"{own}\u200b", f"{own}/{HONEST[0]}", f"holding-{own}", "", [own, HONEST[0]], None),
    ]
    return [one, *(one.but(ticket_id=fresh_id(rng), institution=name) for name in rng.sample(names, 4))]


def two_names(rng: Random, one: Sent) -> Sequence[Sent]:
    """The key twice: a reader takes the first, another the last."""
    claimed = f'{{"institution":"{rng.choice(HONEST)}",'.encode()
    body = one.but(ticket_id=fresh_id(rng))
    return [one, replace(body, raw=claimed + body.payload[1:])]


def on_behalf(rng: Random, one: Sent) -> Sequence[Sent]:
    return [one, one.but(ticket_id=fresh_id(rng), submitted_by=rng.choice(HONEST))]


def named_fields(rng: Random, one: Sent) -> Sequence[Sent]:
    """Evidence with fields that are called what rules count, and as many values as there may be."""
    claimed = {
        "institution": HONEST + ALONE,
        "member": HONEST,
        "group": "holding-zz",
        "ticket_id": [fresh_id(rng) for _ in range(5)],
        "environment": ["production", "test"],
        "submitted_by": HONEST[0],
        "tactic": ["impact", "exfiltration", "discovery"],
        "volume.peak_bps": 10**15,
    }
    items = [{**item, "fields": {**item["fields"], **claimed}} for item in one.body.get("evidence") or ()]
    items = items or [{"logsource": {"product": "fsoc"}, "fields": claimed}]
    ext = {"institution": HONEST, "independent": True, "member": HONEST[1], "received_at": "2020-01-01T00:00:00Z"}
    return [one.but(evidence=items, ext=ext)]


def many_evidence(rng: Random, one: Sent) -> Sequence[Sent]:
    """Each item a match of its own."""
    return [one.but(evidence=(list(one.body.get("evidence") or ()) * 50)[:50])]


def look_alikes(rng: Random, one: Sent) -> Sequence[Sent]:
    """Its indicators in capitals, in other alphabets and with what nobody sees."""
    given = one.body.get("observables") or []
    twins = [
        {**item, "value": value}
        for item in given
        for text in (str(item["value"]),)
        for value in (text.upper(), text.title(), text.translate(LOOK_ALIKES), f"{text}.", f" {text}", f"{text}\u200d")
    ]
    return [one.but(observables=[*given, *twins][:200])]


def many_observables(rng: Random, one: Sent) -> Sequence[Sent]:
    given = list(one.body.get("observables") or ())
    room = rng.choice((10, 200 - len(given)))
    noise = [
        {"type": "domain", "value": f"{rng.getrandbits(32):x}.example", "role": rng.choice(("attacker", "victim"))}
        for _ in range(room)
    ]
    return [one.but(observables=given + noise)]


def inflated(rng: Random, one: Sent) -> Sequence[Sent]:
    """Any numbers beside the true ones; some are refused."""
    claims = [
        one.but(
            ticket_id=fresh_id(rng),
            volume={name: rng.choice(NUMBERS) for name in rng.sample(VOLUME.split(), rng.randint(1, 6))},
        )
        for _ in range(3)
    ]
    greatest = dict.fromkeys(VOLUME.split(), 2**63 - 1)
    return [one, *claims, one.but(ticket_id=fresh_id(rng), volume=greatest)]


def intelligence(rng: Random, one: Sent) -> Sequence[Sent]:
    return [one, one.but(ticket_id=fresh_id(rng), kind="intel", title="Heard of at all others")]


def status(rng: Random, one: Sent) -> Sequence[Sent]:
    """A feed's report, of its own or of somebody else's feed; or one that says the stream has ended."""
    at = milliseconds(one.body["detected_at"])
    report = source_status(
        institution=rng.choice((one.institution, HONEST[0])),
        last_seq=rng.choice((1, 2**53)),
        period_from=rfc3339(at - 5 * MINUTE),
        period_to=rfc3339(at + rng.choice((0, 365 * DAY))),
        environment=rng.choice(("production", "test")),
        **({"ended": True} if rng.random() < 0.3 else {}),
    )
    return [replace(one, received_ms=one.received_ms - 1, body=report), one]


def techniques(rng: Random, one: Sent) -> Sequence[Sent]:
    """Everything ATT&CK has, in any version's words."""
    known = ["T1486", "T1490", "T1059.001", "T1110", "T1566", "T1041", "T1685.005", "T9999"]
    tactics = ["impact", "execution", "credential_access", "initial-access", "exfiltration", "stealth", "nonsense"]
    pairs = [{"tactic": rng.choice(tactics), "technique": name} for name in rng.sample(known, 5)]
    version = rng.choice(("17.0", "18.1", "19"))
    return [one.but(attack=[*one.body.get("attack", []), *pairs], attack_version=version)]


def related(rng: Random, one: Sent) -> Sequence[Sent]:
    """Named, for everybody, and related to tickets of others."""
    relations = {name: [f"{HONEST[0]}-1", "T-1"] for name in ("correl_ids", "aggr_ids", "replaces_ids", "related_ids")}
    return [one.but(relations=relations, attribution="named", tlp="clear")]


GAMES: Sequence[Game] = (
    *(again, resent, revised, conflicting, withdrawn, other_feeds, other_environments, other_times, late, future),
    *(other_names, two_names, on_behalf, named_fields, many_evidence, look_alikes, many_observables, inflated),
    *(intelligence, status, techniques, related),
)
"""All that an adversary can do with what is its own: its log, and everything that it writes there."""

_LARGE = (many_evidence, many_observables)
_WEIGHTS = [1 if game in _LARGE else 5 for game in GAMES]  # these cost the most time, and are one idea each


def play(rng: Random, sent: Sequence[Sent], most: int = 3) -> list[Sent]:
    """A few games in a row, each on a ticket or two."""
    played = list(sent)
    for game in rng.choices(GAMES, _WEIGHTS, k=rng.randint(0, most)):
        places = [place for place, one in enumerate(played) if one.raw is None and "detected_at" in one.body]
        for place in sorted(rng.sample(places, min(len(places), rng.randint(1, 2))), reverse=True):
            played[place : place + 1] = game(rng, played[place])
    return played
