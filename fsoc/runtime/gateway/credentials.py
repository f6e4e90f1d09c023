"""Who comes: tokens and client certificates, each of one institution. Keeps no token, only what stands for it.

Reads no file and no clock: text and day are arguments.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.document import Document, unknown_name
from fsoc.runtime.gateway.problems import Refusal

CREDENTIALS_MAX: Final = 4_096 * 8
PER_INSTITUTION_MAX: Final = 8
TOKEN_BYTES: Final = 32
NAME_MAX: Final = 200

_KEYS: Final = ("institution", "token_sha256", "certificate_sha256", "not_after", "name")
_is_institution: Final = re.compile(r"[a-z0-9-]{2,32}").fullmatch
_is_token: Final = re.compile(r"fsoc_([a-z0-9-]{2,32})_[A-Za-z0-9_-]{43}").fullmatch
_is_digest: Final = re.compile(r"[0-9a-f]{64}").fullmatch
# What an unknown institution's token is compared with, so that it takes as long as a known one's.
_NOBODY: Final = "0" * 64


def new_token(institution: str) -> str:
    """A token of 256 random bits.

    Raises:
        RefusedToStart: that is no institution's id.
    """
    if _is_institution(institution) is None:
        raise RefusedToStart(Problem(institution[:64], "is no institution's id: 2 to 32 of a–z, 0–9 and -"))
    return f"fsoc_{institution}_{secrets.token_urlsafe(TOKEN_BYTES)}"


def digest_of(secret: bytes) -> str:
    """What the file keeps: of a token its bytes' SHA-256, of a certificate that of its DER form."""
    return sha256(secret).hexdigest()


@dataclass(frozen=True, slots=True)
class Credential:
    """One line of the file.

    digest: of the token, or of the certificate. not_after: the last day, in UTC. name: what people call it.
    """

    institution: str
    digest: str
    not_after: dt.date | None = None
    name: str = ""


class Credentials:
    """All that are known. tokens, certificates: such as are in the file."""

    def __init__(self, tokens: Iterable[Credential], certificates: Iterable[Credential]) -> None:
        self._tokens: dict[str, list[Credential]] = {}
        for token in tokens:
            self._tokens.setdefault(token.institution, []).append(token)
        self._certificates = {certificate.digest: certificate for certificate in certificates}
        of_tokens = (token for several in self._tokens.values() for token in several)
        self.all: tuple[Credential, ...] = (*of_tokens, *self._certificates.values())
        holders = {*self._tokens, *(one.institution for one in self._certificates.values())}
        self.institutions: tuple[str, ...] = tuple(sorted(holders))

    @classmethod
    def parse(cls, text: str, where: str) -> Credentials:
        """Read the file's text.

        Raises:
            RefusedToStart: every problem at once, each with `where:line`; none of them names a digest.
        """
        document = Document.parse(text, where)
        reader = _Reader(document)
        reader.read()
        document.refuse_if_problems()
        return cls(reader.tokens, reader.certificates)

    def identify(self, token: str | None, certificate: bytes | None, today: dt.date) -> str:
        """The institution that asks.

        certificate: in DER form, of a client whose chain was checked.

        Raises:
            Refusal: nobody that is known, no longer, or two at once.
        """
        found = {
            *([] if certificate is None else [self._of_certificate(certificate, today)]),
            *([] if token is None else [self._of_token(token, today)]),
        }
        if not found:
            raise Refusal("no-credential")
        if len(found) > 1:
            raise Refusal("two-identities")
        return found.pop()

    def _of_token(self, token: str, today: dt.date) -> str:
        named = _is_token(token)
        if named is None:
            raise Refusal("unknown-credential")
        digest = digest_of(token.encode())
        known = self._tokens.get(named[1], [])
        # All of the institution's, whichever it is: how long it takes tells nothing.
        held = [one for one in known if compare_digest(one.digest, digest)]
        if not known:
            compare_digest(_NOBODY, digest)
        if not held:
            raise Refusal("unknown-credential")
        return _in_time(held[0], today)

    def _of_certificate(self, certificate: bytes, today: dt.date) -> str:
        digest = digest_of(certificate)
        known = self._certificates.get(digest)
        if known is None:
            raise Refusal("unknown-certificate", fingerprint=digest)
        return _in_time(known, today)


def _in_time(credential: Credential, today: dt.date) -> str:
    if credential.not_after is not None and today > credential.not_after:
        raise Refusal("expired-credential", not_after=credential.not_after.isoformat())
    return credential.institution


class _Reader:
    """Reads the file, noting what is wrong in its document."""

    def __init__(self, document: Document) -> None:
        self.tokens: list[Credential] = []
        self.certificates: list[Credential] = []
        self._document = document
        self._seen: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def read(self) -> None:
        document, data = self._document, self._document.data
        if not isinstance(data, dict):
            document.problem((), "expected a mapping with the key credentials")
            return
        for key in data:
            if key != "credentials":
                document.problem((key,), unknown_name(key, ["credentials"]))
        # Nobody is somebody: where the last was taken out, those before would stay in use if the file were refused.
        entries = [] if data.get("credentials", "") is None else data.get("credentials")
        if not isinstance(entries, list) or len(entries) > CREDENTIALS_MAX:
            document.problem(("credentials",), f"credentials: expected a list of at most {CREDENTIALS_MAX:,}")
            return
        for index, entry in enumerate(entries):
            self._read_one(index, entry)

    def _read_one(self, index: int, entry: Any) -> None:
        document, path = self._document, ("credentials", index)
        before = len(document.problems)
        if not isinstance(entry, dict):
            document.problem(path, "expected a mapping with institution, and token_sha256 or certificate_sha256")
            return
        for key in entry:
            if key not in _KEYS:
                document.problem((*path, key), unknown_name(key, _KEYS))
        institution, name = entry.get("institution"), entry.get("name", "")
        if not isinstance(institution, str) or _is_institution(institution) is None:
            document.problem((*path, "institution"), "institution: expected 2 to 32 of a–z, 0–9 and -")
        if not isinstance(name, str) or len(name) > NAME_MAX:
            document.problem((*path, "name"), f"name: expected text of at most {NAME_MAX} characters")
        kinds = [key for key in ("token_sha256", "certificate_sha256") if key in entry]
        if len(kinds) != 1:
            document.problem(path, "expected one of token_sha256 and certificate_sha256")
            return
        digest = self._digest((*path, kinds[0]), entry[kinds[0]])
        not_after = self._day((*path, "not_after"), entry.get("not_after"))
        if len(document.problems) > before or not isinstance(institution, str):
            return
        self._counts[institution] = self._counts.get(institution, 0) + 1
        if self._counts[institution] > PER_INSTITUTION_MAX:
            document.problem(path, f"{institution} has more than {PER_INSTITUTION_MAX} credentials")
        (self.tokens if kinds[0] == "token_sha256" else self.certificates).append(
            Credential(institution, digest, not_after, name)
        )

    def _digest(self, path: tuple[str | int, ...], value: Any) -> str:
        text = value.replace(":", "").lower() if isinstance(value, str) else ""
        if _is_digest(text) is None:
            self._document.problem(path, f"{path[-1]}: expected a SHA-256 of 64 hexadecimal digits, in quotes")
        elif (first := self._seen.setdefault(text, int(path[1]))) != path[1]:
            place = self._document.place(("credentials", first))
            self._document.problem(path, f"{path[-1]}: is the same as at {place}; a credential is one institution's")
        return text

    def _day(self, path: tuple[str | int, ...], value: Any) -> dt.date | None:
        if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
            return value
        try:
            return dt.date.fromisoformat(value)
        except (TypeError, ValueError):
            self._document.problem(path, "not_after: expected a day, such as 2027-06-30")
            return None
