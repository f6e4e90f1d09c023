"""What is held of campaigns is what a worker would make of it, what was published, and what alerts say."""

from __future__ import annotations

import orjson
import pytest


def campaign(records):
    """Key, value and partition of one campaign that stands."""
    return next(
        (key, orjson.loads(value))
        for (_, key), value in sorted(records.items())
        if key.startswith(b"campaign/") and orjson.loads(value)["status"] == "open"
    )


async def test_campaigns_of_an_exercise_are_looked_at_and_sound(worked):
    verdict = await worked.verify()

    assert verdict.is_sound, verdict.findings
    assert verdict.looked.campaigns >= 2


async def test_a_campaign_that_its_links_do_not_make_would_be_written_anew(worked):
    key, _ = campaign(await worked.records("campaign.state"))
    await worked.change("campaign.state", 0, key, status="retracted", revision=99)
    await worked.write("campaigns", 0, key.removeprefix(b"campaign/"), None)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.key) == ("restart", key)


async def test_what_was_published_is_what_the_state_has_or_older(worked):
    key, state = campaign(await worked.records("campaign.state"))
    name = key.removeprefix(b"campaign/")
    published = orjson.loads((await worked.records("campaigns"))[0, name])

    await worked.write("campaigns", 0, name, orjson.dumps(published | {"revision": state["revision"] + 1}))
    assert await worked.codes() == ["published-ahead"]
    await worked.write("campaigns", 0, name, orjson.dumps(published | {"severity": 0}))
    assert await worked.codes() == ["published-otherwise"]
    await worked.write("campaigns", 0, name, orjson.dumps(published | {"revision": 0}))
    verdict = await worked.verify()
    assert (verdict.is_sound, verdict.looked.unpublished) == (True, 1)


async def test_an_alert_that_says_it_is_in_another_campaign_is_found(worked):
    records = await worked.records("correlation.state")
    (partition, key), value = next(
        (name, value)
        for name, value in sorted(records.items())
        if name[1].startswith(b"alert/") and orjson.loads(value)["body"]["campaign_id"] is not None
    )
    alert = orjson.loads(value)
    body = alert["body"] | {"campaign_id": "ca-another"}
    await worked.change("correlation.state", partition, key, body=body, revision=alert["revision"] + 1)

    (finding,) = (await worked.verify()).findings
    assert (finding.code, finding.place.key) == ("wrong-campaign", key)


@pytest.mark.parametrize("kind", [b"header", b"node/", b"word/", b"campaign/"])
async def test_a_record_that_is_not_ours_is_unreadable(worked, kind):
    records = await worked.records("campaign.state")
    key = next(key for _, key in sorted(records) if key.startswith(kind))
    await worked.write("campaign.state", 0, key, b"[]")

    assert "unreadable" in await worked.codes()


async def test_links_committed_before_their_state_is_there_are_found(worked):
    header = orjson.loads((await worked.records("campaign.state"))[0, b"header"])
    await worked.change("campaign.state", 0, b"header", offset=header["offset"] - 1)
    await worked.write("campaign.state", 0, b"header", None)
    await worked.write("campaign.state", 0, b"header", orjson.dumps(header | {"offset": header["offset"] - 1}))

    assert await worked.codes() == ["committed-ahead"]


async def test_state_without_its_header_is_found(worked):
    await worked.write("campaign.state", 0, b"header", None)

    assert await worked.codes() == ["no-header"]


async def test_links_that_wait_are_no_fault(worked):
    """A decision that nobody has worked yet: alerts do not know of it, and need not."""
    decision = {
        "schema": "fsoc.decision/1",
        "decision_id": "de-1",
        "op": "undo",
        "by": "lin",
        "reason": "none",
        "decided_at": "2026-03-02T00:00:00.000Z",
        "environment": "production",
    }
    await worked.write("links", 0, b"decision/de-1", orjson.dumps(decision))

    assert (await worked.verify()).is_sound
