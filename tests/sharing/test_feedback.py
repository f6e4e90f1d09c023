"""What a member is told of a joint alert, and that it is nothing of anybody else."""

from __future__ import annotations

import orjson
import pytest

from fsoc.sharing.caution import ALWAYS, Caution
from tests.sharing_stage import DAY, HOUR, NOON, Teller, alert, decision, members, own

FOUR = [f"aa-0{number}" for number in range(1, 5)]


@pytest.fixture
def teller():
    return Teller()


def test_each_member_gets_its_own_tickets_and_no_word_of_the_others(teller):
    told = teller.hear(alert(own(*FOUR)))

    assert [name for name in sorted(told) if told[name]["concern"] == "own_tickets"] == FOUR
    for name in FOUR:
        assert told[name]["ticket_ids"] == [f"ticket-of-{name}"]
        text = orjson.dumps(told[name]).decode()
        for other in set(FOUR) - {name}:
            assert other not in text


def test_who_has_no_ticket_in_a_grave_alert_is_told_that_it_may_be_next(teller):
    told = teller.hear(alert(own(*FOUR)))

    assert sorted(told) == sorted(teller.setting.registry.institutions)
    for name in set(told) - set(FOUR):
        assert (told[name]["concern"], told[name]["ticket_ids"]) == ("at_risk", [])
        assert told[name]["statement"] == told[FOUR[0]]["statement"]


@pytest.mark.parametrize(
    ("caution", "level", "warned"),
    [
        (Caution(), "medium", False),
        (Caution(), "high", True),
        (Caution(at_risk="critical"), "high", False),
        (Caution(at_risk=None), "critical", False),
    ],
)
def test_who_is_warned_follows_from_the_level_alone(caution, level, warned):
    told = Teller(caution=caution).hear(alert(own(*FOUR), level=level))

    assert (len(told) == 12) is warned
    assert set(FOUR) <= set(told)


def test_the_statement_stands_for_a_day_and_is_the_same_to_all(teller):
    """Four at noon, five at one, six after midnight in Taiwan."""
    first = teller.hear(alert(own(*FOUR)))
    later = teller.hear(alert(own(*FOUR, "aa-05"), revision=2), at=NOON + HOUR)
    next_day = teller.hear(alert(own(*FOUR, "aa-05", "aa-06"), revision=3), at=NOON + 5 * HOUR)

    assert list(later) == ["aa-05"]
    assert later["aa-05"]["statement"] == first["aa-01"]["statement"]
    assert [change["what"] for change in later["aa-05"]["changes"]] == ["concern", "own_tickets"]
    assert first["aa-01"]["statement"]["institution_count_at_least"] == 3
    assert len(next_day) == 12
    assert {one["statement"]["institution_count_at_least"] for one in next_day.values()} == {5}
    assert [change["what"] for change in next_day["aa-01"]["changes"]] == ["count"]


def test_a_revision_rises_for_whom_something_is_new_alone(teller):
    teller.hear(alert(own(*FOUR)))
    more = {**own(*FOUR), "aa-02": ["ticket-of-aa-02", "another"]}
    told = teller.hear(alert(more, revision=2))

    assert {name: one["revision"] for name, one in told.items()} == {"aa-02": 2}
    assert told["aa-02"]["ticket_ids"] == more["aa-02"]
    assert told["aa-02"]["changes"][0]["values"] == ["another"]


def test_an_alert_that_is_told_again_changes_nothing(teller):
    teller.hear(alert(own(*FOUR), revision=2))

    assert teller.hear(alert(own(*FOUR), revision=2), alert(own(*FOUR[:2]), revision=1), at=NOON + DAY) == {}


def test_a_retraction_is_told_at_once_to_all_who_were_told_and_tells_no_count(teller):
    teller.hear(alert(own(*FOUR)))
    told = teller.hear(alert(own(*FOUR), revision=2, status="retracted"))

    assert len(told) == 12
    assert {one["status"] for one in told.values()} == {"retracted"}
    assert {one["statement"]["institution_count_at_least"] for one in told.values()} == {None}
    assert all("3" not in one["statement"]["summary"]["text"].partition("between")[0] for one in told.values())
    assert teller.hear(alert(own(*FOUR), revision=3, status="retracted")) == {}


def test_what_stands_again_on_the_day_of_its_retraction_tells_no_count_until_tomorrow(teller):
    teller.hear(alert(own(*FOUR)), alert(own(*FOUR), revision=2, status="retracted"))
    again = teller.hear(alert(own(*FOUR), revision=3))
    tomorrow = teller.hear(alert(own(*FOUR, "aa-05"), revision=4), at=NOON + DAY)

    assert {one["status"] for one in again.values()} == {"open"}
    assert {one["statement"]["institution_count_at_least"] for one in again.values()} == {None}
    assert {one["statement"]["institution_count_at_least"] for one in tomorrow.values()} == {5}


def test_who_has_no_ticket_in_it_any_more_is_told_so(teller):
    teller.hear(alert(own(*FOUR), level="medium"))
    told = teller.hear(alert(own(*FOUR[:3]), revision=2, level="medium"))

    assert {name: (one["status"], one["ticket_ids"]) for name, one in told.items()} == {"aa-04": ("retracted", [])}


def test_a_suppressed_alert_is_told_to_nobody_and_one_that_becomes_so_is_taken_back(teller):
    assert Teller().hear(alert(own(*FOUR), suppressed={"id": "drill"})) == {}

    teller.hear(alert(own(*FOUR)))
    told = teller.hear(alert(own(*FOUR), revision=2, suppressed={"id": "drill"}))
    assert {one["status"] for one in told.values()} == {"retracted"}


def test_an_alert_on_a_feed_is_told_to_its_own_institution_alone_and_says_which_feed_it_is(teller):
    group = {"institution": "aa-01", "feed": "edr"}
    told = teller.hear(alert({"aa-01": ["heartbeat edr e1 x"]}, kind="feed", group=group))

    assert list(told) == ["aa-01"]
    assert (told["aa-01"]["feed"], told["aa-01"]["statement"]) == ("edr", None)


def test_an_alert_on_a_rule_is_told_to_those_it_fired_at_and_says_which_rule_and_nobody_else(teller):
    group = {"trigger.rule_id": "MB-231", "assets.type": "atm"}
    told = teller.hear(alert(own(*FOUR), kind="rule", group=group))

    assert sorted(told) == FOUR
    for name, one in told.items():
        assert (one["trigger_rule_id"], one["statement"]["institution_count_at_least"]) == ("MB-231", 3)
        assert (one["feed"], one["statement"]["indicators"], one["statement"]["hunt"]) == (None, [], [])
        assert not [other for other in set(FOUR) - {name} if other in orjson.dumps(one).decode()]


def test_the_rule_that_triggered_the_tickets_is_named_to_those_who_have_one_alone(teller):
    told = teller.hear(alert(own(*FOUR), group={"trigger.rule_id": "OURS-1", "assets.type": "atm"}))

    assert {told[name]["trigger_rule_id"] for name in FOUR} == {"OURS-1"}
    assert {one["trigger_rule_id"] for name, one in told.items() if name not in FOUR} == {None}
    assert {tuple(one["statement"]["asset_types"]) for one in told.values()} == {("atm",)}


def test_a_local_alert_is_nobody_elses_business_and_one_that_becomes_local_is_taken_back(teller):
    assert teller.hear(alert(own("aa-01"), kind="local")) == {}
    assert teller.stage.known == {}

    teller.hear(alert(own(*FOUR)))
    told = teller.hear(alert(own("aa-01"), revision=2, kind="local"))
    assert {one["status"] for one in told.values()} == {"retracted"}


def test_nobody_is_told_where_too_few_are_left_to_hide_among():
    """Two are in it for sure, and k is three: of two who pool what they know, three others must be left."""
    assert Teller(members(6)).hear(alert(own("aa-01", "aa-02"))) == {}
    assert len(Teller(members(7)).hear(alert(own("aa-01", "aa-02")))) == 7
    assert Teller(members(8)).hear(alert(own(*FOUR), sharing={"institutions_least": 4})) == {}


def test_a_suspended_institution_is_neither_warned_nor_counted():
    registry = members(7, **{"aa-07": {"suspended": True}})

    assert Teller(registry).hear(alert(own("aa-01", "aa-02"))) == {}


def test_a_suspended_institution_or_one_that_is_not_registered_is_not_told_of_its_own_tickets():
    teller = Teller()
    teller.hear(alert(own(*FOUR)))
    teller.setting.registry = members(12, **{"aa-02": {"suspended": True}})
    now = teller.hear(alert(own(*FOUR, "zz-99"), revision=2))

    assert {name: one["status"] for name, one in now.items()} == {"aa-02": "retracted"}
    later = teller.hear(alert(own(*FOUR, "zz-99"), revision=3), at=NOON + DAY)
    assert set(later) == set(teller.setting.registry.institutions) - {"aa-02"}


def test_what_waits_for_release_is_told_once_it_is_released():
    teller = Teller(caution=Caution(hold_below=90))
    assert teller.hear(alert(own(*FOUR))) == {}
    assert teller.hear(alert(own(*FOUR, "aa-05"), revision=2), at=NOON + HOUR) == {}
    told = teller.hear(decision("release"), at=NOON + 2 * HOUR)

    assert len(told) == 12
    assert told["aa-05"]["concern"] == "own_tickets"
    assert len(teller.hear(alert(own(*FOUR[:3]), revision=3), at=NOON + DAY)) == 12


@pytest.mark.parametrize(
    ("below", "confidence", "held"), [(0, 0, False), (80, 80, False), (81, 80, True), (ALWAYS, 100, True)]
)
def test_it_is_held_below_a_confidence(below, confidence, held):
    told = Teller(caution=Caution(hold_below=below)).hear(alert(own(*FOUR), sharing={"confidence": confidence}))

    assert (told == {}) is held


@pytest.mark.parametrize(("kind", "below", "held"), [("joint", 0, False), ("joint", 1, True), ("feed", 100, False)])
def test_of_no_confidence_a_joint_alert_is_held_and_what_is_no_guess_only_where_everything_is(kind, below, held):
    heard = alert(own(*FOUR), kind=kind, sharing={"confidence": None})

    assert (Teller(caution=Caution(hold_below=below)).hear(heard) == {}) is held
    assert Teller(caution=Caution(hold_below=ALWAYS)).hear(heard) == {}


def test_what_was_taken_back_and_comes_again_less_sure_is_held():
    teller = Teller(caution=Caution(hold_below=90))
    teller.hear(alert(own(*FOUR), sharing={"confidence": 95}))
    teller.hear(alert(own(*FOUR), revision=2, suppressed={"id": "x"}, sharing={"confidence": 10}))

    assert teller.hear(alert(own(*FOUR), revision=3, sharing={"confidence": 10})) == {}


def test_a_hold_stops_what_is_new_and_no_retraction(teller):
    teller.hear(alert(own(*FOUR)))
    assert teller.hear(decision("hold")) == {}
    assert teller.hear(alert(own(*FOUR, "aa-05"), revision=2), at=NOON + DAY) == {}
    told = teller.hear(alert(own(*FOUR, "aa-05"), revision=3, status="retracted"), at=NOON + DAY)

    assert {one["status"] for one in told.values()} == {"retracted"}


def test_once_it_was_told_a_lower_confidence_does_not_hold_it():
    teller = Teller(caution=Caution(hold_below=80))
    teller.hear(alert(own(*FOUR)))

    assert len(teller.hear(alert(own(*FOUR), revision=2, sharing={"confidence": 10}), at=NOON + DAY)) == 12


def test_a_decision_about_what_is_not_known_is_counted_and_comes_to_nothing(teller):
    assert teller.hear(decision("release", alert_id="al-9")) == {}
    assert teller.stage.unheeded_total == 1


def test_what_cannot_be_read_is_counted_and_the_rest_goes_on(teller):
    bad = {**alert(own(*FOUR)), "tickets": 7}

    assert len(teller.hear(bad, alert(own(*FOUR)))) == 12
    assert teller.stage.malformed_total == 1


def test_a_drill_says_so_in_both_languages(teller):
    told = teller.hear(alert(own(*FOUR), environment="exercise"))["aa-01"]

    assert told["exercise"] is True
    assert told["handling"]["text_zh"].startswith("【演練】")
    assert told["handling"]["text"].startswith("This is a drill.")


@pytest.mark.parametrize(("kind", "told"), [("production", 12), ("exercise", 0), ("test", 0)])
def test_an_installation_tells_of_what_it_is_for_alone(kind, told):
    """Drills have their own topics; what is sent to the wrong ones must not send anybody hunting."""
    teller = Teller(caution=Caution(environment="production"))

    assert len(teller.hear(alert(own(*FOUR), environment=kind))) == told
    assert len(Teller(caution=Caution(environment=kind)).hear(alert(own(*FOUR), environment=kind))) == 12
    assert teller.stage.known["al-1"].untold == (None if told else "environment")


def test_of_a_thousand_of_ones_own_tickets_all_are_counted(teller):
    many = [f"T-{number}" for number in range(1_500)]
    told = teller.hear(alert({**own(*FOUR), "aa-01": many}))["aa-01"]

    assert (told["ticket_ids"], told["ticket_count"]) == (many[:1_000], 1_500)


def test_what_was_over_for_five_weeks_is_told_no_more_and_in_the_end_forgotten(teller):
    teller.hear(alert(own(*FOUR)), alert(own(*FOUR), revision=2, status="final"))
    teller.hear(alert(own(*FOUR), alert_id="al-2"), at=NOON + 36 * DAY)
    assert teller.stage.known["al-1"].settled
    assert teller.hear(alert(own(*FOUR), revision=3, status="retracted"), at=NOON + 36 * DAY) == {}
    teller.hear(alert(own(*FOUR), alert_id="al-3"), at=NOON + 151 * DAY)

    assert "al-1" not in teller.stage.known
    assert b"alert/al-1" not in teller.state


def test_past_the_bound_those_leave_that_nothing_was_heard_of_for_longest(teller, monkeypatch):
    monkeypatch.setattr("fsoc.sharing.stage.ALERTS_MAX", 10)
    for number in range(11):
        teller.hear(alert(own(*FOUR), alert_id=f"al-{number}"), at=NOON + number)

    assert (len(teller.stage.known), teller.stage.evicted_total) == (10, 1)
    assert "al-0" not in teller.stage.known


def test_past_the_bound_what_is_held_or_stands_leaves_after_all_else(monkeypatch):
    """What is held would be told at its next revision, and of what stands no retraction could be told."""
    monkeypatch.setattr("fsoc.sharing.stage.ALERTS_MAX", 10)
    teller = Teller()
    teller.hear(alert(own(*FOUR), alert_id="al-held"), decision("hold", alert_id="al-held"))
    teller.hear(alert(own(*FOUR), alert_id="al-told"))
    for number in range(9):
        teller.hear(alert(own(*FOUR), alert_id=f"al-{number}", suppressed={"id": "x"}), at=NOON + number + 1)

    assert {"al-held", "al-told"} <= set(teller.stage.known)
    assert "al-0" not in teller.stage.known
    for number in range(9):
        teller.hear(alert(own(*FOUR), alert_id=f"al-more-{number}"), at=NOON + HOUR + number)
    assert "al-held" in teller.stage.known
    assert (len(teller.stage.known), "al-told" in teller.stage.known) == (10, False)
