"""Quotas of users on a cluster: read them, set ours. What each should be is in topics.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka.errors import for_code
from aiokafka.protocol.admin import DescribeClientQuotasRequest_v0
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka.admin import until
from fsoc.runtime.kafka.topics import Quota

QUOTAS_PER_REQUEST: Final = 500

_NO_ERROR: Final = 0
_USER: Final = "user"
_ANY_NAME: Final = 2
_text: Final = String("utf-8")
_entity: Final = Array(("entity_type", _text), ("entity_name", _text))


class _AlterResponse(Response):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", _text), ("entity", _entity))),
    )


class _AlterStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = _AlterResponse
    SCHEMA = Schema(
        (
            "entries",
            Array(("entity", _entity), ("ops", Array(("key", _text), ("value", Float64), ("remove", Boolean)))),
        ),
        ("validate_only", Boolean),
    )


class _Alter(Request[_AlterStruct]):  # type: ignore[misc]
    """Set quotas; aiokafka has no message for it."""

    API_KEY = 49

    def __init__(self, entries: list[Any]) -> None:
        self._entries = entries

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._entries, False)


class _Describe(Request[DescribeClientQuotasRequest_v0]):  # type: ignore[misc]
    """Of all users that have one; aiokafka's own asks for one by its name."""

    API_KEY = DescribeClientQuotasRequest_v0.API_KEY

    def build(self, request_struct_class: Any) -> Any:
        # Strict: of users alone, not of a user on one client id.
        return request_struct_class([(_USER, _ANY_NAME, None)], True)


async def quotas(admin: Any) -> dict[str, dict[str, float]]:
    """By user: each limit that is set for it by name.

    Raises:
        RefusedToStart: we may not look.
    """
    response = await admin._send_request(_Describe())  # noqa: SLF001 - aiokafka has no method for it
    if response.error_code != _NO_ERROR:
        text = response.error_message or for_code(response.error_code).__name__
        raise RefusedToStart(Problem("quotas", f"could not be read: {text}"))
    # Without a name it is the default of users that have none.
    return {
        entity[0][1]: dict(values)
        for entity, values in response.entries or ()
        if len(entity) == 1 and entity[0][1] is not None
    }


def differ(found: Mapping[str, Mapping[str, float]], wanted: Quota) -> bool:
    """Whether a limit of the table is not set for its user; limits besides the table's are an operator's."""
    limits = found.get(wanted.user, {})
    return any(limits.get(key) != value for key, value in wanted.limits.items())


async def set_quotas(admin: Any, wanted: Sequence[Quota]) -> None:
    """Set limits and return once brokers tell of them.

    Raises:
        RefusedToStart: the cluster refused some, each with its reason.
        TimeoutError: it took them, but its brokers do not tell of them.
    """
    problems = []
    for start in range(0, len(wanted), QUOTAS_PER_REQUEST):
        entries = [
            ([(_USER, quota.user)], [(key, float(value), False) for key, value in quota.limits.items()])
            for quota in wanted[start : start + QUOTAS_PER_REQUEST]
        ]
        response = await admin._send_request(_Alter(entries))  # noqa: SLF001
        for code, text, entity in response.entries:
            if code != _NO_ERROR:
                reason = text or for_code(code).__name__
                problems.append(Problem(entity[0][1], f"its quota could not be set: {reason}"))
    if problems:
        raise RefusedToStart(*problems)

    async def are_told() -> bool:
        found = await quotas(admin)
        return not any(differ(found, quota) for quota in wanted)

    await until(are_told)
