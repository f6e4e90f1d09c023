"""How a client proves who it is, and knows whom it talks to. Opens no connection; keeps no password."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from fsoc.errors import Problem, RefusedToStart
from fsoc.settings import Settings

Protocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]

MECHANISM: Final = "SCRAM-SHA-512"
PASSWORD_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Security:
    """What a client is given of protocol and identity. Its text names files and never what is in them.

    ca_file: certificates that the brokers' must lead to; None: those the operating system trusts.
    username, password_file: for the SASL protocols, by SCRAM-SHA-512.
    """

    protocol: Protocol = "PLAINTEXT"
    ca_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None

    @classmethod
    def of(cls, settings: Settings) -> Security:
        """Take the `kafka_…` settings, which are checked already."""
        return cls(
            settings.kafka_protocol,
            settings.kafka_ca_file,
            settings.kafka_username,
            settings.kafka_password_file,
        )

    def client(self) -> dict[str, Any]:
        """Arguments for any client of aiokafka's. Reads the files anew: passwords are changed while processes live.

        Raises:
            RefusedToStart: a file cannot be read, or is not what it must be.
        """
        given: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            given["ssl_context"] = self._trusting()
        if self.protocol.startswith("SASL"):
            given["sasl_mechanism"] = MECHANISM
            given["sasl_plain_username"] = self.username
            given["sasl_plain_password"] = self._password()
        return given

    def _trusting(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        except OSError as error:  # SSLError is one: a file without a certificate
            reason = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise RefusedToStart(Problem(str(self.ca_file), f"kafka_ca_file cannot be used: {reason}")) from error

    def _password(self) -> str:
        file = self.password_file
        assert file is not None  # noqa: S101 - the settings have seen to it
        try:
            password = file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise RefusedToStart(Problem(str(file), f"kafka_password_file cannot be read: {reason}")) from error
        # Other characters would have to be normalised as the broker does, and that is not the same everywhere.
        if not 1 <= len(password) <= PASSWORD_MAX or not password.isascii() or not password.isprintable():
            text = f"expected one line of 1 to {PASSWORD_MAX} printable ASCII characters"
            raise RefusedToStart(Problem(str(file), f"kafka_password_file: {text}"))
        return password


#: As on this machine alone, or behind a wall of somebody else's.
OPEN: Final = Security()
