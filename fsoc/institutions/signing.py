"""What the registry says of an institution's signatures: its public keys, and since when it must sign. Pure.

Nothing is verified here: what is signed and how is in fsoc/feeds/signatures.py.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.document import unknown_name

KEYS_MAX: Final = 16
"""Of an institution, those that are no longer taken too."""
PUBLIC_KEY_BYTES: Final = 32
JWK_BYTES_MAX: Final = 4_096

_KEYS: Final = ("required_from", "keys")
_KEY_KEYS: Final = ("kid", "public_key", "not_after")
_is_kid: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}").fullmatch
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY_MS: Final = 86_400_000

# Tells one problem of the entry: the path below `signing`, and the text.
Complain = Callable[[tuple[str | int, ...], str], None]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 public key (RFC 8037).

    kid: its name, of one institution alone. public_key: the JWK's x, base64url without padding.
    ends_ms: the first time, in ms since 1970, at which what it signed is no longer taken; None is never.
    """

    kid: str
    public_key: str
    ends_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Signing:
    """required_from_ms: since when, in ms since 1970, everything of the institution must be signed; None is never."""

    required_from_ms: int | None = None
    keys: tuple[SigningKey, ...] = ()

    def is_required(self, at_ms: int) -> bool:
        return self.required_from_ms is not None and at_ms >= self.required_from_ms

    def as_written(self) -> dict[str, Any]:
        """By the keys of the registry's file."""
        required = {} if self.required_from_ms is None else {"required_from": _said(self.required_from_ms)}
        return {
            **required,
            "keys": [
                {
                    "kid": key.kid,
                    "public_key": key.public_key,
                    **({} if key.ends_ms is None else {"not_after": _said_end(key.ends_ms)}),
                }
                for key in self.keys
            ],
        }


UNSIGNED: Final = Signing()


def read_signing(entry: Any, complain: Complain) -> Signing:
    """Read `signing` of an entry; UNSIGNED where there is none, or where something was wrong and told."""
    if entry is None:
        return UNSIGNED
    if not isinstance(entry, dict):
        complain((), "signing: expected a mapping such as {keys: [{kid: …, public_key: …}]}")
        return UNSIGNED
    for name in entry:
        if name not in _KEYS:
            complain((name,), unknown_name(name, _KEYS))
    required_ms = _moment(entry.get("required_from"), lambda text: complain(("required_from",), text), last=False)
    listed = entry.get("keys") or []
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        complain(("keys",), f"keys: expected a list of at most {KEYS_MAX} keys")
        return UNSIGNED
    if required_ms is not None and not listed:
        complain(("required_from",), "required_from: there is no key that could sign; add one first")
    keys = [_read_key(one, index, complain) for index, one in enumerate(listed)]
    return Signing(required_ms, tuple(key for key in keys if key is not None))


def _read_key(entry: Any, index: int, complain: Complain) -> SigningKey | None:
    at = ("keys", index)
    if not isinstance(entry, dict):
        complain(at, "keys: expected a mapping such as {kid: …, public_key: …}")
        return None
    for name in entry:
        if name not in _KEY_KEYS:
            complain((*at, name), unknown_name(name, _KEY_KEYS))
    kid, public_key = entry.get("kid"), entry.get("public_key")
    if not isinstance(kid, str) or _is_kid(kid) is None:
        complain((*at, "kid"), "kid: expected 1 to 64 of A–Z, a–z, 0–9, ., _ and -, in quotes where it is a number")
    if not isinstance(public_key, str) or decoded(public_key, PUBLIC_KEY_BYTES) is None:
        complain((*at, "public_key"), "public_key: expected 43 characters of base64url: the x of an Ed25519 JWK")
    ends_ms = _moment(entry.get("not_after"), lambda text: complain((*at, "not_after"), text), last=True)
    return SigningKey(str(kid), str(public_key), ends_ms)


def decoded(text: str, size: int) -> bytes | None:
    """The bytes that base64url text without padding stands for; None where it is no such text of `size` bytes.

    There is one text for the same bytes: unused bits that are set, padding and line ends are refused (RFC 4648, 3.5).
    """
    try:
        found = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return found if len(found) == size and encoded(found) == text else None


def encoded(data: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(public_key: str) -> str:
    """The key's RFC 7638 thumbprint, SHA-256: a name that only it has."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": public_key}
    return encoded(sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def key_of_jwk(text: str, where: str) -> SigningKey:
    """The key of a public JWK (RFC 8037). Without a kid of its own it is called by its thumbprint.

    Raises:
        RefusedToStart: it is none; or it is a private key, which nobody but its owner may have.
    """

    def refusal(why: str) -> RefusedToStart:
        return RefusedToStart(Problem(where, why))

    try:
        found: Any = json.loads(text) if len(text) <= JWK_BYTES_MAX else None
    except (ValueError, RecursionError) as error:
        raise refusal("is no JWK: not JSON") from error
    if not isinstance(found, dict):
        raise refusal("is no JWK: expected one JSON object")
    if "d" in found:
        raise refusal(
            "is a private key, which nobody but its owner may have; make another, give the public one 請改用公鑰"
        )
    if found.get("kty") != "OKP" or found.get("crv") != "Ed25519":
        raise refusal('is no Ed25519 key: expected {"kty": "OKP", "crv": "Ed25519", "x": …}')
    public_key = found.get("x")
    if not isinstance(public_key, str) or decoded(public_key, PUBLIC_KEY_BYTES) is None:
        raise refusal("x: expected 43 characters of base64url")
    kid = found.get("kid", thumbprint(public_key))
    if not isinstance(kid, str) or _is_kid(kid) is None:
        raise refusal("kid: expected 1 to 64 of A–Z, a–z, 0–9, ., _ and -")
    return SigningKey(kid, public_key)


def taken_by(signing: Mapping[str, Signing]) -> list[tuple[str, int, str]]:
    """Keys that more than one has, or one has twice: whose it is the second time, which, and what is the same.

    signing: by institution, in the order of the file.
    """
    found: list[tuple[str, int, str]] = []
    for name in ("kid", "public_key"):
        seen: set[str] = set()
        for institution, one in signing.items():
            for index, key in enumerate(one.keys):
                value = getattr(key, name)
                if value in seen:
                    found.append((institution, index, name))
                seen.add(value)
    return found


def moment_ms(value: Any, *, last: bool) -> int:
    """A day in UTC, or a time with an offset, in ms since 1970. last: the first ms after it, else the first of it.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, str):
        value = dt.date.fromisoformat(value) if len(value) == len("2027-06-30") else dt.datetime.fromisoformat(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise ValueError("a time without an offset")
        return (value - _EPOCH) // dt.timedelta(milliseconds=1) + last
    if isinstance(value, dt.date):
        return ((value - _EPOCH.date()).days + last) * _DAY_MS
    raise ValueError("neither a day nor a time")


def _moment(value: Any, complain: Callable[[str], None], *, last: bool) -> int | None:
    if value is None:
        return None
    try:
        return moment_ms(value, last=last)
    except (ValueError, OverflowError):
        name = "not_after" if last else "required_from"
        complain(f"{name}: expected a day such as 2027-06-30, or a time with its offset: 2027-06-30T12:00:00Z")
        return None


def _said(at_ms: int) -> str:
    return _day(at_ms) if at_ms % _DAY_MS == 0 else _time(at_ms)


def _said_end(ends_ms: int) -> str:
    """The last day that it is taken, where it ends with one, else the last moment."""
    return _day(ends_ms - _DAY_MS) if ends_ms % _DAY_MS == 0 else _time(ends_ms - 1)


def _day(at_ms: int) -> str:
    return (_EPOCH + dt.timedelta(milliseconds=at_ms)).date().isoformat()


def _time(at_ms: int) -> str:
    at = _EPOCH + dt.timedelta(milliseconds=at_ms)
    return at.isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds").replace("+00:00", "Z")
