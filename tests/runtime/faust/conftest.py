"""A carrier without a broker, and records as aiokafka hands them over."""

from __future__ import annotations

import pytest
from aiokafka import ConsumerRecord

from fsoc.runtime.faust.carrier import Carrier, set_up, settings


@pytest.fixture
def new_app():
    """An app that is set up as a worker's and never started."""

    def make(**changes):
        return set_up(Carrier("test", **settings(["127.0.0.1:1"], spread_prefix="t.tickets.") | changes))

    return make


@pytest.fixture
def fetched():
    """Makes what one fetch brings of one partition: records at these offsets."""

    def make(topic, *offsets):
        return [
            ConsumerRecord(topic, 0, offset, 1000 * offset, 0, None, b"%d" % offset, None, -1, -1, ())
            for offset in offsets
        ]

    return make
