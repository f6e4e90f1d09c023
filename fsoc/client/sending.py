"""From the spool to a destination: batch by batch, with patience. Decides nothing about tickets."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from fsoc.client.spool import Batch, Spool
from fsoc.errors import Retry

PAUSE_SECONDS: Final = 0.5
PAUSE_SECONDS_MAX: Final = 60.0


class Destination(Protocol):
    """Where lines go."""

    def send(self, lines: Sequence[bytes], key: str) -> list[dict[str, Any]]:
        """Return an entry per line once all are durable there.

        Raises:
            Retry: nothing was acknowledged, and the same may succeed later.
        """


def drain(
    spool: Spool,
    destination: Destination,
    *,
    patience_seconds: float,
    arrived: Callable[[Batch, list[dict[str, Any]]], None] = lambda *_: None,
    waits: Callable[[float, Retry], None] = lambda *_: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Send what the spool has; return whether it is empty.

    patience_seconds: how long to go on trying since something last arrived; a pause that would be longer is not begun.
    arrived: told of each batch and its entries, before it is let go. waits: told of each pause and why.

    Raises:
        FsocError: what the destination raises that trying again cannot mend; the batch stays in the spool.
    """
    pause, since = PAUSE_SECONDS, clock()
    while (batch := spool.batch()) is not None:
        try:
            entries = destination.send(batch.lines, batch.key)
        except Retry as error:
            asked: float | None = getattr(error, "retry_after", None)
            # Spread, so that all who were turned away do not come back at once; never sooner than was asked.
            seconds = max(asked or 0.0, pause) * (1 + secrets.randbelow(250) / 1_000)
            if clock() - since + seconds > patience_seconds:
                return False
            waits(seconds, error)
            sleep(seconds)
            pause = min(2 * pause, PAUSE_SECONDS_MAX)
        else:
            arrived(batch, entries)
            spool.acknowledge(batch)
            pause, since = PAUSE_SECONDS, clock()
    return True
