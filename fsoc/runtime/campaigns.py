"""Campaigns and decisions as they are on the log, or in a file; and a decision written there. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from fsoc.campaigns.compose import SCHEMA
from fsoc.campaigns.decisions import Decisions
from fsoc.campaigns.records import DECISION, DECISION_SCHEMA, Decision, decision_from, decision_key
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.lanes import LINKS
from fsoc.runtime.log import Log, read_to_end

CAMPAIGNS: Final = "campaigns"


@dataclass(slots=True)
class Known:
    """The newest revision of each campaign, by id, and every decision, as first made."""

    campaigns: dict[str, dict[str, Any]] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=Decisions)

    def take_campaign(self, campaign: dict[str, Any]) -> None:
        known = self.campaigns.get(campaign["campaign_id"])
        if known is None or known["revision"] <= campaign["revision"]:
            self.campaigns[campaign["campaign_id"]] = campaign

    def about(self, campaign: dict[str, Any]) -> list[Decision]:
        """The decisions about a campaign or what is in it, and those that undo them, in the order they were made."""
        mine = {*campaign["alert_ids"], *(link["id"] for link in campaign["links"])}
        found = {
            name
            for name, one in self.decisions.all.items()
            if campaign["campaign_id"] in one.campaigns or not mine.isdisjoint(one.named)
        }
        found |= {name for name, one in self.decisions.all.items() if one.undoes in found}
        decisions = [self.decisions.all[name] for name in found]
        return sorted(decisions, key=lambda one: (one.decided_at, one.decision_id))


async def read(log: Log, prefix: str) -> Known:
    """What is on the log.

    Raises:
        RefusedToStart, Retry: the log cannot be read.
    """
    known = Known()
    async for records in read_to_end(log, prefix + CAMPAIGNS, 0):
        for record in records:
            if record.value is not None:
                known.take_campaign(orjson.loads(record.value))
    async for records in read_to_end(log, prefix + LINKS, 0):
        for record in records:
            if record.key is None or record.value is None or not record.key.startswith(DECISION):
                continue
            try:
                known.decisions.take(decision_from(record.value))
            except msgspec.MsgspecError:
                continue  # the stage counts it, and follows it as little
    return known


def read_file(path: Path) -> Known:
    """What is in an NDJSON file: campaigns and decisions, one a line, in any order; other records are passed over.

    Raises:
        RefusedToStart: it cannot be read, or a line is neither; every line that is not.
    """
    known = Known()
    problems: list[Problem] = []
    for number, line in _lines(path):
        try:
            said = orjson.loads(line)
            schema = said["schema"]
            if schema == SCHEMA:
                known.take_campaign(said)
            elif schema == DECISION_SCHEMA:
                known.decisions.take(decision_from(line))
        except (orjson.JSONDecodeError, msgspec.MsgspecError, KeyError, TypeError) as error:
            problems.append(Problem(f"{path}:{number}", f"is neither a campaign nor a decision: {error}"))
    if problems:
        raise RefusedToStart(*problems)
    return known


def _lines(path: Path) -> Iterable[tuple[int, bytes]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise RefusedToStart(Problem(str(path), f"cannot be read: {error.strerror}")) from error
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


async def write(log: Log, prefix: str, decision: Decision) -> None:
    """Make a decision known; it is durable when this returns.

    Raises:
        Retry: the log did not answer; it may be there all the same, and made again it is the same decision.
    """
    value = msgspec.json.encode(decision)
    await log.write([(prefix + LINKS, 0, decision_key(decision.decision_id), value)])


def members_of(campaign: dict[str, Any]) -> Iterator[str]:
    """Every link and alert that a campaign lists."""
    yield from (link["id"] for link in campaign["links"])
    yield from campaign["alert_ids"]
