"""What the tests of campaigns build."""

from __future__ import annotations

import pytest

from fsoc.campaigns.records import Reach
from tests.campaign_stage import Topics, make_decision, make_told


@pytest.fixture
def topics():
    return Topics()


@pytest.fixture
def new_topics():
    return Topics


@pytest.fixture
def link():
    return make_told


@pytest.fixture
def alert():
    return lambda name, tickets, **changes: make_told(name, tickets, "alert", **changes)


@pytest.fixture
def decision():
    return make_decision


@pytest.fixture
def reach():
    return lambda at, partition=0: Reach(partition, at)
