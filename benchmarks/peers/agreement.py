"""Where another engine finds other matches than we do, and why. No timing."""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypedDict

import orjson

from benchmarks.peers.install import CACHE, RSIGMA, rsigma_arguments
from fsoc.detection import Detector
from fsoc.detection.event import Event
from fsoc.detection.rules import Rule

_IN_TEXT: Final = (
    ("|windash", "`windash`: the peer does not take all five dashes"),
    ("'|all'", "keywords that must all occur (`'|all':`): the peer finds none"),
    ("|base64offset", "`base64offset`: the peer compares with case"),
    ("|base64", "`base64`: the peer compares with case"),
)
_RENAMED: Final = "Security's own names (4688, 4657): to us they are those that rules use"
_STATED: Final = "a keyword found in what states the logsource"
_OTHER: Final = "other"
EXAMPLES_MAX: Final = 10

Pair = tuple[int, str]
"""Event and rule."""


class Agreement(TypedDict):
    """ours, theirs: (event, rule) pairs found; only_ours, only_theirs: by reason. other: rules without a known one."""

    events: int
    ours: int
    theirs: int
    only_ours: dict[str, int]
    only_theirs: dict[str, int]
    other: list[str]


def agreement(rules: Sequence[Rule], folder: Path, detector: Detector, lines: Sequence[bytes], file: Path) -> Agreement:
    """file: the lines as rsigma reads them."""
    ours = {(place, rule) for place, ids in detector.match_lines(lines).matched for rule in ids}
    theirs = found_by_rsigma(folder, lines, file)
    explain = _Explain(rules, lines)
    mine = Counter(explain.ours(pair) for pair in sorted(ours - theirs))
    other = Counter(explain.theirs(pair) for pair in sorted(theirs - ours))
    return Agreement(
        events=len(lines),
        ours=len(ours),
        theirs=len(theirs),
        only_ours=dict(mine.most_common()),
        only_theirs=dict(other.most_common()),
        other=sorted(
            {rule for place, rule in ours - theirs if explain.ours((place, rule)) == _OTHER}
            | {rule for place, rule in theirs - ours if explain.theirs((place, rule)) == _OTHER}
        )[:EXAMPLES_MAX],
    )


def found_by_rsigma(folder: Path, lines: Sequence[bytes], file: Path) -> set[Pair]:
    """What it prints does not say of which line; with the event in it, that can be told."""
    program = str(CACHE / f"rsigma-{RSIGMA}" / "bin" / "rsigma")
    command = [program, *rsigma_arguments(folder, file), "--include-event", "--output-format", "ndjson"]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    places: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        places[_sorted(orjson.loads(line))].append(place)
    found: set[Pair] = set()
    for line in printed.splitlines():
        match = orjson.loads(line)
        found.update((place, match["rule_id"]) for place in places[_sorted(match["event"])])
    return found


def _sorted(event: Any) -> bytes:
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


class _Explain:
    """A reason for a match that one side alone finds."""

    def __init__(self, rules: Sequence[Rule], lines: Sequence[bytes]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._lines = lines

    def ours(self, pair: Pair) -> str:
        """Why the peer does not find it."""
        place, rule_id = pair
        rule = self._rules[rule_id]
        if not rule.condition(self._event(place, stated=False)):
            return _RENAMED
        text = Path(rule.path).read_text(encoding="utf-8")
        return next((reason for part, reason in _IN_TEXT if part in text), _OTHER)

    def theirs(self, pair: Pair) -> str:
        """Why we do not find it."""
        place, rule_id = pair
        condition = self._rules[rule_id].condition
        stated = condition(self._event(place, stated=True)) and not condition(self._event(place, stated=False))
        return _STATED if stated else _OTHER

    def _event(self, place: int, *, stated: bool) -> Event:
        event = orjson.loads(self._lines[place])
        return Event(event if stated else {name: value for name, value in event.items() if name != "logsource"})
