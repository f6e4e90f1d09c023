"""The pipeline without a log: records in by hand, alerts out. For replays, benchmarks and tests.

It runs the stages that the workers run, in one process and without state topics; nothing is restored or committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from fsoc.campaigns.stage import Campaigns
from fsoc.correlation.entries import is_put
from fsoc.correlation.progress import Claim, progress_record
from fsoc.feeds.counts import Counts
from fsoc.feeds.ledger import END_MS
from fsoc.feeds.record import Outgoing, Record
from fsoc.pipeline import Correlate, Intake, Pipeline
from fsoc.sharing.stage import Sharing


class Direct:
    """One process that is every worker.

    alerts, feedback, campaigns: the newest value per key, as the compacted topics would hold them.
    links: what was told of links and alerts, likewise.
    audit: every record of who was told what, in order.
    watch: is shown all that is published outside fsoc: receipts, quarantine, late, alerts, campaigns, feedback, audit.
    """

    def __init__(self, pipeline: Pipeline, watch: Callable[[Outgoing], None] | None = None) -> None:
        self._pipeline = pipeline
        self._watch = watch
        self._now_ms = 0
        self.intakes: dict[str, Intake] = {}
        self.correlates: list[Correlate] = [
            pipeline.correlate(partition) for partition in range(pipeline.detections_partitions)
        ]
        self.campaign: Campaigns = pipeline.campaigns()
        self.links: dict[str, bytes] = {}
        self._links: list[Record] = []
        self.campaigns: dict[str, bytes] = {}
        self.alerts: dict[str, bytes] = {}
        self.sharing: Sharing = pipeline.sharing()
        self._shared: list[Record] = []
        self._shared_total = 0
        self.feedback: dict[tuple[str, str], bytes] = {}
        self.audit: list[bytes] = []

    def work(self, slices: Mapping[str, Sequence[Record]]) -> None:
        """Take one slice of each of some institutions' logs, through to the alerts."""
        detections: list[Outgoing] = []
        times = (record.timestamp_ms for records in slices.values() for record in records)
        self._now_ms = max(times, default=self._now_ms)  # what comes of these records is stamped as the last of them
        for institution, records in slices.items():
            outputs = self._intake(institution).work(records)
            detections.extend(self._keep(outputs.published))
        # What is taken back in the same slice was said first: it is judged as it would have been record by record.
        # Progress comes last: it promises that all before it was said, and what it closes nothing takes back.
        said = [item for item in detections if item.key is not None]
        self._correlate(item for item in said if is_put(item.value))
        self._correlate(item for item in said if not is_put(item.value))
        self._correlate(item for item in detections if item.key is None)

    def finish(self) -> None:
        """The end of all input: nothing is waited for any more, every alert is final."""
        known = self._pipeline.registry.institutions
        value = progress_record(dict.fromkeys(known, Claim(END_MS, 2**62, 0, idle=True)), self._pipeline.rules.version)
        self._correlate(Outgoing("detections", partition, None, value) for partition in range(len(self.correlates)))

    def counts(self) -> Counts:
        """Law 4 over all institutions."""
        total = Counts()
        for intake in self.intakes.values():
            counts = intake.ledger.counts
            total.received += counts.received
            total.used += counts.used
            total.duplicate += counts.duplicate
            total.late += counts.late
            total.quarantined += counts.quarantined
        return total

    def newest_alerts(self) -> list[dict[str, Any]]:
        """The newest revision of each alert, by alert id."""
        return [orjson.loads(self.alerts[name]) for name in sorted(self.alerts)]

    def newest_links(self) -> list[dict[str, Any]]:
        """What stands of links, by id."""
        told = [orjson.loads(value) for name, value in sorted(self.links.items()) if "/" not in name]
        return [one for one in told if one["what"] == "link" and one["status"] != "retracted"]

    def newest_campaigns(self) -> list[dict[str, Any]]:
        """The newest revision of each campaign, by its id."""
        return [orjson.loads(self.campaigns[name]) for name in sorted(self.campaigns)]

    def _intake(self, institution: str) -> Intake:
        if institution not in self.intakes:
            self.intakes[institution] = self._pipeline.intake(institution)
        return self.intakes[institution]

    def _correlate(self, detections: Iterable[Outgoing]) -> None:
        """Work these records, and what correlations and campaigns say to correlations, until all is said."""
        while slices := _by_partition(detections):
            said: list[Outgoing] = []
            for partition, records in slices.items():
                said += self._keep(self.correlates[partition].work(records).published)
            links, self._links = self._links, []
            if links:
                said += self._keep(self.campaign.work(links).published)
            detections = said
        shared, self._shared = self._shared, []
        if shared:
            self._keep(self.sharing.work(shared).published)

    def _keep(self, published: Iterable[Outgoing]) -> list[Outgoing]:
        """File what was published; return what goes on to correlation."""
        detections: list[Outgoing] = []
        for item in published:
            if item.topic == "detections":
                detections.append(item)
                continue
            name = (item.key or b"").decode()
            if item.topic == "links":
                self.links[name] = item.value
                self._links.append(Record(0, 0, item.key, item.value))
                continue
            if item.topic == "sharing":
                self._shared.append(Record(self._shared_total, self._now_ms, item.key, item.value))
                self._shared_total += 1
                continue
            if item.topic == "alerts":
                self.alerts[name] = item.value
            elif item.topic == "campaigns":
                self.campaigns[name] = item.value
            elif item.topic == "audit":
                self.audit.append(item.value)
            elif item.topic.startswith("feedback."):
                self.feedback[item.topic.partition(".")[2], name] = item.value
            if self._watch is not None:
                self._watch(item)
        return detections


def _by_partition(detections: Iterable[Outgoing]) -> dict[int, list[Record]]:
    slices: dict[int, list[Record]] = {}
    for item in detections:
        slices.setdefault(item.partition, []).append(Record(0, 0, item.key, item.value))
    return slices
