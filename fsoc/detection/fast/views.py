"""What of an event leads to rules, by its logsource (views) and by the names of its fields (lanes).

A lane is for all events of one route that have the same fields: which of them are looked up, and in which memo, is
known before their values are. Targets number the rules of a route: place of the view * rules + rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from fsoc.detection.event import Event
from fsoc.detection.fast.memo import Ledger, Memo, Targets
from fsoc.detection.fast.searches import Searches
from fsoc.detection.logsources import Aliases, over
from fsoc.detection.program import EVERYTHING
from fsoc.detection.routes import Route, RouteView

Values = Callable[[Mapping[str, Any]], tuple[Any, ...]]


class View:
    """The rules of one view, and a memo for each field that leads to them."""

    def __init__(self, view: RouteView, place: int, searches: Searches, ledger: Ledger) -> None:
        self.aliases: Aliases = view.aliases
        self.rules = frozenset(view.rules)
        self.first = place * len(searches.fields_of)
        self._searches = searches
        gates = {rule: gate for rule in view.rules if (gate := searches.gate(rule)) is not None}
        self.always = tuple(
            rule + self.first for rule in view.rules if not searches.is_anchored(rule) and rule not in gates
        )
        self.gated = tuple(rule + self.first for rule in gates)
        self._gates: dict[int, list[int]] = {}
        for rule, gate in gates.items():
            self._gates.setdefault(gate.field, []).append(rule)
        fields = frozenset(self._gates).union(*map(searches.fields_of.__getitem__, view.rules))
        self.memos = {field: self._memo(field, ledger) for field in sorted(fields)}
        names = searches.vocabulary.program.fields
        self.named = tuple((names[field], memo) for field, memo in self.memos.items() if field != EVERYTHING)
        self.everything = self.memos.get(EVERYTHING)

    def _memo(self, field: int, ledger: Ledger) -> Memo:
        searches, rules, first = self._searches, self.rules, self.first
        gates = [(rule, searches.gate(rule)) for rule in self._gates.get(field, ())]

        def targets(raw: Any) -> Targets:
            found = rules.intersection(searches.rules_at(field, raw))
            if gates:
                found |= {rule for rule, gate in gates if gate is not None and searches.is_open(gate, raw)}
            return tuple(sorted(rule + first for rule in found)) if found else ()

        return Memo(targets, targets(None), ledger)

    def targets(self, event: Event) -> set[int]:
        """What leads anywhere in an event of any form."""
        # A gate speaks of one value; here a field may have several.
        found = {*self.always, *self.gated}
        for name, memo in self.named:
            for value in event.find(name) or ():
                if value.text is not None:
                    found.update(memo[value.raw])
        if self.everything is not None:
            for value in event.everything():
                if value.text is not None:
                    found.update(self.everything[value.raw])
        return found


class CompiledRoute:
    """The views of a route."""

    def __init__(self, route: Route, searches: Searches, ledger: Ledger) -> None:
        self.route = route  # kept, so that no other has its identity
        self.views = tuple(View(view, place, searches, ledger) for place, view in enumerate(route.views))
        self._searches = searches
        self._rules_total = max(len(searches.fields_of), 1)

    def targets(self, fields: Mapping[str, Any]) -> set[int]:
        return set().union(*(view.targets(Event(fields, over(fields, view.aliases))) for view in self.views))

    def matched(self, targets: Collection[int], fields: Mapping[str, Any]) -> list[int]:
        """The rules that match, ascending."""
        if len(self.views) == 1:
            aliases = self.views[0].aliases
            event = Event(fields, over(fields, aliases)) if aliases else Event(fields)
            return self._searches.matched(sorted(targets), event)
        matched: set[int] = set()
        for place, view in enumerate(self.views):
            first = place * self._rules_total
            rules = sorted({each - first for each in targets if first <= each < first + self._rules_total} - matched)
            if rules:
                matched.update(self._searches.matched(rules, Event(fields, over(fields, view.aliases))))
        return sorted(matched)


class Lane(NamedTuple):
    """values: of an event with these fields, one for each of `memos`. always: what its values do not decide.

    everything: memos that every value is looked up in. deep: some rule may look into an object.
    """

    route: CompiledRoute
    values: Values
    memos: tuple[Memo, ...]
    everything: tuple[Memo, ...]
    always: frozenset[int]
    deep: bool


def lane(route: CompiledRoute, names: Collection[str]) -> Lane:
    """The lane of events whose fields have these names."""
    looked_up: list[str] = []
    memos: list[Memo] = []
    always: set[int] = set()
    deep = False
    for view in route.views:
        hidden = {wanted: name for wanted, name in view.aliases if name in names}
        always.update(view.always)
        for name, memo in view.named:
            source = hidden.get(name, name)
            if source in names:
                looked_up.append(source)
                memos.append(memo)
            else:
                always.update(memo[None])
                deep = deep or ("." in name and _leads(name, names))
    everything = tuple(view.everything for view in route.views if view.everything is not None)
    return Lane(route, values_of(looked_up), tuple(memos), everything, frozenset(always), deep)


def values_of(names: Sequence[str]) -> Values:
    """What takes these fields of an event, in this order."""
    if len(names) > 1:
        return itemgetter(*names)
    if not names:
        return _none_of
    name = names[0]
    return lambda fields: (fields[name],)


def _none_of(_: Mapping[str, Any]) -> tuple[()]:
    return ()


def _leads(name: str, names: Collection[str]) -> bool:
    dot = name.find(".")
    while dot != -1:
        if name[:dot] in names:
            return True
        dot = name.find(".", dot + 1)
    return False
