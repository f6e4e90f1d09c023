"""The load generator: exact counts, campaigns throughout, and an order that restarts can be tested against."""

from __future__ import annotations

import orjson

from fsoc.exercise import load


def test_it_writes_exactly_the_tickets_asked_for_over_exactly_the_institutions():
    loaded = load(institutions=20, tickets=3_000, seed=2)
    bodies = [orjson.loads(delivery.payload) for delivery in loaded.deliveries]
    tickets = {body["ticket_id"] for body in bodies if body["kind"] != "source_status"}

    assert len(tickets) == 3_000
    assert {body["institution"] for body in bodies} == {entry["id"] for entry in loaded.institutions}
    assert len(loaded.institutions) == 20
    assert loaded == load(institutions=20, tickets=3_000, seed=2)


def test_campaigns_grow_with_the_load():
    assert len(load(institutions=10, tickets=1_000).truth) == 5
    assert len(load(institutions=10, tickets=8_000).truth) == 8
