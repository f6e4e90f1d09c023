"""Lanes: what is looked up in events that have the same fields and the same route, known before their values are.

Targets lead on to trials: the rules to try, and what came of trying them on these values before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import getitem, itemgetter
from typing import Any, Final

from fsoc.detection.fast.memo import KEPT_LENGTH_MAX, Targets
from fsoc.detection.fast.views import CompiledRoute, View
from fsoc.detection.program import EVERYTHING

TRIALS_MAX: Final = 512
"""Per lane. Past it all of them are forgotten."""
VERDICTS_MAX: Final = 256
"""Per trial, as above."""
_ENTRY_BYTES: Final = 400
_SCALARS: Final = frozenset((str, int, float, bool, type(None)))
_NO_FLOATS: Final = frozenset((str, int, bool, type(None)))

Values = Callable[[Mapping[str, Any]], tuple[Any, ...]]
Charge = Callable[[int], None]
"""Told of bytes that are remembered."""


class _Trial:
    """Some rules tried on events of one lane: what the values of the fields they read came to is remembered."""

    __slots__ = ("_charge", "_route", "_targets", "_values", "_verdicts")

    def __init__(self, route: CompiledRoute, targets: frozenset[int], values: Values | None, charge: Charge) -> None:
        """values: takes from an event all that decides; None: more does than can be remembered."""
        self._route = route
        self._targets = targets
        self._values = values
        self._charge = charge
        self._verdicts: dict[tuple[Any, ...], tuple[list[type], list[int]]] = {}

    def matched(self, fields: Mapping[str, Any]) -> list[int]:
        if self._values is None:
            return self._route.matched(self._targets, fields)
        key = self._values(fields)
        types = [*map(type, key)]
        try:
            seen, matched = self._verdicts[key]
        except KeyError:
            matched = self._route.matched(self._targets, fields)
            self._keep(key, types, matched)
            return matched
        except TypeError:  # lists and objects are no keys
            return self._route.matched(self._targets, fields)
        # 1, 1.0 and True are equal as keys and not as values.
        return matched if seen == types else self._route.matched(self._targets, fields)

    def _keep(self, key: tuple[Any, ...], types: list[type], matched: list[int]) -> None:
        length = sum(len(value) for value in key if type(value) is str)
        # 0.0 and -0.0 are equal as keys and have the same type.
        if length <= KEPT_LENGTH_MAX and _NO_FLOATS.issuperset(types):
            if len(self._verdicts) >= VERDICTS_MAX:
                self._verdicts.clear()
            self._verdicts[key] = types, matched
            self._charge(length + _ENTRY_BYTES)


class Lane:
    """Events of one route whose fields have the same names."""

    __slots__ = ("_always", "_charge", "_deep", "_keywords", "_memos", "_names", "_trials", "_values", "route")

    def __init__(self, route: CompiledRoute, names: Collection[str], charge: Charge) -> None:
        self.route = route
        self._names = names
        self._charge = charge
        looked_up = []
        memos = []
        always: set[int] = set()
        self._deep = False
        for view in route.views:
            always |= view.always
            for name, memo in view.memos:
                source = _source(view, name, names)
                if source is not None:
                    looked_up.append(source)
                    memos.append(memo)
                else:
                    always.update(memo[None])
                    self._deep = self._deep or _leads(name, names)
        self._always = frozenset(always)
        self._values = values_of(looked_up)
        self._memos = tuple(memos)
        self._keywords = tuple(view for view in route.views if view.has_keywords)
        self._trials: dict[tuple[Targets, ...], _Trial | None] = {}

    def matched(self, fields: Mapping[str, Any], line: bytes | None = None) -> list[int]:
        """Indexes of the rules that match, ascending; not to be changed. line: the event was read from it."""
        if self._deep:
            return self._matched_anyhow(fields)
        try:
            hits = list(filter(None, map(getitem, self._memos, self._values(fields))))
        except TypeError:  # lists and objects are no keys
            return self._matched_anyhow(fields)
        if self._keywords:
            led = self._keyword_hits(fields, line)
            if led is None:
                return self._matched_anyhow(fields)
            hits += led
        if not hits and not self._always:
            return []
        key = tuple(hits)
        try:
            trial = self._trials[key]
        except KeyError:
            # What is met once is not worth remembering.
            if len(self._trials) >= TRIALS_MAX:
                self._trials.clear()
            self._trials[key] = None
            self._charge(_ENTRY_BYTES)
            return self.route.matched(self._always.union(*hits), fields)
        if trial is None:
            trial = self._trials[key] = self._trial(self._always.union(*hits))
        return trial.matched(fields)

    def _keyword_hits(self, fields: Mapping[str, Any], line: bytes | None) -> list[Targets] | None:
        """Where keywords lead to; None where values lie deeper than they are looked for here."""
        proposed = self.route.proposed_in(line) if line is not None else None
        hits = []
        for view in self._keywords:
            if proposed is not None and view.lines_tell and proposed.isdisjoint(view.rules):
                continue
            values = fields.values()
            if not _SCALARS.issuperset(map(type, values)):
                return None
            targets = view.keywords(values)
            if targets:
                hits.append(targets)
        return hits

    def _matched_anyhow(self, fields: Mapping[str, Any]) -> list[int]:
        targets = self.route.targets(fields)
        return self.route.matched(targets, fields) if targets else []

    def _trial(self, targets: frozenset[int]) -> _Trial:
        self._charge(_ENTRY_BYTES)
        sources: dict[str, None] = {}
        for view, field in self.route.read(targets):
            if field == EVERYTHING:
                return _Trial(self.route, targets, None, self._charge)
            name = self.route.known.fields[field]
            source = _source(view, name, self._names)
            if source is not None:
                sources[source] = None
            elif _leads(name, self._names):
                return _Trial(self.route, targets, None, self._charge)
        return _Trial(self.route, targets, values_of(list(sources)), self._charge)


def values_of(names: Sequence[str]) -> Values:
    """What takes these fields of an event, in this order."""
    if len(names) > 1:
        return itemgetter(*names)
    if not names:
        return lambda _: ()
    name = names[0]
    return lambda fields: (fields[name],)


def _source(view: View, name: str, names: Collection[str]) -> str | None:
    """The event's name of what a rule calls `name`; None where it has no field of that name."""
    found = name if name in names else None
    for wanted, source in view.aliases:
        if wanted == name and source in names:
            found = source
    return found


def _leads(name: str, names: Collection[str]) -> bool:
    """Whether the event has a field that a dotted name may lead into."""
    dot = name.find(".")
    while dot != -1:
        if name[:dot] in names:
            return True
        dot = name.find(".", dot + 1)
    return False
