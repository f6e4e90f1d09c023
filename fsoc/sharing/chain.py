"""The audit: who was told what, when, and under which decision, each record bound to the one before. Pure.

    hash = SHA-256 of the record without it, as canonical JSON; previous = the hash of the record before

Whoever changes, takes out, adds or moves a record changes every hash after it; whoever cuts the end off is found by a
head that was kept elsewhere. A record that stands there twice, byte for byte, is a crash between writing and
committing, and is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

import orjson

SCHEMA: Final = "fsoc.audit/1"
BEGIN: Final = "0" * 64
"""What the first record has before it."""

FAULTS_MAX: Final = 100
"""That are told of one log."""

_is_hash = re.compile(r"[0-9a-f]{64}").fullmatch


class Head(NamedTuple):
    """The last record of a chain: its number, from 1 on, and its hash. Of an empty one 0 and BEGIN."""

    seq: int
    hash: str

    def text(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """The inverse of `text`.

        Raises:
            ValueError: it is none.
        """
        seq, _, digest = text.strip().partition(":")
        if not seq.isascii() or not seq.isdigit() or _is_hash(digest) is None:
            raise ValueError(f"{text.strip()[:80]!r} is no head; expected a number, a colon and 64 hex digits")
        return cls(int(seq), digest)


FIRST: Final = Head(0, BEGIN)


def link(head: Head, said: Mapping[str, Any]) -> tuple[Head, bytes]:
    """Add a record to a chain: its new head, and the record as it is written."""
    body = {"schema": SCHEMA, **said, "seq": head.seq + 1, "previous": head.hash}
    digest = sha256(_canonical(body)).hexdigest()
    return Head(head.seq + 1, digest), _canonical({**body, "hash": digest})


class Fault(NamedTuple):
    """line: from 1 on, in the log as it is read."""

    line: int
    text: str


class _Unsound(ValueError):  # noqa: N818 - it is what is wrong with the record
    """A record that is not what its hash says, or none at all."""


@dataclass(slots=True)
class Chain:
    """What has been read of a log, and what is wrong with it. repeated: records that stand there twice."""

    head: Head = FIRST
    faults: list[Fault] = field(default_factory=list)
    faults_total: int = 0
    repeated: int = 0
    _lines: int = 0
    _hashes: dict[int, str] = field(default_factory=lambda: {0: BEGIN})

    def take(self, line: bytes) -> dict[str, Any] | None:
        """The next record of the log; None where it is no record, or one that stood there before."""
        self._lines += 1
        try:
            said = _record(line)
        except _Unsound as unsound:
            self._fault(str(unsound))
            return None
        seq, digest = said["seq"], said["hash"]
        if seq in self._hashes:
            if self._hashes[seq] == digest:
                self.repeated += 1
            else:
                self._fault(f"record {seq} is another than the one of this number before")
            return None
        if seq != self.head.seq + 1:
            self._fault(f"record {seq} comes after record {self.head.seq}: what was between is missing or was moved")
        elif said["previous"] != self.head.hash:
            self._fault(f"record {seq} does not follow the record before it: that was changed or replaced")
        self._hashes[seq] = digest
        self.head = Head(seq, digest)
        return said

    def compare(self, head: Head) -> None:
        """Whether a head that was exported once is in it."""
        found = self._hashes.get(head.seq)
        if found is None:
            self._fault(f"record {head.seq}, the head kept elsewhere, is not there: the log was cut off")
        elif found != head.hash:
            self._fault(f"record {head.seq} is another than in the head kept elsewhere: the log was written anew")

    def _fault(self, text: str) -> None:
        self.faults_total += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(self._lines, text))


def _record(line: bytes) -> dict[str, Any]:
    """One record whose hash is of what it says.

    Raises:
        _Unsound: it is none.
    """
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _Unsound("is not JSON") from error
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        raise _Unsound("is no audit record")
    seq = said.get("seq")
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 1:
        raise _Unsound("has no number")
    body = {name: value for name, value in said.items() if name != "hash"}
    try:
        sound = _canonical(said) == line and sha256(_canonical(body)).hexdigest() == said.get("hash")
    except TypeError:  # nested deeper than is ever written
        sound = False
    if not sound:
        raise _Unsound(f"record {seq} was changed: its hash is not that of what it says")
    return said


def verified(lines: Iterable[bytes], head: Head | None = None) -> Chain:
    """Read a whole log. head: kept elsewhere, to tell whether the end is missing."""
    chain = Chain()
    for line in lines:
        chain.take(line)
    if head is not None:
        chain.compare(head)
    return chain


def _canonical(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
