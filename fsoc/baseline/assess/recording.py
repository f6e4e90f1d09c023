"""Recorded events and what must find them, as a script that strikes one institution. Pure.

What is expected is a line each: `{"rule": "<id or name>", "events": [0, 3], "at_least": 1}`; events by their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from fsoc.baseline.assess.forms import Recorded
from fsoc.baseline.assess.script import PlayedEvent, Script, Step
from fsoc.baseline.model import Baseline
from fsoc.errors import Problem, RefusedToStart

APART_MS: Final = 1_000
"""Between events that do not say when they were."""
EXPECTED_MAX: Final = 10_000


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule, and the events of which it must find so many."""

    rule: str
    events: Annotated[list[Annotated[int, msgspec.Meta(ge=0)]], msgspec.Meta(min_length=1)]
    at_least: Annotated[int, msgspec.Meta(ge=1)] = 1


def read_expected(lines: Sequence[bytes], where: str, events: int) -> list[Expected]:
    """What is expected of so many events.

    Raises:
        RefusedToStart: with every line that is wrong.
    """
    found: list[Expected] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=Expected)
        except msgspec.MsgspecError as error:
            problems.append(Problem(f"{where}:{number}", str(error)[:200]))
            continue
        if max(one.events) >= events:
            problems.append(Problem(f"{where}:{number}", f"event {max(one.events)}, and there are {events}, from 0"))
        found.append(one)
    if (not found and not problems) or len(found) > EXPECTED_MAX:
        problems.append(Problem(where, f"expected 1 to {EXPECTED_MAX} lines, found {len(found)}"))
    if problems:
        raise RefusedToStart(*problems)
    return found


def script_of(
    name: str,
    where: str,
    events: Sequence[Recorded],
    expected: Sequence[Expected],
    baseline: Baseline,
    detections: Mapping[str, str],
) -> Script:
    """A step for each line. One whose rule is of an item must become a ticket too, within its trigger's time."""
    times = _times(events)
    begins_ms = min(times) if times else 0
    steps = []
    for number, one in enumerate(expected, 1):
        items = baseline.of_rule(detections.get(one.rule, one.rule))
        first_ms = min(times[place] for place in one.events)
        played = [
            PlayedEvent(times[place] - first_ms, events[place].fields, events[place].logsource) for place in one.events
        ]
        span_ms = max(event.after_ms for event in played)
        steps.append(
            Step(
                id=f"{number}",
                title=one.rule,
                title_zh=items[0].title_zh if items else one.rule,
                after_ms=first_ms - begins_ms,
                events=tuple(sorted(played, key=lambda event: event.after_ms)),
                rule=one.rule,
                item=items[0].id if items else None,
                ticket_ms=span_ms + (items[0].trigger.within_ms if items else 0),
                at_least=one.at_least,
            )
        )
    return Script(name, name, name, f"recorded in {where}", 1, 0, 0, tuple(steps), where)


def _times(events: Sequence[Recorded]) -> list[int]:
    """When each was; those that do not say it follow the one before."""
    times: list[int] = []
    for event in events:
        before_ms = times[-1] if times else 0
        times.append(event.at_ms if event.at_ms is not None else before_ms + APART_MS)
    return times
