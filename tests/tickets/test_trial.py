"""Test tickets are valid now, in one run of numbers, and never those of another moment."""

from __future__ import annotations

import orjson
import pytest

from fsoc.tickets.decode import decode
from fsoc.tickets.times import milliseconds
from fsoc.tickets.trial import trial

NOW_MS = 1_772_452_800_000


def test_tickets_count_from_one_and_the_heartbeat_tells_of_all_of_them():
    *tickets, heartbeat = trial("fi-009", "edr", NOW_MS, 3, heartbeat=True)

    read = [decode(orjson.dumps(body), institution="fi-009") for body in (*tickets, heartbeat)]
    assert [message.kind for message in read] == ["ticket"] * 3 + ["source_status"]
    assert {(message.feed, message.seq_epoch, message.environment) for message in read} == {
        ("edr", heartbeat["seq_epoch"], "test")
    }
    assert [body["seq"] for body in tickets] == [1, 2, 3]
    assert heartbeat["last_seq"] == heartbeat["tickets_opened"] == 3


def test_none_is_of_the_future_and_what_happened_first_is_told_so():
    (ticket,) = trial("fi-009", "edr", NOW_MS, 1)

    times = [milliseconds(ticket[name]) for name in ("occurred_from", "detected_at", "created_at", "sent_at")]
    assert times == sorted(times)
    assert times[-1] == NOW_MS


@pytest.mark.parametrize("name", ["ticket_id", "seq_epoch"])
def test_another_moment_makes_others(name):
    first, second = ([body[name] for body in trial("fi-009", "edr", NOW_MS + later, 5)] for later in (0, 1))

    assert set(first).isdisjoint(second)
