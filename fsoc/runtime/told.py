"""What an institution was told, read from its feedback topic or from lines of a file. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from fsoc.channels.read import read_feedback
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.log import Log, read_to_end
from fsoc.sharing.model import Feedback


class Told(NamedTuple):
    """One record, and the bytes that said it."""

    feedback: Feedback
    value: bytes


class Newest:
    """The newest revision of each alert and institution, in the order in which they were first told."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], Told] = {}

    def take(self, told: Told) -> None:
        name = (told.feedback.institution, told.feedback.alert_id)
        known = self._told.get(name)
        if known is None or known.feedback.revision <= told.feedback.revision:
            self._told[name] = told

    def __iter__(self) -> Iterator[Told]:
        return iter(self._told.values())


def of_lines(lines: Iterable[tuple[str, bytes]]) -> Newest:
    """Read records that stand one a line, each with where it stands.

    Raises:
        RefusedToStart: at the first line that is no feedback.
    """
    newest = Newest()
    for where, line in lines:
        try:
            newest.take(Told(read_feedback(line), line))
        except ValueError as error:
            raise RefusedToStart(Problem(where, str(error))) from error
    return newest


async def on_topic(log: Log, prefix: str, institution: str, unreadable: Callable[[str], None]) -> Newest:
    """Read the institution's topic to its end. unreadable: told of a record that is no feedback.

    Raises:
        UnknownTopic, Retry: as the log does.
    """
    topic = f"{prefix}feedback.{institution}"
    newest = Newest()
    async for records in read_to_end(log, topic, 0):
        for record in records:
            if record.value is None:
                continue
            try:
                newest.take(Told(read_feedback(record.value), record.value))
            except ValueError as error:
                unreadable(f"{topic}, offset {record.offset}: {error}")
    return newest
