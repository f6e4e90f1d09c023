"""What intake decides of each message: revisions, duplicates, lateness, watermarks, and what a restart keeps."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsoc.feeds.ledger import END_MS, FUTURE_MAX_MS, Ledger
from fsoc.feeds.outcomes import Outcome
from fsoc.tickets.decode import Message

HOUR = 3_600_000
START = 1_772_000_000_000


def message(ticket_id="t-1", revision=1, at=START, *, content=b"", **changes):
    fields = {
        "kind": "ticket",
        "institution": "fi-001",
        "environment": "production",
        "feed": "siem",
        "seq_epoch": "e1",
        "seq": 1,
        "ticket_id": ticket_id,
        "revision": revision,
        "action": "open",
        "status": "new",
        "verdict": None,
        "occurred_from_ms": None,
        "occurred_to_ms": None,
        "detected_at_ms": at,
        "sent_at_ms": at,
        "received_at_ms": None,
        "body": {},
        "digest": b"digest" + content,
    }
    return Message(**{**fields, **changes})


def heartbeat(feed="siem", **body):
    return message(kind="source_status", feed=feed, seq=None, body=body, action=None, status=None)


class Log:
    """Feeds one ledger with offsets in order."""

    def __init__(self, **options):
        defaults = {"allowed_lateness_ms": HOUR, "retention_ms": 48 * HOUR, "feeds": frozenset(), "ends": True}
        self.ledger = Ledger(**{**defaults, **options})
        self.offset = -1

    def send(self, sent, received_at=None, offset=None):
        if offset is None:
            self.offset += 1
            offset = self.offset
        at = sent.detected_at_ms if received_at is None else received_at
        judgement = self.ledger.judge(offset, at, sent)
        self.ledger.settle(offset, judgement.outcome)
        return judgement

    def outcomes(self, *messages):
        return "".join(self.send(sent).outcome.value for sent in messages)


def test_the_same_revision_twice_is_a_duplicate_and_with_another_body_a_conflict():
    log = Log()

    assert log.outcomes(message(), message(), message(content=b"!")) == "udq"
    assert log.ledger.counts.received == 3


def test_a_conflict_names_the_revision():
    log = Log()
    log.send(message())

    fault = log.send(message(content=b"!")).fault
    assert (fault.code, fault.pointer) == ("revision.conflict", "/revision")


def test_a_higher_revision_takes_effect_and_a_lower_one_that_follows_it_does_not():
    log = Log()
    assert log.send(message(revision=2)).live.revision == 2
    overtaken = log.send(message(revision=1))

    assert (overtaken.outcome, overtaken.live) == (Outcome.USED, None)
    assert log.send(message(revision=3)).live.revision == 3


def test_a_new_ticket_older_than_the_watermark_less_the_allowed_lateness_is_late():
    log = Log()
    log.send(message("t-1", at=START))

    assert log.send(message("t-2", at=START - HOUR)).outcome is Outcome.USED
    assert log.send(message("t-3", at=START - HOUR - 1)).outcome is Outcome.LATE


def test_a_correction_of_a_used_ticket_is_never_late():
    log = Log()
    log.outcomes(message("t-1", at=START), message("t-2", at=START + 9 * HOUR))

    assert log.send(message("t-1", revision=2, at=START)).outcome is Outcome.USED


def test_a_late_ticket_moves_no_watermark_and_leaves_nothing_to_revise():
    log = Log()
    log.outcomes(message("t-1", at=START), message("t-2", at=START - 5 * HOUR))

    assert log.ledger.watermark_ms == START
    assert log.send(message("t-2", revision=2, at=START - 5 * HOUR)).outcome is Outcome.LATE


def test_event_time_beyond_the_logs_clock_is_quarantined_and_moves_no_watermark():
    log = Log()
    log.send(message("t-1", at=START))
    edge = message("t-2", at=START + FUTURE_MAX_MS)

    assert log.send(edge, received_at=START).outcome is Outcome.USED
    ahead = log.send(message("t-3", at=START + FUTURE_MAX_MS + 1), received_at=START)
    assert (ahead.outcome, ahead.fault.code) == (Outcome.QUARANTINED, "time.future")
    assert log.ledger.watermark_ms == START + FUTURE_MAX_MS


def test_the_end_of_every_feed_ends_the_institution():
    log = Log(feeds=frozenset({"siem", "edr"}))
    log.outcomes(message(), heartbeat("siem", ended=True))
    assert log.ledger.progress_ms == START

    log.send(heartbeat("edr", ended=True))
    assert log.ledger.progress_ms == END_MS
    assert log.send(message("t-9", at=START)).outcome is Outcome.LATE


def test_an_end_record_cannot_end_production():
    log = Log(ends=False)
    log.send(message())
    refused = log.send(heartbeat(ended=True))

    assert (refused.outcome, refused.fault.pointer) == (Outcome.QUARANTINED, "/ended")
    assert log.ledger.progress_ms == START


def test_environments_do_not_share_ticket_ids():
    log = Log()

    assert log.outcomes(message(), message(environment="exercise")) == "uu"


def test_a_revision_withdraws_what_it_no_longer_feeds_and_says_so_again_on_replay():
    log = Log()
    log.send(message()).live.feed([("rule", "a"), ("rule", "b")])
    live = log.send(message(revision=2)).live
    live.feed([("rule", "b"), ("rule", "c")])
    assert live.withdrawn == [("rule", "a")]

    replayed = log.send(message(revision=2), offset=1).live
    replayed.feed([("rule", "b"), ("rule", "c")])
    assert replayed.withdrawn == [("rule", "a")]


def test_a_ticket_whose_record_outlived_its_header_is_no_duplicate_of_itself():
    """A crash kept the ticket's record and lost the header: the same offset again is a replay, another a duplicate."""
    log = Log()
    live = log.send(message()).live
    log.ledger = Log().ledger
    log.ledger.restore_live(live.name, Ledger.live_record(live))

    assert log.send(message(), offset=0).outcome is Outcome.USED
    assert log.send(message(), offset=1).outcome is Outcome.DUPLICATE


def test_what_was_withdrawn_and_is_fed_again_is_withdrawn_no_more():
    log = Log()
    log.send(message()).live.feed([("rule", "a")])
    log.send(message(revision=2)).live.feed([])
    live = log.send(message(revision=3)).live
    live.feed([("rule", "a")])

    assert (live.keys, live.withdrawn) == ([("rule", "a")], [])


def test_a_ticket_is_forgotten_when_no_alert_it_is_in_can_change():
    log = Log(retention_ms=10 * HOUR)
    log.outcomes(message("t-1", at=START), message("t-2", at=START + 10 * HOUR - 1))
    assert list(log.ledger.expire()) == []

    log.send(message("t-3", at=START + 10 * HOUR))
    assert list(log.ledger.expire()) == [("production", "t-1")]


def test_a_longer_retention_keeps_what_is_there_and_it_expires_all_the_same():
    """
    ticket      |----------------) 48 h
    set anew          |------------------------) 96 h
    """
    log = Log()
    log.send(message("t-1"))
    log.ledger.retention_ms = 96 * HOUR
    log.send(message("t-2", at=START + 50 * HOUR))
    assert list(log.ledger.expire()) == []

    log.send(message("t-3", at=START + 96 * HOUR))
    assert list(log.ledger.expire()) == [("production", "t-1")]


def restarted(ledger: Ledger, lives) -> Ledger:
    again = Ledger(
        allowed_lateness_ms=ledger.allowed_lateness_ms, retention_ms=ledger.retention_ms, feeds=ledger.feeds, ends=True
    )
    again.restore_header(ledger.header())
    for live in lives:
        again.restore_live(live.name, Ledger.live_record(live))
    return again


SENT = st.builds(
    lambda name, revision, content, hours, seq, feed: message(
        name, revision, START + hours * HOUR // 2, content=content, seq=seq, feed=feed
    ),
    st.sampled_from(["t-1", "t-2", "t-3", "t-4"]),
    st.integers(1, 3),
    st.sampled_from([b"", b"", b"", b"!"]),
    st.integers(0, 8),
    st.integers(1, 12),
    st.sampled_from(["siem", "edr"]),
)


@given(sent=st.lists(SENT, max_size=30), cut=st.integers(0, 30), back=st.integers(0, 12))
def test_a_restart_and_a_replay_change_no_outcome_and_no_count(sent, cut, back):
    """The state is as of offset `cut`; the log starts again `back` records earlier."""
    undisturbed, lives = Log(), {}
    expected = []
    for number, one in enumerate(sent):
        judged = undisturbed.send(one)
        expected.append(judged.outcome)
        if number < cut and judged.live is not None:
            lives[judged.live.name] = judged.live
        if number == min(cut, len(sent)) - 1:
            kept = restarted(undisturbed.ledger, lives.values())
    if not sent or cut == 0:
        return
    log = Log()
    log.ledger = kept
    first = max(0, min(cut, len(sent)) - back)
    outcomes = [log.send(one, offset=first + number).outcome for number, one in enumerate(sent[first:])]

    assert outcomes == expected[first:]
    assert log.ledger.counts == undisturbed.ledger.counts
    assert log.ledger.watermark_ms == undisturbed.ledger.watermark_ms
    assert orjson.loads(log.ledger.header())["feeds"] == orjson.loads(undisturbed.ledger.header())["feeds"]


@given(sent=st.lists(SENT, max_size=40))
def test_received_is_used_and_duplicate_and_late_and_quarantined(sent):
    log = Log()
    seen = Counter(log.send(one).outcome for one in sent)
    counts = log.ledger.counts

    assert counts.received == len(sent) == counts.used + counts.duplicate + counts.late + counts.quarantined
    assert counts.used == seen[Outcome.USED]
    assert counts.late == seen[Outcome.LATE]


@pytest.mark.parametrize("revisions", [(1, 2), (2, 1)])
def test_the_order_of_two_revisions_does_not_change_which_one_counts(revisions):
    log = Log()
    lives = [log.send(message(revision=number)).live for number in revisions]

    assert max(live.revision for live in lives if live is not None) == 2
