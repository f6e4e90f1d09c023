"""TLS of the gateway: its certificate, and those of senders. uvicorn's connections are looked into here alone."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

from fsoc.errors import Problem, RefusedToStart

HEADERS_SECONDS_MAX: Final = 10


def context_of(certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """What the gateway is, and whose certificates it takes; senders without one may come by token.

    Raises:
        RefusedToStart: a file cannot be read, or is not what it must be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_pair(context, certificate, key)
    if client_ca is not None:
        try:
            context.load_verify_locations(cafile=client_ca)
        except OSError as error:  # SSLError is one
            raise _refused(client_ca, "gateway_client_ca", "certificate", error) from error
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Give the context this certificate, from now on.

    Raises:
        RefusedToStart: as `context_of`; the context goes on with what it had.
    """
    try:
        # First in a context of its own: one that fails half-way would be left with a certificate and no key.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise _refused(
            certificate, "gateway_certificate, gateway_key", "matching certificate and key", error
        ) from error


def _refused(file: Path, name: str, wanted: str, error: OSError) -> RefusedToStart:
    reason = f"holds no {wanted}" if isinstance(error, ssl.SSLError) else error.strerror
    return RefusedToStart(Problem(str(error.filename or file), f"{name} cannot be used: {reason}"))


class Protocol(H11Protocol):
    """uvicorn's, and beyond it: a request's state has the sender's certificate, and headers must come soon."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._patience: asyncio.TimerHandle | None = None
        tls: Any = transport.get_extra_info("ssl_object")
        if tls is not None:
            # None where the sender showed none; what it shows has been found to lead to the CA.
            self.app_state = {**self.app_state, "peer_certificate": tls.getpeercert(binary_form=True)}
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Let a connection go where a request's headers, or the first request, do not come to an end."""
        waits = self.cycle is None or self.cycle.response_complete
        if waits and self._patience is None:
            self._patience = self.loop.call_later(HEADERS_SECONDS_MAX, self._give_up)
        elif not waits and self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.abort()
