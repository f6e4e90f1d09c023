"""The keys, certificates and first users of this machine's own secure broker. Runs nothing.

They lie in `security/` of the broker's data directory, which only its owner may enter:

    ca.pem ca.key              the authority's certificate, and its key
    broker.pem                 the broker's key and certificate, new at each start
    gateway.pem gateway.key    the HTTPS gateway's, the same; named in fsoc-gateway.yml
    fsoc-admin.* …             of each first user: password, settings for fsoc, kcat and Kafka's own tools
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka import certificates
from fsoc.runtime.kafka.client_files import ClientFiles, new_password, write_private
from fsoc.runtime.kafka.security import MECHANISM, Security
from fsoc.runtime.kafka.topics import CONSOLE, GATEWAY, WORKER

ADMIN: Final = "fsoc-admin"
FIRST_USERS: Final = (ADMIN, WORKER, GATEWAY, CONSOLE)


@dataclass(frozen=True, slots=True)
class Secured:
    """The folder of a secure broker. Equal for the same data directory."""

    data_dir: Path

    @property
    def folder(self) -> Path:
        return self.data_dir / "security"

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def broker_file(self) -> Path:
        return self.folder / "broker.pem"

    @property
    def gateway_certificate(self) -> Path:
        return self.folder / "gateway.pem"

    @property
    def gateway_key(self) -> Path:
        return self.folder / "gateway.key"

    @property
    def exists(self) -> bool:
        """Whether the broker of this data directory is a secure one."""
        return self.ca_file.exists()

    def files(self, user: str) -> ClientFiles:
        return ClientFiles(self.folder, user)

    def security(self, user: str) -> Security:
        return self.files(user).security(self.ca_file)

    def make(self, now: dt.datetime) -> None:
        """Make an authority and the first users' passwords, in place of any there are.

        Raises:
            RefusedToStart: the folder cannot be written.
        """
        self.forget()
        self.folder.mkdir(mode=0o700)
        made = certificates.authority(now)
        write_private(self.folder / "ca.key", made.key)
        for user in FIRST_USERS:
            write_private(self.files(user).password, f"{new_password()}\n".encode())
        # Last: from here on the folder says that this broker is secure.
        write_private(self.ca_file, made.certificate)

    def forget(self) -> None:
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def renew(self, now: dt.datetime, brokers: str) -> None:
        """Give the broker and the gateway new certificates, and the first users' files the broker's address.

        Raises:
            RefusedToStart: what `make` left is not readable, or the folder cannot be written.
        """
        try:
            authority = certificates.Pair(self.ca_file.read_bytes(), (self.folder / "ca.key").read_bytes())
            passwords = {user: self.files(user).password.read_text("ascii").strip() for user in FIRST_USERS}
            made, served = certificates.broker(authority, now), certificates.gateway(authority, now)
        except (OSError, ValueError) as error:
            text = f"is not what `fsoc kafka start --secure` left there ({error}); --fresh begins anew"
            raise RefusedToStart(Problem(str(self.folder), text)) from error
        write_private(self.broker_file, made.key + made.certificate)
        write_private(self.gateway_certificate, served.certificate)
        write_private(self.gateway_key, served.key)
        https = {"gateway_certificate": self.gateway_certificate, "gateway_key": self.gateway_key}
        for user, password in passwords.items():
            own = https if user == GATEWAY else {}
            self.files(user).write(brokers, "SASL_SSL", self.ca_file, password, paths=own)

    @contextmanager
    def format_arguments(self) -> Iterator[Path]:
        """A file of arguments for `StorageTool format` that makes the first users; it is gone afterwards.

        A file, because a command line is read by everyone on the machine.
        """
        path = self.folder / "format.arguments"
        passwords = ((user, self.files(user).password.read_text("ascii").strip()) for user in FIRST_USERS)
        lines = (f"--add-scram\n{MECHANISM}=[name={user},password={password}]\n" for user, password in passwords)
        write_private(path, "".join(lines).encode())
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)
