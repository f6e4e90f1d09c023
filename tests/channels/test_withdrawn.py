"""What was told once is live no longer than it is told, for every institution, and what was revoked stays revoked."""

from __future__ import annotations

import json

import orjson
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.channels.read import read_feedback
from fsoc.channels.stix import bundle_of, objects_of
from tests.sharing_stage import DAY, HOUR, NOON, Teller, alert, own

MEMBERS = ("aa-01", "aa-02", "aa-03")
VALUES = ("bad-one.example", "fp.example", "bad-two.example")


def offers(*values):
    return {"offers": [{"type": "domain", "value": one, "role": "attacker", "confidence": 80} for one in values]}


def walked(told):
    """The newest version of every object, by id, as a client that polls has it; nothing comes back on the way."""
    newest = {}
    for value in told:
        for one in objects_of(read_feedback(value)):
            body = json.loads(one.serialize())
            known = newest.get(body["id"], {})
            if body.get("modified", "") >= known.get("modified", ""):
                assert not (known.get("revoked") and not body.get("revoked")), f"{body['id']} comes back"
                newest[body["id"]] = body
    return newest


def live(told, *, kind="stix"):
    """What a client looks for when it has walked."""
    return {
        one["name"]
        for one in walked(told).values()
        if one["type"] == "indicator" and one["pattern_type"] == kind and not one.get("revoked")
    }


def live_of_alert(told):
    """Everything of the alert that is not revoked: what never changes has a time of its own."""
    return [
        one["type"]
        for one in walked(told).values()
        if not one.get("revoked") and not one.get("modified", "2026-01-01").startswith(("2026-01-01", "2022"))
    ]


def test_a_value_that_is_told_no_more_is_revoked_and_a_retraction_leaves_nothing():
    teller = Teller()
    teller.hear(alert(own(*MEMBERS), sharing=offers("bad-one.example", "fp.example")))
    assert "fp.example" in live(teller.heard_by("aa-01"))

    teller.hear(alert(own(*MEMBERS), 2, sharing=offers("bad-one.example")), at=NOON + DAY)
    assert live(teller.heard_by("aa-01")) == {"185.220.101.7", "bad-one.example"}

    teller.hear(alert(own(*MEMBERS), 3, status="retracted"), at=NOON + 2 * DAY)
    assert live_of_alert(teller.heard_by("aa-01")) == []


def test_the_newest_record_alone_revokes_what_earlier_ones_told():
    """The topic is compacted by alert: who reads it late meets the newest record of each, and may have the rest."""
    teller = Teller()
    teller.hear(alert(own(*MEMBERS), sharing=offers("bad-one.example", "fp.example")))
    teller.hear(alert(own(*MEMBERS), 2, sharing=offers("bad-one.example")), at=NOON + DAY)
    teller.hear(alert(own(*MEMBERS), 3, sharing=offers("bad-one.example", "bad-two.example")), at=NOON + 2 * DAY)
    first, *_, last = teller.heard_by("aa-01")

    assert live([first, last]) == {"185.220.101.7", "bad-one.example", "bad-two.example"}
    assert set(walked(teller.heard_by("aa-01"))) == set(walked([last])), "nothing vanishes"


def test_who_joins_later_is_told_nothing_of_what_was_withdrawn_before():
    teller = Teller()
    teller.hear(alert(own("aa-01", "aa-02"), level="low", sharing=offers("fp.example")))
    teller.hear(alert(own("aa-01", "aa-02"), 2, level="low"), at=NOON + DAY)
    teller.hear(alert(own(*MEMBERS), 3, level="low"), at=NOON + 2 * DAY)
    teller.hear(alert(own(*MEMBERS), 4, level="low", sharing=offers("fp.example")), at=NOON + 3 * DAY)

    joined = teller.heard_by("aa-03")
    assert b"fp.example" in teller.heard_by("aa-01")[-2]
    assert b"fp.example" not in joined[0]
    assert orjson.loads(joined[1])["withdrawn"] == []
    assert "fp.example" in live(joined)


def test_a_hunt_is_one_indicator_whatever_it_looks_for():
    teller = Teller()
    teller.hear(alert(own(*MEMBERS), sharing=offers("bad-one.example")))
    teller.hear(alert(own(*MEMBERS), 2, sharing=offers("bad-one.example", "bad-two.example")), at=NOON + DAY)

    hunts = [one for one in walked(teller.heard_by("aa-01")).values() if one.get("pattern_type") == "sigma"]
    assert len(hunts) == len({one["name"] for one in hunts}) > 1
    assert sum("bad-two.example" in one["pattern"] for one in hunts) == 2

    teller.hear(alert(own(*MEMBERS), 3), at=NOON + 2 * DAY)
    assert len(live(teller.heard_by("aa-01"), kind="sigma")) < len(hunts), "no domain is left to look for"


def test_what_is_told_again_after_a_retraction_is_new():
    teller = Teller()
    teller.hear(alert(own(*MEMBERS)))
    teller.hear(alert(own(*MEMBERS), 2, suppressed={"id": "x"}), at=NOON + HOUR)
    teller.hear(alert(own(*MEMBERS), 3), at=NOON + 2 * HOUR)
    teller.hear(alert(own(*MEMBERS), 4, suppressed={"id": "x"}), at=NOON + 3 * HOUR)
    assert live_of_alert(teller.heard_by("aa-01")) == []

    teller.hear(alert(own(*MEMBERS), 5), at=NOON + 4 * HOUR)
    assert live(teller.heard_by("aa-01")) == {"185.220.101.7"}
    assert [orjson.loads(one)["retractions"] for one in teller.heard_by("aa-01")] == [0, 0, 1, 1, 2]


def test_a_value_that_comes_and_goes_is_another_indicator_every_time():
    teller = Teller()
    for day in range(6):
        said = alert(own(*MEMBERS), day + 1, sharing=offers(*([] if day % 2 else ["fp.example"])))
        teller.hear(said, at=NOON + day * DAY)
        assert ("fp.example" in live(teller.heard_by("aa-01"))) is (day % 2 == 0)

    found = [one for one in walked(teller.heard_by("aa-01")).values() if one.get("name") == "fp.example"]
    assert len(found) == 3


STEPS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(VALUES)),
        st.sampled_from([MEMBERS, MEMBERS[:2], MEMBERS[1:]]),
        st.sampled_from(["open", "open", "open", "suppressed", "restart"]),
    ),
    min_size=2,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_whoever_polls_has_what_the_newest_record_says_and_nothing_comes_back(steps):
    teller = Teller()
    for number, (values, members, what) in enumerate(steps, 1):
        if what == "restart":
            teller.restart()
        suppressed = {"id": "x"} if what == "suppressed" else None
        said = alert(own(*members), number, level="low", suppressed=suppressed, sharing=offers(*sorted(values)))
        teller.hear(said, at=NOON + number * DAY)
    for name in MEMBERS:
        told = teller.heard_by(name)
        if not told:
            continue
        for value in told:
            stix2.parse(bundle_of(read_feedback(value)), allow_custom=False)
        newest = orjson.loads(told[-1])
        stands = [] if newest["status"] == "retracted" else newest["statement"]["indicators"]
        assert live(told) == {one["value"] for one in stands}
        before = b"".join(told)
        for one in newest["withdrawn"]:
            assert one["type"] == "sigma" or before.count(one["value"].encode()) > 1
