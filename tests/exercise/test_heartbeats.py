"""Heartbeats say what was sent, so that silence and a drop can be seen from them alone; and the feeds that fall ill."""

from __future__ import annotations

from itertools import pairwise
from statistics import mean

import orjson
import pytest

from fsoc.exercise import ExerciseSpec, Noise, generate, sender
from fsoc.exercise.spec import DAY_MS, HOUR_MS, MINUTE_MS, START_MS
from fsoc.tickets.times import milliseconds

SPECS = [
    ExerciseSpec(seed=1, tickets_per_institution=60),
    ExerciseSpec(seed=2, tickets_per_institution=60, noise=Noise.HIGH),
    ExerciseSpec(seed=3, institutions=16, noise=Noise.LOW, heartbeat_minutes=30, hours=200),
    ExerciseSpec(seed=4, institutions=60, tickets_per_institution=30, noise=Noise.HIGH, heartbeat_minutes=240),
]


@pytest.fixture(scope="module", params=SPECS, ids=lambda spec: f"seed-{spec.seed}")
def any_reading(request, read):
    return read(request.param)


def period(body):
    return milliseconds(body["period_from"]), milliseconds(body["period_to"])


def sick(reading, institution, feed, kind=""):
    """The trouble of a feed; None where it is well."""
    found = [one for one in reading.exercise.feed_truth if (one.institution, one.feed) == (institution, feed)]
    return found[0] if found and found[0].kind.endswith(kind) else None


def test_what_heartbeats_say_was_opened_is_what_was_sent(any_reading):
    """Every first revision is counted in the one heartbeat in whose period it was sent, whether it was lost or not."""
    sent: dict[tuple[str, str], set[str]] = {}
    for delivery in any_reading.exercise.deliveries:
        body = orjson.loads(delivery.payload)
        if body["kind"] != "source_status" and body["revision"] == 1:
            sent.setdefault((body["institution"], body["feed"]), set()).add(body["ticket_id"])
    for name, statuses in any_reading.statuses.items():
        assert sum(body["tickets_opened"] for _, body in statuses) == len(sent.get(name, ()))


def test_periods_follow_each_other_without_a_gap_but_for_a_silence(any_reading):
    for name, statuses in any_reading.statuses.items():
        silent = sick(any_reading, *name, "silent")
        skew_ms = statuses[0][1]["clock_offset_ms"]
        periods = [period(body) for _, body in statuses]
        assert periods[0][0] - skew_ms == START_MS
        for earlier, later in pairwise(periods):
            if silent is not None and later[0] - skew_ms == silent.to_ms:
                assert earlier[1] - skew_ms <= silent.from_ms
            else:
                assert later[0] == earlier[1]


def test_a_heartbeats_last_number_is_never_ahead_of_what_was_sent_by_then(any_reading):
    numbered: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for delivery in any_reading.exercise.deliveries:
        body = orjson.loads(delivery.payload)
        if body["kind"] != "source_status":
            numbered.setdefault((body["feed"], body["seq_epoch"]), []).append((delivery.at_ms, body["seq"]))
    for (_, feed), statuses in any_reading.statuses.items():
        for _, body in statuses:
            highest = max((seq for _, seq in numbered.get((feed, body["seq_epoch"]), [])), default=0)
            assert body["last_seq"] <= highest
        last = statuses[-1][1]
        assert last["ended"] is True
        assert last["last_seq"] == max((seq for _, seq in numbered.get((feed, last["seq_epoch"]), [])), default=0)


def test_a_healthy_feed_misses_one_heartbeat_now_and_then_and_never_two(any_reading):
    every_ms = any_reading.exercise.spec.heartbeat_minutes * MINUTE_MS
    missed = 0
    for name, statuses in any_reading.statuses.items():
        if sick(any_reading, *name, "silent"):
            continue
        for (_, earlier), (_, later) in pairwise(statuses[:-1]):
            gap = round((period(later)[1] - period(earlier)[1]) / every_ms)
            assert gap in (1, 2)
            missed += gap == 2
        assert period(statuses[-1][1])[1] - period(statuses[-2][1])[1] <= 2 * every_ms  # it goes on until its end
    assert missed >= 1


def test_a_silent_feed_sends_nothing_for_five_heartbeats_or_more_and_then_speaks_again(any_reading):
    assert_silent(any_reading.exercise)


def test_what_was_lost_before_a_silence_is_not_sent_again_during_it(monkeypatch):
    monkeypatch.setattr(sender, "LOST_SHARE", 0.6)
    monkeypatch.setattr(sender, "DUPLICATE_SHARE", 0.9)
    for seed in (81, 82):
        assert_silent(
            generate(ExerciseSpec(seed=seed, institutions=8, tickets_per_institution=1_500, hours=120, noise=Noise.LOW))
        )


def assert_silent(exercise):
    troubles = [one for one in exercise.feed_truth if one.kind == "feed_silent"]
    every_ms = exercise.spec.heartbeat_minutes * MINUTE_MS
    arrivals: dict[tuple[str, str], list[int]] = {}
    for delivery in exercise.deliveries:
        body = orjson.loads(delivery.payload)
        arrivals.setdefault((body["institution"], body["feed"]), []).append(delivery.at_ms)

    assert troubles
    for trouble in troubles:
        assert trouble.to_ms - trouble.from_ms >= max(4 * HOUR_MS, 5 * every_ms)
        own = arrivals[trouble.institution, trouble.feed]
        # What is under way when it falls silent still arrives: three seconds, or ninety where it is overtaken.
        assert not [at_ms for at_ms in own if trouble.from_ms + 93_000 < at_ms < trouble.to_ms]
        assert [at_ms for at_ms in own if at_ms >= trouble.to_ms]


def test_a_dropped_feed_sees_a_tenth_and_a_healthy_one_never_half(any_reading):
    """By events an hour against the mean of the seven days before, as a rule would."""
    dropped = 0
    for name, statuses in any_reading.statuses.items():
        trouble = sick(any_reading, *name, "drop")
        rates = [
            (period(body)[0] - body["clock_offset_ms"], _rate(body)) for _, body in statuses if not body.get("ended")
        ]
        for index, (from_ms, rate) in enumerate(rates):
            past = [one for at_ms, one in rates[:index] if at_ms >= from_ms - 7 * DAY_MS]
            if len(past) < 12:
                continue
            whole = trouble is not None and trouble.from_ms <= from_ms and _end(rates, index) <= trouble.to_ms
            part = trouble is not None and _end(rates, index) >= trouble.from_ms and from_ms <= trouble.to_ms
            if whole:
                assert rate < 0.3 * mean(past)
                dropped += 1
            elif not part and not (trouble and from_ms > trouble.from_ms):
                assert rate > 0.5 * mean(past)
    assert dropped >= 2 or not any(one.kind == "feed_volume_drop" for one in any_reading.exercise.feed_truth)


def _end(rates, index):
    return rates[index + 1][0] if index + 1 < len(rates) else rates[index][0]


def _rate(body):
    from_ms, to_ms = period(body)
    return body["events_seen"] * HOUR_MS / max(1, to_ms - from_ms)


def test_sick_feeds_are_of_institutions_that_no_campaign_strikes_and_at_most_an_eighth_of_all(any_reading):
    exercise = any_reading.exercise
    struck = {name for campaign in exercise.truth + exercise.decoys for name in campaign.institutions}
    ill = [trouble.institution for trouble in exercise.feed_truth]

    assert not struck & set(ill)
    assert len(ill) == len(set(ill)) <= len(exercise.institutions) / 8
    assert [one.from_ms for one in exercise.feed_truth] == sorted(one.from_ms for one in exercise.feed_truth)
    assert all(START_MS + 2 * DAY_MS < one.from_ms < one.to_ms < exercise.spec.end_ms for one in exercise.feed_truth)


def test_an_exercise_without_a_past_has_no_sick_feed():
    assert generate(ExerciseSpec(hours=96, institutions=8, tickets_per_institution=1)).feed_truth == ()


def test_heartbeats_name_the_baseline_in_force(any_reading):
    """Nobody goes back to an older one, and what pushes there were everybody adopts."""
    newest = set()
    for statuses in any_reading.statuses.values():
        versions = [tuple(map(int, body["baseline_version"].split("."))) for _, body in statuses]
        assert versions == sorted(versions)
        newest.add(versions[-1])
    assert len(newest) == 1
