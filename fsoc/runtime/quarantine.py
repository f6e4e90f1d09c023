"""Refused payloads: read from where they lie, and sent again to the topic they came from. Decides no outcome.

What is sent again is written down first, beside what was refused, so that nothing is sent twice without being asked:
where writing it down and sending part, it was not sent, and whoever looks sees that it may not have been.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fsoc.errors import Fault, InvalidTicket, Problem, RefusedToStart
from fsoc.runtime.log import Log, read_to_end
from fsoc.tickets.decode import decode
from fsoc.tickets.told import TEXT_MAX, Refused, Replayed, read_kept, replayed_record

QUARANTINE: Final = "quarantine"


@dataclass(slots=True)
class Shelf:
    """What was refused and what was sent again, by name such as `fi-001/4711`, in the order it was refused."""

    refused: dict[str, Refused] = field(default_factory=dict)
    replayed: dict[str, list[Replayed]] = field(default_factory=dict)

    def take(self, record: bytes) -> None:
        """A record told twice is one.

        Raises:
            ValueError: it is no record of the quarantine topic.
        """
        kept = read_kept(record)
        if isinstance(kept, Refused):
            self.refused.setdefault(kept.name, kept)
        else:
            self.replayed.setdefault(kept.name, []).append(kept)

    def last_replay(self, name: str) -> Replayed | None:
        told = self.replayed.get(name)
        return told[-1] if told else None


def of_lines(lines: Iterable[tuple[str, bytes]]) -> Shelf:
    """What a file has, one record a line.

    Raises:
        RefusedToStart: every line that is none.
    """
    shelf = Shelf()
    problems: list[Problem] = []
    for where, line in lines:
        try:
            shelf.take(line)
        except ValueError as error:
            problems.append(Problem(where, f"no record of the quarantine: {error}"))
    if problems:
        raise RefusedToStart(*problems)
    return shelf


async def on_topic(log: Log, prefix: str, unreadable: Callable[[str], None]) -> Shelf:
    """All that the quarantine topic has now. unreadable: told of records that are none."""
    shelf = Shelf()
    topic = prefix + QUARANTINE
    await log.partitions(topic)
    async for records in read_to_end(log, topic, 0):
        for record in records:
            try:
                shelf.take(record.value or b"")
            except ValueError as error:
                unreadable(f"{topic}, offset {record.offset}: {error}")
    return shelf


async def mark(log: Log, prefix: str, told: Replayed) -> None:
    """Write down on the quarantine topic that this is about to be sent again; durable when it returns."""
    await log.write([(prefix + QUARANTINE, 0, told.institution.encode(), replayed_record(told))])


def mark_in_file(path: Path, told: Replayed) -> None:
    """The same, at the end of the file that the refused payload was read from.

    Raises:
        RefusedToStart: it cannot be written.
    """
    try:
        with path.open("ab+") as stream:
            if stream.tell():
                stream.seek(-1, 2)
                if stream.read(1) != b"\n":
                    stream.write(b"\n")
            stream.write(replayed_record(told) + b"\n")
    except OSError as error:
        raise RefusedToStart(Problem(str(path), f"cannot be written: {error.strerror}")) from error


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with one refused payload.

    payload: what is sent. left_out: why it is not; None where it is. faults: what it would be refused for again.
    """

    of: Refused
    payload: bytes
    left_out: str | None = None
    faults: Sequence[Fault] = ()

    @property
    def is_mended(self) -> bool:
        return self.payload != self.of.payload

    @property
    def signature(self) -> bytes | None:
        """What it came with; None where nothing did, or where it was mended: no signature covers what it is now."""
        return None if self.is_mended else self.of.signature


def step_of(one: Refused, shelf: Shelf, mended: bytes | None, *, again: bool, anyway: bool) -> Step:
    """Decide about one. again: though it was sent again already. anyway: though it would be refused again."""
    payload = one.payload if mended is None else mended
    before = shelf.last_replay(one.name)
    if before is not None and not again:
        return Step(one, payload, f"sent again by {before.by} at {before.at}; --again sends it anew")
    if mended is None and not one.is_whole:
        kept = f"only the first {len(one.payload)} of {one.payload_bytes} bytes were kept"
        return Step(one, payload, f"{kept}; --payload FILE sends it whole")
    try:
        decode(payload, institution=one.institution)
    except InvalidTicket as refused:
        if not anyway:
            why = "would be refused again; mend it and give --payload FILE, or --anyway"
            return Step(one, payload, why, refused.faults)
    return Step(one, payload)


async def send(log: Log, prefix: str, steps: Sequence[Step], at: str, by: str, file: Path | None) -> None:
    """Write each step down, then put its payload on its ticket topic, one by one.

    file: where it is written down; None is the quarantine topic.

    Raises:
        UnknownTopic: an institution has none; nothing was sent.
        Retry: the log did not answer; of what is written down, the last may not have been sent.
    """
    topics = {f"{prefix}tickets.{step.of.institution}" for step in steps}
    await log.partitions(*sorted(topics))
    for step in steps:
        one = step.of
        told = Replayed(one.institution, one.offset, at, by[:TEXT_MAX], step.is_mended, len(step.payload))
        if file is None:
            await mark(log, prefix, told)
        else:
            mark_in_file(file, told)
        await log.write([(f"{prefix}tickets.{one.institution}", 0, None, step.payload)], step.signature)
