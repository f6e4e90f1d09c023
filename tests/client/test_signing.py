"""What a client signs is what intake takes; the private key is guarded."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.client.signing import SIGNATURE_HEADER, SIGNED_TICKETS, Signer, make_key, parts
from fsoc.errors import RefusedToStart
from fsoc.feeds.record import SIGNATURE
from fsoc.feeds.signatures import TICKETS_MAX, Signatures
from fsoc.institutions.registry import Registry
from fsoc.institutions.signing import encoded
from tests.signing import AT_MS, OWN, SIGNING_REGISTRY, public_of, signed

JWK = {"kty": "OKP", "crv": "Ed25519", "x": public_of(OWN), "d": encoded(OWN.private_bytes_raw()), "kid": "own"}
SIGNER = Signer(json.dumps(JWK))
REGISTRY = Registry.parse(SIGNING_REGISTRY, "institutions.yml")


@given(st.lists(st.binary(min_size=1, max_size=30).filter(bytes.strip), min_size=1, max_size=3 * SIGNED_TICKETS))
def test_every_line_is_sent_once_in_order_and_covered_by_the_signature_it_goes_with(lines):
    signatures = Signatures("fi-001")
    sent = list(parts(SIGNER, lines, "k"))

    assert [line for part in sent for line in part.lines] == [line.strip() for line in lines]
    for part in sent:
        assert len(part.lines) <= SIGNED_TICKETS <= TICKETS_MAX
        for line in part.lines:
            assert signatures.fault(REGISTRY, part.signature.encode(), line, AT_MS) is None


def test_the_same_lines_have_the_same_keys_and_by_another_key_others():
    lines = [b"%d" % number for number in range(100)]
    other = Signer(json.dumps({**JWK, "kid": "next"}))

    keys = [part.key for part in parts(SIGNER, lines, "k")]

    assert keys == [part.key for part in parts(SIGNER, lines, "k")]
    assert len(set(keys)) == len(keys) == 4
    assert all(len(key) <= 128 for key in keys)
    assert not {*keys, "k"} & {part.key for part in parts(other, lines, "k")}


def test_without_a_signer_lines_go_as_they_are():
    assert list(parts(None, [b"a ", b"b"], "k")) == [([b"a ", b"b"], "k", None)]


def test_both_sides_mean_the_same_header_and_make_the_same_signature():
    assert SIGNATURE_HEADER.lower() == SIGNATURE
    assert SIGNER.sign([b"a", b"b"]) == SIGNER.sign([b"a", b"b"])
    first, second, _ = SIGNER.sign([b"a"]).split(".")
    assert [first] == signed(OWN, [b"a"]).decode().split(".")[:1]
    assert second == signed(OWN, [b"a"]).decode().split(".")[1]


def test_a_keys_name_is_never_taken_for_an_option(tmp_path, monkeypatch):
    names = iter(["-first", "-second", "third"])
    monkeypatch.setattr("fsoc.client.signing.thumbprint", lambda _: next(names))

    assert json.loads(make_key(tmp_path / "k"))["kid"] == json.loads((tmp_path / "k").read_text())["kid"] == "third"


def test_a_key_file_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "k.jwk"
    make_key(path)
    assert Signer.from_file(path).kid
    path.chmod(0o640)

    with pytest.raises(RefusedToStart, match="its permissions are 0640"):
        Signer.from_file(path)


@pytest.mark.parametrize(
    ("jwk", "said"),
    [
        ("{", "not JSON"),
        ("[]", "is no Ed25519 key"),
        (json.dumps({**JWK, "crv": "X25519"}), "is no Ed25519 key"),
        (json.dumps({name: JWK[name] for name in JWK if name != "d"}), "is a public key"),
        (json.dumps({**JWK, "d": "AA"}), "that can be used"),
        (json.dumps({**JWK, "d": 7}), "that can be used"),
        (json.dumps({**JWK, "x": encoded(bytes(32))}), "that can be used"),
    ],
)
def test_what_is_no_private_key_is_refused_and_not_shown(jwk, said):
    with pytest.raises(RefusedToStart, match=said) as raised:
        Signer(jwk)

    assert JWK["d"] not in str(raised.value)


@pytest.mark.parametrize("path", ["nowhere/k.jwk", "nowhere"])
def test_a_file_that_cannot_be_read_or_made_is_refused(tmp_path, path):
    with pytest.raises(RefusedToStart, match="cannot be"):
        Signer.from_file(tmp_path / path)
    if "/" in path:
        with pytest.raises(RefusedToStart, match="cannot be written"):
            make_key(tmp_path / path)


def test_a_file_that_is_no_key_is_read_no_further_than_one_may_be(tmp_path):
    path = tmp_path / "k"
    path.touch(0o600)
    path.write_bytes(b"\xff" * 5_000)

    with pytest.raises(RefusedToStart, match="more than 4096 bytes"):
        Signer.from_file(path)


def test_without_the_library_it_says_what_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "jwt", None)

    with pytest.raises(RefusedToStart, match="need PyJWT and cryptography"):
        Signer(json.dumps(JWK))
