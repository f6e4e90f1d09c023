"""Is intake's state sound: does it add up, institution by institution, and is it nowhere behind? Reads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from fsoc.correlation.entries import GroupKey, entry_key
from fsoc.feeds.quality import day_number
from fsoc.runtime.audit.findings import Place, Verdict
from fsoc.runtime.audit.reading import Kept
from fsoc.runtime.audit.records import (
    DayName,
    DayRecord,
    IntakeHeader,
    LiveRecord,
    TicketName,
    day_record,
    intake_header,
    live_record,
    ticket_name,
)
from fsoc.runtime.kafka.topics import intake_state_partition
from fsoc.runtime.log import Partition


class Live(NamedTuple):
    """A live ticket, and where and when its record was written."""

    record: LiveRecord
    place: Place
    written_ms: int


class Fed(NamedTuple):
    """What intake says of one ticket in one group. puts: it feeds the group; else it did, and left it.

    in_flight: not known to be out, for the ticket's offset is not committed.
    """

    revision: int
    event_time_ms: int
    puts: bool
    in_flight: bool
    live: Live


@dataclass(slots=True)
class Member:
    """One institution's state. records: as they lie there. doubted: its tickets that cannot be read. days: by name."""

    name: str
    place: Place
    committed: int | None = None
    header: IntakeHeader | None = None
    is_readable: bool = True
    records: list[tuple[bytes, bytes]] = field(default_factory=list)
    tickets: dict[tuple[str, str], Live] = field(default_factory=dict)
    doubted: set[tuple[str, str]] = field(default_factory=set)
    days: dict[str, DayRecord] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """All that the state says is committed: all of it is written, and so is what came of it."""
        return self.header is not None and (self.committed or 0) == self.header.offset + 1


def members(
    state: Mapping[Partition, Mapping[bytes, Kept]], committed: Mapping[str, int | None], verdict: Verdict
) -> dict[str, Member]:
    """Take intake's state apart, by institution; what cannot be read or lies in the wrong place is found.

    committed: by institution, read before the state was.
    """
    found: dict[str, Member] = {}
    for (topic, partition), records in state.items():
        for key, kept in records.items():
            place = Place(topic, partition, key)
            try:
                name = ticket_name(key)
            except ValueError as error:
                verdict.find("unreadable", place, f"the key is of no record of intake's: {error}")
                continue
            institution = name if isinstance(name, str) else name.institution
            belongs = intake_state_partition(institution)
            if partition != belongs:
                verdict.find("misplaced", place, f"belongs to partition {belongs}, where workers look for it")
                continue
            member = found.setdefault(institution, Member(institution, place, committed.get(institution)))
            member.records.append((key, kept.value))
            _take(member, name, place, kept, verdict)
    return found


def _take(member: Member, name: TicketName | DayName | str, place: Place, kept: Kept, verdict: Verdict) -> None:
    try:
        if isinstance(name, DayName):
            day_number(name.day)
            member.days[name.day] = day_record(kept.value)
        elif isinstance(name, str):
            member.place = place
            member.is_readable = False
            member.header = intake_header(kept.value)
            member.is_readable = True
        else:
            ticket = (name.environment, name.ticket_id)
            member.doubted.add(ticket)
            member.tickets[ticket] = Live(live_record(kept.value), place, kept.timestamp_ms)
            member.doubted.discard(ticket)
    except (msgspec.MsgspecError, ValueError) as error:
        verdict.find("unreadable", place, f"is not what intake writes: {error}")


def check_member(member: Member, verdict: Verdict) -> None:
    """Conservation, what is committed, and what the header counts."""
    verdict.looked.institutions += 1
    verdict.looked.live += len(member.tickets)
    header = member.header
    if header is None:
        # Days are written before the header: with nothing committed, a crash between the two has left them.
        if member.is_readable and (member.tickets or member.committed):
            verdict.find("no-header", member.place, f"{member.name} has tickets in the state and no header")
        return
    _conserves(member, header, verdict)
    if member.committed is not None and member.committed > header.offset + 1:
        text = f"offset {member.committed} is committed, the state ends before {header.offset + 1}: tickets are skipped"
        verdict.find("committed-ahead", member.place, text)
        return
    if member.is_settled:
        counted = len(member.tickets) + len(member.doubted)
        if header.live != counted:
            text = f"counts {header.live} live tickets, there are {counted}"
            verdict.find("count", member.place, text)
    for live in member.tickets.values():
        if live.record.offset > header.offset:
            text = f"is of offset {live.record.offset}, the header of {header.offset}: it was written before its header"
            verdict.find("stale-entry", live.place, text)


def _conserves(member: Member, header: IntakeHeader, verdict: Verdict) -> None:
    outcomes = (header.used, header.duplicate, header.late, header.quarantined)
    if header.received != sum(outcomes) or min(outcomes) < 0:
        used, duplicate, late, quarantined = outcomes
        text = (
            f"received {header.received} is not used {used} + duplicate {duplicate} + late {late} "
            f"+ quarantined {quarantined} = {sum(outcomes)}"
        )
        verdict.find("conservation", member.place, text)
    elif header.received > header.offset + 1:
        text = f"received {header.received}, and there were only {header.offset + 1} records up to its offset"
        verdict.find("conservation", member.place, text)


def fed_by(found: Iterable[Member], partitions: int, verdict: Verdict) -> list[dict[bytes, Fed]]:
    """By detections partition: what its state must hold of the live tickets, by the key of the entry."""
    fed: list[dict[bytes, Fed]] = [{} for _ in range(partitions)]
    for member in found:
        for (environment, ticket_id), live in member.tickets.items():
            record = live.record
            in_flight = record.offset >= (member.committed or 0)
            verdict.looked.in_flight_tickets += in_flight
            for puts, keys in ((False, record.withdrawn), (True, record.keys)):
                for rule, group in keys:
                    key = GroupKey(rule, environment, group)
                    fed[key.partition(partitions)][entry_key((key, (member.name, ticket_id, "")))] = Fed(
                        record.revision, record.event_time_ms, puts, in_flight, live
                    )
    return fed
