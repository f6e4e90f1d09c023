"""Whether an engine finds what the plain evaluator finds, event by event, before and after it has learnt. No timing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypedDict

from benchmarks.measure import BATCH_EVENTS
from fsoc.detection import Detector

EXAMPLES_MAX: Final = 5


class Equality(TypedDict):
    """events: compared, each three times: as the first thing seen, after much else, and once more at once.

    matches: (event, rule) pairs that the plain evaluator finds. examples: of differences, both sides.
    """

    events: int
    matches: int
    different: int
    examples: list[str]


def compare(plain: Detector, engine: Detector, lines: Sequence[bytes], others: Sequence[bytes]) -> Equality:
    """others: what the engine sees in between, enough that it plans anew and forgets."""
    expected = _found(plain, lines)
    seen = [_found(engine, lines)]
    _found(engine, others)
    seen += [_found(engine, lines), _found(engine, lines)]
    different = [place for place in range(len(lines)) if any(each[place] != expected[place] for each in seen)]
    return Equality(
        events=len(lines),
        matches=sum(len(ids) for ids in expected if not isinstance(ids, str)),
        different=len(different),
        examples=[
            f"{lines[place]!r:.600} plain {expected[place]} engine {[each[place] for each in seen]}"
            for place in different[:EXAMPLES_MAX]
        ],
    )


def _found(detector: Detector, lines: Sequence[bytes]) -> list[list[str] | str]:
    """By line: its rules, or why it could not be read."""
    outcome: list[list[str] | str] = [[] for _ in lines]
    for start in range(0, len(lines), BATCH_EVENTS):
        found = detector.match_lines(lines[start : start + BATCH_EVENTS])
        for place, ids in found.matched:
            outcome[start + place] = ids
        for place, reason in found.unreadable:
            outcome[start + place] = reason
    return outcome
