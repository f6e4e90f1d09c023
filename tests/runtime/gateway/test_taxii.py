"""TAXII 2.1: a client's whole walk over a real connection, paging, filters, errors, and to each institution its own."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import orjson
import pytest
from taxii2client.v21 import Collection, as_pages

from fsoc.channels.read import read_feedback
from fsoc.channels.stix import objects_of
from fsoc.runtime.gateway import collection as held
from fsoc.runtime.gateway.credentials import new_token
from fsoc.runtime.gateway.taxii import DISCOVERY, MEDIA_TYPE, ROOT, collection_id
from fsoc.runtime.kafka.topics import table
from fsoc.runtime.memory_log import MemoryLog
from tests.channels.told import record
from tests.runtime.gateway.conftest import INSTITUTIONS, PREFIX
from tests.runtime.gateway.site import Site

OWN = f"{ROOT}collections/{collection_id(PREFIX, 'fi-001')}/"
OTHERS = f"{ROOT}collections/{collection_id(PREFIX, 'fi-002')}/"


def told(number: int, institution: str = "fi-001", revision: int = 1, **changes: Any) -> bytes:
    at = f"2026-03-02T{8 + revision:02}:{number:02}:00.000Z"
    return orjson.dumps(
        record(
            institution=institution,
            alert_id=f"al-{number:032x}",
            revision=revision,
            told_at=at,
            first_told_at=f"2026-03-02T09:{number:02}:00.000Z",
            title=f"Alert {number} of {institution}",
            **changes,
        )
    )


async def tell(log, *values, institution="fi-001"):
    keys = [orjson.loads(value)["alert_id"].encode() for value in values]
    await log.write(
        [(f"{PREFIX}feedback.{institution}", 0, key, value) for key, value in zip(keys, values, strict=True)]
    )


def made(*values):
    """Ids and versions of what these records are in STIX, as often as a collection has them: once."""
    objects = [one for value in values for one in objects_of(read_feedback(value))]
    return {(one["id"], str(orjson.loads(one.serialize()).get("modified", ""))) for one in objects}


class Asked:
    """Requests with a credential of fi-001's."""

    def __init__(self, house):
        self.house = house

    async def get(self, path, query="", institution="fi-001", accept=MEDIA_TYPE, method="GET", **headers):
        token = self.house.tokens[institution]
        given = {"authorization": f"Bearer {token}", "accept": accept, **headers}
        return await self.house.ask(method, path, headers=given, query=query.encode())


@pytest.fixture
async def asked(house):
    return Asked(house)


# A client's walk, over a real connection


@pytest.fixture
async def site(tmp_path):
    found = Site(tmp_path)
    await found.start()
    yield found
    await found.stop()


async def test_a_client_walks_from_discovery_to_every_object_in_pages_and_then_to_what_is_new(site):
    first = [told(number) for number in range(5)]
    await tell(site.log, *first)
    await tell(site.log, told(9, "fi-002"), institution="fi-002")

    def walk():
        (root,) = site.client().api_roots
        (mine,) = root.collections
        assert mine.can_read
        assert not mine.can_write
        pages = list(as_pages(mine.get_objects, per_request=7))
        manifest = list(as_pages(mine.get_manifest, per_request=7))
        one = pages[0]["objects"][-1]["id"]
        return mine, pages, manifest, mine.get_object(one), mine.object_versions(one)

    mine, pages, manifest, one, versions = await asyncio.to_thread(walk)
    objects = [each for page in pages for each in page["objects"]]
    assert {(each["id"], each.get("modified", "")) for each in objects} == made(*first)
    assert len(objects) == len(made(*first))
    assert all(len(page["objects"]) == 7 for page in pages[:-1])
    entries = [each for page in manifest for each in page["objects"]]
    assert [each["id"] for each in entries] == [each["id"] for each in objects]
    assert [each["date_added"] for each in entries] == sorted({each["date_added"] for each in entries})
    assert one["objects"][0] in objects
    assert len(versions["versions"]) == 1

    # What is new since the last object, and nothing else.
    last = entries[-1]["date_added"]
    assert await asyncio.to_thread(mine.get_objects, added_after=last) == {}
    second = told(2, revision=2, status="retracted")
    await tell(site.log, second)
    (page,) = await asyncio.to_thread(lambda: list(as_pages(mine.get_objects, per_request=1000, added_after=last)))
    assert {(each["id"], each["modified"]) for each in page["objects"]} == made(second) - made(*first)
    assert all(each["revoked"] for each in page["objects"])


async def test_two_institutions_walk_and_neither_meets_anything_of_the_other(site):
    for name in INSTITUTIONS:
        await tell(site.log, *(told(number, name) for number in range(3)), institution=name)

    def everything(name):
        (root,) = site.client(name).api_roots
        (mine,) = root.collections
        return mine.url, list(as_pages(mine.get_objects, per_request=50))

    (one_url, one), (two_url, two) = [await asyncio.to_thread(everything, name) for name in INSTITUTIONS]
    assert one_url != two_url
    assert "fi-001" in json.dumps(one)
    assert "fi-002" not in json.dumps(one)
    assert "fi-002" in json.dumps(two)
    assert "fi-001" not in json.dumps(two)

    def trespass():
        stolen = Collection(two_url, user="fi-001", password=site.tokens["fi-001"])
        return stolen.get_objects()

    with pytest.raises(Exception, match="404"):
        await asyncio.to_thread(trespass)


# What is asked and answered


async def test_every_answer_says_what_it_is_and_when_its_objects_were_added(house, asked):
    await tell(house.log, told(1))
    for path in (DISCOVERY, ROOT, f"{ROOT}collections/", OWN, f"{OWN}manifest/", f"{OWN}objects/"):
        answer = await asked.get(path)
        assert (answer.status, answer.headers["content-type"]) == (200, MEDIA_TYPE), path
        assert answer.headers["cache-control"] == "no-store"
    entries = (await asked.get(f"{OWN}manifest/")).json["objects"]
    assert answer.headers["x-taxii-date-added-first"] == entries[0]["date_added"]
    assert answer.headers["x-taxii-date-added-last"] == entries[-1]["date_added"]
    assert entries[0]["media_type"] == "application/stix+json;version=2.1"


async def test_objects_are_chosen_by_id_type_version_and_when_they_were_added(house, asked):
    await tell(house.log, told(1), told(1, revision=2))

    async def ask(query, path="objects/"):
        return (await asked.get(f"{OWN}{path}", query)).json.get("objects", [])

    (report,) = await ask("match[type]=report")
    assert report["modified"] == "2026-03-02T10:01:00.000002Z"
    assert [one["id"] for one in await ask(f"match[id]={report['id']}")] == [report["id"]]
    assert {one["type"] for one in await ask("match[type]=report,indicator")} == {"report", "indicator"}
    (first,) = await ask("match[type]=report&match[version]=first")
    assert first["modified"] == "2026-03-02T09:01:00.000001Z"
    assert len(await ask("match[type]=report&match[version]=all")) == 2
    assert await ask(f"match[type]=report&match[version]={first['modified']}") == [first]
    assert await ask("match[type]=report&match[version]=first,last") == [first, report]
    assert await ask("match[spec_version]=2.0") == []
    assert await ask("match[spec_version]=2.0,2.1") == await ask("")
    assert (await asked.get(f"{OWN}objects/{report['id']}/versions/")).json["versions"] == [
        first["modified"],
        report["modified"],
    ]
    assert await ask("match[version]=all", f"objects/{report['id']}/") == [first, report]
    assert await ask("added_after=2100-01-01T00:00:00Z") == []
    assert await ask("nobody=knows&match[type]=report") == [report], "what is unknown is passed over"


async def test_a_page_says_whether_there_is_more_and_the_next_goes_on_after_a_restart_too(house, asked):
    await tell(house.log, told(1), told(2))
    whole = (await asked.get(f"{OWN}objects/")).json["objects"]
    one = (await asked.get(f"{OWN}objects/", "limit=3")).json
    assert one["more"] is True
    house.restart()
    rest = (await asked.get(f"{OWN}objects/", f"limit=1000&next={one['next']}")).json
    assert one["objects"] + rest["objects"] == whole
    assert "more" not in rest


async def test_what_changes_nothing_is_not_told_again(house, asked):
    await tell(house.log, told(1), told(1))

    objects = (await asked.get(f"{OWN}manifest/", "match[version]=all")).json["objects"]
    assert len(objects) == len({(one["id"], one["version"]) for one in objects}) == len(made(told(1)))


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "next=x", "next=1", "added_after=yesterday", "added_after=2026-13-01T00:00:00Z",
     "match[version]=newest", "added_after=2026-03-02T08:00:00", "match[id]=" + ",".join(["x"] * 201)],
)  # fmt: skip
async def test_what_is_malformed_is_refused_and_named(asked, query):
    answer = await asked.get(f"{OWN}objects/", query)

    assert (answer.status, answer.headers["content-type"]) == (400, MEDIA_TYPE)
    assert answer.json["http_status"] == "400"
    assert query.partition("=")[0] in answer.json["description"]


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (MEDIA_TYPE, 200),
        ("application/taxii+json", 200),
        ("application/taxii+json; version=2.1", 200),
        ('application/taxii+json;version="2.1"', 200),
        ("text/html, */*;q=0.1", 200),
        ("application/*", 200),
        ("application/taxii+json;version=2.0", 406),
        ("application/json", 406),
        ("application/taxii+json;q=0", 406),
    ],
)
async def test_who_accepts_no_taxii_gets_none(asked, accept, status):
    answer = await asked.get(DISCOVERY, accept=accept)

    assert (answer.status, answer.headers["content-type"]) == (status, MEDIA_TYPE)


async def test_basic_wants_the_institution_and_its_own_token(house):
    async def ask(user, token):
        given = base64.b64encode(f"{user}:{token}".encode()).decode()
        return await house.ask("GET", DISCOVERY, headers={"authorization": f"Basic {given}"})

    assert (await ask("fi-001", house.tokens["fi-001"])).status == 200
    for user, token in (("fi-001", house.tokens["fi-002"]), ("fi-001", "x"), ("", ""), ("fi-003", new_token("fi-003"))):
        answer = await ask(user, token)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
    for given in ("Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Digest x"):
        assert (await house.ask("GET", DISCOVERY, headers={"authorization": given})).status == 401
    assert (await house.ask("GET", DISCOVERY)).status == 401
    given = base64.b64encode(f"fi-001:{house.tokens['fi-001']}".encode()).decode()
    elsewhere = await house.ask("GET", "/v1/receipts", headers={"authorization": f"Basic {given}"})
    assert elsewhere.status == 401, "Basic is for TAXII alone"


@pytest.mark.parametrize("rest", ["", "manifest/", "objects/", "objects/report--x/", "objects/report--x/versions/"])
async def test_anothers_collection_is_as_if_it_were_not_there(house, asked, rest):
    await tell(house.log, told(1, "fi-002"), institution="fi-002")

    answer, nowhere = await asked.get(OTHERS + rest), await asked.get(f"{ROOT}collections/nowhere/{rest}")
    assert answer.status == nowhere.status == 404
    assert answer.body == nowhere.body


async def test_nothing_can_be_added_or_deleted(asked):
    assert (await asked.get(f"{OWN}objects/", method="POST")).status == 403
    assert (await asked.get(f"{OWN}objects/report--x/", method="DELETE")).status == 403
    assert (await asked.get(f"{OTHERS}objects/", method="POST")).status == 404
    assert (await asked.get(OWN, method="PUT")).status == 405
    assert (await asked.get(f"{ROOT}status/x/")).status == 404
    assert (await asked.get("/taxii2/elsewhere/")).headers["content-type"] == MEDIA_TYPE


async def test_what_is_no_feedback_is_passed_over_and_what_follows_is_there(house, asked):
    topic = f"{PREFIX}feedback.fi-001"
    await house.log.write([(topic, 0, b"x", b"{}"), (topic, 0, b"y", None), (topic, 0, b"z", told(1))])

    assert (await asked.get(f"{OWN}objects/", "match[type]=report")).json["objects"]


async def test_a_collection_is_bounded_and_the_first_added_leave(house, asked, monkeypatch):
    monkeypatch.setattr(held, "VERSIONS_MAX", 10)
    await tell(house.log, *(told(number) for number in range(4)))

    entries = (await asked.get(f"{OWN}manifest/", "match[version]=all")).json["objects"]
    assert len(entries) == 10
    assert entries[-1]["id"] in {name for name, _ in made(told(3))}


async def test_collections_not_asked_for_leave_memory_and_are_the_same_when_read_again(house, asked, monkeypatch):
    monkeypatch.setattr(held, "BYTES_MAX", 1)
    for name in INSTITUTIONS:
        await tell(house.log, told(1, name), institution=name)
    before = (await asked.get(f"{OWN}manifest/")).body
    await asked.get(f"{OTHERS}manifest/", institution="fi-002")

    assert (await asked.get(f"{OWN}manifest/")).body == before


async def test_after_compaction_what_is_of_an_alert_was_added_when_it_was():
    """A gateway that was there before, and one that was started after its topic was compacted."""
    values = [told(1), told(1, revision=2)]
    found = []
    for kept in (values, values[1:]):
        now = iter(range(1_772_452_800_000, 1_772_452_800_002)[-len(kept) :])
        log = MemoryLog(now.__next__)
        await log.create(table(PREFIX, INSTITUTIONS, 1, "test"))
        for value in kept:
            await tell(log, value)
        collection = held.Collection(log, f"{PREFIX}feedback.fi-001")
        await collection.refresh()
        found.append({(one.id, one.version): one for one in collection.versions})

    before, after = found
    assert set(after) <= set(before)
    of_alert = [key for key in after if key[1].startswith("2026-03-02T10")]
    assert len(of_alert) > 5
    assert [after[key].added for key in of_alert] == [before[key].added for key in of_alert]
