"""Engines that can remember almost nothing, and forget all the time, find what the plain evaluator finds."""

from __future__ import annotations

from functools import partial

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.detection import PlainDetector
from fsoc.detection.program import flatten
from tests.detection.differential import events
from tests.detection.differential.engines import ENGINES, outcome
from tests.detection.differential.rules import MAPPING, rule_sets
from tests.detection.differential.test_drawn import MANY, drawn

ENTRIES, BYTES, LENGTH = 2, 600, 3


@pytest.fixture(scope="module")
def forgetful():
    """(engine name, what makes one of rules)"""
    makers = []
    with pytest.MonkeyPatch.context() as patch:
        if "fast" in ENGINES:
            from fsoc.detection import fast
            from fsoc.detection.fast import detector, lanes, memo, sampling, views

            patch.setattr(views, "Memo", partial(memo.Memo, entries_max=ENTRIES))
            patch.setattr(detector, "Ledger", partial(memo.Ledger, BYTES))
            patch.setattr(memo, "KEPT_LENGTH_MAX", LENGTH)
            patch.setattr(detector, "SAMPLED_EVERY", 2)
            patch.setattr(sampling, "RULE_SETS_MAX", 1)
            for name in ("ROUTES_MAX", "SHAPES_MAX", "LANES_MAX"):
                patch.setattr(lanes, name, 1)
            makers.append(("fast", fast.FastDetector))
        if "native" in ENGINES:
            from fsoc.detection.native import NativeDetector

            native = partial(NativeDetector, memo_entries_max=ENTRIES, memo_bytes_max=BYTES)
            makers.append(("native", native))
        yield makers


@settings(drawn, max_examples=60 * MANY)
@given(rules=rule_sets(), several=st.lists(st.one_of(events.flat(), events.windows()), min_size=1, max_size=6))
def test_what_is_forgotten_is_found_again(forgetful, rules, several):
    plain = PlainDetector(rules, MAPPING)
    program, ids = flatten(rules), [rule.id for rule in rules]
    pairs = [(event, stated) for event in several for stated in events.LOGSOURCES]
    lines = [orjson.dumps({**event, "logsource": stated}) for event, stated in pairs]
    expected = [outcome(plain.match_event, *pair) for pair in pairs]
    expected_of_lines = plain.match_lines(lines)
    for name, make in forgetful:
        detector = make(ids, MAPPING, program)
        for _ in range(3):
            assert [outcome(detector.match_event, *pair) for pair in pairs] == expected, f"{name} differs"
            assert detector.match_lines(lines) == expected_of_lines, f"{name} differs on lines"
