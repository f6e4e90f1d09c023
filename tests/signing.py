"""Keys, and what they sign, for tests: by the library alone, so that what fsoc itself signs is held to something."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fsoc.institutions.signing import encoded
from fsoc.tickets.times import milliseconds

AT_MS: Final = milliseconds("2026-03-02T08:11:00+08:00")

OWN, OLD, FOREIGN = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))


def public_of(key: Ed25519PrivateKey) -> str:
    return encoded(key.public_key().public_bytes_raw())


def jws(key: Ed25519PrivateKey, payload: Any, *, kid: str = "own", typ: str = "fsoc-batch+jws", **more: Any) -> bytes:
    headers = {"kid": kid, "typ": typ, **more}
    detached = more.get("b64") is False
    made = jwt.PyJWS().encode(
        orjson.dumps(payload), key, algorithm="EdDSA", headers=headers, is_payload_detached=detached
    )
    return made.encode()


def signed(key: Ed25519PrivateKey, payloads: Iterable[bytes], kid: str = "own") -> bytes:
    """The signature of a batch."""
    digests = [encoded(sha256(payload).digest()) for payload in payloads]
    return jws(key, {"schema": "fsoc.signed-batch/1", "sha256": digests}, kid=kid)


SIGNING_REGISTRY: Final = f"""\
institutions:
  - id: fi-001
    name: First Bank
    sector: bank
    tier: 1
    feeds: [siem]
    signing:
      required_from: 2026-03-05
      keys:
        - {{kid: own, public_key: "{public_of(OWN)}"}}
        - {{kid: old, public_key: "{public_of(OLD)}", not_after: 2026-03-01}}
  - id: fi-002
    name: Second Bank
    sector: bank
    tier: 1
    feeds: [siem]
    signing: {{keys: [{{kid: foreign, public_key: "{public_of(FOREIGN)}"}}]}}
"""
