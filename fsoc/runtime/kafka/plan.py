"""The difference between the topic table and a cluster, and how to close it. Deletes nothing, shrinks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka import access, admin, quotas
from fsoc.runtime.kafka.topics import PROBLEMS_SHOWN_MAX, Acl, Quota, partition_problem
from fsoc.runtime.log import TopicSpec


class Change(NamedTuple):
    """A setting of a topic that is not what the table says. found: None where the cluster does not know it."""

    topic: str
    setting: str
    found: str | None
    wanted: str


@dataclass(slots=True)
class Plan:
    """What `apply` would do, and what it cannot.

    topics: how many the table has.
    wrong: topics whose number of partitions differs; nothing can be applied while there are any.
    extra: topics under the prefix that the table does not have, such as those of an institution that has left.
    allow: access rules to add. has_authorizer: False where the cluster enforces none; then they are not asked for.
    intruders: rules of others that let somebody else write to an institution's ticket topic: its identity is at stake.
    limit: quotas to set, all their limits. forbid: access rules to take back, of who is suspended.
    """

    topics: int
    create: list[TopicSpec] = field(default_factory=list)
    alter: list[Change] = field(default_factory=list)
    wrong: list[Problem] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    has_authorizer: bool = True
    allow: list[Acl] = field(default_factory=list)
    intruders: list[str] = field(default_factory=list)
    limit: list[Quota] = field(default_factory=list)
    forbid: list[Acl] = field(default_factory=list)
    kept: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Nothing is to be done or looked at."""
        return not (
            self.create or self.alter or self.wrong or self.allow or self.intruders or self.limit or self.forbid
        )

    def refuse_if_wrong(self) -> None:
        if len(self.wrong) > PROBLEMS_SHOWN_MAX:
            more = Problem("topics", f"and {len(self.wrong) - PROBLEMS_SHOWN_MAX} more")
            raise RefusedToStart(*self.wrong[:PROBLEMS_SHOWN_MAX], more)
        if self.wrong:
            raise RefusedToStart(*self.wrong)


async def make_plan(
    client: Any,
    prefix: str,
    specs: Sequence[TopicSpec],
    acls: Sequence[Acl],
    limits: Sequence[Quota] = (),
    forbidden: Sequence[Acl] = (),
) -> Plan:
    """Compare. client: an aiokafka admin client. forbidden: rules of the table's kind that must not be there.

    Raises:
        RefusedToStart: the cluster does not let us look.
        KafkaError: it does not answer.
    """
    plan = Plan(topics=len(specs))
    partitions = await admin.topic_partitions(client)
    names = {spec.name for spec in specs}
    plan.extra = sorted(name for name in partitions if name.startswith(prefix) and name not in names)
    plan.create = [spec for spec in specs if spec.name not in partitions]
    existing = [spec for spec in specs if spec.name in partitions]
    found = (partition_problem(spec.name, partitions[spec.name], spec.partitions) for spec in existing)
    plan.wrong = [problem for problem in found if problem is not None]
    await _compare_settings(client, existing, plan)
    _compare_access(await access.rules(client), names, prefix, acls, forbidden, plan)
    if limits:
        set_already = await quotas.quotas(client)
        plan.limit = [quota for quota in limits if quotas.differ(set_already, quota)]
    return plan


async def apply(client: Any, plan: Plan) -> None:
    """Create what is missing, alter what differs, add access rules, set quotas.

    Again after a failure: only the rest is done.

    Raises:
        RefusedToStart: partitions differ and nothing was done, or the cluster refused something.
        KafkaError: it does not answer.
    """
    plan.refuse_if_wrong()
    # First who may, then what: no topic is there before its rules are. And who may no more, before all.
    if plan.forbid:
        await access.remove_rules(client, plan.forbid)
    await access.add_rules(client, plan.allow)
    if plan.limit:
        await quotas.set_quotas(client, plan.limit)
    await admin.create_topics(client, plan.create)
    changed: dict[str, dict[str, str]] = {}
    for change in plan.alter:
        # What an operator has set besides the table stays.
        changed.setdefault(change.topic, dict(plan.kept[change.topic]))[change.setting] = change.wanted
    await admin.alter_topics(client, changed)


async def _compare_settings(client: Any, existing: Sequence[TopicSpec], plan: Plan) -> None:
    wanted = {spec.name: admin.settings(spec) for spec in existing}
    effective, own = await admin.topic_settings(client, wanted)
    for name, settings in wanted.items():
        for setting, value in settings.items():
            found = effective[name].get(setting)
            if not admin.same_setting(found, value):
                plan.alter.append(Change(name, setting, found, value))
    plan.kept = {change.topic: own[change.topic] for change in plan.alter}


def _compare_access(
    found: set[access.Rule] | None,
    names: set[str],
    prefix: str,
    acls: Sequence[Acl],
    forbidden: Sequence[Acl],
    plan: Plan,
) -> None:
    if found is None:
        plan.has_authorizer = False
        return
    wanted = {access.as_rule(acl): acl for acl in acls}
    plan.allow = [acl for rule, acl in wanted.items() if rule not in found]
    plan.forbid = [acl for acl in forbidden if access.as_rule(acl) in found]
    ours = wanted.keys() | {access.as_rule(acl) for acl in forbidden}
    tickets = [name for name in names if name.startswith(f"{prefix}tickets.")]
    strangers = sorted((rule for rule in found if rule not in ours), key=str)
    plan.intruders = [str(rule) for rule in strangers if any(rule.lets_write(topic) for topic in tickets)]
