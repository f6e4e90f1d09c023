"""A measurement counts what was matched, gives cold figures to new detectors, and tells engines that disagree."""

from __future__ import annotations

from itertools import count

import orjson
import pytest

from benchmarks.equality import compare
from benchmarks.measure import BATCH_EVENTS, Size, measure
from fsoc.detection.detector import Detector

SIZE = Size(events=BATCH_EVENTS + 10, warm_up=BATCH_EVENTS, passes=5)


class Threes(Detector):
    """Matches every third line; may be made to miss one number."""

    def __init__(self, misses=None):
        self.misses = misses
        self.seen = 0

    def match_event(self, fields, logsource=None):
        self.seen += 1
        return ["three", "any"] if fields["n"] % 3 == 0 and fields["n"] != self.misses else []

    def match_ticket(self, body):
        return []

    def covers(self, fields, logsource=None):
        return True


def numbers():
    source = count()
    return lambda wanted: [orjson.dumps({"n": next(source)}) for _ in range(wanted)]


def test_matches_are_counted_over_one_pass():
    figures = measure(Threes, 7, numbers(), SIZE)

    assert figures["events"] == 510
    assert figures["matched"] == 170
    assert figures["matches"] == 340
    assert figures["rules"] == 7
    assert len(figures["ratios"]) == len(figures["cold_ratios"]) == figures["passes"] == 5


def test_each_cold_pass_has_a_detector_of_its_own_and_the_last_goes_on():
    made = []

    def build():
        made.append(Threes())
        return made[-1]

    measure(build, 1, numbers(), SIZE)

    assert [detector.seen for detector in made] == [510] * 4 + [510 + 500 + 5 * 510]


def test_warm_passes_never_see_a_line_twice():
    taken = []
    source = numbers()
    measure(Threes, 1, lambda wanted: taken.append(source(wanted)) or taken[-1], SIZE)

    lines = [line for batch in taken for line in batch]
    assert len(lines) == len(set(lines)) == 510 + 500 + 5 * 510


@pytest.mark.parametrize("lines", [1, 700])
def test_engines_that_agree_differ_nowhere(lines):
    outcome = compare(Threes(), Threes(), numbers()(lines), numbers()(40))

    assert outcome["events"] == lines
    assert outcome["matches"] == 2 * -(-lines // 3)
    assert outcome["different"] == 0


def test_a_missed_match_is_told_with_its_event():
    outcome = compare(Threes(), Threes(misses=603), numbers()(700), numbers()(40))

    assert outcome["different"] == 1
    assert '"n":603' in outcome["examples"][0]


def test_a_line_that_one_side_cannot_read_is_a_difference():
    class Deaf(Threes):
        def match_event(self, fields, logsource=None):
            if fields["n"] == 4:
                raise ValueError("no")
            return super().match_event(fields, logsource)

    assert compare(Threes(), Deaf(), numbers()(9), [])["different"] == 1


def test_without_cold_figures_one_detector_is_made():
    made = []

    def build():
        made.append(Threes())
        return made[-1]

    figures = measure(build, 1, numbers(), SIZE, with_cold=False)

    assert len(made) == 1
    assert "cold_ratio" not in figures
    assert figures["matched"] == 170
