"""What of an Idempotency-Key lies in the log, and what is known from it. Pure: reads no log, knows no clock.

The mark of a line is the key of its Kafka record, which nothing else uses: key, digest of the body, which line of how
many.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from fsoc.feeds.record import Record
from fsoc.runtime.gateway.problems import Refusal

REMEMBERED: Final = 5_000
"""Records of an institution's topic, counted from its end, whose keys are known."""

_is_key: Final = re.compile(r"[!-~]{1,128}").fullmatch
_mark: Final = re.compile(rb"gw1/([0-9a-f]{32})/([0-9a-f]{32})/([0-9]{1,4})/([0-9]{1,4})").fullmatch


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).hexdigest().encode()


@dataclass(frozen=True, slots=True)
class Keyed:
    """An Idempotency-Key with the body it came with. key, body: digests."""

    key: bytes
    body: bytes

    @classmethod
    def of(cls, key: str, body: bytes, *, single: bool, signature: bytes | None = None) -> Keyed:
        """Raises: Refusal: it is no key. single: as the body was read. signature: another makes it another body."""
        key = key.strip()
        if len(key) > 2 and key[0] == key[-1] == '"':
            key = key[1:-1]
        if _is_key(key) is None:
            raise Refusal("bad-key")
        kind = b"1" if single else b"n"
        if signature is not None:
            kind = b"s%b%d %b" % (kind, len(signature), signature)
        return cls(_digest(key.encode()), _digest(kind + body))

    def mark(self, index: int, count: int) -> bytes:
        """Of line `index`, from 0, of `count`."""
        return b"gw1/%b/%b/%d/%d" % (self.key, self.body, index, count)


@dataclass(slots=True)
class Written:
    """What the log has of one key. offsets: by line, from 0; newest: the last of them."""

    body: bytes
    offsets: dict[int, int] = field(default_factory=dict)
    newest: int = -1


class Known:
    """The keys of one institution's last records.

    next: the offset that was not looked at yet.
    """

    def __init__(self, begin: int) -> None:
        self.next = begin
        self._written: OrderedDict[bytes, Written] = OrderedDict()

    def of(self, keyed: Keyed) -> dict[int, int]:
        """Offsets by line of what was written of this body under this key; {} where nothing.

        Raises:
            Refusal: the key was used with another body.
        """
        written = self._written.get(keyed.key)
        if written is None:
            return {}
        if written.body != keyed.body:
            raise Refusal("key-reused")
        return dict(written.offsets)

    def learn(self, records: Iterable[Record]) -> None:
        """Take what the log has from `next` on, in its order."""
        for record in records:
            if record.offset < self.next:
                continue
            self.next = record.offset + 1
            if record.key is not None and (mark := _mark(record.key)) is not None:
                self._note(mark[1], mark[2], int(mark[3]), record.offset)
        self._forget()

    def note(self, keyed: Keyed, offsets: Iterable[tuple[int, int | None]]) -> None:
        """Take what was just written: lines, from 0, and where they lie. What another wrote before it is read later."""
        for index, offset in offsets:
            if offset is None:
                continue
            self._note(keyed.key, keyed.body, index, offset)
            if offset == self.next:
                self.next += 1
        self._forget()

    def _note(self, key: bytes, body: bytes, index: int, offset: int) -> None:
        written = self._written.get(key)
        if written is None or written.body != body:
            # With another body than before: of long ago, or two gateways at one moment. The later one is known.
            written = self._written[key] = Written(body)
        written.offsets.setdefault(index, offset)
        written.newest = max(written.newest, offset)
        self._written.move_to_end(key)

    def _forget(self) -> None:
        while self._written and next(iter(self._written.values())).newest < self.next - REMEMBERED:
            self._written.popitem(last=False)
