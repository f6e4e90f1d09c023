"""Do live tickets and the entries they feed agree, both ways? Reads nothing.

What may be otherwise, and is no fault: what is in flight; what heartbeats feed, of which intake keeps nothing; what
event time has settled and let go of; what bounds have dropped; what was let go of because its rule groups or counts by
other fields now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fsoc.correlation.entries import Entry, EntryName, Withdrawn, name_of
from fsoc.correlation.rules import DAY_MS
from fsoc.feeds.heartbeats import is_heartbeat
from fsoc.runtime.audit.findings import Verdict
from fsoc.runtime.audit.intake import Fed, Member
from fsoc.runtime.audit.partition import DEPTHS, Defined, Held, Shard
from fsoc.tickets.times import rfc3339

KEPT_LEAST_MS: Final = 2 * DAY_MS
"""Intake keeps a ticket past its event time for as long as any rule does, and every rule does so for two days at least.
For how much longer depends on rules that may have been replaced since."""


def check_feeding(
    found: Shard,
    fed: Mapping[bytes, Fed],
    members: Mapping[str, Member],
    kept_ms: int,
    verdict: Verdict,
) -> int:
    """What intake says against what is held; return how many entries are missing.

    fed: of this partition. kept_ms: for how long past its event time intake keeps a ticket, at least.
    """
    if not found.is_judgeable:
        return 0
    missing = _check_fed(found, fed, members, verdict)
    for key, held in found.entries.items():
        if key not in fed and key not in found.tail.named and isinstance(held.word, Entry) and not held.word.source:
            _check_unfed(found, key, held.name, held.word, members, kept_ms, verdict)
    return missing


def _check_fed(found: Shard, fed: Mapping[bytes, Fed], members: Mapping[str, Member], verdict: Verdict) -> int:
    expired = [found.expired_until(members, depth) for depth in DEPTHS]
    first_kept = found.first_kept()
    may_miss = found.header.let_go_total if found.header is not None else 0
    missing = 0
    for key, said in fed.items():
        if said.in_flight or key in found.tail.named or key in found.unreadable:
            continue
        held = found.entries.get(key)
        if held is not None:
            _compare(found, key, held, said, verdict)
        elif not _may_be_gone(found, name_of(key), said, expired, first_kept):
            if may_miss > 0:
                may_miss -= 1
                verdict.looked.let_go += 1
                continue
            missing += 1
            found.doubted.add(name_of(key)[0])
            when = f"revision {said.revision} at {rfc3339(said.event_time_ms)}"
            if said.puts:
                verdict.find("missing-entry", found.place(key), f"is not there; its ticket feeds it by {when}")
            else:
                verdict.find("missing-withdrawal", found.place(key), f"is not there; its ticket left it by {when}")
    return missing


def _compare(found: Shard, key: bytes, held: Held, said: Fed, verdict: Verdict) -> None:
    word = held.word
    if isinstance(word, Entry) and not said.puts:
        text = f"holds revision {word.revision}; its ticket left it by revision {said.revision}"
    elif isinstance(word, Withdrawn) and said.puts:
        text = f"is withdrawn by revision {word.revision}; its ticket feeds it by revision {said.revision}"
    elif word.revision != said.revision:
        text = f"is of revision {word.revision}; intake has revision {said.revision}"
    elif word.event_time_ms != said.event_time_ms:
        text = f"is at {rfc3339(word.event_time_ms)}; intake has {rfc3339(said.event_time_ms)}"
    else:
        return
    found.doubted.add(held.name[0])
    verdict.find("stale-entry", found.place(key), text)


def _may_be_gone(
    found: Shard, name: EntryName, said: Fed, expired: Sequence[int | None], first_kept: Mapping[str, int]
) -> bool:
    defined = found.definitions.get(name[0].rule)
    if defined is None:
        return True  # nothing of the rule is held: it was removed, or settled, or let go of
    expired_until = expired[defined.rule.depth - 1]
    if expired_until is not None and said.event_time_ms + defined.rule.retention_ms <= expired_until:
        return True
    return began_anew(defined, said.live.written_ms, first_kept)


def began_anew(defined: Defined, written_ms: int, first_kept: Mapping[str, int]) -> bool:
    """Whether what was said then may have been let go of because its rule groups or counts by other fields now.

    The definition is written anew then, before any entry by it.
    """
    begins = defined.kept
    return written_ms < begins.timestamp_ms and begins.offset < first_kept.get(defined.rule.id, 2**63)


def _check_unfed(
    found: Shard,
    key: bytes,
    name: EntryName,
    entry: Entry,
    members: Mapping[str, Member],
    kept_ms: int,
    verdict: Verdict,
) -> None:
    group, (institution, ticket_id, _) = name
    member = members.get(institution)
    if member is None:
        found.doubted.add(group)
        verdict.find("unfed-entry", found.place(key), f"is of {institution}, of which intake has no state")
        return
    header = member.header
    ticket = (group.environment, ticket_id)
    if header is None or ticket in member.doubted or is_heartbeat(ticket_id):
        return  # of a heartbeat, intake keeps nothing: it is never revised
    forgotten = header.watermark_ms is not None and entry.event_time_ms + kept_ms <= header.watermark_ms
    if forgotten or header.forgotten_live:
        return
    live = member.tickets.get(ticket)
    why = (
        "its ticket is not live" if live is None else f"revision {live.record.revision} of its ticket does not feed it"
    )
    found.doubted.add(group)
    verdict.find("unfed-entry", found.place(key), f"holds revision {entry.revision}; {why}")
