"""When CPython's collector of reference cycles looks, and at what.

What a worker makes dies with its checkpoint or is state, and neither has cycles: reference counts let go of both
(tests/runtime/test_collector.py has it so). Left to itself the collector finds nothing, at a price: it looks in the
midst of a checkpoint, at thousands of objects that live only until it is written, and whenever there is a quarter more,
at everything: 1.3 s of a worker of four million objects, in which nothing moves, heartbeats neither.

So it looks here, in three ways:

- between checkpoints, at what is new: once, some milliseconds, and from then on it is old;
- where memory has grown by much, at what is old, and what that leaves is not looked at again: a cycle that outlived its
  checkpoint does not stay for ever;
- at everything, where much was let go of: by a rebalance, or with the rules before.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

NEW_OBJECTS: Final = 20_000
"""So many more are worth a look, at the end of a checkpoint."""
NEW_OBJECTS_MAX: Final = 400_000
"""With so many more it looks in the midst of anything: there may be no checkpoint for long."""
GROWN_BLOCKS: Final = 8_000_000
"""So many more blocks of memory, some 700 MB, and it looks at what is old: about 2 s."""
_NEVER: Final = 2**31 - 1


class Look(NamedTuple):
    """At what is old. found: objects that nothing could reach any more."""

    found: int
    seconds: float


class Collector:
    """When this process looks at what is old. One at a time: it is the process's own that is paced."""

    def __init__(self, blocks: Callable[[], int] = sys.getallocatedblocks) -> None:
        self._blocks = blocks
        self._looked_at = blocks()
        self._wanted = False

    @contextmanager
    def paced(self) -> Iterator[None]:
        """Meanwhile it looks by itself only where something has made very much without a checkpoint."""
        before = gc.get_threshold()
        gc.set_threshold(NEW_OBJECTS_MAX, 1, _NEVER)
        self._looked_at = self._blocks()
        try:
            yield
        finally:
            gc.set_threshold(*before)

    def want_all(self) -> None:
        """Much was let go of that was meant to stay: look at everything, soon."""
        self._wanted = True

    def look(self) -> Look | None:
        """Look at what is old, or at everything, where that is due; None: it is not."""
        if not self._wanted and self._blocks() - self._looked_at < GROWN_BLOCKS:
            return None
        if self._wanted:
            self._wanted = False
            gc.unfreeze()
        began = time.perf_counter()
        found = gc.collect()
        gc.freeze()
        self._looked_at = self._blocks()
        return Look(found, time.perf_counter() - began)


def look_at_new() -> None:
    """Between checkpoints: look at what is new, if that is worth it."""
    if gc.get_count()[0] >= NEW_OBJECTS:
        gc.collect(1)


@contextmanager
def collector_paused(*, for_ever: bool = True) -> Iterator[None]:
    """Loading thousands of rules makes no garbage worth looking for, and looking takes a quarter of the time.

    for_ever: what is there afterwards stays as long as the process, and is not looked at again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if for_ever:
            gc.freeze()
        if enabled:
            gc.enable()


def look_again() -> None:
    """Find what was let go of since it was meant to stay for ever. Looks at everything there is, once."""
    gc.unfreeze()
    gc.collect()
