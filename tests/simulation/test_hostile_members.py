"""Forty members, thirteen of them silent, wrong or loud: what the others are told does not suffer."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import orjson
import pytest

from fsoc.tickets.times import TIME_MAX_MS, milliseconds, rfc3339
from tests.simulation import members
from tests.simulation.check import check, check_outcomes, check_revisions, newest_alerts
from tests.simulation.faults import Faults
from tests.simulation.members import BASE_MS, DAY, HOUR, Campaign, Member, Message
from tests.simulation.rules import ALL, CHAINS, PLAIN, rules_of
from tests.simulation.simulate import Run, Sector, run

OTHERS = 27
HORIZON_MS = 2 * DAY
MILD = ("reordering", "duplicating", "revising", "retracting", "late")
# Of groups that are somebody's: one for everybody, or for all with a category, is shared with whoever is hostile.
NAMES = ("two see one", "two groups", "exactly two", "pairs", "own", "two of three", "growing sum", "mean")
RULES = rules_of([*(data for data in PLAIN if data["id"] in NAMES), *CHAINS[0]])
RISING = {rule.id for rule in RULES if rule.rising and all(name in ALL for name in rule.rules)}


@dataclass(frozen=True)
class Hostile:
    """A member, and how wrong its clock is: added to every time that it writes."""

    member: Member
    clock_ms: int = 0
    far_future: bool = False


def hostile_members() -> list[Hostile]:
    def member(number: int, **changes: Any) -> Member:
        return replace(Member(f"bad-{number:02}", None, HOUR, frozenset(), 5), **changes)

    silent = [Hostile(member(number, silent=(BASE_MS + 6 * HOUR, BASE_MS + 30 * HOUR))) for number in range(10)]
    return [
        *silent,
        Hostile(member(10), clock_ms=-DAY),
        Hostile(member(11), far_future=True),
        Hostile(member(12, tickets=500)),
    ]


def sends(seed: int, hostile: Hostile, campaigns: list[Campaign]) -> list[Message]:
    """What a hostile member sends: as anybody, but with its own idea of the time."""
    sent = []
    for message in members.traffic(Random(f"{seed}/{hostile.member.name}"), hostile.member, campaigns, HORIZON_MS):
        body = orjson.loads(message.payload)
        for name in ("detected_at", "occurred_from"):
            if name in body and body["kind"] == "ticket":
                at = TIME_MAX_MS - HOUR if hostile.far_future else milliseconds(body[name]) + hostile.clock_ms
                body[name] = rfc3339(at)
        sent.append(replace(message, payload=orjson.dumps(body)))
    return sent


def campaigns_of(seed: int, who: str) -> list[Campaign]:
    """Indicators, users and suppliers that only `who` sees."""
    return [
        replace(
            campaign,
            indicators=tuple(f"{who}-{name}" for name in campaign.indicators),
            users=tuple(f"{who}-{name}" for name in campaign.users),
            supplier=f"{who}-{campaign.supplier}",
        )
        for campaign in members.draw_campaigns(Random(f"{seed}/{who}"), HORIZON_MS)
    ]


def run_sector(seed: int, *, hostile: bool, shared: bool = False) -> Run:
    others = [
        Member(f"ok-{number:02}", None, HOUR, frozenset(Random(f"{seed}/{number}").sample(MILD, 2)), 5)
        for number in range(OTHERS)
    ]
    campaigns = campaigns_of(seed, "ours")
    traffic = [
        message
        for member in others
        for message in members.traffic(Random(f"{seed}/{member.name}"), member, campaigns, HORIZON_MS)
    ]
    bad = hostile_members() if hostile else []
    for one in bad:
        traffic += sends(seed, one, campaigns if shared else campaigns_of(seed, "theirs"))
    traffic.sort(key=lambda message: message.arrives_ms)
    sector = Sector([*others, *(one.member for one in bad)], traffic, RULES, partitions=4, workers=2)
    return run(sector, Faults(Random(f"{seed}/faults"), share=0.005, most=6))


def standing(done: Run) -> dict[str, dict[str, Any]]:
    """What stands in the end, but for how often it was revised."""
    return {
        name: {**alert, "revision": 0}
        for name, alert in newest_alerts(done).items()
        if alert["status"] != "retracted"
        and any(institution.startswith("ok-") for institution in alert["institutions"])
    }


@pytest.fixture(scope="module", params=range(1, 51 if os.environ.get("FSOC_SOAK") else 2))
def seed(request):
    return request.param


@pytest.fixture(scope="module")
def alone(seed):
    """The same sector without the hostile members, held against the oracle."""
    done = run_sector(seed, hostile=False)
    check(done)
    return done


@pytest.fixture(scope="module")
def apart(seed):
    """With hostile members that share nothing with the others."""
    return run_sector(seed, hostile=True)


def test_the_hostile_members_do_what_they_are_here_for_and_everything_is_accounted_for(apart):
    outcomes = {member.name: list(check_outcomes(apart, member).values()) for member in apart.sector.members}

    assert all("accepted" in outcomes[f"bad-{number:02}"] for number in range(11))
    assert set(outcomes["bad-11"]) == {"accepted", "quarantined"}, "its last ticket is of the right year"
    assert outcomes["bad-11"].count("accepted") <= 3
    ordinary = sum(len(told) for name, told in outcomes.items() if name.startswith("ok-")) / OTHERS
    assert len(outcomes["bad-12"]) > 50 * ordinary


def test_who_shares_nothing_with_hostile_members_is_told_the_same_to_the_byte(apart, alone):
    """Ten are silent for a day, one is a day behind, one in the year 9999, one sends 100 times as much.

    Compared: every alert with a ticket of one of the other 27, in all its fields but `revision`, against the run
    without the 13: neither more nor fewer. The 13 have indicators, users and suppliers of their own.
    """
    check_revisions(apart)

    assert standing(apart) == standing(alone)
    assert len(standing(alone)) > 30


def test_who_sees_the_same_as_hostile_members_is_told_no_less_and_no_later(seed, alone):
    """As before, but the 13 see the same indicators, users and suppliers, so that alerts have tickets of both.

    Compared, for rules that more tickets cannot undo (a rule such as "exactly two" is rightly another matter when there
    are three): every alert of the run without the 13 stands in the run with them, under the same name, raised for the
    same event time or an earlier one, with all the tickets it had.
    """
    done = run_sector(seed, hostile=True, shared=True)
    for member in done.sector.members:
        check_outcomes(done, member)
    check_revisions(done)
    now = standing(done)
    compared = {name: alert for name, alert in standing(alone).items() if alert["rule_id"] in RISING}

    for name, alert in compared.items():
        assert name in now, alert
        assert now[name]["raised_at_event_time"] <= alert["raised_at_event_time"]
        for institution, tickets in alert["tickets"].items():
            assert set(tickets) <= set(now[name]["tickets"][institution])
    assert len(compared) > 30
    assert any(any(one.startswith("bad-") for one in alert["institutions"]) for alert in now.values())
