"""What a member is told of a joint alert, and that it is nothing of anybody else."""

from __future__ import annotations

import orjson
import pytest

from fsoc.sharing.feedback import at_least, feedback

ALERT = {
    "alert_id": "al-1",
    "kind": "joint",
    "suppressed": None,
    "environment": "production",
    "rule_title": "Same indicator",
    "rule_title_zh": "同一指標",
    "level": "high",
    "attack": [{"tactic": "initial-access", "technique": "T1566"}],
    "group": {"indicator": "evil.example"},
    "institution_count": 4,
    "institutions": ["fi-001", "fi-002", "fi-003", "fi-004"],
    "tickets": {f"fi-00{n}": [f"ticket-of-{n}"] for n in range(1, 5)},
    "explanation": {"text": "fi-001 fi-002", "share": {"fi-001": 1}},
}


def test_each_member_gets_its_own_tickets_and_no_word_of_the_others():
    told = dict(feedback(ALERT, 3, "open"))

    assert sorted(told) == ALERT["institutions"]
    for number, (institution, value) in enumerate(told.items(), start=1):
        assert orjson.loads(value)["ticket_ids"] == [f"ticket-of-{number}"]
        for other in set(ALERT["institutions"]) - {institution}:
            assert other not in value.decode()
            assert f"ticket-of-{other[-1]}" not in value.decode()


@pytest.mark.parametrize(
    ("institutions", "told"),
    [(1, None), (2, None), (3, 3), (4, 3), (5, 5), (9, 5), (10, 10), (19, 10), (20, 20), (400, 20)],
)
def test_counts_are_rounded_down_and_small_ones_not_told(institutions, told):
    assert at_least(institutions) == told


def test_an_alert_kept_by_an_earlier_fsoc_is_told_as_it_was():
    kept = {name: value for name, value in ALERT.items() if name != "suppressed"}

    assert list(feedback(kept, 3, "open")) == list(feedback(ALERT, 3, "open"))


def test_a_suppressed_alert_is_told_to_nobody():
    assert list(feedback({**ALERT, "suppressed": {"id": "drill"}}, 3, "open")) == []


def test_an_alert_on_a_feed_is_told_to_its_own_institution_alone_and_says_which_feed_it_is():
    about = {**ALERT, "kind": "feed", "group": {"institution": "fi-001", "feed": "edr"}, "institution_count": 1}
    [(institution, value)] = feedback({**about, "tickets": {"fi-001": ["heartbeat edr e1 x"]}}, 1, "open")

    told = orjson.loads(value)
    assert (institution, told["feed"], told["institution_count_at_least"]) == ("fi-001", "edr", None)
    assert all(orjson.loads(value)["feed"] is None for _, value in feedback(ALERT, 1, "open"))


def test_an_alert_on_a_rule_is_told_to_those_it_fired_at_and_says_which_rule_and_nobody_else():
    about = {**ALERT, "kind": "rule", "group": {"trigger.rule_id": "MB-231", "assets.type": "atm"}}
    told = {institution: orjson.loads(value) for institution, value in feedback(about, 1, "open")}

    assert sorted(told) == ALERT["institutions"]
    for number, (institution, one) in enumerate(sorted(told.items()), start=1):
        assert (one["trigger_rule_id"], one["institution_count_at_least"]) == ("MB-231", 3)
        assert one["ticket_ids"] == [f"ticket-of-{number}"]
        assert (one["feed"], one["indicators"]) == (None, [])
        text = orjson.dumps(one).decode()
        assert not [other for other in set(told) - {institution} if other in text or f"of-{other[-1]}" in text]
    assert all(orjson.loads(value)["trigger_rule_id"] is None for _, value in feedback(ALERT, 1, "open"))
    assert list(feedback({**about, "suppressed": {"id": "known"}}, 1, "open")) == []


def test_a_local_alert_is_nobody_elses_business():
    assert list(feedback({**ALERT, "kind": "local"}, 1, "open")) == []
