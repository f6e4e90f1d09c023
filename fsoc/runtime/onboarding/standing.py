"""How far an institution has come, read from a cluster: topics, rules, credential, intake's header, receipts."""

from __future__ import annotations

import msgspec

from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.checklist import Standing
from fsoc.institutions.registry import Registry
from fsoc.runtime.kafka import credentials
from fsoc.runtime.kafka.client import KafkaLog
from fsoc.runtime.kafka.connection import connected
from fsoc.runtime.kafka.security import Security
from fsoc.runtime.kafka.topics import intake_state_partition
from fsoc.runtime.lanes import INTAKE_STATE
from fsoc.runtime.log import Log, UnknownTopic, read_to_end
from fsoc.runtime.onboarding.member import asks_who_comes, compare
from fsoc.settings import Settings


class _Header(msgspec.Struct, frozen=True):
    """What intake's header says of interest here. heartbeats: outcomes by offset, run-length coded; u is in time."""

    received: int = 0
    used: int = 0
    since_ms: int | None = None
    heartbeats: str = ""


_header = msgspec.json.Decoder(_Header).decode


async def look(settings: Settings, registry: Registry, institution: str) -> tuple[Standing, list[str]]:
    """How far it has come; and who else may write to its ticket topic, which nobody should.

    Raises:
        RefusedToStart: the cluster does not answer, or does not let us look.
        Retry: it stopped answering.
    """
    async with connected(",".join(settings.brokers), Security.of(settings)) as admin:
        plan = await compare(admin, registry, institution, settings)
        known = asks_who_comes(settings) and institution in await credentials.users(admin)
    log = await KafkaLog.of(settings)
    try:
        header = await _newest_header(log, settings.topic_prefix, institution)
        receipts = await _end(log, f"{settings.topic_prefix}receipts.{institution}")
    finally:
        await log.close()
    standing = Standing(
        suspended=registry.institutions[institution].suspended,
        looked=True,
        topics=not (plan.create or plan.wrong or plan.alter),
        rules=not (plan.allow or plan.forbid) if plan.has_authorizer else None,
        quota=not plan.limit,
        asks_who_comes=asks_who_comes(settings),
        credential=known,
        received=header.received,
        used=header.used,
        ticketed=header.since_ms is not None,
        heard="u" in header.heartbeats,
        receipts=receipts,
    )
    return standing, plan.intruders


async def _newest_header(log: Log, prefix: str, institution: str) -> _Header:
    """Intake's newest word of this institution; an empty one where there is none yet."""
    newest, wanted = _Header(), f"{institution}/header".encode()
    try:
        async for records in read_to_end(log, prefix + INTAKE_STATE, intake_state_partition(institution)):
            for record in records:
                if record.key == wanted and record.value is not None:
                    newest = _header(record.value)
    except UnknownTopic:
        return newest
    except msgspec.MsgspecError as error:
        text = f"a header of {institution} cannot be read: {error}; `fsoc state verify` tells more"
        raise RefusedToStart(Problem(prefix + INTAKE_STATE, text)) from error
    return newest


async def _end(log: Log, topic: str) -> int:
    try:
        (end,) = (await log.end_offsets([(topic, 0)])).values()
    except UnknownTopic:
        return 0
    return end
