"""The stage: at least once, effects once; the audit says what was told; a crash at any moment changes nothing."""

from __future__ import annotations

from hashlib import sha256

import orjson
import pytest

from fsoc.sharing.caution import Caution
from fsoc.sharing.chain import verified
from fsoc.sharing.stage import newness
from tests.sharing_stage import DAY, HOUR, NOON, Teller, alert, decision, own, told_by

FIVE = [f"aa-0{number}" for number in range(1, 6)]


def story(teller):
    """Raised, grown, held, released, finished."""
    teller.hear(alert(own(*FIVE[:3])))
    teller.hear(alert(own(*FIVE[:4]), 2), alert(own("aa-07", "aa-08"), alert_id="al-2"), at=NOON + HOUR)
    teller.hear(decision("hold", number=1), at=NOON + 2 * HOUR)
    teller.hear(alert(own(*FIVE), 3), at=NOON + DAY)
    teller.hear(decision("release", number=2), at=NOON + DAY + HOUR)
    teller.hear(alert(own(*FIVE), 4, status="final"), at=NOON + 2 * DAY)
    teller.hear(alert(own("aa-07", "aa-08"), 2, alert_id="al-2", status="retracted"), at=NOON + 2 * DAY)
    return teller


@pytest.fixture(scope="module")
def told():
    return story(Teller())


def test_the_audit_says_who_was_told_what_when_and_under_which_decision(told):
    chain = [orjson.loads(line) for line in told.audit]

    assert verified(told.audit).faults == []
    assert [one["what"] for one in chain] == ["told"] * 3 + ["decided", "held", "decided", "told", "told", "told"]
    assert [one.get("decision_id") for one in chain][3:8] == ["de-1", "de-1", "de-2", "de-2", "de-2"]
    assert (chain[3]["op"], chain[3]["by"], chain[3]["reason"]) == ("hold", "lin", "looked at")
    assert chain[0]["at"] == "2026-03-02T12:00:00.000Z"
    digests = {
        (item.topic.partition(".")[2], orjson.loads(item.value)["alert_id"], orjson.loads(item.value)["revision"]): (
            sha256(item.value).hexdigest()
        )
        for item in told.published
        if item.topic.startswith("feedback.")
    }
    said = {
        (name, one["alert_id"], own["revision"]): own["sha256"]
        for one in chain
        for name, own in one.get("told", {}).items()
    }
    assert said == digests


def test_a_replay_of_the_same_records_tells_the_same_and_has_the_same_audit(told):
    again = Teller()
    again.work(told.records[:2])
    again.work(told.records[2:])

    assert again.published == told.published


@pytest.mark.parametrize("at", range(9))
def test_after_a_crash_between_state_and_publication_all_is_told_and_under_the_same_numbers(told, at):
    """The state is written, nothing is published, the offset is not committed."""
    teller = Teller()
    teller.work(told.records[:at])
    outputs = teller.stage.work(told.records[at : at + 1])
    teller.state.update(outputs.state)
    teller.restart()
    teller.work(told.records[at:])

    assert set(teller.published) == set(told.published)
    assert verified(teller.audit, told.stage.head).faults == []
    assert teller.stage.head == told.stage.head


@pytest.mark.parametrize("at", range(9))
@pytest.mark.parametrize("kept", range(1, 5))
def test_where_a_crash_leaves_a_part_of_the_state_nothing_is_lost_and_nothing_is_told_twice(told, at, kept):
    teller = Teller()
    teller.work(told.records[:at])
    outputs = teller.stage.work(told.records[at : at + 1])
    teller.state.update(outputs.state[:kept])
    teller.restart()
    teller.work(told.records[at:])

    assert set(teller.published) == set(told.published)
    assert teller.stage.head == told.stage.head


@pytest.mark.parametrize("at", range(9))
def test_after_a_crash_between_publication_and_commit_nothing_new_is_told(told, at):
    teller = Teller()
    teller.work(told.records[: at + 1])
    teller.restart()
    teller.work(told.records[at:])

    assert set(teller.published) == set(told.published)
    assert verified(teller.audit, told.stage.head).faults == []


def test_several_records_of_one_checkpoint_are_all_told_after_a_crash(told):
    teller = Teller()
    for each in told.records:
        teller.state.update(teller.stage.work([each]).state)
    teller.restart()

    assert teller.audit == told.audit
    assert set(teller.published) == set(told.published)
    assert teller.work(told.records) == {}


def test_nothing_is_left_to_be_told_once_it_was_told(told):
    assert not [key for key in told.state if key.startswith(b"said/")]
    assert Teller().restart(told.state) == {}


def test_of_two_records_of_one_thing_the_newer_holds_whoever_wrote_it_last(told):
    """A worker that has lost the partition and does not know yet writes its old state over the new."""
    old = story_until(told, 4).state
    teller = Teller()
    for key, value in [*told.state.items(), *old.items()]:
        teller.stage.restore(key, value)
    outputs = teller.stage.restored()
    teller.state = {**told.state, **old, **dict(outputs.state)}

    assert teller.state == told.state
    assert teller.stage.head == told.stage.head
    assert newness(b"header", told.state[b"header"]) > newness(b"header", old[b"header"])


def test_an_old_journal_that_is_written_late_tells_nobody_again_what_was_taken_back_since():
    """The newest record of an alert is the one that a compacted topic keeps."""
    teller = Teller()
    teller.hear(alert(own(*FIVE)))
    journals = {key: value for key, value in teller.log if key.startswith(b"said/") and value is not None}
    teller.hear(alert(own(*FIVE), 2, status="retracted"), at=NOON + HOUR)
    before = list(teller.audit)

    assert teller.restart({**teller.state, **journals}) == {}
    assert teller.audit == [*before, before[0]]
    assert teller.stage.known["al-1"].told["aa-01"].status == "retracted"


def test_what_was_not_told_before_a_crash_is_told_though_more_was_heard_of_the_alert_since():
    teller = Teller()
    outputs = [teller.stage.work([record]) for record in records_of(alert(own(*FIVE)), alert(own(*FIVE), 2))]
    assert not told_by(outputs[1].published)
    state = {key: value for each in outputs for key, value in each.state}

    assert teller.restart(state) == told_by(outputs[0].published)


def records_of(*alerts):
    teller = Teller()
    teller.hear(*alerts)
    return teller.records


def story_until(told, records):
    teller = Teller()
    teller.work(told.records[:records])
    return teller


def test_what_is_held_is_said_in_the_audit_once():
    teller = Teller(caution=Caution(hold_below=90))
    teller.hear(alert(own(*FIVE)))
    teller.hear(alert(own(*FIVE), 2), at=NOON + HOUR)

    assert [orjson.loads(line)["what"] for line in teller.audit] == ["held"]


def test_the_header_says_what_became_of_the_alerts(told):
    header = orjson.loads(told.state[b"header"])

    assert header["alerts"] == {"told": 1, "taken_back": 1}
    assert (header["seq"], header["told_total"]) == (9, len(told.published) - len(told.audit))


def test_a_decision_that_comes_again_is_one(told):
    teller = Teller()
    teller.hear(alert(own(*FIVE)), decision("hold"), decision("hold"))

    assert [orjson.loads(line)["what"] for line in teller.audit] == ["told", "decided", "held"]


def test_time_alone_tells_nobody_anything(told):
    outputs = told.stage.idle()

    assert (outputs.state, outputs.published) == ([], [])
