"""Who comes, receipts, the OpenAPI document, and strangers: whatever is asked, an answer of the document and no 5xx."""

from __future__ import annotations

import datetime as dt

import jsonschema
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsoc.errors import RefusedToStart, Retry
from fsoc.institutions.registry import Registry
from fsoc.runtime.gateway.credentials import Credentials, digest_of, new_token
from fsoc.runtime.gateway.problems import KINDS, Refusal
from fsoc.runtime.gateway.taxii import DISCOVERY, ROOT, collection_id
from fsoc.tickets.receipts import Receipt, receipts_records
from tests.feed_sector import REGISTRY
from tests.runtime.gateway.conftest import CERTIFICATE, PREFIX, ticket


async def test_who_asks_is_told_by_the_credential_alone(house):
    bearer = {"authorization": f"bearer {house.tokens['fi-001']}"}
    ask = lambda headers=(), **named: house.ask("GET", "/v1/receipts", headers=headers, **named)  # noqa: E731

    assert (await ask(bearer)).json["institution"] == "fi-001"
    assert (await ask(certificate=CERTIFICATE)).json["institution"] == "fi-002"
    assert (await ask({"authorization": f"Bearer {house.tokens['fi-002']}"}, certificate=CERTIFICATE)).status == 200
    told = {
        "no-credential": await ask(),
        "unknown-certificate": await ask(certificate=b"another"),
        "two-identities": await ask(bearer, certificate=CERTIFICATE),
    }
    assert {code: one.code for code, one in told.items()} == {code: code for code in told}
    assert told["no-credential"].headers["www-authenticate"] == 'Bearer realm="fsoc"'
    assert digest_of(b"another") in told["unknown-certificate"].json["detail"]
    other = house.tokens["fi-001"][:-1] + ("A" if house.tokens["fi-001"][-1] != "A" else "B")
    for wrong in (other, new_token("fi-001"), new_token("fi-003"), "x", f"{house.tokens['fi-001']} x"):
        answer = await ask({"authorization": f"Bearer {wrong}"})
        assert (answer.status, answer.code) == (401, "unknown-credential")
    assert (await ask({"authorization": "Basic eDp5"})).code == "unknown-credential"


async def test_whoever_is_suspended_or_not_registered_is_refused_whatever_it_comes_with(house):
    suspended = REGISTRY.replace("feeds: [siem, edr]", "feeds: [siem, edr], suspended: true")
    house.gateway.registry = Registry.parse(suspended, "institutions.yml")

    told = await house.post(ticket(1))

    assert (told.status, told.code) == (403, "suspended")
    assert (await house.post(ticket(1, institution="fi-002"), institution="fi-002")).json["taken"] == 1
    house.gateway.registry = Registry({})
    assert (await house.post(ticket(1), institution="fi-002")).code == "suspended"


async def test_a_delegate_that_is_not_registered_is_told_as_intake_will(house):
    told = (await house.post(ticket(1, submitted_by="mssp-1"))).json["entries"][0]

    assert (told["outcome"], told["faults"][0]["code"]) == ("quarantined", "identity.delegation")


def test_a_credential_ends_with_its_last_day():
    token = new_token("fi-001")
    text = f"credentials: [{{institution: fi-001, token_sha256: {digest_of(token.encode())}, not_after: 2026-03-02}}]"
    known = Credentials.parse(text, "c.yml")

    assert known.identify(token, None, dt.date(2026, 3, 2)) == "fi-001"
    with pytest.raises(Refusal) as refused:
        known.identify(token, None, dt.date(2026, 3, 3))
    assert refused.value.code == "expired-credential"
    assert token not in text


def test_every_problem_of_a_credentials_file_is_told_with_its_line_and_no_digest():
    digest = "5e" * 32
    text = f"""credentials:
  - {{institution: FI, token_sha256: "{digest}"}}
  - {{institution: fi-001}}
  - {{institution: fi-001, token_sha256: "12"}}
  - {{institution: fi-001, token_sha256: "{digest}", not_after: soon}}
  - {{institution: fi-002, certificate_sha256: "{digest.upper()}", nam: x}}
"""
    with pytest.raises(RefusedToStart) as refused:
        Credentials.parse(text, "c.yml")

    told = [str(problem) for problem in refused.value.problems]
    assert [line.split(":")[1] for line in told] == ["2", "3", "4", "5", "5", "6", "6"]
    assert "is the same as at c.yml:2" in "\n".join(told)
    assert digest not in "\n".join(told).lower()


async def write_receipts(house, *sizes, institution="fi-001"):
    """Records of so many receipts each, of ascending offsets."""
    offset = 0
    for size in sizes:
        (record,) = receipts_records(Receipt(offset + number, "accepted") for number in range(size))
        await house.log.write([(f"{PREFIX}receipts.{institution}", 0, None, record)])
        offset += size


async def test_receipts_are_paged_by_whole_records_each_once_and_only_ones_own(house):
    await write_receipts(house, 3, 1, 4, 2)
    await house.log.write([(f"{PREFIX}receipts.fi-001", 0, None, b"no receipts")])
    await write_receipts(house, 2, institution="fi-002")
    found, at, pages = [], 0, 0
    while True:
        told = (await house.receipts(f"from={at}&limit=4")).json
        found += [receipt["offset"] for receipt in told["receipts"]]
        at, pages = told["next"], pages + 1
        if told["end"]:
            break

    assert (found, at, pages) == ([*range(10)], 5, 3)
    assert (await house.receipts("from=5")).json == {"institution": "fi-001", "receipts": [], "next": 5, "end": True}
    assert (await house.receipts("from=99")).json["next"] == 5
    assert len((await house.receipts(institution="fi-002")).json["receipts"]) == 2


async def test_a_wrong_parameter_is_told_with_what_is_allowed(house):
    for query in ("from=-1", "from=x", "from=", "limit=0", "limit=1001", "limit=1e2", "from=٣", f"from={2**63}"):
        told = await house.receipts(query)
        assert (told.status, told.code) == (400, "bad-query")
    assert "from 1 to 1000" in (await house.receipts("limit=0")).json["detail"]
    assert "1 至 1000" in (await house.receipts("limit=0")).json["detail_zh"]


async def test_what_is_not_there_is_a_problem_too(house):
    for path in ("/", "/v1/tickets/", "/v1/feedback", "/docs", "/metrics"):
        assert (await house.ask("GET", path)).code == "not-found"
    told = await house.ask("GET", "/v1/tickets")
    assert (told.status, told.code, told.headers["allow"]) == (405, "method-not-allowed", "POST")


def test_every_problem_is_told_twice_and_can_be_filled_in():
    for code, kind in KINDS.items():
        assert any("\u4e00" <= sign <= "\u9fff" for sign in kind.title_zh), code
        assert any("\u4e00" <= sign <= "\u9fff" for sign in kind.detail_zh), code
        assert kind.detail.count("{") == kind.detail_zh.count("{"), code


@pytest.fixture(scope="module")
def answers():
    """Validates an answer against the OpenAPI document of the gateway."""
    documents = {}

    async def check(house, method, path, told):
        if not documents:
            asked = await house.ask("GET", "/openapi.json")
            assert asked.status == 200
            documents["all"] = asked.json
        document = documents["all"]
        told_of = document["paths"][path][method.lower()]["responses"]
        (media_type, content), *rest = told_of[str(told.status)]["content"].items()
        assert not rest
        assert told.headers["content-type"] == media_type
        schema = {**content["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(told.json)

    return check


async def test_the_document_tells_of_every_answer(house, answers):
    await write_receipts(house, 2)
    document = (await house.ask("GET", "/openapi.json")).json
    assert document["openapi"].startswith("3.1")
    assert set(document["components"]["securitySchemes"]) == {"bearer", "certificate"}
    for told in (
        await house.post(ticket(1), b"{}", key="k"),
        await house.post(b""),
        await house.post(ticket(2), key="k"),
        await house.post(ticket(2), content_type="x"),
        await house.post(b"x" * 1_000_001),
        await house.ask("POST", "/v1/tickets"),
        await house.ask("POST", "/v1/tickets", certificate=b"x"),
    ):
        await answers(house, "POST", "/v1/tickets", told)
    house.log.fault = Retry("no answer")
    await answers(house, "POST", "/v1/tickets", await house.post(ticket(1)))
    await answers(house, "GET", "/v1/receipts", await house.receipts())
    await answers(house, "GET", "/v1/receipts", await house.receipts("limit=x"))
    known = {str(kind.status) for kind in KINDS.values()} - {
        "404",
        "405",
        "406",
    }  # 406 is TAXII's, whose own specification describes it
    assert set(document["paths"]["/v1/tickets"]["post"]["responses"]) == {"202", *known}


names = st.sampled_from(
    ["authorization", "content-type", "content-length", "content-encoding", "idempotency-key", "host", "expect", "x"]
)
values = st.one_of(
    st.sampled_from(
        [b"application/x-ndjson", b"application/json", b"identity", b"gzip", b"-1", b"9" * 30, b'""', b"k"]
    ),
    st.binary(max_size=40),
)
LINES = [ticket(1), ticket(1)[:-9], b"{}", b"[]", b"null", b"\xff", b'{"kind":{}}', b"1e999", b""]
broken = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from([ticket(1), ticket(1)[:-9], b"{}", b"[]", b"null", b"\xff", b'{"kind":{}}', b"1e999", b""])
    ).map(b"\n".join),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    ).map(lambda value: orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) if _plain(value) else b"?"),
)
TAXII = [DISCOVERY, ROOT, *(f"{ROOT}collections/{collection_id(PREFIX, 'fi-001')}/{rest}" for rest in ("", "objects/"))]
paths = st.one_of(st.sampled_from(["/v1/tickets", "/v1/receipts", *TAXII]), st.text(max_size=30).map("/".__add__))
methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "LINK"])


def _plain(value):
    try:
        orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return False
    return True


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(methods, paths, broken, st.lists(st.tuples(names, values), max_size=6), st.binary(max_size=40), st.booleans())
async def test_whatever_a_stranger_sends_is_answered_and_never_with_a_5xx(
    house, answers, method, path, body, headers, query, known
):
    """Half of them are no strangers: they have a token."""
    house.now += 60
    raw = [(name.encode(), value) for name, value in headers]
    if known:
        raw.append((b"authorization", f"Bearer {house.tokens['fi-001']}".encode()))
    before = len(await house.on_log())

    told = await house.ask(method, path, body, raw, query=query)

    assert told.status < 500
    if told.status >= 400 and method != "HEAD":
        assert told.code in KINDS
    after = len(await house.on_log())
    assert (after > before) == (told.status == 202)
    if told.status == 202:
        assert after - before == told.json["received"]
    if (method, path) in {("POST", "/v1/tickets"), ("GET", "/v1/receipts")}:
        await answers(house, method, path, told)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(broken, st.sampled_from(["application/x-ndjson", "application/json"]), st.none() | st.text(max_size=12))
async def test_any_body_of_a_sender_is_on_the_log_byte_for_byte_or_refused_whole(house, answers, body, kind, key):
    house.now += 60
    before = len(await house.on_log())
    headers = [(b"authorization", f"Bearer {house.tokens['fi-001']}".encode()), (b"content-type", kind.encode())]
    if key is not None:
        headers.append((b"idempotency-key", key.encode("latin-1", "replace")))

    told = await house.ask("POST", "/v1/tickets", body, headers)

    await answers(house, "POST", "/v1/tickets", told)
    if told.status == 202 and "idempotency-replayed" not in told.headers:
        lines = [body] if kind == "application/json" else body.split(b"\n")
        assert (await house.on_log())[before:] == [line.strip() for line in lines if line.strip()]
    else:
        assert len(await house.on_log()) == before


@pytest.mark.parametrize("preference", ["return=minimal", 'respond-async, Return="minimal"; x=1'])
async def test_who_prefers_little_is_told_the_counts(house, preference):
    told = await house.post(ticket(1), b"{", prefer=preference)

    assert told.status == 202
    assert told.headers["preference-applied"] == "return=minimal"
    assert told.json == {"institution": "fi-001", "received": 2, "taken": 1, "quarantined": 1, "entries": []}
    assert len(await house.on_log()) == 2


@pytest.mark.parametrize("preference", ["", "return=representation", "return=minimalist", "handling=lenient"])
async def test_any_other_preference_is_passed_over(house, preference):
    told = await house.post(ticket(1), prefer=preference)

    assert len(told.json["entries"]) == 1
    assert "preference-applied" not in told.headers
