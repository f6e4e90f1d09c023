"""What a worker does before it connects."""

from __future__ import annotations

import sys

import pytest

from fsoc.errors import RefusedToStart
from fsoc.runtime.faust.run import SWITCH_SECONDS, run
from fsoc.settings import load


@pytest.fixture
def switch_interval():
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("switch_interval")
async def test_a_workers_threads_wait_for_each_other_no_longer_than_said():
    sys.setswitchinterval(0.005)

    with pytest.raises(RefusedToStart, match="no Kafka answers"):
        await run(load(environment={}, options={"brokers": ["127.0.0.1:1"]}), None, print)

    assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)
