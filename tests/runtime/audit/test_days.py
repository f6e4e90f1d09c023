"""Days of feeds among the records of intake's state: read strictly, and told where they are not what intake writes."""

from __future__ import annotations

import pytest

from fsoc.runtime.audit.findings import Verdict
from fsoc.runtime.audit.intake import members
from fsoc.runtime.audit.reading import Kept
from fsoc.runtime.kafka.topics import intake_state_partition

DAY = b'{"offset":4,"feeds":{"siem":{"used":5,"sent":[],"received":[]}}}'


def found_in(key, value):
    verdict = Verdict()
    partition = intake_state_partition("fi-001")
    found = members({("fsoc.intake.state", partition): {key: Kept(0, 0, value)}}, {}, verdict)
    return found, [finding.code for finding in verdict.findings]


def test_a_day_is_its_institutions():
    found, codes = found_in(b"fi-001/day/2026-03-02", DAY)

    assert codes == []
    assert found["fi-001"].days["2026-03-02"].offset == 4
    assert found["fi-001"].tickets == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"fi-001/day/2026-03-02", b'{"feeds":{}}'),
        (b"fi-001/day/2026-03-02", b"{"),
        (b"fi-001/day/2026-02-30", DAY),
        (b"fi-001/day/", DAY),
    ],
)
def test_what_is_no_day_is_found(key, value):
    assert found_in(key, value)[1] == ["unreadable"]
