"""What institutions are told, as it is on the log; decisions, written there; and the audit. Decides nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from fsoc.attack.techniques import Techniques
from fsoc.errors import Problem, RefusedToStart
from fsoc.feeds.newest import Newest
from fsoc.institutions.registry import Registry
from fsoc.runtime.attack_files import read_techniques
from fsoc.runtime.lanes import AUDIT, SHARING, SHARING_STATE
from fsoc.runtime.log import Log, read_to_end
from fsoc.sharing.allowed import Names
from fsoc.sharing.caution import Caution
from fsoc.sharing.known import Known
from fsoc.sharing.records import DECISION, Decision, Shared, decision_key, shared_from
from fsoc.sharing.stage import ALERT, known_from, newness

_NDJSON: Final = "is no alert that says under which terms it may be told"


@dataclass(slots=True)
class Alerts:
    """shared: the newest revision of each alert that may be told of. known: what was told of it."""

    shared: dict[str, Shared] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)

    def take(self, shared: Shared) -> None:
        before = self.shared.get(shared.alert_id)
        if before is None or before.revision <= shared.revision:
            self.shared[shared.alert_id] = shared


async def read(log: Log, prefix: str) -> Alerts:
    """What is on the log.

    Raises:
        RefusedToStart, Retry: the log cannot be read.
    """
    alerts = Alerts()
    newest = Newest(lambda key, late, known: newness(key, late) < newness(key, known))
    async for records in read_to_end(log, prefix + SHARING_STATE, 0):
        for record in records:
            if record.key is not None and record.key.startswith(ALERT):
                newest.take(record.key, record.value)
    for key, value in newest.records.items():
        known = known_from(value)
        alerts.known[key.removeprefix(ALERT).decode()] = known
        if known.shared is not None:
            alerts.take(known.shared)
    async for records in read_to_end(log, prefix + SHARING, 0):
        for record in records:
            if record.key is None or record.value is None or record.key.startswith(DECISION):
                continue
            try:
                alerts.take(shared_from(record.value))
            except msgspec.MsgspecError:
                continue  # the stage counts it, and tells nobody of it either
    return alerts


def read_file(path: Path) -> Alerts:
    """What is in an NDJSON file of alerts, as `fsoc replay` and `fsoc alerts export` write it. Nobody was told of them.

    Raises:
        RefusedToStart: it cannot be read, or a line is no alert; every line that is not.
    """
    alerts = Alerts()
    problems: list[Problem] = []
    for number, line in enumerate(_bytes(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            alerts.take(shared_from(line))
        except msgspec.MsgspecError as error:
            problems.append(Problem(f"{path}:{number}", f"{_NDJSON}: {error}"))
    if problems:
        raise RefusedToStart(*problems)
    return alerts


async def write(log: Log, prefix: str, decision: Decision) -> None:
    """Make a decision known; it is durable when this returns.

    Raises:
        Retry: the log did not answer; it may be there all the same, and made again it is the same decision.
    """
    await log.write([(prefix + SHARING, 0, decision_key(decision.decision_id), msgspec.json.encode(decision))])


@dataclass(frozen=True, slots=True)
class OnPaper:
    """The sector that would be told, for a preview."""

    registry: Registry
    caution: Caution
    techniques: Techniques
    names: Names
    registered: int

    @classmethod
    def of(cls, registry: Registry, caution: Caution) -> OnPaper:
        """With the ATT&CK tables that come with fsoc."""
        institutions = registry.institutions.values()
        return cls(
            registry,
            caution,
            read_techniques(),
            Names(institutions),
            sum(not one.suspended for one in institutions),
        )


async def audit(log: Log, prefix: str) -> AsyncIterator[bytes]:
    """Every record of the audit, from the first to the end as it is now."""
    async for records in read_to_end(log, prefix + AUDIT, 0):
        for record in records:
            yield record.value or b""


def audit_file(path: Path) -> Iterator[bytes]:
    """Every line of a file of the audit, as `fsoc audit show --json` writes it.

    Raises:
        RefusedToStart: it cannot be read.
    """
    lines = _bytes(path).split(b"\n")
    yield from (line for line in (lines[:-1] if lines[-1] == b"" else lines))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RefusedToStart(Problem(str(path), f"cannot be read: {error.strerror}")) from error
