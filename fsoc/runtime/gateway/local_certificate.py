"""A certificate for a gateway on this machine, in files: for trying one, and for compose. Serves nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

from cryptography import x509

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka import certificates
from fsoc.runtime.kafka.client_files import write_private

CERTIFICATE: Final = "gateway.pem"
KEY: Final = "gateway.key"
AUTHORITY: Final = "gateway-ca.pem"
_GOOD_FOR: Final = dt.timedelta(days=30)


def make(folder: Path, now: dt.datetime) -> bool:
    """Make certificate, key and authority, unless those that are there are good for 30 days more; return whether so.

    All three are written for their owner alone.

    Raises:
        RefusedToStart: the folder cannot be made or written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _are_good(folder, now + _GOOD_FOR):
            return False
    except OSError as error:
        raise RefusedToStart(Problem(str(folder), f"cannot be used: {error.strerror}")) from error
    authority = certificates.authority(now)
    pair = certificates.broker(authority, now)
    # The authority's key is written nowhere: nothing else will ever be signed by it.
    write_private(folder / AUTHORITY, authority.certificate)
    write_private(folder / KEY, pair.key)
    write_private(folder / CERTIFICATE, pair.certificate)
    return True


def _are_good(folder: Path, until: dt.datetime) -> bool:
    files = [folder / name for name in (AUTHORITY, KEY, CERTIFICATE)]
    if not all(file.is_file() for file in files):
        return False
    try:
        found = x509.load_pem_x509_certificate(files[-1].read_bytes())
    except ValueError:
        return False
    return found.not_valid_after_utc > until
