"""Lines that wait to be sent: durable once added, gone once acknowledged. Sends nothing."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Final, NamedTuple, Self

from fsoc.errors import FsocError, Problem, RefusedToStart

LINE_BYTES_MAX: Final = 1_000_000
BATCH_LINES: Final = 500
BATCH_BYTES: Final = 1024 * 1024
SPOOL_BYTES_MAX: Final = 1024**3
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lines (id INTEGER PRIMARY KEY AUTOINCREMENT, added REAL NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sending (first INTEGER NOT NULL, last INTEGER NOT NULL);
"""


class SpoolFull(FsocError):  # noqa: N818 - says what is, as the others do
    """It holds as much as it may; nothing was added. Send what waits first."""


class Batch(NamedTuple):
    """Lines that go together. key: the same for the same lines, also after a restart. last: id of the last line."""

    key: str
    lines: list[bytes]
    last: int


class Standing(NamedTuple):
    """What waits. oldest: seconds since 1970 when it was added; None where nothing waits."""

    lines: int
    bytes: int
    oldest: float | None
    destination: str | None


class Spool:
    """One folder of waiting lines. Open it once per thread; close it.

    destination: where they are for, and as whom; None only looks.

    Raises:
        RefusedToStart: the folder cannot be used, or holds lines for another destination.
    """

    def __init__(self, folder: str | Path, destination: str | None, bytes_max: int = SPOOL_BYTES_MAX) -> None:
        self.folder = Path(folder)
        self._bytes_max = bytes_max
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open = sqlite3.connect(self.folder / "spool.db", timeout=60, isolation_level=None)
            self._open.execute("PRAGMA journal_mode = WAL")
            self._open.execute("PRAGMA synchronous = FULL")
            self._open.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise RefusedToStart(Problem(str(folder), f"cannot be used as a spool: {error}")) from error
        with self._changing():
            fresh = ("id", secrets.token_hex(8))
            self._open.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", fresh)
        ((self._id,),) = self._open.execute("SELECT value FROM facts WHERE name = 'id'").fetchall()
        if destination is not None:
            self._belong_to(destination)

    def add(self, lines: Iterable[bytes]) -> int:
        """Add these, all or none, and return how many there were. Durable when it returns.

        Raises:
            SpoolFull: there is no room for all of them.
            ValueError: one is empty, has a line feed in it, or is larger than a Kafka record.
        """
        count = 0
        with self._changing():
            waiting = self.standing().bytes
            for line in lines:
                if not line.strip() or b"\n" in line or len(line) > LINE_BYTES_MAX:
                    raise ValueError(f"a line of {len(line)} bytes, expected 1 to {LINE_BYTES_MAX} without a line feed")
                waiting += len(line)
                if waiting > self._bytes_max:
                    raise SpoolFull(f"{self.folder}: more than {self._bytes_max:,} bytes would wait")
                self._open.execute("INSERT INTO lines (added, payload) VALUES (?, ?)", (time.time(), line))
                count += 1
        return count

    def batch(self) -> Batch | None:
        """The lines to be sent next, which stay the same until they are acknowledged; None where none waits."""
        with self._changing():
            chosen = self._open.execute("SELECT first, last FROM sending").fetchone()
            if chosen is None:
                chosen = self._choose()
                if chosen is None:
                    return None
                self._open.execute("INSERT INTO sending VALUES (?, ?)", chosen)
            first, last = chosen
            found = self._open.execute("SELECT payload FROM lines WHERE id BETWEEN ? AND ? ORDER BY id", chosen)
            return Batch(f"{self._id}-{first}-{last}", [payload for (payload,) in found], last)

    def acknowledge(self, batch: Batch) -> None:
        """Let go of a batch that has arrived."""
        with self._changing():
            self._open.execute("DELETE FROM lines WHERE id <= ?", (batch.last,))
            self._open.execute("DELETE FROM sending WHERE last = ?", (batch.last,))

    def standing(self) -> Standing:
        lines, size, oldest = self._open.execute(
            "SELECT COUNT(*), COALESCE(SUM(LENGTH(payload)), 0), MIN(added) FROM lines"
        ).fetchone()
        told = self._open.execute("SELECT value FROM facts WHERE name = 'destination'").fetchone()
        return Standing(lines, size, oldest, None if told is None else told[0])

    @contextmanager
    def sender(self) -> Iterator[bool]:
        """Whether it is ours to send from, until the end of the block; False while another process does."""
        with (self.folder / "sender.lock").open("ab") as stream:
            yield _locked(stream)

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _choose(self) -> tuple[int, int] | None:
        first: int | None = None
        last, size = 0, 0
        query = "SELECT id, LENGTH(payload) FROM lines ORDER BY id LIMIT ?"
        for number, length in self._open.execute(query, (BATCH_LINES,)).fetchall():
            size += length + 1
            if first is not None and size > BATCH_BYTES:
                break
            first = number if first is None else first
            last = number
        return None if first is None else (first, last)

    def _belong_to(self, destination: str) -> None:
        with self._changing():
            now = self.standing()
            if now.lines and now.destination not in {None, destination}:
                text = f"holds {now.lines:,} lines for {now.destination}; --spool another folder, or send those first"
                raise RefusedToStart(Problem(str(self.folder), text))
            self._open.execute("INSERT OR REPLACE INTO facts VALUES ('destination', ?)", (destination,))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        self._open.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._open.execute("ROLLBACK")
            raise
        self._open.execute("COMMIT")


def _locked(stream: IO[bytes]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def default_folder() -> Path:
    """Where `fsoc send` spools unless told otherwise."""
    data = os.environ.get("FSOC_DATA") or Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "fsoc"
    return Path(data) / "spool"
