"""Forgetting changes nothing: months of links from partitions that run ahead of each other, against brute force of all.

A ticket has one day; a link or alert has tickets of a week; a partition tells them in order and says how far it is.

    partition 0   n0 n2 ──────────── reach ── n5 ──…        read in any interleaving
    partition 1   n1 ─ reach ── n3 n4 ──────────────…
"""

from __future__ import annotations

import os

from campaign_oracle import campaigns
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.campaigns.compose import campaign_id
from fsoc.campaigns.records import Reach
from fsoc.feeds.ledger import END_MS
from tests.campaign_stage import Topics, make_told

DAY = 86_400_000
NOON = 20_000 * DAY
MANY = 20 if os.environ.get("FSOC_SOAK") else 1

one = st.tuples(
    st.integers(0, 20),  # weeks of 5 days
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 6)), min_size=1, max_size=4, unique=True),
    st.integers(0, 1),  # the partition
    st.integers(0, 3),  # the value; 3 is an alert's
    st.sampled_from(["final", "final", "final", "retracted"]),
)


def build(number, week, tickets, partition, value, status):
    days = [week * 5 + day for _, day in tickets]
    what = {"what": "alert"} if value == 3 else {"group": {"indicator": f"v{value}"}}
    return make_told(
        f"n{number}",
        " ".join(f"{who}{week * 5 + day}" for who, day in tickets),
        partition=partition,
        status=status,
        at=NOON + min(days) * DAY,
        last_ms=NOON + max(days) * DAY,
        **what,
    )


@settings(max_examples=100 * MANY, deadline=None)
@given(drawn=st.lists(one, min_size=4, max_size=24), data=st.data())
def test_campaigns_are_those_of_everything_that_was_ever_told(drawn, data):
    told = [build(number, *each) for number, each in enumerate(drawn)]
    logs = []
    for partition in (0, 1):
        mine = sorted((each for each in told if each.partition == partition), key=lambda each: each.first_ms)
        log = []
        for place, each in enumerate(mine):
            if data.draw(st.booleans()):
                log.append(Reach(partition, each.first_ms))
            log.append(each)
            if place and data.draw(st.integers(0, 9)) == 0:
                log.append(each)  # said again
        logs.append([*log, Reach(partition, END_MS - 1)])
    topics = Topics(partitions=2)
    while any(logs):
        log = data.draw(st.sampled_from([log for log in logs if log]))
        size = data.draw(st.integers(1, 4))
        topics.take(*log[:size])
        del log[:size]
        if data.draw(st.integers(0, 9)) == 0:
            topics.start()

    found = campaigns(told, [], 40)
    standing = topics.standing()
    assert set(standing) == {campaign_id(root) for root in found}
    for root, members in found.items():
        campaign = standing[campaign_id(root)]
        assert {*campaign["alert_ids"], *(each["id"] for each in campaign["links"])} == members
        assert campaign["status"] == "final"
    assert topics.named() == {
        each.id: campaign_id(root)
        for root, members in found.items()
        for each in told
        if each.id in members and each.what == "alert"
    }
    assert topics.let_go == {each.id for each in told}
    assert list(topics.state) == [b"header"]
