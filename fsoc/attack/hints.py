"""Whether what a ticket says of ATT&CK fits together: hints for its sender, never a reason to refuse it. Pure.

A ticket that names what nobody expects of its category may be right; a feed that does so often maps its alerts wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fsoc.attack.tables import Expected
from fsoc.attack.techniques import Technique, Techniques
from fsoc.errors import Fault

REMEMBERED_MAX: Final = 4_096
"""How many different answers are remembered; past it all are forgotten. Most tickets of a sector name the same."""

UNKNOWN: Final = "attack.technique-unknown"
WRONG_TACTIC: Final = "attack.tactic-unlikely"
UNEXPECTED: Final = "category.technique-unlikely"


class Hints:
    """A look-up per ticket: what was asked before is remembered."""

    def __init__(self, techniques: Techniques) -> None:
        self._techniques = techniques
        self._remembered: dict[Any, tuple[Fault, ...]] = {}

    def of(self, body: Mapping[str, Any]) -> tuple[Fault, ...]:
        """Of a ticket's body: what does not fit together, where, in the order of its fields."""
        attack = body.get("attack")
        if not attack:
            return ()
        category = body.get("category")
        pairs = tuple([(item["tactic"], item["technique"]) for item in attack])
        found = self._remembered.get((category, pairs))
        if found is None:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            found = self._remembered[category, pairs] = tuple(self._hints(category, pairs))
        return found

    def _hints(self, category: str | None, pairs: Sequence[tuple[str, str]]) -> Iterator[Fault]:
        known: list[tuple[str, Technique]] = []
        for place, (tactic, technique) in enumerate(pairs):
            found = self._techniques.resolve(technique)
            if found is None:
                parent = self._techniques.resolve(technique.partition(".")[0])
                beside = f"; its parent is known: {parent.id} {parent.name}" if parent is not None else ""
                versions = ", ".join(self._techniques.versions)
                yield Fault(
                    UNKNOWN,
                    f"/attack/{place}/technique",
                    f"found {technique[:20]!r}, in no ATT&CK of {versions}{beside}",
                )
                continue
            known.append((tactic, found))
            if self._techniques.under(tactic, technique) is None:
                text = f"found {tactic[:40]!r}; {found.id} {found.name} is of {', '.join(found.tactics) or 'no tactic'}"
                yield Fault(WRONG_TACTIC, f"/attack/{place}/tactic", text)
        expected = self._techniques.expected.get(category or "")
        # Of techniques that nobody knows nothing can be expected.
        if expected is not None and known and not any(self._fits(expected, found) for _, found in known):
            named = ", ".join(f"{found.id} {found.name}" for _, found in known[:3])
            yield Fault(UNEXPECTED, "/category", f"found {expected.category} with {named}; expected {_said(expected)}")

    def _fits(self, expected: Expected, found: Technique) -> bool:
        parent = found.id.partition(".")[0]
        return (
            found.id in expected.techniques
            or parent in expected.techniques
            or any(self._techniques.tactic(tactic) in found.tactics for tactic in expected.tactics)
        )


def _said(expected: Expected) -> str:
    tactics = f"a technique of {', '.join(expected.tactics)}" if expected.tactics else ""
    return " or ".join(filter(None, [tactics, ", ".join(expected.techniques)]))
