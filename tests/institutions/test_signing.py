"""What the registry says of keys is read whole, with every problem and its line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.client.signing import thumbprint as clients_thumbprint
from fsoc.errors import RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.institutions.signing import (
    UNSIGNED,
    Signing,
    SigningKey,
    decoded,
    encoded,
    key_of_jwk,
    moment_ms,
    read_signing,
    thumbprint,
)
from fsoc.tickets.times import milliseconds
from tests.signing import FOREIGN, OWN, public_of

RFC_8037_X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
RFC_8037_KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def parsed(*entries):
    lines = [
        f"  - {{id: fi-{n:03}, name: A, sector: bank, tier: 1, feeds: [siem], {e}}}" for n, e in enumerate(entries)
    ]
    return Registry.parse("institutions:\n" + "\n".join(lines), "who.yml")


def refused(*entries):
    with pytest.raises(RefusedToStart) as raised:
        parsed(*entries)
    return [str(problem) for problem in raised.value.problems]


def test_keys_and_days_are_read_and_found_by_the_keys_name():
    registry = parsed(
        "signing: {required_from: 2027-01-01, "
        f"keys: [{{kid: a, public_key: {public_of(OWN)}, not_after: 2027-06-30}}]}}",
        f"signing: {{keys: [{{kid: b, public_key: {public_of(FOREIGN)}}}]}}",
    )

    assert registry.institutions["fi-000"].signing == Signing(
        milliseconds("2027-01-01T00:00:00Z"),
        (SigningKey("a", public_of(OWN), milliseconds("2027-07-01T00:00:00Z")),),
    )
    assert registry.signing_key("b") == ("fi-001", SigningKey("b", public_of(FOREIGN)))
    assert registry.signing_key("c") is None
    assert registry.digest != registry.without_signing().digest
    assert registry.without_signing().signing_key("b") is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("signing: 1", "signing: expected a mapping"),
        ("signing: {key: []}", '"key" is unknown; did you mean "keys"?'),
        ("signing: {keys: x}", "keys: expected a list of at most 16"),
        ("signing: {keys: [x]}", "keys: expected a mapping"),
        ("signing: {required_from: 2027-01-01}", "there is no key that could sign"),
        (f"signing: {{keys: [{{kid: 7, public_key: {RFC_8037_X}}}]}}", "kid: expected 1 to 64 of"),
        (f"signing: {{keys: [{{kid: a b, public_key: {RFC_8037_X}}}]}}", "kid: expected 1 to 64 of"),
        ("signing: {keys: [{kid: a, public_key: AAAA}]}", "public_key: expected 43 characters"),
        (f"signing: {{keys: [{{kid: a, public_key: {RFC_8037_X}=}}]}}", "public_key: expected 43 characters"),
        (f"signing: {{keys: [{{kid: a, public_key: {RFC_8037_X}, until: 1}}]}}", '"until" is unknown'),
        (f"signing: {{keys: [{{kid: a, public_key: {RFC_8037_X}, not_after: soon}}]}}", "not_after: expected a day"),
        (
            f"signing: {{keys: [{{kid: a, public_key: {RFC_8037_X}, not_after: '2027-01-01T00:00:00'}}]}}",
            "or a time with its offset",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(entry, said):
    (problem,) = refused(f"signing: {{keys: [{{kid: o, public_key: {public_of(OWN)}}}]}}", entry)

    assert problem.startswith("who.yml:3: ")
    assert said in problem


def test_more_keys_than_are_kept_are_refused():
    keys = ", ".join(f"{{kid: k{n}, public_key: {encoded(bytes([n]) * 32)}}}" for n in range(17))

    assert refused(f"signing: {{keys: [{keys}]}}") == ["who.yml:2: keys: expected a list of at most 16 keys"]


def test_a_key_is_one_institutions_and_listed_once():
    """Else whose a signature is would be whoever is asked."""
    own, foreign = public_of(OWN), public_of(FOREIGN)

    problems = refused(
        f"signing: {{keys: [{{kid: a, public_key: {own}}}]}}",
        f"signing: {{keys: [{{kid: a, public_key: {foreign}}}]}}",
        f"signing: {{keys: [{{kid: b, public_key: {own}}}]}}",
    )

    assert [problem.split(": is")[0] for problem in problems] == ["who.yml:3: kid", "who.yml:4: public_key"]


def test_thumbprints_are_those_of_the_rfc():
    assert thumbprint(RFC_8037_X) == clients_thumbprint(RFC_8037_X) == RFC_8037_KID


def test_a_public_jwk_is_taken_under_its_name_or_its_thumbprint():
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": RFC_8037_X}

    assert key_of_jwk(json.dumps(jwk), "k") == SigningKey(RFC_8037_KID, RFC_8037_X)
    assert key_of_jwk(json.dumps({**jwk, "kid": "2027"}), "k") == SigningKey("2027", RFC_8037_X)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[" * 4_000, "not JSON"),
        (" " * 5_000, "expected one JSON object"),
        ("[]", "expected one JSON object"),
        ('{"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}', "is a private key"),
        ('{"kty": "OKP", "crv": "X25519", "x": "AA"}', "is no Ed25519 key"),
        ('{"kty": "RSA", "n": "AA"}', "is no Ed25519 key"),
        ('{"kty": "OKP", "crv": "Ed25519", "x": "AA"}', "x: expected 43"),
        (f'{{"kty": "OKP", "crv": "Ed25519", "x": "{RFC_8037_X}", "kid": "a b"}}', "kid: expected"),
        (f'{{"kty": "OKP", "crv": "Ed25519", "x": "{RFC_8037_X}", "kid": 5}}', "kid: expected"),
    ],
)
def test_what_is_no_public_jwk_is_refused(text, said):
    with pytest.raises(RefusedToStart, match=said):
        key_of_jwk(text, "k.jwk")


@given(st.binary(min_size=1, max_size=70))
def test_there_is_one_text_for_the_same_bytes(data):
    text = encoded(data)

    assert decoded(text, len(data)) == data
    assert decoded(text, len(data) + 1) is None
    for other in (text + "=", text + "\n", " " + text, text[:-1] + "~"):
        assert decoded(other, len(data)) is None


moments = st.integers(0, 4_000_000_000_000)


@given(st.none() | moments, st.lists(st.none() | moments.filter(lambda ms: ms > 0), min_size=1, max_size=3))
def test_what_is_written_is_read_again_to_the_millisecond(required, ends):
    signing = Signing(required, tuple(SigningKey(f"k{n}", encoded(bytes([n]) * 32), e) for n, e in enumerate(ends)))
    told = []

    assert read_signing(signing.as_written(), lambda *problem: told.append(problem)) == signing
    assert told == []


def test_no_signing_is_nothing_asked_for():
    assert read_signing(None, lambda *_: None) is UNSIGNED
    assert not UNSIGNED.is_required(2**62)


def test_a_day_begins_and_ends_in_utc():
    assert moment_ms("2027-01-01", last=False) == milliseconds("2027-01-01T00:00:00Z")
    assert moment_ms("2027-01-01", last=True) == milliseconds("2027-01-02T00:00:00Z")
    assert moment_ms("2027-01-01T08:00:00+08:00", last=True) == milliseconds("2027-01-01T00:00:00.001Z")
