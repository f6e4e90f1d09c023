"""Ticket topics are spread evenly, move as little as can be, and other topics are assigned as Faust does."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

from fsoc.runtime.faust.assignor import spread, spread_assignor

TOPICS = [f"t.tickets.fi-{number:03d}" for number in range(400)]


def wanted(members, topics=TOPICS):
    return {topic: list(members) for topic in topics}


def held(assignment):
    return {topic: [member] for member, topics in assignment.items() for topic in topics}


def owner_of(assignment):
    return {topic: member for member, topics in assignment.items() for topic in topics}


def moved(before, after):
    now = owner_of(after)
    return {topic for topic, member in owner_of(before).items() if now[topic] != member}


@pytest.mark.parametrize("members", range(1, 12))
def test_everyone_gets_as_many_as_the_others_or_one_more(members):
    given = spread(wanted([f"w{number}" for number in range(members)]), {})

    sizes = [len(topics) for topics in given.values()]
    assert sum(sizes) == 400
    assert max(sizes) - min(sizes) <= 1


def test_four_hundred_topics_and_three_workers():
    assert sorted(len(topics) for topics in spread(wanted("abc"), {}).values()) == [133, 133, 134]


@pytest.mark.parametrize("leaver", "abc")
def test_when_one_leaves_only_its_topics_move(leaver):
    before = spread(wanted("abc"), {})
    stay = [member for member in "abc" if member != leaver]

    after = spread(wanted(stay), held(before))

    assert moved(before, after) == set(before[leaver])
    assert [len(after[member]) for member in stay] == [200, 200]


def test_when_one_joins_only_what_it_gets_moves():
    before = spread(wanted("abc"), {})

    after = spread(wanted("abcd"), held(before))

    assert moved(before, after) == set(after["d"])
    assert {len(topics) for topics in after.values()} == {100}


def test_a_new_topic_moves_no_other():
    before = spread(wanted("abc"), {})

    after = spread(wanted("abc", [*TOPICS, "t.tickets.new"]), held(before))

    assert moved(before, after) == set()


def test_the_result_depends_on_the_arguments_alone_not_on_their_order():
    members, topics = list("abcde"), TOPICS[:]
    expected = spread(wanted(members), {topic: ["a", "b"] for topic in TOPICS[:50]})
    random.Random(1).shuffle(members)
    random.Random(2).shuffle(topics)

    assert spread(wanted(members, topics), {topic: ["b", "a"] for topic in TOPICS[:50]}) == expected


def test_a_topic_that_two_claim_goes_to_one_of_them():
    """After a split brain both say so; it is restored by whoever gets it."""
    given = spread(wanted("abc", TOPICS[:3]), {TOPICS[0]: ["a", "b"]})

    assert owner_of(given)[TOPICS[0]] in "ab"


def test_while_a_registry_change_spreads_a_topic_goes_only_to_who_asks_for_it():
    wants = wanted("abc", TOPICS[:30]) | {"t.tickets.new": ["c"]}

    given = spread(wants, {})

    assert owner_of(given)["t.tickets.new"] == "c"
    assert sum(map(len, given.values())) == 31


class Cluster:
    """What aiokafka knows of the topics: how many partitions each has; None where it does not exist."""

    def __init__(self, partitions):
        self.partitions = partitions

    def partitions_for_topic(self, topic):
        count = self.partitions.get(topic)
        return None if count is None else set(range(count))


@pytest.fixture
def assignor(new_app):
    app = new_app()
    return spread_assignor("t.tickets.")(app, replicas=1)


def join(assignor, topics):
    return ConsumerProtocolMemberMetadata(assignor.version, topics, assignor._metadata.dumps())


def test_the_assignor_spreads_tickets_and_leaves_other_topics_to_faust(assignor):
    topics = [*TOPICS, "t.detections"]
    cluster = Cluster(dict.fromkeys(TOPICS, 1) | {"t.detections": 8})

    assignments = assignor.assign(cluster, {member: join(assignor, topics) for member in "abc"})

    tickets, detections = Counter(), Counter()
    for member, assignment in assignments.items():
        for topic, partitions in assignment.assignment:
            (detections if topic == "t.detections" else tickets)[member] += len(partitions)
    assert sorted(tickets.values()) == [133, 133, 134]
    assert sum(detections.values()) == 8
    assert sorted(detections.values()) == [2, 3, 3]


def test_members_accept_what_the_leader_assigned_and_keep_it_next_time(assignor):
    topics = [*TOPICS, "t.detections"]
    cluster = Cluster(dict.fromkeys(TOPICS, 1) | {"t.detections": 8})
    first = assignor.assign(cluster, {member: join(assignor, topics) for member in "abc"})
    joins = {}
    for member in "ab":  # c has died
        assignor.on_assignment(first[member])
        assert assignor.assigned_actives()
        joins[member] = join(assignor, topics)

    second = assignor.assign(cluster, joins)

    for member in "ab":
        before = {topic for topic, _ in first[member].assignment if topic in TOPICS}
        after = {topic for topic, _ in second[member].assignment if topic in TOPICS}
        assert before < after
        assert len(after) == 200


def test_a_topic_that_does_not_exist_yet_is_left_out(assignor):
    cluster = Cluster({TOPICS[0]: 1, "t.detections": 8})

    assignments = assignor.assign(cluster, {"a": join(assignor, [*TOPICS[:2], "t.detections"])})

    assert {topic for topic, _ in assignments["a"].assignment} == {TOPICS[0], "t.detections"}


def test_members_of_another_assignor_are_not_taken_for_ours(assignor):
    assert assignor.name != "faust"
