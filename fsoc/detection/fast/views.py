"""What leads from an event to the rules to try on it, for one logsource; in events of any form.

Targets number the rules of a route: place of the view * rules + rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fsoc.detection.event import Event, text_of
from fsoc.detection.fast.memo import Ledger, Memo, Targets
from fsoc.detection.fast.searches import Searches
from fsoc.detection.logsources import over
from fsoc.detection.program import EVERYTHING
from fsoc.detection.routes import Route, RouteView


class View:
    """The rules of one view, and a memo for each field that leads to them.

    always: targets that nothing can rule out. gated: those that the one value of a field may.
    """

    def __init__(self, view: RouteView, place: int, searches: Searches, ledger: Ledger) -> None:
        self.aliases = view.aliases
        self.rules = frozenset(view.rules)
        self.first = place * len(searches.fields_of)
        self._searches = searches
        gates = {rule: searches.gates[rule] for rule in view.rules if rule in searches.gates}
        self.always = frozenset(rule + self.first for rule in self.rules & searches.always)
        self.gated = frozenset(rule + self.first for rule in gates)
        on_field: dict[int, list[int]] = {}
        for rule, gate in gates.items():
            on_field.setdefault(gate.field, []).append(rule)
        fields = frozenset(on_field).union(*map(searches.fields_of.__getitem__, view.rules))
        self.has_keywords = EVERYTHING in fields
        self.lines_tell = self.rules.isdisjoint(searches.not_in_lines)
        names = searches.known.fields
        self.memos = tuple(
            (names[field], self._memo(field, on_field.get(field, ()), ledger))
            for field in sorted(fields - {EVERYTHING})
        )

    def _memo(self, field: int, gated: Iterable[int], ledger: Ledger) -> Memo:
        searches, rules, rules_of, first = self._searches, self.rules, self._searches.rules_of, self.first
        search = searches.search(field)
        gates = [(rule, searches.gates[rule]) for rule in gated]
        if search is not None and search.is_table and not gates:
            by_text = {text: self._targets(clauses) for text, clauses in search.table.items()}
            return Memo(lambda raw: by_text.get((text_of(raw) or "").casefold(), ()), (), ledger)

        def targets(raw: Any) -> Targets:
            found = search.clauses_of(raw) if search is not None else ()
            if not found and not gates:
                return ()
            led = rules.intersection([rule for index in found for rule in rules_of[index]])
            if gates:
                led |= {rule for rule, gate in gates if searches.is_open(gate, raw)}
            return tuple(sorted(rule + first for rule in led)) if led else ()

        return Memo(targets, targets(None), ledger)

    def _targets(self, clauses: Iterable[int]) -> Targets:
        led = self.rules.intersection([rule for index in clauses for rule in self._searches.rules_of[index]])
        return tuple(sorted(rule + self.first for rule in led))

    def keywords(self, values: Iterable[object]) -> Targets:
        """Where keywords lead to, in the scalars of an event."""
        proposed = self._searches.proposed(values)
        return tuple(sorted(rule + self.first for rule in proposed & self.rules)) if proposed else ()

    def targets(self, event: Event) -> set[int]:
        """What anything leads to in an event of any form."""
        # A gate speaks of one value; here a field may have several.
        found = {*self.always, *self.gated}
        for name, memo in self.memos:
            for value in event.find(name) or ():
                if value.text is not None:
                    found.update(memo[value.raw])
        if self.has_keywords:
            found.update(self.keywords(value.text for value in event.everything() if value.text is not None))
        return found


class CompiledRoute:
    """The views of a route."""

    def __init__(self, route: Route, searches: Searches, ledger: Ledger) -> None:
        self.route = route  # kept, so that no other has its identity
        self.views = tuple(View(view, place, searches, ledger) for place, view in enumerate(route.views))
        self._searches = searches
        self.known = searches.known
        self.proposed_in = searches.proposed_in
        self.rules_total = max(len(searches.fields_of), 1)

    def read(self, targets: Iterable[int]) -> set[tuple[View, int]]:
        """The fields that the rules look at, each as of a view."""
        read: set[tuple[View, int]] = set()
        for target in targets:
            place, rule = divmod(target, self.rules_total)
            read.update((self.views[place], field) for field in self.known.fields_read(rule))
        return read

    def targets(self, fields: Mapping[str, Any]) -> set[int]:
        """What anything leads to in an event of any form."""
        found: set[int] = set()
        for view in self.views:
            found |= view.targets(Event(fields, over(fields, view.aliases)))
        return found

    def matched(self, targets: Iterable[int], fields: Mapping[str, Any]) -> list[int]:
        """The rules that match, ascending."""
        if len(self.views) == 1:
            return self._searches.matched(sorted(targets), fields, over(fields, self.views[0].aliases))
        matched: set[int] = set()
        for view in self.views:
            rules = {each - view.first for each in targets if 0 <= each - view.first < self.rules_total} - matched
            if rules:
                matched.update(self._searches.matched(sorted(rules), fields, over(fields, view.aliases)))
        return sorted(matched)
