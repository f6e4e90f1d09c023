"""What would a worker make of this state that took it over now? The production stages say; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping

from fsoc.correlation.entries import GroupKey
from fsoc.pipeline import Pipeline
from fsoc.runtime.audit.findings import Verdict
from fsoc.runtime.audit.intake import Member
from fsoc.runtime.audit.partition import ALERT, Shard
from fsoc.runtime.audit.reading import Kept
from fsoc.runtime.audit.records import alert_record


def check_restart_of_intake(pipeline: Pipeline, member: Member, verdict: Verdict) -> None:
    """Restore one institution; what cannot be read has been told already."""
    if member.header is None or member.doubted:
        return
    stage = pipeline.intake(member.name)
    try:
        for key, value in member.records:
            stage.restore(key, value)
        stage.restored()
    except Exception as error:  # noqa: BLE001 - whatever it is, a worker would end for it
        verdict.find("restart", member.place, f"a worker could not restore {member.name}: {error!r}")


def check_restart_of_correlation(
    pipeline: Pipeline, found: Shard, records: Mapping[bytes, Kept], verdict: Verdict
) -> None:
    """Restore one partition, and see whether it would write an alert otherwise than it is there.

    Only of groups that nothing was found of, that are at rest, and whose rule is the same on disk.
    """
    if found.unreadable:
        return  # told already
    stage = pipeline.correlate(found.number)
    try:
        for key, kept in records.items():
            stage.restore(key, kept.value)
        outputs = stage.restored()
    except Exception as error:  # noqa: BLE001 - as above
        verdict.find("restart", found.place(), f"a worker could not restore this partition: {error!r}")
        return
    if not found.is_at_rest:
        return
    current = pipeline.rules.correlations
    same = {name for name, defined in found.definitions.items() if current.get(name) == defined.rule}
    told = {finding.place.key for finding in verdict.findings}
    for key, value in outputs.state:
        if not key.startswith(ALERT) or value is None or key in told:
            continue
        would = alert_record(value)
        group = GroupKey(*would.key)
        if group.rule not in same or group in found.doubted:
            continue
        known = found.alerts.get(key)
        if known is None or (known.revision, known.status, known.body) != (would.revision, would.status, would.body):
            is_at = "none is there" if known is None else f"revision {known.revision}, {known.status}, is there"
            text = f"a worker would write revision {would.revision}, {would.status}; {is_at}"
            verdict.find("restart", found.place(key), text)
