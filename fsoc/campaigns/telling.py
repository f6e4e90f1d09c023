"""What one partition of detections tells campaigns, and hears of them. Pure; the other end is `stage.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from fsoc.alerts.book import Alert
from fsoc.campaigns.records import Reach, Word, reach_key, told_of, words_of
from fsoc.correlation.rules import CorrelationRule
from fsoc.feeds.ledger import END_MS
from fsoc.feeds.record import Outgoing

STEP_MS: Final = 3_600_000
"""A reach is told when it has come so much further: more often would tell nobody anything."""


class Telling:
    """is_on: whether there are links, or have been: without them there are no campaigns, and nothing is told.

    reached_ms: the reach that was told last.
    """

    def __init__(self, partition: int) -> None:
        self.is_on = False
        self.reached_ms: int | None = None
        self._words: dict[str, Word] = {}
        self._partition = partition

    def begins(self, rules: Iterable[CorrelationRule]) -> bool:
        """Whether with these rules there are links that there were not before: all that is known is to be told."""
        if self.is_on or not any(rule.link for rule in rules):
            return False
        self.is_on = True
        return True

    def restore(self, reached_ms: int | None) -> None:
        self.reached_ms = reached_ms
        self.is_on = reached_ms is not None

    def hear(self, value: bytes) -> None:
        """Take words.

        Raises:
            msgspec.MsgspecError: there are none in it.
        """
        self._words.update(words_of(value))

    def heard(self) -> dict[str, Word]:
        """The words that were heard since this was asked before."""
        words, self._words = self._words, {}
        return words

    def tell(self, alerts: Iterable[Alert], reach_ms: int | None, *, republish: bool) -> Iterator[Outgoing]:
        """What these alerts and links say now; after that, how far back the partition may still reach.

        republish: tell the reach even where it was told before.
        """
        if not self.is_on:
            return
        for alert in alerts:
            if alert.told:
                yield Outgoing("links", 0, alert.id.encode(), told_of(alert, self._partition))
        if reach_ms is None:
            return
        step_ms = END_MS if reach_ms >= END_MS else reach_ms - reach_ms % STEP_MS
        if self.reached_ms is None or step_ms > self.reached_ms:
            self.reached_ms = step_ms
        elif not republish:
            return
        value = msgspec.json.encode(Reach(self._partition, self.reached_ms))
        yield Outgoing("links", 0, reach_key(self._partition), value)
