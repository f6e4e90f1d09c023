"""SCRAM credentials on a cluster: give, take away, list. A password stays here; its salted hash is sent."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import Any, Final

from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactBytes, CompactString, Int8, Int16, Int32, Schema, TaggedFields

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.kafka.admin import until

# Of SCRAM-SHA-512 on the wire.
MECHANISM_ID: Final = 2
# Kafka's least: our passwords are 256 bits by chance, which no number of rounds makes harder to guess.
ITERATIONS: Final = 4096
SALT_BYTES: Final = 32

_NO_ERROR: Final = 0
_NOT_FOUND: Final = 91
_text: Final = CompactString("utf-8")


class _AlterResponse(Response):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "results",
            CompactArray(("user", _text), ("error_code", Int16), ("error_message", _text), ("tags", TaggedFields)),
        ),
        ("tags", TaggedFields),
    )


class _AlterStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 51
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _AlterResponse
    SCHEMA = Schema(
        ("deletions", CompactArray(("name", _text), ("mechanism", Int8), ("tags", TaggedFields))),
        (
            "upsertions",
            CompactArray(
                ("name", _text),
                ("mechanism", Int8),
                ("iterations", Int32),
                ("salt", CompactBytes),
                ("salted_password", CompactBytes),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Alter(Request[_AlterStruct]):  # type: ignore[misc]
    """Give or take away; aiokafka has no message for it."""

    API_KEY = 51

    def __init__(self, deletions: list[Any], upsertions: list[Any]) -> None:
        self._deletions, self._upsertions = deletions, upsertions

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(self._deletions, self._upsertions, {})


class _DescribeResponse(Response):  # type: ignore[misc]
    API_KEY = 50
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("error_message", _text),
        (
            "results",
            CompactArray(
                ("user", _text),
                ("error_code", Int16),
                ("error_message", _text),
                ("credentials", CompactArray(("mechanism", Int8), ("iterations", Int32), ("tags", TaggedFields))),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _DescribeStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 50
    API_VERSION = 0
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _DescribeResponse
    SCHEMA = Schema(("users", CompactArray(("name", _text), ("tags", TaggedFields))), ("tags", TaggedFields))


class _Describe(Request[_DescribeStruct]):  # type: ignore[misc]
    """Who has any; aiokafka has no message for it."""

    API_KEY = 50

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(None, {})


async def users(admin: Any) -> frozenset[str]:
    """Everyone who has a SCRAM-SHA-512 credential.

    Raises:
        RefusedToStart: we may not look.
    """
    response = await admin._send_request(_Describe())  # noqa: SLF001 - aiokafka has no method for it
    if response.error_code != _NO_ERROR:
        text = response.error_message or for_code(response.error_code).__name__
        raise RefusedToStart(Problem("credentials", f"could not be read: {text}"))
    return frozenset(
        user
        for user, _, _, credentials, _ in response.results
        if any(mechanism == MECHANISM_ID for mechanism, _, _ in credentials)
    )


async def give(admin: Any, user: str, password: str) -> None:
    """Let a user in by this password, in place of any before. Connections that are open stay open.

    Raises:
        RefusedToStart: the cluster refused.
        TimeoutError: it took it, but its brokers do not tell of it.
    """
    salt = secrets.token_bytes(SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)
    await _alter(admin, [], [(user, MECHANISM_ID, ITERATIONS, salt, salted, {})])

    async def is_told() -> bool:
        return user in await users(admin)

    await until(is_told)


async def take(admin: Any, names: Iterable[str]) -> frozenset[str]:
    """Let these users in no more; return those that had a credential. Connections that are open stay open.

    Raises:
        RefusedToStart: the cluster refused.
    """
    having = frozenset(names) & await users(admin)
    await _alter(admin, [(name, MECHANISM_ID, {}) for name in sorted(having)], [])

    async def is_told() -> bool:
        return not having & await users(admin)

    await until(is_told)
    return having


async def _alter(admin: Any, deletions: list[Any], upsertions: list[Any]) -> None:
    response = await admin._send_request(_Alter(deletions, upsertions))  # noqa: SLF001
    problems = [
        Problem(user, f"its credential could not be changed: {text or for_code(code).__name__}")
        for user, code, text, _ in response.results
        # Taken away by another meanwhile: as it should be.
        if code not in (_NO_ERROR, _NOT_FOUND)
    ]
    if problems:
        raise RefusedToStart(*problems)
