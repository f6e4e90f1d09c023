"""The state of every institution's feeds, read from a log or from NDJSON. Writes nothing, decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import Final

import msgspec

from fsoc.errors import Problem, RefusedToStart
from fsoc.feeds.contract import Contract
from fsoc.feeds.figures import FeedState
from fsoc.feeds.newest import Newest, overtaken
from fsoc.runtime.direct import Direct
from fsoc.runtime.lanes import INTAKE_STATE
from fsoc.runtime.log import Log
from fsoc.runtime.state import read_all

SHIPPED_CONTRACT: Final = Path(__file__).parents[1] / "feeds" / "contract.yml"


async def on_log(log: Log, prefix: str, unreadable: Callable[[str], None]) -> dict[str, FeedState]:
    """By institution. Of the state's records, headers and days alone are kept in memory.

    unreadable: told of a record that says nothing.

    Raises:
        UnknownTopic, Retry: as the log does.
    """
    topic = prefix + INTAKE_STATE
    count = (await log.partitions(topic))[topic]
    newest = Newest(_overtaken)
    async with aclosing(read_all(log, [(topic, number) for number in range(count)])) as slices:
        async for _, records in slices:
            for record in records:
                if record.key is not None and record.key.split(b"/", 2)[1:2] in ([b"header"], [b"day"]):
                    newest.take(record.key, record.value)
    headers: dict[str, bytes] = {}
    days: dict[str, dict[str, bytes]] = {}
    for key, value in newest.records.items():
        institution, what, *day = key.decode().split("/")
        if what == "header":
            headers[institution] = value
        else:
            days.setdefault(institution, {})["/".join(day)] = value
    states: dict[str, FeedState] = {}
    for institution in sorted(headers):
        try:
            states[institution] = FeedState.of(institution, headers[institution], days.get(institution, {}))
        except ValueError as error:
            unreadable(f"{topic}: {institution}: {error}")
    return states


def _overtaken(_key: bytes, late: bytes, known: bytes) -> bool:
    try:
        return overtaken(late, known)
    except msgspec.MsgspecError:
        return False


def of_lines(lines: Iterable[tuple[str, bytes]]) -> dict[str, FeedState]:
    """What `fsoc feeds export` and `fsoc replay --feeds` write.

    Raises:
        RefusedToStart: every line that is none.
    """
    states: dict[str, FeedState] = {}
    problems: list[Problem] = []
    for where, line in lines:
        try:
            state = FeedState.of_line(line)
        except (ValueError, KeyError, TypeError) as error:
            problems.append(Problem(where, f"is no state of feeds: {error}"))
        else:
            states[state.institution] = state
    if problems:
        raise RefusedToStart(*problems)
    return states


def of_direct(direct: Direct) -> Iterable[FeedState]:
    """Of a pipeline without a log, once it has worked."""
    for institution, intake in sorted(direct.intakes.items()):
        yield FeedState.of(institution, intake.ledger.header(), intake.ledger.quality.all())


def contract_of(path: Path | None) -> Contract:
    """The contract in a file; None is the one that fsoc ships.

    Raises:
        RefusedToStart: it cannot be read, or every problem in it with file:line.
    """
    path = path or SHIPPED_CONTRACT
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise RefusedToStart(Problem(str(path), f"cannot be read: {reason}")) from error
    return Contract.parse(text, str(path))
