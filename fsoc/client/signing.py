"""Signs batches of tickets with an institution's own key. Sends nothing; the private key never leaves this process.

What a signature is: fsoc/feeds/README.md. PyJWT and cryptography are needed only where something is signed.
"""

from __future__ import annotations

import json
import os
import stat
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from fsoc.errors import Problem, RefusedToStart

SIGNATURE_HEADER: Final = "Fsoc-Signature"
SIGNED_TICKETS: Final = 32
"""Tickets of one signature, of the 100 that there may be. On Kafka each carries the whole signature, 61 bytes for each
that it covers: 32 make 2 kB of it, 100 make 6 kB, for a third of the verifying."""
KEY_BYTES_MAX: Final = 4_096
_MODE: Final = 0o600


class Part(NamedTuple):
    """Lines that go together, with the Idempotency-Key and the signature that they have together."""

    lines: Sequence[bytes]
    key: str
    signature: str | None


class Signer:
    """A private key that signs.

    Raises:
        RefusedToStart: the JWK is none of an Ed25519 private key, or PyJWT or cryptography is not there.
    """

    def __init__(self, jwk: str, where: str = "signing key") -> None:
        try:
            found: Any = json.loads(jwk)
        except (ValueError, RecursionError) as error:
            raise RefusedToStart(Problem(where, "is no JWK: not JSON")) from error
        if not isinstance(found, dict) or (found.get("kty"), found.get("crv")) != ("OKP", "Ed25519"):
            raise RefusedToStart(Problem(where, 'is no Ed25519 key: expected {"kty": "OKP", "crv": "Ed25519", …}'))
        if "d" not in found:
            raise RefusedToStart(Problem(where, "is a public key; the private one signs"))
        jwt, _ = _libraries()
        try:
            self._key = jwt.algorithms.OKPAlgorithm.from_jwk(found)
        except (jwt.InvalidKeyError, ValueError, TypeError) as error:
            raise RefusedToStart(Problem(where, "is no Ed25519 key that can be used")) from error
        self._jws = jwt.PyJWS()
        self.kid = str(found.get("kid", thumbprint(_encoded(self._key.public_key().public_bytes_raw()))))
        """The key's name in the registry."""

    @classmethod
    def from_file(cls, path: str | Path) -> Signer:
        """The key of a file that nobody but its owner may read.

        Raises:
            RefusedToStart: the file cannot be read, others may read it, or it is no such key.
        """
        try:
            with Path(path).open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                text = file.read(KEY_BYTES_MAX + 1)
        except OSError as error:
            raise RefusedToStart(Problem(str(path), f"signing key cannot be read: {error.strerror}")) from error
        if mode & 0o077:
            why = f"is a private key and its permissions are {mode:04o}; chmod 600 請改為僅擁有者可讀"
            raise RefusedToStart(Problem(str(path), why))
        if len(text) > KEY_BYTES_MAX:
            raise RefusedToStart(Problem(str(path), f"is no JWK: more than {KEY_BYTES_MAX} bytes"))
        return cls(text.decode(errors="replace"), str(path))

    def sign(self, tickets: Sequence[bytes]) -> str:
        """The signature of these, each as its bytes are sent: at most 100. The same for the same tickets."""
        digests = [_encoded(sha256(ticket).digest()) for ticket in tickets]
        payload = json.dumps({"schema": "fsoc.signed-batch/1", "sha256": digests}, separators=(",", ":"))
        return self.jws(payload.encode(), "fsoc-batch+jws")

    def jws(self, payload: bytes, typ: str) -> str:
        """A compact JWS over these bytes, of this type: what is signed for one purpose is none for another."""
        headers = {"kid": self.kid, "typ": typ}
        made: str = self._jws.encode(payload, self._key, algorithm="EdDSA", headers=headers)
        return made


def parts(signer: Signer | None, lines: Sequence[bytes], key: str) -> Iterator[Part]:
    """The lines as they are sent: all at once without a signer, else so many as it signs together.

    Each part has an Idempotency-Key of its own, the same for the same lines and signature: sent again, it is known;
    signed by another key since, or for the first time, it is not taken for what was sent before. Lines are without the
    white space around them that a gateway leaves out: what is signed is what is taken.
    """
    if signer is None:
        yield Part(lines, key, None)
        return
    bare = [line.strip() for line in lines]
    for first in range(0, len(bare), SIGNED_TICKETS):
        together = bare[first : first + SIGNED_TICKETS]
        signature = signer.sign(together)
        yield Part(together, f"{key}/{signature[-16:]}", signature)


def make_key(path: str | Path) -> str:
    """Make a key: the private one into a new file for its owner alone, the public one returned as a JWK.

    Raises:
        RefusedToStart: there is such a file already, or it cannot be written; or cryptography is not there.
    """
    _, ed25519 = _libraries()
    kid = "-"
    while kid.startswith("-"):  # on a command line it would be an option
        key = ed25519.Ed25519PrivateKey.generate()
        public = _encoded(key.public_key().public_bytes_raw())
        kid = thumbprint(public)
    told = {"kty": "OKP", "crv": "Ed25519", "x": public, "kid": kid}
    kept = {**told, "d": _encoded(key.private_bytes_raw())}
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(json.dumps(kept) + "\n")
            file.flush()
            os.fsync(descriptor)
    except FileExistsError as error:
        raise RefusedToStart(Problem(str(path), "is there already; a key is never written over 檔案已存在")) from error
    except OSError as error:
        raise RefusedToStart(Problem(str(path), f"cannot be written: {error.strerror}")) from error
    return json.dumps(told)


def thumbprint(public_key: str) -> str:
    """The RFC 7638 thumbprint of a public key, x of its JWK."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": public_key}
    return _encoded(sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _libraries() -> tuple[Any, Any]:
    try:
        import jwt
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        text = "need PyJWT and cryptography, which are not installed: pip install 'pyjwt[crypto]'"
        raise RefusedToStart(Problem("signatures", text)) from error
    return jwt, ed25519
