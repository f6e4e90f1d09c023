"""Many tickets for benchmarks and kill tests: the exercise's own content at any density, with campaigns throughout."""

from __future__ import annotations

from fsoc.exercise.generate import generate
from fsoc.exercise.spec import Exercise, ExerciseSpec, Noise

TICKETS_PER_CAMPAIGN = 1_000


def load(institutions: int = 40, tickets: int = 20_000, seed: int = 1, hours: int = 24) -> Exercise:
    """Exactly `tickets` tickets, and one campaign for every TICKETS_PER_CAMPAIGN of them (at least five).

    Deliveries are more than tickets: revisions, re-sends and status records come on top.
    """
    campaigns = max(5, tickets // TICKETS_PER_CAMPAIGN)
    return generate(
        ExerciseSpec(institutions, seed, hours, campaigns=campaigns, noise=Noise.LOW, heartbeat_minutes=120),
        tickets=tickets,
    )
