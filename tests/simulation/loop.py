"""An event loop without a clock: time leaps to the next timer, and what is ready runs in an order drawn by lot."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Mapping
from random import Random
from typing import Any


class Nothing(selectors.BaseSelector):
    """Nothing from outside ever happens: instead of waiting, time passes."""

    def __init__(self, passes: Any) -> None:
        self._passes = passes
        self._registered: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, 0, events, data)
        self._registered[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._registered.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen again: the simulation has stopped dead")
        self._passes(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._registered


class Loop(asyncio.SelectorEventLoop):
    """Everything asyncio does, in simulated seconds. lot: decides who runs first of those who could."""

    def __init__(self, lot: Random) -> None:
        self._seconds = 0.0
        self._lot = lot
        super().__init__(Nothing(self._pass))

    def time(self) -> float:
        return self._seconds

    def leap(self, seconds: float) -> None:
        """Let time pass in which nobody does anything."""
        self._seconds += seconds

    def _pass(self, seconds: float) -> None:
        self._seconds += max(0.0, seconds)

    def _run_once(self) -> None:
        if len(self._ready) > 1:
            self._lot.shuffle(self._ready)
        super()._run_once()
