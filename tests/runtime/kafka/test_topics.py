"""The table: what it holds, whom it lets do what, and how it meets a cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from hypothesis import given
from hypothesis import strategies as st

from fsoc.errors import RefusedToStart
from fsoc.institutions.registry import Registry
from fsoc.runtime.kafka import access, admin
from fsoc.runtime.kafka.connection import connected
from fsoc.runtime.kafka.plan import Plan, apply, make_plan
from fsoc.runtime.kafka.topics import (
    INTAKE_STATE_PARTITIONS,
    TICKET_BATCH_BYTES_MAX,
    Access,
    Acl,
    acls,
    intake_state_partition,
    partition_problem,
    refuse_unusable,
    table,
)
from fsoc.runtime.log import BATCH_BYTES_MAX, RECORD_BYTES_MAX, TopicSpec
from fsoc.runtime.memory_log import MemoryLog

INSTITUTIONS = ("fi-001", "fi-002")


@pytest.fixture
async def client(kafka: str) -> AsyncIterator[Any]:
    async with connected(kafka) as connection:
        yield connection


def by_name(specs: list[TopicSpec]) -> dict[str, TopicSpec]:
    return {spec.name: spec for spec in specs}


def test_every_institution_has_three_topics_of_one_partition_and_the_rest_is_shared():
    topics = by_name(table("fsoc.", INSTITUTIONS))

    assert {name: spec.partitions for name, spec in topics.items()} == {
        "fsoc.quarantine": 1,
        "fsoc.late": 1,
        "fsoc.intake.state": 16,
        "fsoc.detections": 8,
        "fsoc.correlation.state": 8,
        "fsoc.links": 1,
        "fsoc.campaign.state": 1,
        "fsoc.campaigns": 1,
        "fsoc.alerts": 1,
        "fsoc.acknowledgements": 1,
        "fsoc.sharing": 1,
        "fsoc.sharing.state": 1,
        "fsoc.audit": 1,
        "fsoc.tickets.fi-001": 1,
        "fsoc.receipts.fi-001": 1,
        "fsoc.feedback.fi-001": 1,
        "fsoc.tickets.fi-002": 1,
        "fsoc.receipts.fi-002": 1,
        "fsoc.feedback.fi-002": 1,
    }


def test_correlation_state_is_as_wide_as_detections():
    topics = by_name(table("p.", INSTITUTIONS, 24))

    assert topics["p.detections"].partitions == topics["p.correlation.state"].partitions == 24


def test_state_and_alerts_are_compacted_and_lose_nothing_by_age():
    for environment in ("production", "exercise"):
        topics = by_name(table("", INSTITUTIONS, environment=environment))
        for name in (
            "intake.state",
            "correlation.state",
            "alerts",
            "links",
            "campaign.state",
            "campaigns",
            "sharing",
            "sharing.state",
        ):
            assert admin.settings(topics[name])["cleanup.policy"] == "compact"


def test_in_production_the_cluster_stamps_and_age_bounds_what_is_kept():
    for spec in table("", INSTITUTIONS):
        assert admin.settings(spec)["message.timestamp.type"] == "LogAppendTime"
        assert spec.compacted or spec.retention_ms is not None or spec.name == "audit", spec.name


@pytest.mark.parametrize("environment", ["exercise", "test"])
def test_in_an_exercise_the_sender_stamps_at_any_time_and_size_bounds_what_is_kept(environment: Any):
    for spec in table("", INSTITUTIONS, environment=environment):
        settings = admin.settings(spec)
        assert settings["message.timestamp.type"] == "CreateTime"
        assert settings["message.timestamp.after.max.ms"] == str(2**63 - 1)
        assert settings["retention.ms"] == "-1", "old stamps would make new records old"
        assert spec.compacted or spec.retention_bytes is not None, spec.name


def test_what_a_sender_can_send_at_once_fits_into_quarantine_in_base64_with_its_reason():
    assert TICKET_BATCH_BYTES_MAX >= 524_288
    assert TICKET_BATCH_BYTES_MAX * 4 / 3 + 100_000 < RECORD_BYTES_MAX < BATCH_BYTES_MAX


def test_with_three_copies_a_write_is_on_two_before_it_is_acknowledged():
    (spec, *_) = table("", INSTITUTIONS, replicas=3)
    (single, *_) = table("", INSTITUTIONS)

    assert (spec.replicas, admin.settings(spec)["min.insync.replicas"]) == (3, "2")
    assert admin.settings(single)["min.insync.replicas"] == "1"


def test_an_institution_s_state_lies_where_it_always_did():
    """Fixed for ever: another partition would be another, empty memory."""
    assert [intake_state_partition(name) for name in ("fi-001", "fi-002", "bank-of-x")] == [2, 8, 11]


@given(st.from_regex(r"\A[a-z0-9-]{2,32}\Z"))
def test_every_institution_s_state_has_a_partition(institution: str):
    assert 0 <= intake_state_partition(institution) < INTAKE_STATE_PARTITIONS


def test_exactly_one_principal_may_write_to_a_ticket_topic_beside_the_gateway():
    rules = acls("fsoc.", INSTITUTIONS, "fsoc")
    may_write = [rule for rule in rules if rule.operation == "write" and ".tickets." in rule.name]
    writers = Counter(rule.name for rule in may_write if rule.principal != "User:fsoc-gateway")

    assert writers == {"fsoc.tickets.fi-001": 1, "fsoc.tickets.fi-002": 1}
    assert Acl("User:fi-001", "topic", "fsoc.tickets.fi-001", "write") in rules
    assert len(may_write) == 4


def test_the_gateway_writes_tickets_and_reads_them_receipts_and_feedback_but_of_nobody_who_is_suspended():
    rules = acls("fsoc.", INSTITUTIONS, "fsoc", suspended={"fi-002"})

    assert {(rule.name, rule.operation) for rule in rules if rule.principal == "User:fsoc-gateway"} == {
        ("fsoc.tickets.fi-001", "write"),
        ("fsoc.tickets.fi-001", "read"),
        ("fsoc.receipts.fi-001", "read"),
        ("fsoc.feedback.fi-001", "read"),
    }


def test_an_institution_touches_nothing_but_its_own():
    mine = {rule for rule in acls("fsoc.", INSTITUTIONS, "fsoc") if rule.principal == "User:fi-001"}

    assert {(rule.resource, rule.name, rule.operation) for rule in mine} == {
        ("topic", "fsoc.tickets.fi-001", "write"),
        ("topic", "fsoc.receipts.fi-001", "read"),
        ("topic", "fsoc.feedback.fi-001", "read"),
        ("group", "fsoc.fi-001", "read"),
    }


def registry(text: str) -> Registry:
    entries = ", ".join(f"{{name: N, sector: bank, tier: 1, feeds: [siem], {entry}}}" for entry in text.split(" | "))
    return Registry.parse(f"institutions: [{entries}]", "who.yml")


def test_a_delegate_may_send_and_read_receipts_for_those_it_serves_and_see_no_feedback():
    found = Access.of(
        registry("id: fi-001, delegations: [msp-1] | id: fi-002, delegations: [msp-1, fi-001] | id: fi-003"), "p.", "g"
    )

    def of(user: str) -> set[tuple[str, str]]:
        return {(rule.name, rule.operation) for rule in found.allow if rule.principal == f"User:{user}"}

    assert of("msp-1") == {
        ("p.tickets.fi-001", "write"),
        ("p.receipts.fi-001", "read"),
        ("p.tickets.fi-002", "write"),
        ("p.receipts.fi-002", "read"),
        ("p.msp-1", "read"),
    }
    assert of("fi-001") - of("fi-003") >= {("p.tickets.fi-002", "write"), ("p.receipts.fi-002", "read")}
    assert ("p.feedback.fi-002", "read") not in of("fi-001")
    assert len(found.allow) == len(set(found.allow))
    assert found.forbid == []
    assert [quota.user for quota in found.quotas] == ["fi-001", "fi-002", "fi-003", "msp-1"]


def test_who_is_suspended_may_do_nothing_and_nobody_may_on_its_behalf():
    before = "id: fi-001, delegations: [msp-1] | id: fi-002, delegations: [fi-001]"
    allowed = Access.of(registry(before), "p.", "g").allow
    found = Access.of(registry(before.replace("fi-001, del", "fi-001, suspended: true, del")), "p.", "g")

    assert set(found.allow) | set(found.forbid) == set(allowed)
    assert not set(found.allow) & set(found.forbid)
    assert {rule.principal for rule in found.forbid} == {"User:fi-001", "User:msp-1", "User:fsoc-gateway"}
    assert not {rule for rule in found.allow if rule.principal in {"User:fi-001", "User:msp-1"}}
    assert Acl("User:fsoc-worker", "topic", "p.tickets.fi-001", "read") in found.allow, "what it sent is worked"


def test_workers_may_use_every_topic_and_only_topics_of_the_table():
    topics = by_name(table("fsoc.", INSTITUTIONS))
    worker = [rule for rule in acls("fsoc.", INSTITUTIONS, "g") if rule.principal == "User:fsoc-worker"]

    assert {rule.name for rule in worker if rule.resource == "topic"} == set(topics)
    assert [rule.name for rule in worker if rule.resource == "group"] == ["g"]


def test_a_rule_that_covers_a_ticket_topic_is_seen_however_it_is_written():
    def rule(pattern: int, name: str, operation: int = 4, permission: int = 3) -> access.Rule:
        return access.Rule("User:x", 2, pattern, name, "*", operation, permission)

    literal, prefixed = 3, 4
    topic = "fsoc.tickets.fi-001"
    assert rule(literal, topic).lets_write(topic)
    assert rule(literal, "*").lets_write(topic)
    assert rule(prefixed, "fsoc.tickets.").lets_write(topic)
    assert rule(literal, topic, operation=2).lets_write(topic), "all"
    assert rule(literal, topic, operation=7).lets_write(topic), "alter"
    assert not rule(literal, topic, operation=3).lets_write(topic), "read"
    assert not rule(literal, topic, permission=2).lets_write(topic), "deny"
    assert not rule(literal, "fsoc.tickets.").lets_write(topic)
    assert not rule(prefixed, "other.").lets_write(topic)


def test_a_partition_mismatch_names_the_topic_and_both_numbers():
    problem = partition_problem("fsoc.detections", 4, 8)

    assert str(problem).startswith("fsoc.detections: has 4 partitions, expected 8; run with --detections-partitions 4")
    assert partition_problem("fsoc.detections", 8, 8) is None


async def test_a_worker_refuses_to_start_on_missing_and_differing_topics_all_at_once():
    log = MemoryLog(clock=lambda: 0)
    specs = table("fsoc.", INSTITUTIONS)
    await log.create([spec for spec in table("fsoc.", INSTITUTIONS, 4) if spec.name != "fsoc.alerts"])

    with pytest.raises(RefusedToStart) as refused:
        await refuse_unusable(log, specs)

    assert {problem.where for problem in refused.value.problems} == {
        "fsoc.alerts",
        "fsoc.detections",
        "fsoc.correlation.state",
    }
    assert "fsoc.alerts: no such topic" in str(refused.value)
    assert "fsoc.detections: has 4 partitions, expected 8" in str(refused.value)


async def test_hundreds_of_missing_topics_are_told_in_a_screenful():
    with pytest.raises(RefusedToStart) as refused:
        await refuse_unusable(MemoryLog(clock=lambda: 0), table("fsoc.", [f"fi-{n:03}" for n in range(400)]))

    assert len(refused.value.problems) == 21
    assert "and 1193 more" in str(refused.value.problems[-1])


async def test_topics_as_the_table_has_them_are_taken():
    log = MemoryLog(clock=lambda: 0)
    await log.create(table("fsoc.", INSTITUTIONS))

    await refuse_unusable(log, table("fsoc.", INSTITUTIONS))


async def planned(client: Any, prefix: str, institutions: tuple[str, ...] = INSTITUTIONS, **more: Any) -> Plan:
    return await make_plan(
        client, prefix, table(prefix, institutions, **more), acls(prefix, institutions, f"{prefix}g")
    )


@pytest.mark.kafka
async def test_what_was_planned_and_applied_is_then_as_it_should_be(client: Any, topic_prefix: str):
    plan = await planned(client, topic_prefix)
    assert (len(plan.create), len(plan.alter), plan.wrong) == (19, 0, [])
    assert len(plan.allow) == len(acls(topic_prefix, INSTITUTIONS, "g"))

    await apply(client, plan)
    again = await planned(client, topic_prefix)

    assert again.is_empty
    assert again.has_authorizer


@pytest.mark.kafka
async def test_a_setting_that_differs_is_altered_and_what_an_operator_added_stays(client: Any, topic_prefix: str):
    await apply(client, await planned(client, topic_prefix))
    name = f"{topic_prefix}alerts"
    await admin.alter_topics(client, {name: {"cleanup.policy": "delete", "file.delete.delay.ms": "1234"}})

    plan = await planned(client, topic_prefix)
    assert ("cleanup.policy", "delete", "compact") in {change[1:] for change in plan.alter}
    assert {change.topic for change in plan.alter} == {name}
    await apply(client, plan)

    assert (await planned(client, topic_prefix)).is_empty
    _, own = await admin.topic_settings(client, {name: {}})
    assert own[name]["file.delete.delay.ms"] == "1234"


@pytest.mark.kafka
async def test_an_institution_that_joins_is_added_and_one_that_left_is_only_told(client: Any, topic_prefix: str):
    await apply(client, await planned(client, topic_prefix, ("fi-001", "fi-002")))

    plan = await planned(client, topic_prefix, ("fi-001", "fi-003"))
    await apply(client, plan)

    assert {spec.name.removeprefix(topic_prefix) for spec in plan.create} == {
        "tickets.fi-003",
        "receipts.fi-003",
        "feedback.fi-003",
    }
    assert f"{topic_prefix}tickets.fi-002" in plan.extra
    assert f"{topic_prefix}tickets.fi-002" in await admin.topic_partitions(client)


@pytest.mark.kafka
async def test_nothing_is_applied_where_partitions_differ(client: Any, topic_prefix: str):
    await apply(client, await planned(client, topic_prefix))

    plan = await planned(client, topic_prefix, (*INSTITUTIONS, "fi-003"), detections_partitions=4)
    with pytest.raises(RefusedToStart, match=f"{topic_prefix}detections: has 8 partitions, expected 4"):
        await apply(client, plan)

    assert f"{topic_prefix}tickets.fi-003" not in await admin.topic_partitions(client)


@pytest.mark.kafka
async def test_somebody_else_who_may_write_tickets_is_reported(client: Any, topic_prefix: str):
    await apply(client, await planned(client, topic_prefix))
    await access.add_rules(client, [Acl("User:mallory", "topic", f"{topic_prefix}tickets.fi-001", "write")])
    await access.add_rules(client, [Acl("User:auditor", "topic", f"{topic_prefix}tickets.fi-001", "read")])

    plan = await planned(client, topic_prefix)

    assert plan.intruders == [f'User:mallory may write to "{topic_prefix}tickets.fi-001"']
    assert not plan.is_empty


@pytest.mark.kafka
async def test_rules_of_who_is_suspended_are_taken_back_and_no_others(client: Any, topic_prefix: str):
    await apply(client, await planned(client, topic_prefix))
    mine = [Acl("User:fi-001", "topic", f"{topic_prefix}{kind}.fi-001", "read") for kind in ("receipts", "feedback")]
    before = await access.rules(client) or set()

    plan = await make_plan(client, topic_prefix, [], [], forbidden=[*mine, Acl("User:fi-1", "group", "never", "read")])
    assert (plan.forbid, plan.is_empty) == (mine, False)
    await apply(client, plan)

    assert before - (await access.rules(client) or set()) == {access.as_rule(acl) for acl in mine}
    assert (await make_plan(client, topic_prefix, [], [], forbidden=mine)).is_empty


@pytest.mark.kafka
async def test_a_cluster_s_refusal_is_told_by_topic(client: Any, topic_prefix: str):
    with pytest.raises(RefusedToStart, match=rf"{topic_prefix}many: could not be created: .*replication"):
        await admin.create_topics(client, [TopicSpec(f"{topic_prefix}many", replicas=3)])


@pytest.mark.kafka
async def test_a_small_batch_that_unfolds_into_a_huge_one_is_refused(client: Any, kafka: str, topic_prefix: str):
    """Eight megabytes of one letter are eight kilobytes on the way, and would be eight megabytes at the reader."""
    await apply(client, await planned(client, topic_prefix))

    async with AIOKafkaProducer(
        bootstrap_servers=kafka, compression_type="gzip", max_request_size=16_000_000, max_batch_size=16_000_000
    ) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(f"{topic_prefix}tickets.fi-001", b"A" * 8_000_000)
        await producer.send_and_wait(f"{topic_prefix}tickets.fi-001", b"A" * 500_000)
