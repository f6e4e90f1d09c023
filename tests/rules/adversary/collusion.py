"""Tries of colluders to look like one institution more than they are; the same tries with one more that joins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from fsoc.correlation.ruleset import RuleSet
from fsoc.institutions.registry import Registry
from tests.rules.adversary.asked import Case
from tests.rules.adversary.games import play
from tests.rules.adversary.sector import ALONE, DAY, HONEST, HOUR, MINUTE, START_MS, Sector, Sent, members, write

GAPS = (MINUTE, HOUR, DAY, 3 * DAY)
"""Silences between tries: after the longer ones, what comes is a surge."""

BACKGROUND_EVERY = 10
"""After so many tries everybody writes something harmless, and event time is settled up to there."""


@dataclass(frozen=True)
class Plot:
    """What colluders do against one rule, try after try.

    colluders: all ids that may send. tries: what they send. more: what one independent institution would add to each
    try, by its number; its tickets are called so.
    """

    colluders: frozenset[str]
    tries: Sequence[Sequence[Sent]]
    more: Sequence[Sequence[Sent]]


def plan(case: Case, members_wanted: int, seed: int, tries: int) -> Plot:
    """members_wanted: independent members that send; of a holding, any number of affiliates."""
    rng = Random(f"{case.rule.id}/{seed}")
    chosen = rng.sample(members(), members_wanted)
    helper = rng.choice([name for name in ALONE if (name,) not in chosen])
    span = case.rule.timespan_ms
    at = START_MS
    played, more = [], []
    for number in range(tries):
        group = case.group(seed * tries + number)
        senders = [name for names in chosen for name in rng.sample(names, rng.randint(1, len(names)))]
        told = [one for name in senders for one in _told(rng, case, name, group, at, f"T-{number}-{name}")]
        told += _heard(rng, case, senders, group, at)
        played.append([*play(rng, told), *_heard(rng, case, HONEST[:1], group, at)])
        more.append(list(_told(rng, case, helper, group, at, f"{number}-more")))
        at += span + rng.choice(GAPS)
    return Plot(frozenset(name for names in chosen for name in names), played, more)


def _told(rng: Random, case: Case, institution: str, group: str, at: int, ticket_id: str) -> list[Sent]:
    """The case's tickets of one institution, in their order, within the rule's timespan."""
    changes = case.tickets(group)
    times = sorted(at + rng.randrange(case.rule.timespan_ms * 9 // 10) for _ in changes)
    return [
        write(institution, f"{ticket_id}-{place}", when, one)
        for place, (when, one) in enumerate(zip(times, changes, strict=True))
    ]


def _heard(rng: Random, case: Case, senders: Sequence[str], group: str, at: int) -> list[Sent]:
    """The warnings without which the rule raises nothing, as many as they like; nothing where it asks for none."""
    return [
        write(name, f"I-{at}-{name}-{again}", at + rng.randrange(case.rule.timespan_ms * 9 // 10), one)
        for one in case.intel(group)
        for name in senders
        for again in range(rng.randint(0, 2))
    ]


def carry_out(ruleset: RuleSet, known: Registry, plot: Plot, *, joined: bool) -> Sequence[dict[str, Any]]:
    """Every alert that was ever published. joined: whether the one more takes part."""
    sector = Sector(ruleset, known)
    rng = Random(len(plot.tries))
    for number, (sent, more) in enumerate(zip(plot.tries, plot.more, strict=True), 1):
        every = sorted([*sent, *(more if joined else ())], key=lambda one: one.received_ms)
        cut = rng.choice((0, 0, 0, len(every) // 2))
        for part in (every[:cut], every[cut:]):
            if part:
                sector.take(part)
        if number % BACKGROUND_EVERY == 0:
            sector.background(every[-1].received_ms)
    return sector.finish()
