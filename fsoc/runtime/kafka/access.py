"""Access rules on a cluster: read them, add ours, take ours back. Which there should be is in topics.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest_v1, DeleteAclsRequest_v1, DescribeAclsRequest_v1
from aiokafka.protocol.api import Request

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka.admin import until
from fsoc.runtime.kafka.topics import Acl

RULES_PER_REQUEST = 500

_NO_ERROR = 0
_SECURITY_DISABLED = 54
_ANY = 1
_ALLOW = 3
_LITERAL, _PREFIXED = 3, 4
_RESOURCES = {"topic": 2, "group": 3}
_OPERATIONS = {"read": 3, "write": 4}
# What lets a principal pass for the sender: to write, to do all, or to give itself the right to.
_ALL, _ALTER = 2, 7
_WRITING = (_OPERATIONS["write"], _ALL, _ALTER)


class _CreateAcls(Request[CreateAclsRequest_v1]):  # type: ignore[misc]
    """Many rules in one request; aiokafka's own takes one."""

    API_KEY = CreateAclsRequest_v1.API_KEY

    def __init__(self, creations: Sequence[tuple[Any, ...]]) -> None:
        self._creations = list(creations)

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._creations)


class _DeleteAcls(Request[DeleteAclsRequest_v1]):  # type: ignore[misc]
    """Many rules in one request, in the encoding that a broker reads (as below)."""

    API_KEY = DeleteAclsRequest_v1.API_KEY

    def __init__(self, filters: Sequence[tuple[Any, ...]]) -> None:
        self._filters = list(filters)

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._filters)


class _DescribeAcls(Request[DescribeAclsRequest_v1]):  # type: ignore[misc]
    """All rules. In version 1: aiokafka writes version 2 in the older encoding, which a broker cannot read."""

    API_KEY = DescribeAclsRequest_v1.API_KEY

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(_ANY, None, _ANY, None, None, _ANY, _ANY)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the cluster has it: our own kind, or one that somebody else made."""

    principal: str
    resource: int
    pattern: int
    name: str
    host: str
    operation: int
    permission: int

    def lets_write(self, topic: str) -> bool:
        """Whether it lets its principal write to the topic, or take the right to."""
        if self.permission != _ALLOW or self.resource != _RESOURCES["topic"] or self.operation not in _WRITING:
            return False
        if self.pattern == _PREFIXED:
            return topic.startswith(self.name)
        return self.name in (topic, "*")

    def __str__(self) -> str:
        pattern = "prefix " if self.pattern == _PREFIXED else ""
        what = {_OPERATIONS["write"]: "write to", _ALL: "do everything with", _ALTER: "alter"}.get(
            self.operation, "use"
        )
        return f'{self.principal} may {what} {pattern}"{self.name}"'


async def rules(admin: Any) -> set[Rule] | None:
    """Every rule of the cluster; None when it has no authorizer: everyone may do everything.

    Raises:
        RefusedToStart: we may not look.
    """
    response = await admin._send_request(_DescribeAcls())  # noqa: SLF001 - aiokafka has the messages, not the method
    if response.error_code == _SECURITY_DISABLED:
        return None
    if response.error_code != _NO_ERROR:
        text = response.error_message or for_code(response.error_code).__name__
        raise RefusedToStart(Problem("access rules", f"could not be read: {text}"))
    return {
        Rule(principal, resource, pattern, name, host, operation, permission)
        for resource, name, pattern, entries in response.resources
        for principal, host, operation, permission in entries
    }


def as_rule(acl: Acl) -> Rule:
    """The table's entry as the cluster has it."""
    resource, operation = _RESOURCES[acl.resource], _OPERATIONS[acl.operation]
    return Rule(acl.principal, resource, _LITERAL, acl.name, "*", operation, _ALLOW)


async def add_rules(admin: Any, acls: Sequence[Acl]) -> None:
    """Add rules and return once brokers tell of them; those that exist are left as they are.

    Raises:
        RefusedToStart: the cluster refused some, each with its reason.
        TimeoutError: it took them, but its brokers do not tell of them.
    """
    problems = []
    for start in range(0, len(acls), RULES_PER_REQUEST):
        some = acls[start : start + RULES_PER_REQUEST]
        request = _CreateAcls([_wire(acl) for acl in some])
        response = await admin._send_request(request)  # noqa: SLF001
        for acl, (code, text) in zip(some, response.creation_responses, strict=True):
            if code != _NO_ERROR:
                reason = text or for_code(code).__name__
                problems.append(Problem(acl.name, f"{acl.principal} could not be allowed to {acl.operation}: {reason}"))
    if problems:
        raise RefusedToStart(*problems)

    async def are_told() -> bool:
        return {as_rule(acl) for acl in acls} <= (await rules(admin) or set())

    await until(are_told)


async def remove_rules(admin: Any, acls: Sequence[Acl]) -> None:
    """Take back exactly these rules and return once brokers tell of them no more; those that are not there are none.

    Raises:
        RefusedToStart: the cluster refused some, each with its reason.
        TimeoutError: it took them back, but its brokers still tell of them.
    """
    problems = []
    for start in range(0, len(acls), RULES_PER_REQUEST):
        some = acls[start : start + RULES_PER_REQUEST]
        response = await admin._send_request(_DeleteAcls([_wire(acl) for acl in some]))  # noqa: SLF001
        for acl, (code, text, _) in zip(some, response.filter_responses, strict=True):
            if code != _NO_ERROR:
                reason = text or for_code(code).__name__
                problems.append(
                    Problem(acl.name, f"{acl.principal} could not be forbidden to {acl.operation}: {reason}")
                )
    if problems:
        raise RefusedToStart(*problems)

    async def are_gone() -> bool:
        return not {as_rule(acl) for acl in acls} & (await rules(admin) or set())

    await until(are_gone)


def _wire(acl: Acl) -> tuple[Any, ...]:
    """A rule to make, or a filter that only this rule passes: their fields are the same."""
    rule = as_rule(acl)
    return (rule.resource, rule.name, rule.pattern, rule.principal, rule.host, rule.operation, rule.permission)
