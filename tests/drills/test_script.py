"""A drill's injects follow from its seed, are for those who take part alone, and are valid when they are answered."""

from __future__ import annotations

import orjson
import pytest

from fsoc.drills.script import INJECTS_MAX, DrillSpec, model_answer, script
from fsoc.errors import RefusedToStart
from fsoc.tickets.decode import decode

TWELVE = [f"fi-{number:03}" for number in range(1, 13)]


def test_the_same_seed_poses_the_same_and_another_seed_something_else():
    assert script(DrillSpec("d"), TWELVE) == script(DrillSpec("d"), TWELVE[::-1])
    assert script(DrillSpec("d"), TWELVE) != script(DrillSpec("d", seed=8), TWELVE)


@pytest.mark.parametrize("count", [1, 3, 12, 40])
def test_all_who_are_struck_take_part_and_several_have_something_in_common(count):
    players = [f"bank-{number}" for number in range(count)]
    injects = script(DrillSpec("d"), players)

    assert injects
    assert {one.institution for one in injects} <= set(players)
    assert [one.after for one in injects] == sorted(one.after for one in injects)
    assert all(0 <= one.after < 1 for one in injects)
    assert len({one.inject_id for one in injects}) == len(injects)
    if count >= 3:
        shared = [a for a in injects for b in injects if a.institution != b.institution and a.indicators & b.indicators]
        assert shared
    assert max(sum(one.institution == name for one in injects) for name in players) <= 3 * INJECTS_MAX


def test_an_inject_shows_what_is_seen_and_is_marked_and_does_not_say_what_it_is():
    for one in script(DrillSpec("spring"), TWELVE):
        said = one.wire("spring")
        assert said["exercise"] is True
        assert said["title"].startswith("【演練】")
        assert not {"attack", "category", "severity", "ticket_id", "trigger"} & set(said)
        assert one.inject_id in said["how_to_answer"]
        assert one.inject_id in said["how_to_answer_zh"]


def test_a_model_answer_is_a_ticket_of_the_exercise():
    for number, one in enumerate(script(DrillSpec("spring"), TWELVE)):
        body = model_answer(one, "siem", number, 1_772_409_600_000)
        message = decode(orjson.dumps(body), institution=one.institution)
        assert (message.environment, body["exercise_id"]) == ("exercise", "spring")
        assert message.detected_at_ms == 1_772_409_600_000


def test_scenarios_are_chosen_and_what_cannot_be_posed_is_refused():
    chosen = script(DrillSpec("d", scenarios=("phishing_kit",)), TWELVE)
    assert {one.scenario for one in chosen} == {"phishing_kit"}
    for spec in ({"seed": -1}, {"scenarios": ("earthquake",)}):
        with pytest.raises(RefusedToStart):
            DrillSpec("d", **spec)
    with pytest.raises(RefusedToStart, match="plants"):
        script(DrillSpec("d", scenarios=("low_and_slow",)), TWELVE)
    with pytest.raises(RefusedToStart):
        script(DrillSpec("d"), [])
