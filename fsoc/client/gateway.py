"""The HTTPS gateway as its senders see it: requests out, answers in. Keeps nothing and tries nothing twice."""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from fsoc.client.signing import SIGNATURE_HEADER, Part, Signer, parts
from fsoc.errors import FsocError, Problem, RefusedToStart, Retry

TIMEOUT_SECONDS: Final = 90.0
"""Longer than a gateway waits for Kafka, so that its answer is not missed."""
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
_TRY_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})


class Unavailable(Retry):
    """Nothing was acknowledged; the same may succeed later. retry_after: seconds, where the gateway said so."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Refused(FsocError):  # noqa: N818 - says what happens next, as the others do
    """The gateway will not take it as it is. problem: its RFC 9457 body; {} where it gave none."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        told = [str(problem.get(name, "")) for name in ("title", "detail", "title_zh", "detail_zh")]
        super().__init__(f"{status} {' '.join(filter(None, told)) or 'without a reason'}"[:1_000])
        self.status = status
        self.problem = problem


class Gateway:
    """One gateway, one sender. A connection per request.

    url: `https://host:port`; `http` on this machine's own address alone.
    token: what `fsoc gateway token` printed. certificate, key: a client certificate, PEM files. ca_file: what the
    gateway's certificate must lead to; None: what the system trusts. signer: signs what is sent, in parts that it can.

    Raises:
        RefusedToStart: the URL, the token or a file cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        certificate: str | None = None,
        key: str | None = None,
        ca_file: str | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        signer: Signer | None = None,
    ) -> None:
        parts = urlsplit(url)
        try:
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError as error:
            raise RefusedToStart(Problem(url[:200], f"is no URL: {error}")) from error
        if parts.scheme not in {"http", "https"} or not self._host or parts.path.strip("/") or parts.query:
            raise RefusedToStart(Problem(url[:200], "expected https://host:port and no path"))
        if parts.scheme == "http" and not _is_loopback(self._host):
            raise RefusedToStart(Problem(url[:200], "is without TLS: token and tickets would be shown; use https"))
        if token is not None and (not token.isascii() or not token.isprintable() or " " in token or not token):
            raise RefusedToStart(Problem("token", "expected one line of printable ASCII without spaces"))
        self._token = token
        self._signer = signer
        self._timeout = timeout_seconds
        self._context = _context(certificate, key, ca_file) if parts.scheme == "https" else None
        whose = f"certificate {certificate}" if token is None else _holder(token)
        self.name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]} as {whose}"
        """Which gateway as whom, without anything secret."""

    def send(self, lines: Sequence[bytes], key: str) -> list[dict[str, Any]]:
        """Send a batch and return an entry per line, in order, once Kafka has all of them.

        key: the Idempotency-Key; the same lines under the same key are written once.

        Raises:
            Refused, Unavailable: nothing was acknowledged.
        """
        entries: list[dict[str, Any]] = []
        for part in parts(self._signer, lines, key):
            found = self._send(part)
            # Each answer counts the lines of its own body.
            entries += [{**one, "line": number} for number, one in enumerate(found, len(entries) + 1)]
        return entries

    def _send(self, part: Part) -> list[dict[str, Any]]:
        lines = part.lines
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": part.key}
        if part.signature is not None:
            headers[SIGNATURE_HEADER] = part.signature
        answer = self._ask("POST", "/v1/tickets", b"\n".join(lines), headers)
        entries: Any = answer.get("entries")
        if not isinstance(entries, list) or len(entries) != len(lines):
            raise Unavailable("the gateway's answer does not tell of every line")
        return list(entries)

    def receipts(self, begin: int = 0, limit: int = 500) -> dict[str, Any]:
        """A page of one's own receipts: receipts, next, end.

        Raises:
            Refused, Unavailable: as said there.
        """
        return self._ask("GET", f"/v1/receipts?from={begin}&limit={limit}", b"", {})

    def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        given = {**headers, **({} if self._token is None else {"Authorization": f"Bearer {self._token}"})}
        connection = (
            http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            if self._context is None
            else http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)
        )
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            status, told = answer.status, answer.read(ANSWER_BYTES_MAX)
            pause = answer.getheader("Retry-After", "")
        except ssl.SSLCertVerificationError as error:
            raise Refused(0, {"title": f"the gateway's certificate is not trusted: {error.verify_message}"}) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{self._host} does not answer: {error or type(error).__name__}") from error
        finally:
            connection.close()
        return _read(status, told, float(pause) if pause.isascii() and pause.isdigit() else None)


def _read(status: int, told: bytes, retry_after: float | None) -> dict[str, Any]:
    try:
        body: Any = json.loads(told)
    except ValueError:
        body = None
    found: dict[str, Any] = body if isinstance(body, dict) else {}
    if status in _TRY_AGAIN:
        raise Unavailable(f"{status} {found.get('title', '')}".strip()[:300], retry_after)
    if status not in {200, 202}:
        raise Refused(status, found)
    if not isinstance(body, dict):
        raise Unavailable("the gateway's answer is not what it should be")
    return found


def _holder(token: str) -> str:
    """Whose token it is, and nothing of its secret, in which there may be a `_` too."""
    kind, _, rest = token.partition("_")
    holder, found, _ = rest.partition("_")
    return holder if kind == "fsoc" and found else "the holder of a token"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _context(certificate: str | None, key: str | None, ca_file: str | None) -> ssl.SSLContext:
    named = ca_file
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if certificate is not None:
            named = certificate
            context.load_cert_chain(certificate, key)
    except OSError as error:  # SSLError is one
        reason = "is not what it must be" if isinstance(error, ssl.SSLError) else error.strerror
        raise RefusedToStart(Problem(str(named), f"cannot be used: {reason}")) from error
    return context
