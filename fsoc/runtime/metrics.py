"""Every metric of a worker, declared once. What is counted per institution is read from the state, not counted twice.

A worker shows what it owns: after a rebalance an institution's figures appear at its new worker, and nowhere else, with
the values they had. So sums over workers are right, and restarts set nothing back. Histograms have no institution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from fsoc import __version__
from fsoc.runtime.feed_metrics import Processing, feed_families

# A time stamp beside every series says nothing that `up` and `fsoc_build_info` do not.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

SLICES = Counter(
    "fsoc_slices_total", "Fetched runs of records worked, written and ready to commit.", ["lane"], registry=REGISTRY
)
RECORDS = Counter("fsoc_records_total", "Records in those slices.", ["lane"], registry=REGISTRY)
CHECKPOINT_SECONDS = Histogram(
    "fsoc_checkpoint_seconds",
    "Time to make the state and the output of a checkpoint durable.",
    ["lane"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
PROCESSED_SECONDS = Histogram(
    "fsoc_processed_seconds",
    "Time from the receipt of a run of tickets until all that came of it was durable.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
PROCESSING = Processing(PROCESSED_SECONDS)
RESTORE_SECONDS = Histogram(
    "fsoc_restore_seconds",
    "Time to read state back after partitions were assigned.",
    ["lane"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
PARTITIONS_OWNED = Gauge(
    "fsoc_owned_partitions",
    "Partitions this worker owns; the sum over workers is their number.",
    ["lane"],
    registry=REGISTRY,
)
LAG = Gauge(
    "fsoc_lag_records",
    "Records of this worker's partitions that are not worked yet.",
    ["lane"],
    registry=REGISTRY,
)
REBALANCES = Counter("fsoc_rebalances_total", "Times this worker's partitions were assigned anew.", registry=REGISTRY)
REGISTRY_REFUSED = Gauge(
    "fsoc_registry_refused",
    "1 while the institutions file on disk is bad and the one before is in use.",
    registry=REGISTRY,
)
RULES = Gauge(
    "fsoc_rules_info",
    "1; the labels say which rules this worker uses: the newest day one of them names, and the digest of all texts.",
    ["version", "digest"],
    registry=REGISTRY,
)
RULES_LOADED = Gauge("fsoc_rules_loaded", "Rules in use.", ["kind"], registry=REGISTRY)
RULES_REFUSED = Gauge(
    "fsoc_rules_refused", "Rules on disk that cannot be evaluated and were left out.", registry=REGISTRY
)
RULES_STALE = Gauge(
    "fsoc_rules_stale",
    "1 while the rules on disk could not be taken up and the set before is in use.",
    registry=REGISTRY,
)
RULES_RELOADS = Counter(
    "fsoc_rules_reloads_total", "Changes of the rules on disk, by what became of them.", ["outcome"], registry=REGISTRY
)
for _outcome in ("taken_up", "failed"):
    RULES_RELOADS.labels(_outcome)
BUILD = Gauge("fsoc_build_info", "1; the label says which fsoc this is.", ["version"], registry=REGISTRY)
BUILD.labels(__version__).set(1)

_INSTITUTION = {
    "received": ("fsoc_received_tickets", "Tickets received: the used, duplicate, late and quarantined ones together."),
    "used": ("fsoc_used_tickets", "Tickets used, among them retractions, intel, source status and exercise records."),
    "duplicate": ("fsoc_duplicate_tickets", "Tickets that were sent again unchanged."),
    "late": (
        "fsoc_late_tickets",
        "Tickets too old for the institution's watermark; stored on the late topic, not used.",
    ),
    "quarantined": (
        "fsoc_quarantined_tickets",
        "Tickets refused; stored whole on the quarantine topic, with the reason.",
    ),
}

_BOUNDS = {
    "live": ("fsoc_live_tickets", "Tickets that may still be revised."),
    "forgotten_live": (
        "fsoc_forgotten_tickets",
        "Tickets forgotten before their time because an institution had too many; must stay 0.",
    ),
    "forgotten_feeds": (
        "fsoc_forgotten_feeds",
        "Feeds and epochs no longer followed because an institution had too many; must stay 0.",
    ),
    "unregistered": (
        "fsoc_unregistered_feed_messages",
        "Messages of feeds that the registry does not name; used, but their numbers are not followed.",
    ),
    "dropped_keys": (
        "fsoc_dropped_groups",
        "Groups that tickets did not feed because one ticket may feed so many of a rule and no more.",
    ),
}

_CORRELATION = {
    "alerts_open": ("fsoc_open_alerts", "Joint alerts that may still change."),
    "entries": ("fsoc_correlation_entries", "Detections held as candidates for joint alerts."),
    "relays": ("fsoc_correlation_relays", "Tickets handed on from a correlation to those that name it."),
}
_CORRELATION_TOTALS = {
    "raised_total": ("fsoc_raised_alerts", "Joint alerts raised."),
    "evicted_total": ("fsoc_evicted_entries", "Entries dropped because their group held too many; must stay 0."),
    "displaced_total": (
        "fsoc_displaced_entries",
        "Entries dropped because their institution was in too many groups; must stay 0.",
    ),
    "malformed_total": (
        "fsoc_malformed_detections",
        "Records of the detections topic that fsoc did not write, or cannot read; must stay 0.",
    ),
    "misfits_total": (
        "fsoc_misfit_detections",
        "Detections by another definition of a rule than the one in use; a few while rules are replaced.",
    ),
}

_CAMPAIGNS = {
    "campaigns_open": ("fsoc_open_campaigns", "Campaigns that stand and that more may join."),
    "links": ("fsoc_campaign_links", "Rare values that institutions share, held to tie campaigns together."),
    "alerts": ("fsoc_campaign_alerts", "Joint alerts held because links may tie them to a campaign."),
    "hubs": ("fsoc_campaign_hubs", "Links and alerts of so many institutions that they tie nothing together."),
    "decisions": ("fsoc_campaign_decisions", "Decisions of analysts that are followed, or were undone."),
}
_CAMPAIGN_TOTALS = {
    "raised_total": ("fsoc_raised_campaigns", "Campaigns that ever stood, whatever became of them."),
    "evicted_total": ("fsoc_evicted_links", "Links and alerts dropped because too many were held; must stay 0."),
    "malformed_total": (
        "fsoc_malformed_links",
        "Records of the links topic that neither fsoc nor its console wrote; must stay 0.",
    ),
    "refused_total": ("fsoc_refused_decisions", "Decisions not followed because there are too many; must stay 0."),
}

_SHARING = {
    "told": "told to institutions",
    "held": "held until somebody releases it",
    "taken_back": "told, and taken back",
    "environment": "not told: of another environment than the installation",
    "suppressed": "suppressed, and so told to nobody",
    "red": "told to nobody, because it rests on tickets that are TLP:RED",
    "few": "told to nobody, because too few institutions are left to hide among",
    "settled": "over for long, and told no more",
}
"""What became of joint alerts when they were to be told, by the label that says so."""

_SHARING_TOTALS = {
    "told_total": ("fsoc_told_feedback", "Records of feedback written, over all institutions."),
    "seq": ("fsoc_audit_records", "Records of the audit of who was told what."),
    "evicted_total": ("fsoc_evicted_shared_alerts", "Alerts no longer told because too many were held; must stay 0."),
    "malformed_total": (
        "fsoc_malformed_sharing",
        "Records of the sharing topic that neither fsoc nor its console wrote; must stay 0.",
    ),
    "unheeded_total": (
        "fsoc_unheeded_sharing_decisions",
        "Decisions to hold or release an alert that is not known, or is over for long.",
    ),
}

Headers = Callable[[], Mapping[str, bytes]]


class StateCollector:
    """Figures from the newest headers in the state topics, parsed when they are asked for.

    intake: institution → its header. correlation: detections partition → its header. campaign: the one of links.
    sharing: the one of what is told.
    processing: how long this worker takes, by its own clock.
    """

    def __init__(
        self,
        intake: Headers,
        correlation: Headers,
        campaign: Headers,
        sharing: Headers = dict,
        processing: Processing | None = None,
    ) -> None:
        self._processing = processing or PROCESSING
        self._intake = intake
        self._correlation = correlation
        self._campaign = campaign
        self._sharing = sharing

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are known only from `collect`, and no other collector uses them."""
        return ()

    def collect(self) -> Iterator[Metric]:
        institutions = _parsed(self._intake())
        yield from _institutions(institutions)
        yield from feed_families(institutions)
        yield from self._processing.collect([name for name, _ in institutions])
        yield from _partitions(_parsed(self._correlation()))
        yield from _campaigns(_parsed(self._campaign()))
        yield from _told(_parsed(self._sharing()))


def _parsed(headers: Mapping[str, bytes]) -> list[tuple[str, dict[str, Any]]]:
    return [(name, orjson.loads(header)) for name, header in sorted(headers.items())]


def _institutions(headers: list[tuple[str, dict[str, Any]]]) -> Iterator[Metric]:
    for key, (name, text) in {**_INSTITUTION, **_BOUNDS}.items():
        family = GaugeMetricFamily(name, text, labels=["institution"])
        for institution, header in headers:
            family.add_metric([institution], header.get(key, 0))
        yield family
    faults = GaugeMetricFamily(
        "fsoc_ticket_faults", "Reasons why tickets were refused, by code.", labels=["institution", "code"]
    )
    watermark = GaugeMetricFamily(
        "fsoc_watermark_timestamp_seconds", "Greatest event time the institution has sent.", labels=["institution"]
    )
    lateness = GaugeMetricFamily(
        "fsoc_allowed_lateness_seconds",
        "How far below its own watermark a new ticket of the institution may lie, as adopted from its delays.",
        labels=["institution"],
    )
    given_up = GaugeMetricFamily(
        "fsoc_forgotten_messages",
        "Sequence numbers that are missing and no longer looked for, because the feed has too many gaps; must stay 0.",
        labels=["institution", "feed"],
    )
    missing = GaugeMetricFamily(
        "fsoc_missing_messages", "Sequence numbers not received yet, of one feed.", labels=["institution", "feed"]
    )
    seen = GaugeMetricFamily(
        "fsoc_feed_last_seen_timestamp_seconds",
        "When the feed's newest message was received.",
        labels=["institution", "feed"],
    )
    for institution, header in headers:
        # Codes are fsoc's own and feeds the registry's: no label's value comes from a ticket.
        for code, count in header["faults"].items():
            faults.add_metric([institution, code], count)
        if header["watermark_ms"] is not None:
            watermark.add_metric([institution], header["watermark_ms"] / 1000)
        if "allowed_lateness_ms" in header:
            lateness.add_metric([institution], header["allowed_lateness_ms"] / 1000)
        for feed, epochs in header["feeds"].items():
            gaps = sum(last - first + 1 for epoch in epochs.values() for first, last in epoch["missing"])
            missing.add_metric([institution, feed], gaps)
            given_up.add_metric([institution, feed], sum(epoch["forgotten"] for epoch in epochs.values()))
            times = [epoch["last_seen_ms"] for epoch in epochs.values() if epoch["last_seen_ms"] is not None]
            if times:
                seen.add_metric([institution, feed], max(times) / 1000)
    yield from (faults, watermark, lateness, missing, given_up, seen)


def _partitions(headers: list[tuple[str, dict[str, Any]]]) -> Iterator[Metric]:
    for key, (name, text) in _CORRELATION.items():
        gauge = GaugeMetricFamily(name, text, labels=["partition"])
        for partition, header in headers:
            gauge.add_metric([partition], header.get(key, 0))
        yield gauge
    for key, (name, text) in _CORRELATION_TOTALS.items():
        total = CounterMetricFamily(name, text, labels=["partition"])
        for partition, header in headers:
            total.add_metric([partition], header.get(key, 0))
        yield total
    closed = GaugeMetricFamily(
        "fsoc_closed_until_timestamp_seconds",
        "Event time up to which every institution that is not idle has come.",
        labels=["partition"],
    )
    for partition, header in headers:
        if header["closed_until_ms"] is not None:
            closed.add_metric([partition], header["closed_until_ms"] / 1000)
    yield closed


def _campaigns(headers: list[tuple[str, dict[str, Any]]]) -> Iterator[Metric]:
    """One worker has them: of the others there are names and no figures."""
    for key, (name, text) in _CAMPAIGNS.items():
        gauge = GaugeMetricFamily(name, text)
        for _, header in headers:
            gauge.add_metric([], header.get(key, 0))
        yield gauge
    for key, (name, text) in _CAMPAIGN_TOTALS.items():
        total = CounterMetricFamily(name, text)
        for _, header in headers:
            total.add_metric([], header.get(key, 0))
        yield total


def _told(headers: list[tuple[str, dict[str, Any]]]) -> Iterator[Metric]:
    """One worker has them, as the ones of campaigns."""
    became = "; ".join(f"{name}: {text}" for name, text in _SHARING.items())
    gauge = GaugeMetricFamily(
        "fsoc_shared_alerts", f"Joint alerts, by what institutions are told of them ({became}).", labels=["standing"]
    )
    for _, header in headers:
        for name in _SHARING:
            gauge.add_metric([name], header["alerts"].get(name, 0))
    yield gauge
    for key, (name, text) in _SHARING_TOTALS.items():
        total = CounterMetricFamily(name, text)
        for _, header in headers:
            total.add_metric([], header.get(key, 0))
        yield total
