"""How much one institution may send at a time. Pure: the time is an argument, in seconds of a clock that only rises."""

from __future__ import annotations

import math
from typing import Final

from fsoc.runtime.gateway.problems import Refusal

BURST_SECONDS: Final = 4


class Bucket:
    """Fills with `rate` a second, up to BURST_SECONDS' worth. What is taken may leave it below nothing."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._level = rate * BURST_SECONDS
        self._at = now

    def wait_seconds(self, now: float) -> int:
        """0 where something may be taken; else in how many seconds, at least 1."""
        self._fill(now)
        return 0 if self._level > 0 else max(1, math.ceil(-self._level / self._rate))

    def take(self, amount: float, now: float) -> None:
        self._fill(now)
        self._level -= amount

    def _fill(self, now: float) -> None:
        self._level = min(self._level + (now - self._at) * self._rate, self._rate * BURST_SECONDS)
        self._at = now


class Limits:
    """Of every institution that asked; they are as many as have credentials."""

    def __init__(self, bytes_per_second: int, requests_per_second: int) -> None:
        self._rates = (bytes_per_second, requests_per_second)
        self._buckets: dict[str, tuple[Bucket, Bucket]] = {}

    def admit(self, institution: str, now: float) -> None:
        """Count one request, of as yet no bytes.

        Raises:
            Refusal: it is one too many; it is not counted.
        """
        volume, requests = self._of(institution, now)
        if wait := max(volume.wait_seconds(now), requests.wait_seconds(now)):
            raise Refusal("rate-limited", retry_after=wait)
        requests.take(1, now)

    def count(self, institution: str, size: int, now: float) -> None:
        """Count the bytes of a request that was admitted."""
        self._of(institution, now)[0].take(size, now)

    def _of(self, institution: str, now: float) -> tuple[Bucket, Bucket]:
        found = self._buckets.get(institution)
        if found is None:
            found = self._buckets[institution] = (Bucket(self._rates[0], now), Bucket(self._rates[1], now))
        return found
