"""clocks.yml and suppressions.yml: every error at once, with file and line; what expired or is unused is warned of."""

from __future__ import annotations

import pytest

from fsoc.correlation.policy import HOUR_MS, Pattern
from fsoc.correlation.policy_reader import read_policy
from fsoc.detection.documents import Source
from fsoc.errors import RefusedToStart
from fsoc.runtime.content import read_source, shipped
from fsoc.tickets.times import milliseconds
from tests.builders import correlation_rule

GOOD = """\
suppressions:
  - id: one
    rule: rule
    group: {indicator: 198.18.0.0/15}
    institutions: [fi-001]
    until: 2026-03-03T00:00:00+08:00
    owner: analyst
    reason: announced
"""


def clocks(text):
    return read_policy([Source("c.yml", text)], []).clocks


def suppressions(text):
    return read_policy([], [Source("s.yml", text)]).suppressions


def refused(clocks="", suppressions=""):
    with pytest.raises(RefusedToStart) as refusal:
        read_policy([Source("c.yml", clocks)], [Source("s.yml", suppressions)])
    return [str(problem) for problem in refusal.value.problems]


def test_a_clock_says_less_where_defaults_do():
    (clock,) = clocks("clocks: [{id: report, name: Report, hours: 0.5}]")

    assert (clock.name_zh, clock.span_ms, clock.starts_at) == ("Report", HOUR_MS // 2, "raised_at_event_time")
    assert (clock.grades, clock.severity_from, clock.kind, clock.levels) == ((1, 4), 0, None, None)


def test_a_clock_may_ask_for_much():
    when = "{kind: joint, level: critical, grade_from: 2, grade_to: 3, severity_from: 4}"
    (clock,) = clocks(f"clocks: [{{id: r, name: R, hours: 1, starts_at: first_seen, when: {when}}}]")

    assert (clock.grades, clock.severity_from, clock.kind, clock.levels) == (
        (2, 3),
        4,
        "joint",
        frozenset({"critical"}),
    )


def test_a_suppression_has_owner_expiry_and_reason():
    (one,) = suppressions(GOOD)

    assert (one.owner, one.reason, one.where) == ("analyst", "announced", "s.yml:2")
    assert one.until_ms == milliseconds("2026-03-02T16:00:00Z")
    assert one.institutions == {"fi-001"}


def test_every_error_is_told_at_once_with_its_file_and_line():
    told = refused(
        """\
clocks:
  - id: report
    name: Report
    hours: -1
  - id: report
    name: Again
    hours: 1
    when: {grade_from: 3, grade_to: 2, level: severe, kind: both, severity_from: 9, colour: red}
    starts_at: noon
  - 5
alarms: []
""",
        """\
suppressions:
  - id: one
    rule: rule
    group: {indicator: 198.18.0.1/15, host: a*b}
    institutions: []
    until: 2026-03-03T00:00:00
""",
    )

    assert told == [
        'c.yml:11: "alarms" is unknown — expected clocks',
        'c.yml:4: hours is "-1" — expected a number above 0 and up to 8784',
        'c.yml:8: "colour" is unknown — expected kind, level, grade_from, grade_to, severity_from',
        'c.yml:8: severity_from is "9" — expected a whole number from 0 to 5',
        "c.yml:8: grade_from is above grade_to: no alert has such a grade",
        'c.yml:8: kind is "both" — expected joint or local or feed or rule',
        "c.yml:8: level is not one of informational, low, medium, high, critical, or a list of them",
        'c.yml:9: starts_at is "noon" — expected raised_at_event_time or first_seen',
        'c.yml:5: id "report" is used twice, first at c.yml:2',
        "c.yml:10: an entry of clocks is not a mapping",
        "s.yml:5: institutions is empty: leave it out where any are meant",
        's.yml:6: until "2026-03-03 00:00:00" has no offset; write one, such as +08:00 or Z',
        "s.yml:2: owner is missing — expected a text of at most 500 characters",
        "s.yml:2: reason is missing — expected a text of at most 500 characters",
        's.yml:4: group.indicator is "198.18.0.1/15", which is no network: 198.18.0.1/15 has host bits set',
        's.yml:4: group.host is "a*b" — * may only stand at its beginning',
    ]


@pytest.mark.parametrize("until", ["", "until: soon", "until: 5", "until: 2026-02-30T00:00:00Z"])
def test_without_an_expiry_nothing_is_suppressed(until):
    told = refused(suppressions=GOOD.replace("until: 2026-03-03T00:00:00+08:00", until))

    assert len(told) == 1
    assert told[0].startswith(("s.yml:6: ", "s.yml:2: until is missing"))


def test_a_path_is_no_network():
    assert suppressions(GOOD.replace("198.18.0.0/15", "/login/a"))[0].group == (("indicator", Pattern("/login/a")),)


def test_what_has_expired_or_suppresses_nothing_is_warned_of():
    policy = read_policy(
        [], [Source("s.yml", GOOD + GOOD.partition("\n")[2].replace("one", "two").replace("rule: rule", "rule: gone"))]
    )
    rules = [correlation_rule(group_by=("host",)), correlation_rule(id="gone", silent=True)]
    at = milliseconds("2026-03-02T16:00:00Z")

    assert [str(problem) for problem in policy.warnings(rules, at - 1)] == [
        's.yml:2: suppression "one" asks for "indicator", by which "rule" does not group; it groups by host',
        's.yml:9: suppression "two" names "gone", which is no rule that raises alerts',
    ]
    assert next(problem.text for problem in policy.warnings(rules, at)) == (
        'suppression "one" of analyst has expired at 2026-03-02T16:00:00.000Z; renew it or take it out'
    )
    assert list(policy.warnings([correlation_rule(), correlation_rule(id="gone")], at - 1)) == []


def test_what_comes_with_fsoc_is_sound_and_suppresses_nothing():
    sources = [[read_source(shipped("rules") / name)] for name in ("clocks.yml", "suppressions.yml")]
    policy = read_policy(*sources)

    assert [clock.id for clock in policy.clocks] == ["notify", "control-72h", "control-36h"]
    assert policy.suppressions == ()
    assert any("\u4e00" <= character <= "\u9fff" for clock in policy.clocks for character in clock.name_zh)


def test_the_example_that_comes_with_fsoc_is_one():
    text = read_source(shipped("rules") / "suppressions.yml").text
    example = text[text.index("#  - id:") :].replace("#", "", 1).replace("\n#", "\n")

    assert suppressions(f"suppressions:\n{example}")[0].id == "red-team-2026-q2"
