"""How many messages became what: law 4. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from fsoc.feeds.outcomes import Outcome


@dataclass(slots=True)
class Counts:
    """Law 4: received = used + duplicate + late + quarantined, always."""

    received: int = 0
    used: int = 0
    duplicate: int = 0
    late: int = 0
    quarantined: int = 0

    def add(self, outcome: Outcome) -> None:
        self.received += 1
        match outcome:
            case Outcome.USED:
                self.used += 1
            case Outcome.DUPLICATE:
                self.duplicate += 1
            case Outcome.LATE:
                self.late += 1
            case Outcome.QUARANTINED:
                self.quarantined += 1
