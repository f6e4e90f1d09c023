"""`fsoc state verify`: reads the state topics as they are, while workers run or not, and holds them to the laws.

    committed offsets → intake.state → alerts → of each partition: correlation.state, detections not committed
                      → campaigns → campaign.state

In this order, because workers write in the other: state, what is published, offsets (law 10). So whatever was committed
when we began has all its effects in what we read; what names itself in the detections that were not is in flight.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing

import msgspec

from fsoc.correlation.ruleset import RuleSet
from fsoc.institutions.registry import Registry
from fsoc.pipeline import Pipeline
from fsoc.runtime.audit.campaigns import Named, check_campaigns, committed_links
from fsoc.runtime.audit.feeding import KEPT_LEAST_MS, check_feeding
from fsoc.runtime.audit.findings import Place, Verdict
from fsoc.runtime.audit.intake import Fed, Member, check_member, fed_by, members
from fsoc.runtime.audit.judging import Published, check_alerts, check_published, digest_of
from fsoc.runtime.audit.partition import Shard, check_counts, check_entry_count, check_shard, shard
from fsoc.runtime.audit.reading import Cluster, Tell, newest, silent, tail
from fsoc.runtime.audit.records import Rules
from fsoc.runtime.audit.relaying import Relayed, check_relayed, check_relays
from fsoc.runtime.audit.restart import check_restart_of_correlation, check_restart_of_intake
from fsoc.runtime.state import read_all


class _Revision(msgspec.Struct):
    revision: int


_revision = msgspec.json.Decoder(_Revision).decode


async def verify(
    cluster: Cluster,
    rules: RuleSet,
    registry: Registry | None = None,
    tell: Tell = silent,
    alert_key: bytes = b"",
) -> Verdict:
    """Look at everything once. rules: those on disk. registry: None takes the institutions that the state knows.

    alert_key: by which workers make alerts' ids.

    Raises:
        RefusedToStart, Retry: the log cannot be read.
    """
    verdict = Verdict()
    known = registry.institutions if registry is not None else await _institutions(cluster, tell)
    offsets = await _committed(cluster, known)
    detections, links = await _committed_detections(cluster), await committed_links(cluster)
    state = await newest(cluster.log, await cluster.intake_state(), tell)
    found = members(state, offsets, verdict)
    del state
    pipeline = Pipeline(rules, registry or _registry_of(found), cluster.partitions, ends=True, alert_key=alert_key)
    for member in found.values():
        if member.name not in offsets:  # who has left the registry; nobody works its tickets any more
            member.committed = (await _committed(cluster, [member.name])).get(member.name)
        check_member(member, verdict)
        check_restart_of_intake(pipeline, member, verdict)
        member.records.clear()
    fed = fed_by(found.values(), cluster.partitions, verdict)
    published = await _published(cluster, verdict, tell)
    audit = _Correlation(cluster, pipeline, found, published, verdict, tell)
    for number, committed in enumerate(detections):
        await audit.look_at(number, committed, fed[number])
    await audit.look_around()
    await check_campaigns(cluster, pipeline, links, audit.named, verdict, tell)
    _forgive_what_lies_elsewhere(verdict)
    _note_rules(verdict, rules, found)
    return verdict


class _Correlation:
    """The partitions of detections, one after another; then what lies between them."""

    def __init__(
        self,
        cluster: Cluster,
        pipeline: Pipeline,
        found: Mapping[str, Member],
        published: Mapping[str, Published],
        verdict: Verdict,
        tell: Tell,
    ) -> None:
        self._cluster, self._pipeline, self._members = cluster, pipeline, found
        self._published, self._verdict, self._tell = published, verdict, tell
        self._relayed = Relayed()
        self.named: dict[str, Named] = {}
        self._counted: list[tuple[Shard, int, int]] = []  # partition, entries there, entries missed

    async def look_at(self, number: int, committed: int | None, fed: Mapping[bytes, Fed]) -> None:
        """One partition. committed: its offset, read before intake's state. fed: what that says of the partition."""
        cluster, verdict, rules, found = self._cluster, self._verdict, self._pipeline.rules, self._members
        name = cluster.state(number)
        records = (await newest(cluster.log, [name], self._tell))[name]
        waiting = await tail(cluster, number, committed)
        part = shard(number, name[0], records, committed, waiting, verdict)
        check_shard(part, cluster.partitions, found, verdict)
        missing = check_feeding(part, fed, found, min(KEPT_LEAST_MS, rules.retention_ms), verdict)
        relays = check_relays(part, found, cluster.partitions, self._relayed, verdict)
        alerts = check_alerts(part, found, cluster.partitions, rules.tactics, verdict, self._pipeline.alert_key)
        check_counts(part, alerts, relays, verdict)
        check_published(part, self._published, verdict)
        check_restart_of_correlation(self._pipeline, part, records, verdict)
        if part.is_at_rest:
            self.named.update(
                (record.alert().id, Named(part.place(key), record.body.get("campaign_id")))
                for key, record in part.alerts.items()
                if record.told and not record.link
            )
        self._counted.append((part, len(part.entries), missing))
        part.entries.clear()
        part.alerts.clear()

    async def look_around(self) -> None:
        """What correlations say to each other. What was said since a partition was read is in flight as well."""
        for outer in self._relayed.outer:
            if self._relayed.told:
                outer.named |= (await tail(self._cluster, outer.shard.number, outer.shard.tail.end)).named
        missing = check_relayed(self._relayed, self._cluster.partitions, self._verdict)
        for part, held, missed in self._counted:
            check_entry_count(part, held, missed + missing.get(part.number, 0), self._verdict)


async def _institutions(cluster: Cluster, tell: Tell) -> list[str]:
    """Those that have state: to be known before it is read, so that their committed offsets are older than it."""
    state = await newest(cluster.log, await cluster.intake_state(), tell)
    return sorted({key.partition(b"/")[0].decode("utf-8", "replace") for records in state.values() for key in records})


async def _committed(cluster: Cluster, institutions: Mapping[str, object] | list[str]) -> dict[str, int | None]:
    names = {cluster.tickets(name): name for name in await cluster.existing(institutions)}
    offsets = await cluster.log.committed(cluster.group, list(names))
    return {names[name]: offset for name, offset in offsets.items()}


async def _committed_detections(cluster: Cluster) -> list[int | None]:
    names = [cluster.detections(number) for number in range(cluster.partitions)]
    offsets = await cluster.log.committed(cluster.group, names)
    return [offsets[name] for name in names]


async def _published(cluster: Cluster, verdict: Verdict, tell: Tell) -> dict[str, Published]:
    topic = f"{cluster.prefix}alerts"
    found: dict[str, Published] = {}
    count = 0
    async with aclosing(read_all(cluster.log, [(topic, 0)])) as slices:
        async for _, records in slices:
            for record in records:
                key = (record.key or b"").decode("utf-8", "replace")
                if record.value is None:
                    found.pop(key, None)
                    continue
                try:
                    found[key] = Published(_revision(record.value).revision, digest_of(record.value))
                except msgspec.MsgspecError as error:
                    found.pop(key, None)
                    verdict.find("unreadable", Place(topic, 0, record.key), f"is no alert: {error}")
            count += len(records)
            tell(f"{topic}: {count:,} records read")
    return found


def _registry_of(found: Mapping[str, Member]) -> Registry:
    registry = Registry.open()
    for name in sorted(found):
        registry.get(name)
    return registry


def _forgive_what_lies_elsewhere(verdict: Verdict) -> None:
    """What is missing where it belongs because it lies where it does not is one fault, not two."""
    elsewhere = {finding.place.key for finding in verdict.findings if finding.code == "misplaced"}
    verdict.findings = [
        finding
        for finding in verdict.findings
        if not (finding.code in {"missing-entry", "missing-alert"} and finding.place.key in elsewhere)
    ]


def _note_rules(verdict: Verdict, rules: RuleSet, found: Mapping[str, Member]) -> None:
    """With which rules the state was written, where that is said and is not what is on disk."""
    others: dict[Rules, int] = {}
    for member in found.values():
        written = member.header.rules if member.header is not None else None
        if written is not None and written.digest != rules.version.digest:
            others[written] = others.get(written, 0) + 1
    for written, count in others.items():
        verdict.notes.append(
            f"the state of {count} institutions was written with rules {written.version} ({written.digest[:12]}), "
            f"those on disk are {rules.version.version} ({rules.version.digest[:12]})"
        )
