"""What each alert is told of its campaign: the newest word of each, with a revision that only rises. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from fsoc.campaigns.records import WORDS_MAX, Told, Word, words_record
from fsoc.feeds.record import Outgoing

WORD: Final = b"word/"
"""What the keys of words begin with in the state; the alert's id follows."""


class Said(NamedTuple):
    """The newest word to an alert. partition: of detections, where it is."""

    revision: int
    campaign: str | None
    partition: int


said_from: Final = msgspec.json.Decoder(Said).decode


class Words:
    """By alert id. An alert that was never in a campaign was never told anything."""

    def __init__(self) -> None:
        self._said: dict[str, Said] = {}
        self._news: dict[str, Said] = {}
        self._released: dict[str, Said] = {}

    def assign(self, told: Told, campaign: str | None) -> None:
        """This alert is of this campaign now, or of none."""
        before = self._said.get(told.id, Said(0, None, told.partition))
        if before.campaign != campaign:
            self._said[told.id] = self._news[told.id] = Said(before.revision + 1, campaign, told.partition)

    def release(self, told: Told) -> None:
        """Nothing more will be said of it; its campaign stays what it is."""
        self._news.pop(told.id, None)
        self._released[told.id] = self._said.pop(told.id, Said(0, None, told.partition))

    def state(self) -> Iterator[tuple[bytes, bytes]]:
        """What is new, as the state must know it before it is published."""
        return ((WORD + name.encode(), msgspec.json.encode(said)) for name, said in self._news.items())

    def publish(self, *, everything: bool) -> Iterator[Outgoing]:
        """What is new, or everything, and what is released; the last time that these are heard of."""
        words: dict[int, dict[str, Word]] = {}
        for said, let_go in ((self._said if everything else self._news, False), (self._released, True)):
            for name, (revision, campaign, partition) in said.items():
                words.setdefault(partition, {})[name] = Word(revision, campaign, let_go)
        self._news, self._released = {}, {}
        for partition, named in sorted(words.items()):
            for part in _parts(named):
                yield Outgoing("detections", partition, None, words_record(part))

    def restore(self, records: Mapping[str, bytes]) -> None:
        self._said = {name: said_from(value) for name, value in records.items()}


def _parts(words: Mapping[str, Word]) -> Iterable[dict[str, Word]]:
    items = iter(words.items())
    while part := dict(islice(items, WORDS_MAX)):
        yield part
