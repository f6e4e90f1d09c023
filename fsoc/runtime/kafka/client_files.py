"""What one user needs to reach a cluster, as files that only their owner reads. Makes no user: see credentials.py."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka.security import MECHANISM, Protocol, Security

# Letters, digits, - and _ alone: the same in every file format below, and nothing to normalise.
PASSWORD_BYTES: Final = 32
_NONE: Final[Mapping[str, Path]] = MappingProxyType({})


def new_password() -> str:
    """256 bits by chance, as 43 characters."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads (0600), whole or not at all.

    Raises:
        RefusedToStart: it cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # Opened so, not changed to it: there is no moment at which another may open it.
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise RefusedToStart(Problem(str(path), f"cannot be written: {error.strerror}")) from error


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """The files of one user in one folder.

    password: the password alone. settings: fsoc's own, for `--settings`. kcat: for `kcat -F` and whatever else is made
    of librdkafka (Vector, Fluent Bit). java: for `--command-config` of Kafka's own tools, and for Logstash.
    """

    folder: Path
    user: str

    @property
    def password(self) -> Path:
        return self.folder / f"{self.user}.password"

    @property
    def settings(self) -> Path:
        return self.folder / f"{self.user}.yml"

    @property
    def kcat(self) -> Path:
        return self.folder / f"{self.user}.kcat"

    @property
    def java(self) -> Path:
        return self.folder / f"{self.user}.properties"

    def write(
        self,
        brokers: str,
        protocol: Protocol,
        ca_file: Path | None,
        password: str | None,
        topic_prefix: str | None = None,
        paths: Mapping[str, Path] = _NONE,
    ) -> None:
        """Write all of them.

        ca_file: as it stands in the files; None: what the system trusts.
        password: None where the protocol asks for none; then there is no file of it.
        topic_prefix: of fsoc's settings; None leaves it out. paths: other settings of fsoc, each a file.

        Raises:
            RefusedToStart: one cannot be written.
        """
        ours = [
            f"# For `--settings` of the fsoc commands, as {self.user}.",
            f"brokers: {_quoted(brokers)}",
            f"kafka_protocol: {protocol}",
            *([] if ca_file is None else [f"kafka_ca_file: {_quoted(str(ca_file))}"]),
            *([] if topic_prefix is None else [f"topic_prefix: {_quoted(topic_prefix)}"]),
            *(f"{name}: {_quoted(str(path))}" for name, path in paths.items()),
        ]
        kcat = [
            f"# For `kcat -F` and other programs made of librdkafka, as {self.user}.",
            f"bootstrap.servers={brokers}",
            f"security.protocol={protocol}",
            *([] if ca_file is None else [f"ssl.ca.location={ca_file}"]),
        ]
        java = [
            f"# For `--command-config` of Kafka's own tools, as {self.user}.",
            f"security.protocol={protocol}",
            *([] if ca_file is None else ["ssl.truststore.type=PEM", f"ssl.truststore.location={escaped(ca_file)}"]),
        ]
        if password is not None:
            write_private(self.password, f"{password}\n".encode())
            ours += [f"kafka_username: {_quoted(self.user)}", f"kafka_password_file: {self.password.name}"]
            kcat += [f"sasl.mechanisms={MECHANISM}", f"sasl.username={self.user}", f"sasl.password={password}"]
            login = "org.apache.kafka.common.security.scram.ScramLoginModule"
            given = f'username="{self.user}" password="{password}"'
            java += [f"sasl.mechanism={MECHANISM}", f"sasl.jaas.config={login} required {given};"]
        for path, lines in ((self.settings, ours), (self.kcat, kcat), (self.java, java)):
            write_private(path, ("\n".join(lines) + "\n").encode())

    def security(self, ca_file: Path | None) -> Security:
        """Reach the cluster as this user."""
        return Security("SASL_SSL", ca_file, self.user, self.password)


def escaped(path: Path) -> str:
    """A path as a Java properties file has it: there a backslash escapes."""
    return str(path).replace("\\", "\\\\")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
