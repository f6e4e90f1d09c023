"""A ticket is its institution's by the signature of its batch: any byte that differs is seen, and nothing raises."""

from __future__ import annotations

import json
from hashlib import sha256

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fsoc.feeds import signatures as module
from fsoc.feeds.signatures import REMEMBERED_MAX, SIGNATURE_BYTES_MAX, TICKETS_MAX, Signatures
from fsoc.institutions.registry import Registry
from fsoc.institutions.signing import encoded
from fsoc.tickets.times import milliseconds
from tests.signing import AT_MS, FOREIGN, OLD, OWN, SIGNING_REGISTRY, jws, public_of, signed

REGISTRY = Registry.parse(SIGNING_REGISTRY, "institutions.yml")
TICKETS = [b'{"ticket_id": "T-%d"}' % number for number in range(5)]


def code(signature, payload=TICKETS[0], at_ms=AT_MS, institution="fi-001", registry=REGISTRY):
    fault = Signatures(institution).fault(registry, signature, payload, at_ms)
    assert fault is None or fault.pointer == ""
    return fault and fault.code


def test_every_ticket_of_the_batch_is_covered_in_any_order_and_however_often():
    signatures, signature = Signatures("fi-001"), signed(OWN, TICKETS)

    for payload in [*reversed(TICKETS), TICKETS[2], TICKETS[2]]:
        assert signatures.fault(REGISTRY, signature, payload, AT_MS) is None


def test_another_ticket_is_not_covered():
    assert code(signed(OWN, TICKETS[1:])) == "signature.not-covered"
    assert code(signed(OWN, TICKETS), TICKETS[0] + b" ") == "signature.not-covered"


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=TICKETS_MAX, unique=True), st.data())
def test_any_subset_in_any_order_is_taken(payloads, data):
    signatures, signature = Signatures("fi-001"), signed(OWN, payloads)

    for payload in data.draw(st.lists(st.sampled_from(payloads))):
        assert signatures.fault(REGISTRY, signature, payload, AT_MS) is None


@given(st.integers(0, 8 * len(TICKETS[0]) - 1))
def test_any_flipped_bit_of_the_ticket_is_seen(bit):
    assert code(signed(OWN, TICKETS[:1]), flipped(TICKETS[0], bit)) == "signature.not-covered"


@given(st.integers(0, 8 * len(signed(OWN, TICKETS)) - 1))
def test_any_flipped_bit_of_the_signature_is_seen(bit):
    assert code(flipped(signed(OWN, TICKETS), bit)) in {
        "signature.malformed",
        "signature.unknown-key",
        "signature.wrong",
    }


@given(st.sampled_from([OWN, FOREIGN]), st.none() | st.integers(0, 8 * len(signed(OWN, TICKETS)) - 1))
def test_what_is_taken_is_taken_by_another_implementation_and_what_that_refuses_is_refused(key, bit):
    """PyJWT, a JWS library, as the oracle."""
    signature = signed(key, TICKETS) if bit is None else flipped(signed(key, TICKETS), bit)
    try:
        jwt.PyJWS().decode_complete(signature, key=OWN.public_key(), algorithms=["EdDSA"])
        oracle = True
    except (jwt.InvalidTokenError, ValueError):
        oracle = False

    taken = code(signature) is None
    assert not taken or oracle
    assert taken is (key is OWN and bit is None)


@given(st.binary(max_size=300))
def test_whatever_comes_as_a_signature_is_a_fault_and_never_raises(signature):
    assert code(signature) == "signature.malformed"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_so_it_is_of_three_parts_with_anything_in_them(header, payload):
    parts = ".".join([encoded(header), encoded(payload), encoded(bytes(64))])

    assert code(parts.encode()) == "signature.malformed"


COVERED = {"schema": "fsoc.signed-batch/1", "sha256": [encoded(sha256(TICKETS[0]).digest())]}


def by_secret():
    """Signed by HMAC, the public key taken for the secret: the oldest trick."""
    header = {"typ": "fsoc-batch+jws", "kid": "own"}
    secret = public_of(OWN).encode() + b"-" * 32
    return jwt.PyJWS().encode(json.dumps(COVERED).encode(), secret, algorithm="HS256", headers=header).encode()


HOSTILE = {
    "no algorithm": encoded(b'{"alg":"none","kid":"own","typ":"fsoc-batch+jws"}').encode()
    + b"."
    + encoded(orjson.dumps(COVERED)).encode()
    + b".",
    "the public key as a secret": by_secret(),
    "a key of its own": jws(OWN, COVERED, jwk={"kty": "OKP", "crv": "Ed25519", "x": public_of(OWN)}),
    "a critical extension": jws(OWN, COVERED, crit=["b64"], b64=False),
    "another kind of token": jws(OWN, COVERED, typ="JWT"),
    "no digest": jws(OWN, {**COVERED, "sha256": []}),
    "too many digests": jws(OWN, {**COVERED, "sha256": COVERED["sha256"] * (TICKETS_MAX + 1)}),
    "digests in hex": jws(OWN, {**COVERED, "sha256": [sha256(TICKETS[0]).hexdigest()]}),
    "something beside": jws(OWN, {**COVERED, "more": 1}),
    "another schema": jws(OWN, {**COVERED, "schema": "fsoc.ticket/1"}),
    "huge": b"a" * (SIGNATURE_BYTES_MAX + 1),
    "huge and signed": jws(OWN, {**COVERED, "schema": "x" * SIGNATURE_BYTES_MAX}),
    "deep header": (encoded(b'{"alg":' + b"[" * 5_000) + ".e30." + encoded(bytes(64))).encode(),
    "deep payload": ".".join(
        [signed(OWN, TICKETS).decode().split(".")[0], encoded(b'{"sha256":' + b"[" * 5_000), encoded(bytes(64))]
    ).encode(),
    "not UTF-8": b"\xff\xfe.\x80.\x80",
    "not UTF-8 within": (encoded(b'{"alg":"EdDSA","kid":"\xff"}') + ".e30." + encoded(bytes(64))).encode(),
    "padded": signed(OWN, TICKETS) + b"=",
    "with a line end": signed(OWN, TICKETS) + b"\n",
    "four parts": signed(OWN, TICKETS) + b".e30",
    "detached": b"..".join(signed(OWN, TICKETS).split(b".")[::2]),
    "empty": b"",
}


@pytest.mark.parametrize("signature", HOSTILE.values(), ids=HOSTILE)
def test_hostile_signatures_are_malformed(signature):
    assert code(signature) == "signature.malformed"


def test_the_reason_holds_nothing_of_what_was_sent():
    fault = Signatures("fi-001").fault(REGISTRY, jws(OWN, {**COVERED, "<script>\x07": 1}), TICKETS[0], AT_MS)

    assert fault is not None
    assert fault.text.isascii()
    assert fault.text.isprintable()
    assert len(fault.text) <= 200


def test_a_key_that_nobody_has_is_unknown_and_anothers_is_foreign():
    assert code(signed(OWN, TICKETS, kid="nobody")) == "signature.unknown-key"
    assert code(signed(FOREIGN, TICKETS, kid="foreign")) == "signature.foreign-key"
    assert code(signed(FOREIGN, TICKETS, kid="foreign"), institution="fi-002") is None


def test_whose_key_it_is_is_nobody_elses_to_know():
    fault = Signatures("fi-001").fault(REGISTRY, signed(FOREIGN, TICKETS, kid="foreign"), TICKETS[0], AT_MS)

    assert fault is not None
    assert "fi-002" not in fault.text


def test_what_another_key_signs_in_a_keys_name_is_wrong():
    assert code(signed(FOREIGN, TICKETS, kid="own")) == "signature.wrong"
    assert code(signed(Ed25519PrivateKey.generate(), TICKETS)) == "signature.wrong"


def test_a_key_is_taken_to_the_end_of_its_last_day_by_the_logs_own_time():
    """not_after: 2026-03-01, in UTC.

    received  23:59:59.999 |--------- taken
              00:00:00.000            | expired
    """
    last = milliseconds("2026-03-01T23:59:59.999Z")
    signature = signed(OLD, TICKETS, kid="old")

    assert code(signature, at_ms=last) is None
    assert code(signature, at_ms=last + 1) == "signature.expired-key"


def test_a_remembered_signature_expires_as_one_that_is_met_first():
    signatures, last = Signatures("fi-001"), milliseconds("2026-03-01T23:59:59.999Z")
    signature = signed(OLD, TICKETS, kid="old")

    assert signatures.fault(REGISTRY, signature, TICKETS[0], last) is None
    assert signatures.fault(REGISTRY, signature, TICKETS[0], last + 1).code == "signature.expired-key"
    assert signatures.fault(REGISTRY, signature, TICKETS[0], last) is None


def test_a_signature_is_asked_for_from_the_day_on_that_the_registry_names():
    first = milliseconds("2026-03-05T00:00:00Z")

    assert code(None, at_ms=first - 1) is None
    assert code(None, at_ms=first) == "signature.missing"
    assert code(signed(OWN, TICKETS), at_ms=first) is None
    assert code(None, at_ms=first, institution="fi-002") is None


def test_where_everybody_is_taken_no_signature_is_looked_at():
    assert code(b"anything", registry=Registry.open()) is None
    assert code(None, at_ms=2**42, registry=REGISTRY.without_signing()) is None


def test_another_registry_is_asked_anew():
    signatures, signature = Signatures("fi-001"), signed(OWN, TICKETS)
    assert signatures.fault(REGISTRY, signature, TICKETS[0], AT_MS) is None

    other = Registry.parse(SIGNING_REGISTRY.replace(public_of(OWN), public_of(Ed25519PrivateKey.generate())), "w")
    assert signatures.fault(other, signature, TICKETS[0], AT_MS).code == "signature.wrong"
    assert signatures.fault(REGISTRY, signature, TICKETS[0], AT_MS) is None


def test_a_signature_is_verified_once_however_many_tickets_come_with_it(monkeypatch):
    verified = []
    really = module.is_signed
    monkeypatch.setattr(module, "is_signed", lambda *of: verified.append(of) or really(*of))
    signatures = Signatures("fi-001")
    wrong = signed(FOREIGN, TICKETS, kid="own")

    for payload in TICKETS * 3:
        assert signatures.fault(REGISTRY, signed(OWN, TICKETS), payload, AT_MS) is None
        assert signatures.fault(REGISTRY, wrong, payload, AT_MS).code == "signature.wrong"

    assert len(verified) == 2


def test_no_more_than_so_many_are_remembered():
    signatures = Signatures("fi-001")
    for number in range(3 * REMEMBERED_MAX):
        assert signatures.fault(REGISTRY, signed(OWN, [b"%d" % number]), b"%d" % number, AT_MS) is None

    assert len(signatures._known) == REMEMBERED_MAX


def test_the_largest_batch_fits_under_the_bound():
    signature = signed(OWN, [b"%d" % number for number in range(TICKETS_MAX)], kid="k" * 64)

    assert len(signature) <= SIGNATURE_BYTES_MAX
    assert code(signature) == "signature.unknown-key"


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
