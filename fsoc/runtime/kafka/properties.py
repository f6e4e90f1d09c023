"""The settings of our own single-node broker. Pure text; the reasons stand beside the values."""

from __future__ import annotations

import re
from pathlib import Path

from fsoc.runtime.log import BATCH_BYTES_MAX

_SETTINGS = f"""
# Written anew at each start by `fsoc kafka start`; edits are lost.
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{{port}},CONTROLLER://127.0.0.1:{{controller_port}}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{{controller_port}}
log.dirs={{data}}

# As a real cluster has: so that the access rules of the topic table can be applied and looked at here, too. Everyone on
# this machine is ANONYMOUS and may do everything.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS

# Topics are made from the topic table, or not at all.
auto.create.topics.enable=false
message.max.bytes={BATCH_BYTES_MAX}
replica.fetch.max.bytes={BATCH_BYTES_MAX}

# One node: nothing to replicate to, few partitions to recover at start.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

# A group's first member need not wait for others.
group.initial.rebalance.delay.ms=0

# Compaction for the state topics, within a small heap (the default buffer is 128 MiB).
log.cleaner.enable=true
log.cleaner.dedupe.buffer.size=16777216
# Twelve hundred topics have as many indexes: 1 MiB each still serves a segment of 512 MiB.
log.index.size.max.bytes=1048576

num.network.threads=2
num.io.threads=4
"""


def server_properties(data: Path, port: int, controller_port: int) -> str:
    """The broker's configuration file."""
    # Java reads a backslash in a properties file as an escape.
    escaped = str(data).replace("\\", "\\\\")
    return _SETTINGS.lstrip().format(data=escaped, port=port, controller_port=controller_port)


def read_port(properties: Path) -> int:
    """The client port of a configuration file.

    Raises:
        OSError: there is no such file.
        ValueError: it names no client port.
    """
    found = re.search(r"^listeners=PLAINTEXT://127\.0\.0\.1:(\d+)", properties.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError(f"{properties}: no client listener")
    return int(found[1])
