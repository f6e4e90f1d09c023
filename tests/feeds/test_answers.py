"""What institutions answer to alerts goes through intake as tickets do: revised, retracted, told again."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.feeds.answers import TOPIC
from fsoc.feeds.live import ANSWERS_MAX, LiveTicket
from fsoc.feeds.record import Record
from fsoc.sharing.acknowledged import Acknowledged
from fsoc.tickets.sample import acknowledgement, ticket
from tests.test_intake import RECEIVED, build_pipeline, detections, receipts

ALERT, OTHER = "al-1", "al-2"


def says(answers, **changes):
    given = [{"alert_id": alert, "answer": answer} for alert, answer in answers.items()]
    return orjson.dumps(acknowledgement(**{"relations": {"acknowledges": given}, **changes}))


def ticket_that_says(answers, **changes):
    given = [{"alert_id": alert, "answer": answer} for alert, answer in answers.items()]
    return orjson.dumps(ticket(**{"relations": {"acknowledges": given}, **changes}))


class Desk:
    """An intake, and what is known of its answers."""

    def __init__(self):
        self.pipeline = build_pipeline()
        self.stage = self.pipeline.intake("fi-001")
        self.acknowledged = Acknowledged()
        self.outputs = []
        self.state = {}
        self.log = []

    def take(self, *payloads):
        first = len(self.log)
        records = [Record(first + n, RECEIVED + 1000 * (first + n), None, one) for n, one in enumerate(payloads)]
        self.log += records
        return self.work(records)

    def work(self, records):
        outputs = self.stage.work(records)
        for key, value in outputs.state:
            self.state[key] = value
        return self.hear(outputs)

    def hear(self, outputs):
        self.outputs.append(outputs)
        for one in outputs.published:
            if one.topic == TOPIC:
                self.acknowledged.take(one.value)
        return outputs

    def restart(self):
        self.stage = self.pipeline.intake("fi-001")
        for key, value in self.state.items():
            self.stage.restore(key, value)
        return self.hear(self.stage.restored())

    def standing(self, alert=ALERT):
        return [(one.institution, one.answer) for one in self.acknowledged.of(alert)]


@pytest.fixture
def desk():
    return Desk()


def test_an_acknowledgement_is_receipted_and_stands_and_is_no_detection(desk):
    outputs = desk.take(says({ALERT: "seen"}))

    assert [one["outcome"] for one in receipts(outputs)] == ["accepted"]
    assert receipts(outputs)[0]["feed"] is None
    assert detections(outputs, "put", "withdraw") == []
    assert desk.standing() == [("fi-001", "seen")]


def test_it_moves_no_watermark_and_is_never_late(desk):
    desk.take(orjson.dumps(ticket()))
    before = desk.stage.ledger.watermark_ms

    old = "2020-01-01T00:00:00Z"
    outputs = desk.take(
        says({ALERT: "seen"}, created_at="2030-01-01T00:00:00Z"),
        says({ALERT: "affected"}, ticket_id="a-2", created_at=old, sent_at=old),
    )

    assert [one["outcome"] for one in receipts(outputs)] == ["accepted", "accepted"]
    assert desk.stage.ledger.watermark_ms == before
    assert desk.standing() == [("fi-001", "affected")]


def test_it_is_numbered_in_no_feed(desk):
    desk.take(orjson.dumps(ticket()), says({ALERT: "seen"}))

    assert list(desk.stage.ledger.sequences) == [("siem", "2026-03-02")]
    assert desk.stage.ledger.unregistered == 0


def test_a_ticket_may_say_it_beside_what_it_is(desk):
    outputs = desk.take(ticket_that_says({ALERT: "affected", OTHER: "hunting"}))

    assert len(detections(outputs, "put")) == 2
    assert desk.standing(ALERT) == [("fi-001", "affected")]
    assert desk.standing(OTHER) == [("fi-001", "hunting")]


def test_a_higher_revision_replaces_all_that_was_answered(desk):
    desk.take(says({ALERT: "seen", OTHER: "seen"}), says({OTHER: "affected"}, revision=2))

    assert desk.standing(ALERT) == []
    assert desk.standing(OTHER) == [("fi-001", "affected")]


def test_a_lower_revision_that_comes_later_changes_nothing(desk):
    desk.take(says({ALERT: "affected"}, revision=2), says({ALERT: "seen"}))

    assert desk.standing() == [("fi-001", "affected")]


def test_the_same_again_is_a_duplicate_and_another_of_the_same_revision_is_refused(desk):
    outputs = desk.take(says({ALERT: "seen"}), says({ALERT: "seen"}), says({ALERT: "affected"}))

    assert [one["outcome"] for one in receipts(outputs)] == ["accepted", "duplicate", "quarantined"]
    assert receipts(outputs)[2]["faults"][0]["code"] == "revision.conflict"
    assert desk.standing() == [("fi-001", "seen")]


def test_what_is_retracted_is_taken_back_and_what_was_said_before_it_stands_again(desk):
    desk.take(says({ALERT: "seen"}), ticket_that_says({ALERT: "affected"}))
    assert desk.standing() == [("fi-001", "affected")]

    desk.take(orjson.dumps(ticket(revision=2, action="retract")))
    assert desk.standing() == [("fi-001", "seen")]

    desk.take(says({}, revision=2, action="retract", relations=...))
    assert desk.standing() == []


def test_a_ticket_that_closes_as_a_false_positive_still_answers(desk):
    closed = {"revision": 2, "action": "close", "status": "resolved", "verdict": "false_positive"}
    outputs = desk.take(orjson.dumps(ticket()), ticket_that_says({ALERT: "not_affected"}, **closed))

    assert detections(outputs, "withdraw")
    assert desk.standing() == [("fi-001", "not_affected")]


def test_an_acknowledgement_of_a_tickets_id_takes_the_ticket_back(desk):
    """A revision replaces the whole, whatever kind it is."""
    name = ticket()["ticket_id"]
    outputs = desk.take(orjson.dumps(ticket()), says({ALERT: "seen"}, ticket_id=name, revision=2))

    assert len(detections(outputs, "withdraw")) == len(detections(outputs, "put"))


def test_a_retraction_of_one_that_is_forgotten_takes_back_what_it_lists(desk):
    desk.acknowledged.take(
        orjson.dumps(
            {
                "schema": "fsoc.acknowledgement/1",
                "alert_id": ALERT,
                "institution": "fi-001",
                "environment": "test",
                "ticket_id": acknowledgement()["ticket_id"],
                "revision": 1,
                "answer": "seen",
                "received_at": "2026-01-01T00:00:00.000Z",
                "first_received_at": "2026-01-01T00:00:00.000Z",
            }
        )
    )
    desk.take(says({ALERT: "seen"}, revision=2, action="retract"))

    assert desk.standing() == []


def test_an_answer_without_an_alert_is_refused(desk):
    outputs = desk.take(says({}), says({ALERT: "perhaps"}), says({"../etc": "seen"}))

    codes = [one["faults"][0]["code"] for one in receipts(outputs)]
    assert codes == ["condition.acknowledges", "field.not-allowed", "field.malformed"]


def test_a_restart_says_again_what_stands_and_what_was_taken_back(desk):
    """A worker that had lost the institution and did not know may have written an older record over the newest."""
    first = desk.take(says({ALERT: "seen", OTHER: "seen"}))
    desk.take(says({ALERT: "affected"}, revision=2))
    written_over = Acknowledged()
    desk.acknowledged = written_over
    for one in first.published:
        if one.topic == TOPIC:
            written_over.take(one.value)

    desk.restart()

    assert desk.standing(ALERT) == [("fi-001", "affected")]
    assert desk.standing(OTHER) == []


def test_what_a_ticket_remembers_of_its_answers_is_bounded():
    live = LiveTicket(("test", "a"), 1, b"", 0, 0)
    for number in range(3 * ANSWERS_MAX):
        live.answer({f"al-{number}": "seen"}, number)

    assert len(live.answers) == ANSWERS_MAX
    assert [name for name, answer in live.answers.items() if answer[0]] == [f"al-{3 * ANSWERS_MAX - 1}"]


MESSAGES = st.builds(
    says,
    st.dictionaries(st.sampled_from([ALERT, OTHER]), st.sampled_from(["seen", "affected"]), min_size=1),
    ticket_id=st.sampled_from(["a", "b"]),
    revision=st.integers(1, 3),
    action=st.sampled_from(["open", "retract"]),
)


@given(st.lists(MESSAGES, max_size=8), st.data())
def test_a_crash_anywhere_and_a_slice_again_change_nothing_of_what_stands(messages, data):
    """The plain twin takes every message once, in its order."""
    twin = Desk()
    for one in messages:
        twin.take(one)
    desk = Desk()
    for number, one in enumerate(messages):
        desk.take(one)
        if data.draw(st.booleans()):
            desk.restart()
        if data.draw(st.booleans()):
            desk.work(desk.log[data.draw(st.integers(0, number)) :])

    for alert in (ALERT, OTHER):
        assert desk.acknowledged.of(alert) == twin.acknowledged.of(alert)
