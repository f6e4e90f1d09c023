"""The whole data path against the oracle of the sector: any order, split, repetition and restart ends in its alerts.

Both stages, driven step by step: which one works next, how much of its log, and where it dies, is drawn. What workers
and their group can do to it besides is for tests/simulation.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.feeds.record import Outgoing, Outputs, Record, Stage
from fsoc.runtime.log import Partition
from fsoc.tickets.times import rfc3339
from tests.simulation.check import check
from tests.simulation.members import BASE_MS, DAY, HOUR, MINUTE, Campaign, Member, Message, body_of, content, farewell
from tests.simulation.rules import CHAINS, PLAIN, rules_of
from tests.simulation.simulate import FAREWELL_MS, Run, Sector
from tests.simulation.worker import PREFIX

MANY = 20 if os.environ.get("FSOC_SOAK") else 1
RULE_SETS = [rules_of(documents) for documents in (*(PLAIN[at : at + 3] for at in range(0, len(PLAIN), 3)), *CHAINS)]
RECEIVED_MS = BASE_MS + DAY
STATES = {"detections": "correlation.state", "links": "campaign.state"}
"""Of what stages tell each other, where those who are told keep theirs."""
CAMPAIGNS = [
    Campaign(0, 0, ("x.example", "y.example"), ("user-1", "user-2"), "S-1"),
    Campaign(0, 0, ("x.example",), ("user-1",), "S-2"),
]
CONTENTS = [content(Random(number), CAMPAIGNS[number % 2]) for number in range(60)]
MEMBERS = ["fi-000", "fi-001", "fi-002", "fi-003"]
HOLDINGS = {"fi-001": "group-0", "fi-002": "group-0"}
ACTIONS: list[dict[str, Any]] = [
    {"action": "open"},
    {"action": "open"},
    {"action": "update"},
    {"action": "update"},
    {"action": "retract"},
    {"action": "close", "status": "resolved", "verdict": "false_positive"},
    {"action": "close", "status": "resolved", "verdict": "true_positive"},
]


@dataclass(frozen=True)
class Sent:
    """One message in a few numbers. again: how many places further on it is sent once more; 0 is never."""

    member: int
    ticket: int
    revision: int
    slot: int
    beside: int
    content: int
    action: int
    environment: str
    again: int

    def body(self) -> dict[str, Any]:
        # Around a midnight, where episodes meet, on a grid: equal times, and distances of exactly a timespan.
        at = BASE_MS + self.slot * 15 * MINUTE + self.beside
        changes = CONTENTS[self.content] | ACTIONS[self.action]
        member = Member(MEMBERS[self.member], None, 0, frozenset(), 0)
        return body_of(member, f"t-{self.ticket}", self.revision, self.environment, at, RECEIVED_MS, changes)


SENT = st.builds(
    Sent,
    st.integers(0, 3),
    st.integers(0, 3),
    st.sampled_from((1, 1, 1, 2, 3)),
    st.integers(-36, 36) | st.integers(-4, 4),
    st.sampled_from((0, 0, 0, 1, -1, 400_000)),
    st.integers(0, len(CONTENTS) - 1),
    st.integers(0, len(ACTIONS) - 1),
    st.sampled_from(("production", "production", "production", "exercise")),
    st.sampled_from((0, 0, 1, 5)),
)


def messages_of(sent: list[Sent], spoilt: set[int]) -> list[Message]:
    """In order of arrival. spoilt: places before which something arrives that is no ticket."""
    placed: list[tuple[int, int, Message]] = []
    for place, one in enumerate(sent):
        body, name = one.body(), MEMBERS[one.member]
        placed.append((place, 0, Message(RECEIVED_MS, name, json.dumps(body).encode())))
        if one.again:
            body["sent_at"] = rfc3339(RECEIVED_MS + 1)
            placed.append((place + one.again, 1, Message(RECEIVED_MS, name, json.dumps(body).encode())))
        if place in spoilt:
            placed.append((place, 2, Message(RECEIVED_MS, name, b'{"kind": "ticket"', is_garbage=True)))
    return [message for _, _, message in sorted(placed, key=lambda item: item[:2])]


@dataclass
class Part:
    """One partition that a stage works: its log, how far it is committed, its state as the log keeps it."""

    records: list[Record] = field(default_factory=list)
    committed: int = 0
    state: list[Record] = field(default_factory=list)
    stage: Stage | None = None


class Driver:
    """All stages of a sector, on logs that are lists."""

    def __init__(self, sector: Sector, lot: Random, crashes: int) -> None:
        self.sector = sector
        self.lot = lot
        self.crashes = crashes
        self.run = Run(sector)
        self.parts: dict[Partition, Part] = {}
        self._echoes: list[list[Outgoing]] = []  # what workers had in hand that are thought dead, and is still to come
        self._pipeline = sector.pipeline()
        for member in sector.members:
            self.parts[f"tickets.{member.name}", 0] = Part()
            self.run.topics[f"{PREFIX}receipts.{member.name}"] = [[]]
        for number in range(sector.partitions):
            self.parts["detections", number] = Part()
        self.parts["links", 0] = Part()
        self.run.topics |= {f"{PREFIX}{topic}": [[]] for topic in ("alerts", "campaigns")}

    def send(self, messages: list[Message]) -> None:
        for message in messages:
            self._append(self.parts[f"tickets.{message.institution}", 0].records, message.arrives_ms, message.payload)

    def work_all(self) -> None:
        """Work until nothing is left and nothing comes of it any more."""
        while True:
            waiting = [name for name, part in self.parts.items() if part.committed < len(part.records)]
            if self._echoes and (not waiting or self.lot.random() < 0.1):
                for topic, number, key, value in self._echoes.pop(self.lot.randrange(len(self._echoes))):
                    self._append(self.parts[topic, number].records, 0, value, key)
            elif waiting:
                self._work(self.lot.choice(waiting))
            elif not self._idle():
                return

    def finished(self) -> Run:
        for (topic, _), part in self.parts.items():
            self.run.topics.setdefault(f"{PREFIX}{topic}", []).append(part.records)
            state = STATES.get(topic, "intake.state")
            self.run.topics.setdefault(f"{PREFIX}{state}", []).append(part.state)
        return self.run

    def _work(self, name: Partition) -> None:
        part = self.parts[name]
        end = min(len(part.records), part.committed + self.lot.choice((1, 2, 5, 100)))
        outputs = self._stage(name).work(part.records[part.committed : end])
        if not self.crashes or self.lot.random() < 0.7:
            self._write(name, outputs)
            part.committed = end
            return
        self.crashes -= 1
        self._write(name, outputs, cut=True)
        part.stage = None

    def _idle(self) -> bool:
        """Tell everybody that nothing is there; whether something is now."""
        names = list(self.parts)
        self.lot.shuffle(names)
        for name in names:
            self._write(name, self._stage(name).idle())
        return any(part.committed < len(part.records) for part in self.parts.values())

    def _stage(self, name: Partition) -> Stage:
        """As it is, or as a restart makes it."""
        part = self.parts[name]
        while part.stage is None:
            topic, number = name
            stage: Stage
            match topic:
                case "detections":
                    stage = self._pipeline.correlate(number)
                case "links":
                    stage = self._pipeline.campaigns()
                case _:
                    stage = self._pipeline.intake(topic.removeprefix("tickets."))
            for record in part.state:
                stage.restore(record.key or b"", record.value)
            outputs = stage.restored()
            cut = self.crashes > 0 and self.lot.random() < 0.2
            self.crashes -= cut
            self._write(name, outputs, cut=cut)
            part.stage = None if cut else stage
        return part.stage

    def _write(self, name: Partition, outputs: Outputs, *, cut: bool = False) -> None:
        """State first. cut: only a first part of it is written, or all of it and a first part of what is published.

        Who has written its state may be slow rather than dead, and publish when another has long gone on.
        """
        states, published = len(outputs.state), len(outputs.published)
        if cut:
            states = self.lot.choice((0, states, self.lot.randint(0, states)))
            published = self.lot.randint(0, published) if states == len(outputs.state) else 0
            if states == len(outputs.state) and self.lot.random() < 0.5:
                self._echoes.append([one for one in outputs.published if one.topic == "detections"])
        part = self.parts[name]
        for key, value in outputs.state[:states]:
            part.state.append(Record(len(part.state), 0, key, value))
        committed = {(PREFIX + topic, number): at.committed for (topic, number), at in self.parts.items()}
        for topic, number, key, value in outputs.published[:published]:
            if topic in STATES:
                self._append(self.parts[topic, number].records, 0, value, key)
            elif PREFIX + topic in self.run.topics:
                self._append(self.run.topics[PREFIX + topic][number], 0, value, key)
                if topic == "alerts":
                    self.run.alerts_made.append(committed)
        for key in () if cut else outputs.forgotten:
            part.state.append(Record(len(part.state), 0, key, None))

    @staticmethod
    def _append(log: list[Record], timestamp_ms: int, value: bytes, key: bytes | None = None) -> None:
        log.append(Record(len(log), timestamp_ms, key, value))


@pytest.mark.parametrize("rules", RULE_SETS, ids=lambda rules: ", ".join(rule.id for rule in rules))
@settings(max_examples=190 * MANY, deadline=None)
@given(
    sent=st.lists(SENT, min_size=1, max_size=18),
    spoilt=st.sets(st.integers(0, 17), max_size=2),
    lateness_ms=st.sampled_from((HOUR, DAY)),
    partitions=st.integers(1, 8),
    seed=st.integers(0, 2**32),
    crashes=st.integers(0, 8),
)
def test_any_order_split_repetition_and_restart_ends_in_the_alerts_of_the_final_tickets(
    rules, sent, spoilt, lateness_ms, partitions, seed, crashes
):
    """With a day of allowed lateness nothing is late; with an hour the receipts say what is, and say it rightly."""
    members = [Member(name, HOLDINGS.get(name), lateness_ms, frozenset(), 0) for name in MEMBERS]
    sector = Sector(members, messages_of(sent, spoilt), rules, partitions)
    driver = Driver(sector, Random(seed), crashes)

    driver.send(sector.traffic)
    driver.work_all()
    driver.crashes = 0
    driver.send([farewell(member, RECEIVED_MS + FAREWELL_MS) for member in members])
    driver.work_all()

    check(driver.finished())
