"""A Faust app set up to carry slices, and nothing else: no tables, no web server, no topics of its own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import faust
from faust.auth import Credentials, SASLCredentials, SSLCredentials
from faust.types import TP
from yarl import URL

from fsoc.runtime.faust.assignor import spread_assignor
from fsoc.runtime.faust.transport import SliceTransport
from fsoc.runtime.kafka.security import OPEN, Security

# A worker that died is noticed after this long; the broker allows no less than 6 s.
SESSION_SECONDS = 6.0
# Only its answer tells a worker of a rebalance, for which all the others wait.
HEARTBEAT_SECONDS = 0.5
# Counts slices, not tickets: at most this many fetched slices wait for an agent.
BUFFERED_SLICES = 64
# Of one partition in one fetch. Of a backlog so much comes that nobody waits long behind it.
FETCH_BYTES_MAX = 256 * 1024
# A change of the registry is subscribed to this soon; Faust's own 45 s is meant for agents that restart in a loop.
RESUBSCRIBE_SECONDS = 0.5
# A topic that is created after it was subscribed to is found this soon.
METADATA_SECONDS = 15.0


class Carrier(faust.App):  # type: ignore[misc]
    """Faust's App with the places where a worker must know of a rebalance. By itself it does nothing there."""

    # Else its base class speaks under the names of our modules.
    logger = logging.getLogger("faust.app")

    def rebalance_started(self) -> None:
        """Partitions are about to be revoked. Called in the consumer's thread, before anything else happens."""

    async def before_revoked(self) -> None:
        """The partitions are still ours until this returns; what is done and acked by then is committed."""

    async def before_assigned(self, assigned: set[TP], generation: int) -> None:
        """These are ours from now on; their slices come after this returns."""

    def held_back(self) -> frozenset[TP]:
        """The partitions of which nothing is to be fetched for now. Called in the consumer's thread."""
        return frozenset()

    def on_rebalance_start(self) -> None:
        self.rebalance_started()
        super().on_rebalance_start()

    def _create_directories(self) -> None:
        """Faust would make `<id>-data/` where it was started; nothing is kept on disk."""


def set_up(app: Carrier) -> Carrier:
    """Give the app the slice transport."""
    app.transport = SliceTransport(app.conf.broker_consumer, app)
    app.topics._resubscribe_sleep_lock_seconds = RESUBSCRIBE_SECONDS  # noqa: SLF001 - Faust has no setting for it
    return app


def settings(brokers: Sequence[str], security: Security = OPEN, *, spread_prefix: str) -> dict[str, Any]:
    """Faust's settings for a carrier.

    spread_prefix: topics whose name begins so are spread over the workers one by one.

    Raises:
        RefusedToStart: a file that `security` names cannot be used.
    """
    return {
        "broker": [URL(f"kafka://{broker}") for broker in brokers],
        "broker_credentials": _credentials(security.client()),
        "store": "memory://",
        "autodiscover": False,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "PartitionAssignor": spread_assignor(spread_prefix),
        # The driver takes the assignor from these settings only where standbys are asked for. There are no tables.
        "table_standby_replicas": 1,
        "broker_session_timeout": SESSION_SECONDS,
        "broker_heartbeat_interval": HEARTBEAT_SECONDS,
        "consumer_max_fetch_size": FETCH_BYTES_MAX,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": int(METADATA_SECONDS * 1000),
        "stream_buffer_maxsize": BUFFERED_SLICES,
        "stream_wait_empty": False,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
        "web_tables_enabled": False,
        "web_bind": "127.0.0.1",
        "worker_redirect_stdouts": False,
    }


def _credentials(client: dict[str, Any]) -> Credentials | None:
    """What every client of aiokafka's is given, as Faust hands it on to its own."""
    context = client.get("ssl_context")
    if "sasl_mechanism" in client:
        return SASLCredentials(
            username=client["sasl_plain_username"],
            password=client["sasl_plain_password"],
            mechanism=client["sasl_mechanism"],
            ssl_context=context,
        )
    return SSLCredentials(context) if context is not None else None
