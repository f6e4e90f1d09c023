"""Whether a ticket is signed by its institution: one signature over a batch of tickets. Pure; signs nothing.

A signature is a compact JWS (RFC 7515) by Ed25519 (RFC 8037) that travels beside the ticket, in the record's header
`fsoc-signature`, the same for every ticket of the batch:

    header    {"alg": "EdDSA", "kid": "<a key of the registry>", "typ": "fsoc-batch+jws"}, these three and no other
    payload   {"schema": "fsoc.signed-batch/1", "sha256": ["<base64url SHA-256 of a ticket's bytes>", …]}, 1 to 100

So a ticket may be judged without its neighbours: in any order, twice, some of them missing. A signature is verified
when it is first met, and the last few are remembered; remembering decides nothing.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fsoc.errors import Fault
from fsoc.institutions.registry import Registry
from fsoc.institutions.signing import PUBLIC_KEY_BYTES, SigningKey, decoded, encoded
from fsoc.tickets.times import rfc3339

TICKETS_MAX: Final = 100
"""Of one signature. Each record carries the whole of it, about 61 bytes for each ticket that it covers."""
SIGNATURE_BYTES_MAX: Final = 8_192
"""A hundred digests are 6.3 kB; what is larger is not looked at."""
REMEMBERED_MAX: Final = 8
"""Signatures, per institution. A batch's tickets come together; 400 institutions' are 64 MB at the very most."""

_SIGNATURE_BYTES: Final = 64


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing else may be in it: `crit`, `b64`, `jwk` and their like change what a JWS means or whom it is believed."""

    alg: Literal["EdDSA"]
    kid: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    typ: Literal["fsoc-batch+jws"]


class _Covered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Literal["fsoc.signed-batch/1"]
    sha256: Annotated[
        list[Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}$")]],
        msgspec.Meta(min_length=1, max_length=TICKETS_MAX),
    ]


class _Batch(NamedTuple):
    """What a good signature covers, and by which key."""

    key: SigningKey
    digests: frozenset[str]


_header: Final = msgspec.json.Decoder(_Header).decode
_covered: Final = msgspec.json.Decoder(_Covered).decode


class Signatures:
    """The signatures of one institution's tickets; make one per institution, or per batch of one."""

    def __init__(self, institution: str) -> None:
        self._institution = institution
        self._registry: Registry | None = None
        self._known: dict[bytes, _Batch | Fault] = {}

    def fault(self, registry: Registry, signature: bytes | None, payload: bytes, at_ms: int) -> Fault | None:
        """Why the ticket is not to be believed its institution's; None where nothing is wrong.

        In an open registry nobody's is asked for. signature: what came with it; None where nothing did. payload: the
        ticket's bytes as they came. at_ms: when the log took it, in ms since 1970: by that time, and no other, a key is
        expired or a signature required, so that whoever reads the log again judges as before.
        """
        known = registry.get(self._institution)
        if known is None or registry.is_open:
            return None
        if signature is None:
            return _missing(at_ms) if known.signing.is_required(at_ms) else None
        batch = self._of(registry, signature)
        if isinstance(batch, Fault):
            return batch
        if batch.key.ends_ms is not None and at_ms >= batch.key.ends_ms:
            ended = f'key "{batch.key.kid}" was taken until {rfc3339(batch.key.ends_ms)}, received {rfc3339(at_ms)}'
            return Fault("signature.expired-key", "", ended)
        if encoded(sha256(payload).digest()) not in batch.digests:
            covers = (
                f"the signature is good and covers {len(batch.digests)} other tickets; a byte of this one may differ"
            )
            return Fault("signature.not-covered", "", covers)
        return None

    def _of(self, registry: Registry, signature: bytes) -> _Batch | Fault:
        if registry is not self._registry:  # keys may be others now
            self._registry = registry
            self._known.clear()
        if len(signature) > SIGNATURE_BYTES_MAX:
            return _malformed(f"{len(signature)} bytes, limit {SIGNATURE_BYTES_MAX}")
        found = self._known.get(signature)
        if found is None:
            if len(self._known) >= REMEMBERED_MAX:
                del self._known[next(iter(self._known))]
            found = self._known[signature] = self._read(registry, signature)
        return found

    def _read(self, registry: Registry, signature: bytes) -> _Batch | Fault:
        """Read and verify one. What is looked at before it is verified is bounded and has no depth."""
        try:
            text = signature.decode("ascii")
            first, second, third = text.split(".")
            header, covered = _header(_part(first)), _covered(_part(second))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return _malformed(_why(error))
        raw = decoded(third, _SIGNATURE_BYTES)
        if raw is None:
            return _malformed(f"the third part is not {_SIGNATURE_BYTES} bytes in base64url")
        owner = registry.signing_key(header.kid)
        if owner is None:
            return Fault("signature.unknown-key", "", f"no signing key is called {header.kid!a}")
        institution, key = owner
        if institution != self._institution:
            return Fault("signature.foreign-key", "", f"key {header.kid!a} is another institution's")
        if not is_signed(key, f"{first}.{second}".encode(), raw):
            return Fault("signature.wrong", "", f"it is not what key {header.kid!a} signs of this payload")
        return _Batch(key, frozenset(covered.sha256))


def is_signed(key: SigningKey, signed: bytes, signature: bytes) -> bool:
    """Whether the key made this signature of these bytes.

    Of a JWS nothing else is left to do here: its header was compared with the only one that there may be. PyJWT, which
    parses all of it again, takes 0.7 ms for what is 0.2 ms so; it is what the tests hold this to.
    """
    public = decoded(key.public_key, PUBLIC_KEY_BYTES)
    if public is None:  # no registry has such a key
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _part(text: str) -> bytes:
    """One part's bytes. Raises: ValueError: it is not base64url as RFC 7515 has it."""
    found = decoded(text, len(text) * 3 // 4)
    if found is None:
        raise ValueError("a part is not base64url without padding")
    return found


def _missing(at_ms: int) -> Fault:
    return Fault("signature.missing", "", f"received {rfc3339(at_ms)}, when this institution's tickets must be signed")


def _malformed(why: str) -> Fault:
    return Fault("signature.malformed", "", why)


def _why(error: Exception) -> str:
    """In words that hold nothing of what was sent, as far as that can be."""
    if isinstance(error, UnicodeError):
        return "not ASCII"
    if isinstance(error, msgspec.MsgspecError):
        return ascii(str(error))[1:-1][:200]
    return "not three parts of base64url, parted by points" if isinstance(error, ValueError) else "nests too deep"
