"""A folder of things that are costly to make, by key. What cannot be read or written is made anew: never an error.

Only this user may look into it, or it is not used. A file is whole or not there. The oldest leave where it is too big.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

CACHE_BYTES_MAX: Final = 256 * 1024 * 1024
FILE_BYTES_MAX: Final = CACHE_BYTES_MAX // 2
_MAGIC: Final = b"fsoc-cache-1\n"
_SUM_BYTES: Final = 16
_SUFFIX: Final = ".compiled"
_UNFINISHED: Final = ".unfinished"

# The standard library's: it tells people on stderr as it is, and a worker's log takes it up.
_log = logging.getLogger(__name__)


def cache_folder(given: Path | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """Where compiled rules lie: as given, else FSOC_RULES_CACHE, else rules/ in FSOC_CACHE or the user's own cache."""
    if given is not None:
        return given
    if named := environment.get("FSOC_RULES_CACHE"):
        return Path(named)
    caches = Path(environment.get("XDG_CACHE_HOME", ""))
    ours = environment.get("FSOC_CACHE") or (caches if caches.is_absolute() else Path("~/.cache").expanduser()) / "fsoc"
    return Path(ours) / "rules"


class Cache:
    """Complains once of each thing that keeps it from keeping anything, then works without it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._complained: set[str] = set()

    def get(self, key: str) -> bytes | None:
        """What was put under the key, whole; None where there is no such thing."""
        path = self._path(key)
        try:
            if not self._is_ours() or path.stat().st_size > FILE_BYTES_MAX:
                return None
            found = path.read_bytes()
            os.utime(path)  # used last, leaves last
        except FileNotFoundError:
            return None
        except OSError as error:
            self._complain(f"{self._folder} cannot be read: {error.strerror}")
            return None
        kept = found[len(_MAGIC) + _SUM_BYTES :]
        if found != _sealed(key, kept):
            self._complain(f"{path} is damaged, and made anew")
            return None
        return kept

    def put(self, key: str, value: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_ours() or len(value) > FILE_BYTES_MAX:
                return
            self._write(self._path(key), _sealed(key, value))
            self._shrink()
        except OSError as error:
            self._complain(f"{self._folder} cannot be written: {error.strerror}; rules are compiled each time")

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _is_ours(self) -> bool:
        status = self._folder.stat()
        ours = status.st_uid == os.geteuid() and not status.st_mode & 0o077
        if not ours:
            self._complain(f"{self._folder} is open to others, and not used; chmod 700 it, or set FSOC_RULES_CACHE")
        return ours

    def _write(self, path: Path, content: bytes) -> None:
        handle, name = tempfile.mkstemp(suffix=_UNFINISHED, dir=self._folder)
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            unfinished.replace(path)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            raise

    def _shrink(self) -> None:
        """The oldest leave, among them what a process that was killed has left unfinished."""
        files = [path for path in self._folder.iterdir() if path.suffix in {_SUFFIX, _UNFINISHED}]
        statuses = []
        for path in files:
            with suppress(FileNotFoundError):  # another process makes room too
                statuses.append((path.stat(), path))
        total = sum(status.st_size for status, _ in statuses)
        for status, path in sorted(statuses, key=lambda each: each[0].st_mtime_ns):
            if total <= CACHE_BYTES_MAX:
                break
            path.unlink(missing_ok=True)
            total -= status.st_size

    def _complain(self, text: str) -> None:
        if text not in self._complained:
            self._complained.add(text)
            _log.warning("fsoc: cache: %s", text)


def _sealed(key: str, value: bytes) -> bytes:
    return _MAGIC + blake2b(value, digest_size=_SUM_BYTES, key=key.encode()).digest() + value
