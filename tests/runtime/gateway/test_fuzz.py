"""The gateway asked what its own OpenAPI document allows, and what it does not: schemathesis holds the answers to it.

test_answers.py asks what a stranger may who has read no document.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from fsoc.runtime.kafka.topics import table
from tests.runtime.gateway.conftest import INSTITUTIONS, PREFIX, FaultyLog, House, ticket

load_all_checks()
# A line that is no ticket is taken all the same, and quarantined; one that is, refused where its key was used before.
DEPENDS = [CHECKS.get_one(name) for name in ("negative_data_rejection", "positive_data_acceptance")]


@pytest.fixture(scope="module")
def house() -> House:
    """With a receipt to be read; it has no event loop of its own, for each request comes by another."""

    async def made() -> House:
        log = FaultyLog()
        await log.create(table(PREFIX, INSTITUTIONS, 2, "test"))
        house = House(log)
        await house.post(ticket(1))
        return house

    return asyncio.run(made())


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/tickets"), ("GET", "/v1/receipts")])
def test_what_is_answered_is_what_the_document_says(house: House, mode: GenerationMode, method: str, path: str):
    operation = schemathesis.openapi.from_asgi("/openapi.json", house.app)[path][method]
    known = {"Authorization": f"Bearer {house.tokens['fi-001']}"}
    statuses: Counter[int] = Counter()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        house.now += 60  # so that no limit is reached
        answer = case.call(headers=known)
        statuses[answer.status_code] += 1
        excluded = DEPENDS if method == "POST" else []
        case.validate_response(answer, excluded_checks=excluded, headers=known)
        assert b"Traceback" not in answer.content

    ask()
    assert max(statuses) < 500
    if mode is GenerationMode.POSITIVE:
        good, others = (202, {400, 422}) if method == "POST" else (200, set())
        assert set(statuses) - others == {good}, "400: nothing but empty lines; 422: a key again with another body"
