"""What event time has settled is let go of, at intake and in correlation, each in its own time: that is no fault."""

from __future__ import annotations

import orjson

from fsoc.tickets.times import rfc3339

DAY = 86_400_000
MANY = 200


async def farewells(stand, names, days):
    """One more ticket of each of these institutions, so many days after everything."""
    at = max(delivery.at_ms for delivery in stand.exercise.deliveries) + days * DAY
    for delivery in stand.exercise.deliveries:
        body = orjson.loads(delivery.payload) if b'"ticket_id"' in delivery.payload else {}
        if delivery.institution in names and body.get("kind") == "ticket" and body.get("action") == "open":
            names = names - {delivery.institution}
            when = rfc3339(at)
            body |= {"ticket_id": f"farewell-{days}", "detected_at": when, "created_at": when, "sent_at": when}
            body["seq"] += 1_000 * days
            body = {name: value for name, value in body.items() if not name.startswith("occurred")}
            topic = f"m.tickets.{delivery.institution}"
            await stand.log.append(topic, 0, None, orjson.dumps(body), at)
    assert not names


async def work(stand):
    worker = stand.worker()
    moved = True
    while moved:
        moved = await worker.intake.step(wait_ms=0, records_max=MANY)
        moved = await worker.correlate.step(wait_ms=0, records_max=MANY) or moved
        moved = await worker.campaign.step(wait_ms=0, records_max=MANY) or moved
        assert not (await stand.verify()).findings


async def test_entries_that_outlive_their_tickets_and_tickets_that_outlive_their_entries(worked):
    """Half of the members go on after a day, then after three; the others are idle, and their tickets stay live."""
    names = set(worked.registry.institutions)
    before = (await worked.verify()).looked
    await farewells(worked, set(sorted(names)[:4]), 3)
    await work(worked)
    await farewells(worked, set(sorted(names)[:4]), 30)
    await work(worked)

    looked = (await worked.verify()).looked
    assert looked.entries < before.entries / 2
    assert looked.live > before.live / 4


async def test_when_all_is_settled_only_what_is_new_is_left_and_that_is_sound(worked):
    """Alerts and links, when campaigns have let go of them: 30 days after the last that rules can reach."""
    await farewells(worked, set(worked.registry.institutions), 200)
    await work(worked)

    looked = (await worked.verify()).looked
    assert (looked.relays, looked.campaigns) == (0, 0)
    assert not any(any(each.alerts.values()) for each in (await worked.show()).partitions)
    assert looked.entries < 40
