"""What a worker shows: figures of the state it owns, well named, and no more labels than it should have."""

from __future__ import annotations

import re
import shutil
import subprocess

import orjson
import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from fsoc.feeds.record import Record
from fsoc.runtime.feed_metrics import ROTATED_SECONDS, Processing
from fsoc.runtime.metrics import BUILD, REGISTRY, StateCollector

INTAKE = {
    "offset": 11,
    "watermark_ms": 1_772_409_600_500,
    "allowed_lateness_ms": 5_400_000,
    "live": 6,
    "forgotten_live": 5,
    "forgotten_feeds": 4,
    "unregistered": 3,
    "dropped_keys": 2,
    "ended": False,
    "received": 12,
    "used": 7,
    "duplicate": 2,
    "late": 1,
    "quarantined": 2,
    "faults": {"payload.not-json": 2},
    "feeds": {
        "siem": {
            "e1": {"next": 9, "missing": [[3, 4]], "forgotten": 7, "last_seen_ms": 1_000},
            "e2": {"next": 5, "missing": [[1, 1]], "forgotten": 1, "last_seen_ms": 9_000},
        },
        "edr": {"e1": {"next": 1, "missing": [], "forgotten": 0, "last_seen_ms": None}},
    },
    "days": {
        "2026-03-01": {"feeds": {"siem": {"used": 6, "late": 1, "sent": [0, 0, 0, 0, 7], "clock_ms": [1, 2, 1]}}},
        "2026-03-02": {
            "feeds": {
                "siem": {"quarantined": 2, "duplicate": 1, "asked": 1, "received": [0, 9, 1], "clock_ms": [-9, 2, -9]},
                "edr": {"heartbeats": 3},
            }
        },
    },
}
SIEM, EDR = ({"institution": "fi-001", "feed": feed} for feed in ("siem", "edr"))
CORRELATION = {
    "closed_until_ms": 5_000,
    "raised_total": 3,
    "alerts_open": 2,
    "entries": 40,
    "relays": 4,
    "evicted_total": 0,
    "displaced_total": 8,
    "malformed_total": 9,
    "misfits_total": 1,
}


CAMPAIGN = {
    "offset": 7,
    "raised_total": 4,
    "campaigns_open": 3,
    "links": 20,
    "alerts": 10,
    "hubs": 2,
    "decisions": 5,
    "evicted_total": 6,
    "malformed_total": 8,
    "refused_total": 9,
}


TOLD = {
    "offset": 7,
    "seq": 30,
    "told_total": 400,
    "evicted_total": 1,
    "malformed_total": 2,
    "unheeded_total": 3,
    "alerts": {"told": 5, "held": 2, "few": 4},
}


@pytest.fixture
def shown():
    """Makes the registry of a worker that owns these headers."""

    def make(intake, correlation, campaign=None, told=None):
        registry = CollectorRegistry()
        headers = {name: orjson.dumps(header) for name, header in intake.items()}
        partitions = {name: orjson.dumps(header) for name, header in correlation.items()}
        links = {"links": orjson.dumps(campaign)} if campaign is not None else {}
        sharing = {"sharing": orjson.dumps(told)} if told is not None else {}
        registry.register(StateCollector(lambda: headers, lambda: partitions, lambda: links, lambda: sharing))
        return registry

    return make


@pytest.fixture
def text(shown):
    """Everything that a worker with one institution and one partition shows."""
    both = generate_latest(REGISTRY) + generate_latest(shown({"fi-001": INTAKE}, {"3": CORRELATION}, CAMPAIGN, TOLD))
    return both.decode()


def test_conservation_is_shown_as_the_header_has_it(shown):
    registry = shown({"fi-001": INTAKE}, {})

    figures = {
        name: registry.get_sample_value(f"fsoc_{name}_tickets", {"institution": "fi-001"})
        for name in ("received", "used", "duplicate", "late", "quarantined")
    }

    assert figures == {"received": 12, "used": 7, "duplicate": 2, "late": 1, "quarantined": 2}


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("fsoc_ticket_faults", {"institution": "fi-001", "code": "payload.not-json"}, 2),
        ("fsoc_watermark_timestamp_seconds", {"institution": "fi-001"}, 1_772_409_600.5),
        ("fsoc_missing_messages", {"institution": "fi-001", "feed": "siem"}, 3),
        ("fsoc_missing_messages", {"institution": "fi-001", "feed": "edr"}, 0),
        ("fsoc_feed_last_seen_timestamp_seconds", {"institution": "fi-001", "feed": "siem"}, 9),
        ("fsoc_feed_last_seen_timestamp_seconds", {"institution": "fi-001", "feed": "edr"}, None),
        ("fsoc_feed_delay_seconds", {**SIEM, "step": "detected_to_sent", "percentile": "95"}, 0.004),
        ("fsoc_feed_delay_seconds", {**SIEM, "step": "sent_to_received", "percentile": "50"}, 0.001),
        ("fsoc_feed_delay_seconds", {**SIEM, "step": "sent_to_received", "percentile": "99"}, 0.002),
        ("fsoc_feed_delay_seconds", {**EDR, "step": "sent_to_received", "percentile": "99"}, None),
        ("fsoc_feed_share_ratio", {**SIEM, "kind": "rejected"}, 0.2),
        ("fsoc_feed_share_ratio", {**SIEM, "kind": "duplicate"}, 0.1),
        ("fsoc_feed_share_ratio", {**SIEM, "kind": "late"}, 0.1),
        ("fsoc_feed_share_ratio", {**SIEM, "kind": "missing"}, 0.125),
        ("fsoc_feed_share_ratio", {**EDR, "kind": "missing"}, None),
        ("fsoc_feed_clock_offset_seconds", SIEM, -0.009),
        ("fsoc_feed_clock_offset_seconds", EDR, None),
        ("fsoc_allowed_lateness_seconds", {"institution": "fi-001"}, 5400),
        ("fsoc_live_tickets", {"institution": "fi-001"}, 6),
        ("fsoc_forgotten_tickets", {"institution": "fi-001"}, 5),
        ("fsoc_forgotten_feeds", {"institution": "fi-001"}, 4),
        ("fsoc_unregistered_feed_messages", {"institution": "fi-001"}, 3),
        ("fsoc_dropped_groups", {"institution": "fi-001"}, 2),
        ("fsoc_forgotten_messages", {"institution": "fi-001", "feed": "siem"}, 8),
        ("fsoc_forgotten_messages", {"institution": "fi-001", "feed": "edr"}, 0),
        ("fsoc_raised_alerts_total", {"partition": "3"}, 3),
        ("fsoc_open_alerts", {"partition": "3"}, 2),
        ("fsoc_correlation_entries", {"partition": "3"}, 40),
        ("fsoc_correlation_relays", {"partition": "3"}, 4),
        ("fsoc_evicted_entries_total", {"partition": "3"}, 0),
        ("fsoc_displaced_entries_total", {"partition": "3"}, 8),
        ("fsoc_malformed_detections_total", {"partition": "3"}, 9),
        ("fsoc_misfit_detections_total", {"partition": "3"}, 1),
        ("fsoc_closed_until_timestamp_seconds", {"partition": "3"}, 5),
        ("fsoc_open_campaigns", {}, 3),
        ("fsoc_raised_campaigns_total", {}, 4),
        ("fsoc_campaign_links", {}, 20),
        ("fsoc_campaign_alerts", {}, 10),
        ("fsoc_campaign_hubs", {}, 2),
        ("fsoc_campaign_decisions", {}, 5),
        ("fsoc_evicted_links_total", {}, 6),
        ("fsoc_malformed_links_total", {}, 8),
        ("fsoc_refused_decisions_total", {}, 9),
    ],
)
def test_every_figure_of_a_header_is_shown(shown, name, labels, value):
    assert shown({"fi-001": INTAKE}, {"3": CORRELATION}, CAMPAIGN).get_sample_value(name, labels) == value


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("fsoc_shared_alerts", {"standing": "told"}, 5),
        ("fsoc_shared_alerts", {"standing": "held"}, 2),
        ("fsoc_shared_alerts", {"standing": "few"}, 4),
        ("fsoc_shared_alerts", {"standing": "red"}, 0),
        ("fsoc_told_feedback_total", {}, 400),
        ("fsoc_audit_records_total", {}, 30),
        ("fsoc_evicted_shared_alerts_total", {}, 1),
        ("fsoc_malformed_sharing_total", {}, 2),
        ("fsoc_unheeded_sharing_decisions_total", {}, 3),
    ],
)
def test_what_became_of_alerts_that_were_to_be_told_is_shown(shown, name, labels, value):
    assert shown({}, {}, told=TOLD).get_sample_value(name, labels) == value
    assert shown({}, {}).get_sample_value(name, labels) is None


def test_before_the_first_ticket_there_is_no_watermark(shown):
    registry = shown({"fi-001": INTAKE | {"watermark_ms": None}}, {"0": CORRELATION | {"closed_until_ms": None}})

    assert registry.get_sample_value("fsoc_watermark_timestamp_seconds", {"institution": "fi-001"}) is None
    assert registry.get_sample_value("fsoc_closed_until_timestamp_seconds", {"partition": "0"}) is None


def test_how_long_tickets_take_is_shown_of_what_is_owned_and_came_of_late():
    """received  0 ms, 40 ms, 90 ms           processed 100 ms; then nothing for more than two turns"""
    at = {"s": 0.0}
    registry = CollectorRegistry()
    histogram = Histogram("fsoc_processed_seconds", "Of a test.", registry=registry)
    processing = Processing(histogram, clock=lambda: at["s"], now_ms=lambda: 100)
    records = [Record(offset, received_ms, None, b"") for offset, received_ms in enumerate((0, 40, 90))]

    def shown(*owned):
        (family,) = processing.collect(owned)
        return {(one.labels["institution"], one.labels["percentile"]): one.value for one in family.samples}

    processing.observe("fi-001", records)
    processing.observe("fi-002", records[2:])
    assert shown("fi-001", "fi-002") == {
        ("fi-001", "50"): 0.063,
        ("fi-001", "95"): 0.111,
        ("fi-001", "99"): 0.111,
        ("fi-002", "50"): 0.011,
        ("fi-002", "95"): 0.011,
        ("fi-002", "99"): 0.011,
    }
    assert registry.get_sample_value("fsoc_processed_seconds_count") == 2
    assert {name for name, _ in shown("fi-002")} == {"fi-002"}
    assert {name for name, _ in shown("fi-001", "fi-002")} == {"fi-002"}, "kept of another worker's"
    for _ in range(2):
        at["s"] += ROTATED_SECONDS + 1
        processing.observe("fi-003", records)
    assert {name for name, _ in shown("fi-002", "fi-003")} == {"fi-003"}


def test_a_worker_that_owns_nothing_shows_no_institution(shown):
    assert b'institution="' not in generate_latest(shown({}, {}))


def test_names_and_help_follow_the_rules_of_prometheus(text):
    """Those of `promtool check metrics` that can be broken by a name or a help text."""
    helps = dict(re.findall(r"# HELP (\S+) (.+)", text))
    types = dict(re.findall(r"# TYPE (\S+) (\S+)", text))

    assert helps.keys() == types.keys()
    for name, kind in types.items():
        assert re.fullmatch(r"fsoc_[a-z0-9]+(_[a-z0-9]+)*", name)
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(count|sum|bucket|gauge|counter|histogram|ms|milliseconds)$", name), name
        assert helps[name].endswith("."), name
    assert 'fsoc_build_info{version="' in text
    assert BUILD._labelnames == ("version",)


def test_histograms_have_no_institution(text):
    assert not re.findall(r"^fsoc_\w+_bucket\{[^}]*institution", text, re.MULTILINE)


def test_promtool_finds_no_fault(text):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH (Debian: package prometheus)")

    checked = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
