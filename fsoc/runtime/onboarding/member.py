"""One institution on a cluster: its topics, rules, quotas and credential, made, looked at and taken away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fsoc.institutions.registry import Registry
from fsoc.runtime.kafka import credentials
from fsoc.runtime.kafka.admin import broker_count
from fsoc.runtime.kafka.connection import connected
from fsoc.runtime.kafka.plan import Plan, apply, make_plan
from fsoc.runtime.kafka.security import Security
from fsoc.runtime.kafka.topics import Access, Acl, Quota, acls, table
from fsoc.runtime.log import TopicSpec
from fsoc.settings import Settings


@dataclass(frozen=True, slots=True)
class Share:
    """What of the topic table is one institution's.

    specs: its three topics. allow, forbid: rules on these, its delegates' and the workers' too, and of their groups.
    """

    specs: list[TopicSpec]
    allow: list[Acl]
    forbid: list[Acl]
    quotas: list[Quota]

    @classmethod
    def of(cls, registry: Registry, institution: str, settings: Settings, replicas: int = 3) -> Share:
        """Raises: KeyError: it is not in the registry."""
        known = registry.institutions[institution]
        prefix = settings.topic_prefix
        names = {f"{prefix}{kind}.{institution}" for kind in ("tickets", "receipts", "feedback")}
        users = {institution, *known.delegations}
        specs = table(prefix, [institution], settings.detections_partitions, settings.environment, replicas=replicas)
        access = Access.of(registry, prefix, settings.group)

        def is_its(rule: Acl) -> bool:
            own_group = rule.resource == "group" and rule.principal.removeprefix("User:") in users
            return rule.name in names or own_group

        return cls(
            [spec for spec in specs if spec.name in names],
            [rule for rule in access.allow if is_its(rule)],
            [rule for rule in access.forbid if is_its(rule)],
            [quota for quota in access.quotas if quota.user in users],
        )


async def compare(admin: Any, registry: Registry, institution: str, settings: Settings) -> Plan:
    """What its part of the cluster lacks."""
    share = Share.of(registry, institution, settings, min(3, await broker_count(admin)))
    return await make_plan(admin, settings.topic_prefix, share.specs, share.allow, share.quotas, share.forbid)


async def _compare_shared(admin: Any, settings: Settings) -> Plan:
    """What the cluster lacks of the topics that are no institution's, and of the rules on them."""
    prefix, replicas = settings.topic_prefix, min(3, await broker_count(admin))
    specs = table(prefix, [], settings.detections_partitions, settings.environment, replicas=replicas)
    return await make_plan(admin, prefix, specs, acls(prefix, [], settings.group))


async def join(
    settings: Settings, registry: Registry, institution: str, new_password: Callable[[], str]
) -> tuple[Plan, bool]:
    """Make what is missing; return what was, and whether it was given a password, which is then `new_password`'s.

    Of a cluster's first institution that is what all share, too: without it no worker starts.

    new_password: asked where it has none and the cluster asks who comes. It is kept by whoever makes it before the
        cluster has it: a password that nobody knows would let nobody in.

    Raises:
        RefusedToStart: the cluster refused something, or partitions differ.
        Retry: it stopped answering.
    """
    async with connected(",".join(settings.brokers), Security.of(settings)) as admin:
        shared = await _compare_shared(admin, settings)
        if shared.create:
            await apply(admin, shared)
        plan = await compare(admin, registry, institution, settings)
        await apply(admin, plan)
        if shared.create:
            plan.create += shared.create
            plan.allow += shared.allow
        is_new = asks_who_comes(settings) and institution not in await credentials.users(admin)
        if is_new:
            await credentials.give(admin, institution, new_password())
        return plan, is_new


async def renew(settings: Settings, user: str, password: str) -> None:
    """Let a user in by this password from now on.

    Raises:
        RefusedToStart: the cluster refused.
        Retry: it stopped answering.
    """
    async with connected(",".join(settings.brokers), Security.of(settings)) as admin:
        await credentials.give(admin, user, password)


async def leave(settings: Settings, registry: Registry, institution: str) -> tuple[Plan, bool]:
    """Take back its rules, and its password if it has one; return what was taken and whether it had one.

    registry: in which it is suspended already.

    Raises:
        RefusedToStart: the cluster refused something.
        Retry: it stopped answering.
    """
    async with connected(",".join(settings.brokers), Security.of(settings)) as admin:
        plan = await compare(admin, registry, institution, settings)
        taken = Plan(topics=0, forbid=plan.forbid, has_authorizer=plan.has_authorizer)
        await apply(admin, taken)
        had = bool(await credentials.take(admin, [institution])) if asks_who_comes(settings) else False
        return taken, had


def asks_who_comes(settings: Settings) -> bool:
    """Whether clients of the cluster have a user and a password, as far as our own settings tell."""
    return settings.kafka_protocol.startswith("SASL")
