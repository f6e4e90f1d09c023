"""What one member claims in `volume` raises nothing by itself, and lifts nobody else's small flood over a threshold.

fi-00a  peak_bps 2^63-1, again and again    one member: half of what is asked for, however much it claims
fi-00b  peak_bps a little below its half    no alert
fi-00b  peak_bps its half                   an alert: two independent members claim it
"""

from __future__ import annotations

import os
from random import Random

import pytest

from fsoc.correlation.rules import DAY_MS
from fsoc.runtime.rules import load_ruleset
from tests.rules.adversary.asked import Case, fed, joint_rules, members_asked
from tests.rules.adversary.games import again, inflated, play
from tests.rules.adversary.sector import START_MS, Sector, members, registry, write

TRIES = 30 * (20 if os.environ.get("FSOC_SOAK") else 1)
"""Of each rule."""

CAPPED = """
title: Floods that add up
id: 6d1d9b6e-2d39-4a54-9d4e-3d8f0a2b7c11
name: capped_flood
correlation:
  type: value_sum
  rules: [any_flood]
  group-by: [assets.type]
  timespan: 15m
  condition: {gte: 20000000000, field: volume.peak_bps}
fsoc: {non_negative: true, cap_each: half}
---
title: A flood
id: 0b5a8a52-9c1d-4f40-8f0b-6a3a4a0a7e55
name: any_flood
logsource: {product: fsoc}
detection: {flood: {category: availability.ddos}, condition: flood}
"""
"""A rule on sums, whether or not one is shipped."""

CAPPED_CASE = {
    "groups": ["internet_banking", "mobile_app"],
    "ticket": {
        "category": "availability.ddos",
        "volume": {"peak_bps": 30_000_000_000},
        "assets": [{"ref": "www", "type": "GROUP"}],
    },
}


@pytest.fixture(scope="module")
def known():
    return registry()


@pytest.fixture(scope="module")
def claims(ruleset, documents, correlation_cases, tmp_path_factory):
    """(rule set, case, members asked for) of every joint rule that looks at volume, by name; and of CAPPED."""
    found = {}
    for name, rule in joint_rules(ruleset, documents).items():
        if looks_at_volume(rule, ruleset, documents):
            case = Case(rule, correlation_cases[name], ruleset)
            assert all("volume" in one for one in case.tickets("")), f"the case of {name} says no volume"
            found[name] = ruleset, case, members_asked(rule, ruleset.correlations)
    path = tmp_path_factory.mktemp("rules") / "capped.yml"
    path.write_text(CAPPED)
    capped = load_ruleset([path])
    assert capped.problems == ()
    [rule] = capped.correlations.values()
    return {**found, "capped_flood": (capped, Case(rule, CAPPED_CASE, capped), 2)}


def looks_at_volume(rule, ruleset, documents):
    """Whether it, or one that it names, sums, counts or compares a field of `volume`."""
    if any(name.startswith("volume.") for name in (*rule.fields, *(name for name, _ in rule.also))):
        return True
    by_id = {document["id"]: document for document in documents.values()}
    for name in rule.rules:
        if name in ruleset.correlations:
            if looks_at_volume(ruleset.correlations[name], ruleset, documents):
                return True
        elif "volume." in str(by_id[name]["detection"]):
            return True
    return False


class Flood:
    """One try: who is in it, what they claim, and whether that raises the rule's alert."""

    def __init__(self, ruleset, case, seed, known):
        self.rng = Random(f"{case.rule.id}/{seed}")
        self.case, self.group = case, case.group(seed)
        self._ruleset, self._known = ruleset, known
        self._members = self.rng.sample(members(), len(members()))
        self._sent = []

    def told(self, names, volumes=None):
        """Tickets of these affiliates: the case's, or with other volumes in its place."""
        for name in names:
            for changes in self.case.tickets(self.group):
                for volume in volumes or [changes["volume"]]:
                    at = START_MS + DAY_MS + self.rng.randrange(self.case.rule.timespan_ms * 9 // 10)
                    ticket_id = f"T-{self.rng.getrandbits(48):x}"
                    yield write(name, ticket_id, at, {**changes, "volume": volume})

    def inflating(self):
        """One member, by as many affiliates as it has, with any numbers, games and repetitions."""
        names = self._members.pop()
        for one in self.told(self.rng.sample(names, self.rng.randint(1, len(names)))):
            for claim in inflated(self.rng, one):
                self._sent += again(self.rng, claim)
        self._sent = play(self.rng, self._sent, most=2)

    def joining(self, volumes=None):
        """One honest member, by one ticket, or one for each of these volumes."""
        self._sent += self.told(self._members.pop()[:1], volumes)

    def alerts(self):
        """What was ever published of the rule."""
        sector = Sector(self._ruleset, self._known)
        sector.take(self._sent)
        return [alert for alert in sector.finish() if alert["rule_id"] == self.case.rule.id]

    def small(self, among):
        """Volumes too small for the rule to look at; where it sums, so that those of so many members are below half."""
        [changes] = self.case.tickets(self.group)
        rule = self.case.rule
        if rule.cap_each:
            most = (rule.condition.floor / 2 - 1) / among
            name = rule.fields[0].removeprefix("volume.")
            return [
                {**changes["volume"], name: int(most * self.rng.choice((0, self.rng.random(), 1)))} for _ in range(3)
            ]
        while True:
            share = self.rng.choice((0, self.rng.random()))
            volume = {name: int(number * share) for name, number in changes["volume"].items()}
            at_all = write("fi-001", "T", START_MS, {**changes, "volume": volume})
            if not list(fed(self._ruleset, at_all.body, rule)):
                return [volume]


@pytest.fixture(scope="module")
def floods(claims, known):
    """(name, seed, members asked for, a try that nobody is in yet), TRIES of each rule."""

    def every():
        for name, (ruleset, case, asked) in claims.items():
            for seed in range(TRIES):
                yield name, seed, asked, Flood(ruleset, case, seed, known)

    return every


def test_there_are_rules_that_look_at_volume(claims):
    assert {"ddos_wave", "credential_stuffing", "capped_flood"} <= set(claims)


def test_one_member_raises_nothing_whatever_it_claims(floods):
    for name, seed, _, flood in floods():
        flood.inflating()

        assert flood.alerts() == [], (name, seed)


def test_nobody_lifts_the_small_flood_of_another_over_what_is_asked(floods):
    """As many as are asked for take part. One claims anything; one other, or where numbers add up all, has little."""
    for name, seed, asked, flood in floods():
        flood.inflating()
        small = asked - 1 if flood.case.rule.cap_each else 1
        for _ in range(asked - 1 - small):
            flood.joining()
        for _ in range(small):
            flood.joining(flood.small(small))

        assert flood.alerts() == [], (name, seed)


def test_a_flood_of_as_many_as_are_asked_for_is_told(floods):
    """One of them exaggerates: the alert does not need it to, nor does that spoil it."""
    raised = {}
    for name, _, asked, flood in floods():
        flood.inflating()
        for _ in range(asked - 1):
            flood.joining()
        raised[name] = raised.get(name, 0) + bool(flood.alerts())

    assert min(raised.values()) >= TRIES / 2, raised
