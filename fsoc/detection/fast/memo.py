"""What the values of one field lead to, remembered while that is worth its room. Changes no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

ENTRIES_MAX: Final = 4096
"""Per memo and generation; there are two."""
KEPT_LENGTH_MAX: Final = 2048
"""Longer texts are not remembered."""
BYTES_MAX: Final = 64 * 2**20
"""Of all memos of a detector together."""
SLAB_BYTES: Final = 16 * 2**10
"""What a memo takes at a time."""
_ENTRY_BYTES: Final = 120
"""About what an entry takes beside its text: its place in the table, and a tuple of a few numbers."""
_KEPT_BITS_MAX: Final = 64

Targets = tuple[int, ...]


class Ledger:
    """Counts what all memos hold, in slabs; where that is too much, all forget."""

    def __init__(self, bytes_max: int = BYTES_MAX, slab_bytes: int = SLAB_BYTES) -> None:
        self.bytes = 0
        self.slab_bytes = slab_bytes
        self._bytes_max = bytes_max
        self._memos: list[Memo] = []

    def enter(self, memo: Memo) -> None:
        self._memos.append(memo)

    def charge(self) -> None:
        """One slab is taken."""
        self.bytes += self.slab_bytes
        if self.bytes > self._bytes_max:
            for memo in self._memos:
                memo.forget()

    def forget(self) -> None:
        """Let go of every memo."""
        for memo in self._memos:
            memo.forget()
        self._memos.clear()


class Memo(dict[Any, Targets]):
    """value → what it leads to, found by `find` where it is not known.

    Keys are texts and None. Numbers and booleans lie in a second table with their type: 1, 1.0 and True are equal as
    keys, and 0.0 and -0.0 are. A value that cannot be a key raises TypeError.
    """

    __slots__ = ("_entries_max", "_find", "_ledger", "_of_none", "_old", "_old_slabs", "_others", "_room", "_slabs")

    def __init__(
        self, find: Callable[[Any], Targets], of_none: Targets, ledger: Ledger, entries_max: int = ENTRIES_MAX
    ) -> None:
        super().__init__({None: of_none})
        self._find = find
        self._of_none = of_none
        self._ledger = ledger
        self._entries_max = entries_max
        self._old: dict[Any, Targets] = {}
        self._others: dict[tuple[type, Any], Targets] = {}
        self._room = 0
        self._slabs = 0
        self._old_slabs = 0
        ledger.enter(self)

    def __missing__(self, raw: Any) -> Targets:
        kind = type(raw)
        if kind is str:
            found = self._old.get(raw)
            if found is None:
                found = self._find(raw)
            if len(raw) <= KEPT_LENGTH_MAX:
                self._room -= raw.__sizeof__() + _ENTRY_BYTES
                if self._room < 0 or len(self) > self._entries_max:
                    self._make_room()
                self[raw] = found
            return found
        if kind is float:
            key = (kind, repr(raw))
        elif kind is bool or (kind is int and raw.bit_length() <= _KEPT_BITS_MAX):
            key = (kind, raw)
        elif kind is tuple:
            raise TypeError("a tuple is a list, not a value")
        else:
            return self._find(raw)
        if key in self._others:
            return self._others[key]
        found = self._find(raw)
        self._room -= 2 * _ENTRY_BYTES
        if self._room < 0 or len(self._others) > self._entries_max:
            self._make_room()
        self._others[key] = found
        return found

    def _make_room(self) -> None:
        """Another slab; or, where there are entries enough, a new generation."""
        if max(len(self), len(self._others)) > self._entries_max:
            old, freed = dict(self), self._old_slabs
            self._old_slabs, self._slabs = self._slabs, 0
            self.clear()
            self[None] = self._of_none
            self._old, self._others = old, {}
            self._ledger.bytes -= freed * self._ledger.slab_bytes
            self._room = 0
        self._slabs += 1
        self._room += self._ledger.slab_bytes
        self._ledger.charge()

    def forget(self) -> None:
        self.clear()
        self[None] = self._of_none
        self._old = {}
        self._others = {}
        self._ledger.bytes -= (self._old_slabs + self._slabs) * self._ledger.slab_bytes
        self._old_slabs = self._slabs = self._room = 0
