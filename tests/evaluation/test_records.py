"""Lines of the three files: what they say, and why one is refused."""

from __future__ import annotations

import orjson
import pytest

from fsoc.evaluation.records import LABEL_MAX, BadLine, read_alert, read_ticket, read_truth
from fsoc.tickets.sample import ticket

ALERT = {
    "alert_id": "al-1",
    "revision": 3,
    "status": "final",
    "kind": "joint",
    "rule_id": "r",
    "rule_title": "Rule",
    "rule_title_zh": "規則",
    "campaign_id": "c-1",
    "continues": "al-0",
    "first_seen": "2026-03-02T00:00:00.000Z",
    "last_seen": "2026-03-02T02:00:00.000Z",
    "raised_at_event_time": "2026-03-02T01:00:00.000Z",
    "institutions": ["fi-001", "fi-002"],
    "tickets": {"fi-001": ["t1", "t1"], "fi-002": ["t1"]},
    "group": {"indicator": "x", "port": 7},
    "more": {"is": "passed over"},
}


def test_an_alert_is_read_as_it_is_on_the_wire():
    read = read_alert(orjson.dumps(ALERT))

    assert (read.id, read.revision, read.campaign_id, read.continues) == ("al-1", 3, "c-1", "al-0")
    assert (read.raised_ms - read.first_ms, read.last_ms - read.first_ms) == (3_600_000, 7_200_000)
    assert read.keys == [("fi-001", "t1"), ("fi-002", "t1")]
    assert read.group == {"indicator": "x", "port": "7"}


def test_an_alert_is_read_as_a_demo_tells_it_and_its_score_is_passed_over():
    assert read_alert(orjson.dumps({"type": "alert", "alert": ALERT})) == read_alert(orjson.dumps(ALERT))
    assert read_alert(b'{"type": "score", "passes": true}') is None


def test_intel_is_read_apart_from_tickets_in_an_alert_and_in_a_file():
    heard = [{"institution": "fi-009", "ticket_id": "i1", "at": "2026-03-02T01:00:00.000Z"}]
    read = read_alert(orjson.dumps(ALERT | {"intel": heard}))

    assert (read.intel, len(read.keys)) == ((("fi-009", "i1"),), 2)
    assert read_alert(orjson.dumps(ALERT)).intel == ()
    assert read_ticket(orjson.dumps(ticket(kind="intel"))).is_intel
    assert not read_ticket(orjson.dumps(ticket())).is_intel


def test_an_alert_is_suppressed_when_it_says_by_what():
    assert not read_alert(orjson.dumps(ALERT | {"suppressed": None})).suppressed
    assert read_alert(orjson.dumps(ALERT | {"suppressed": {"id": "s"}})).suppressed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"alert_id": 7}, "alert_id"),
        ({"tickets": ["t1"]}, "tickets"),
        ({"raised_at_event_time": "yesterday"}, "RFC 3339"),
        ({"first_seen": "2026-03-02T00:00:00"}, "offset"),
    ],
)
def test_what_is_no_alert_is_refused_with_what_was_expected(change, said):
    with pytest.raises(BadLine, match=said):
        read_alert(orjson.dumps(ALERT | change))


@pytest.mark.parametrize("line", [b"{", b"[]", b'"x"', b"\xff", b"{}"])
@pytest.mark.parametrize("read", [read_alert, read_truth])
def test_what_is_no_object_of_its_kind_is_refused(line, read):
    with pytest.raises(BadLine):
        read(line)


@pytest.mark.parametrize("label", [None, "", " ", "benign", "Benign", "BENIGN "])
def test_no_label_and_benign_in_any_case_are_no_attack(label):
    assert read_truth(orjson.dumps({"ticket_id": "t", "label": label})).label is None


def test_a_label_is_taken_as_it_is_but_for_space_around_it():
    read = read_truth(b'{"ticket_id": "t", "label": " Kit \xe9\x87\xa3\xe9\xad\x9a ", "institution": "fi-001"}')

    assert (read.ticket_id, read.label, read.institution) == ("t", "Kit 釣魚", "fi-001")
    assert read_truth(b'{"ticket_id": "t"}').label is None


def test_a_label_without_end_and_a_ticket_without_id_are_refused():
    with pytest.raises(BadLine, match=str(LABEL_MAX)):
        read_truth(orjson.dumps({"ticket_id": "t", "label": "x" * (LABEL_MAX + 1)}))
    with pytest.raises(BadLine, match="empty"):
        read_truth(b'{"ticket_id": "", "label": "x"}')


def test_a_tickets_event_time_is_when_it_occurred_if_that_is_believed_else_when_it_was_detected():
    sent = read_ticket(
        orjson.dumps(
            ticket(
                occurred_from="2026-03-02T00:00:00Z",
                detected_at="2026-03-02T00:30:00Z",
                sent_at="2026-03-02T00:31:00Z",
            )
        )
    )

    assert sent.event_ms(30 * 60_000) == sent.occurred_ms
    assert sent.event_ms(30 * 60_000 - 1) == sent.detected_ms
    assert sent.received_ms - sent.detected_ms == 60_000


def test_lines_that_fsoc_would_not_use_say_nothing():
    future = ticket(detected_at="2026-03-02T09:00:00Z", sent_at="2026-03-02T01:00:00Z")

    assert read_ticket(b"{broken") is None
    assert read_ticket(orjson.dumps(future)) is None
    assert read_ticket(orjson.dumps(ticket(kind="source_status"))) is None
    assert read_ticket(orjson.dumps(future | {"received_at": "2026-03-02T08:55:00Z"})) is not None
