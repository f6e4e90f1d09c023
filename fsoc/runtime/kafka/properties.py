"""The settings of our own single-node broker. Pure text; the reasons stand beside the values."""

from __future__ import annotations

import re
from pathlib import Path

from fsoc.runtime.kafka.certificates import BROKER
from fsoc.runtime.kafka.client_files import escaped
from fsoc.runtime.kafka.secured import ADMIN, Secured
from fsoc.runtime.kafka.security import MECHANISM
from fsoc.runtime.log import BATCH_BYTES_MAX

_SETTINGS = f"""
# Written anew at each start by `fsoc kafka start`; edits are lost.
process.roles=broker,controller
node.id=1
{{listeners}}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{{controller_port}}
log.dirs={{data}}

# As a real cluster has: so that the access rules of the topic table can be applied and looked at here, too.
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
{{identity}}

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


_OPEN_LISTENERS = "listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}"
_OPEN_IDENTITY = """# Everyone on this machine is ANONYMOUS and may do everything.
super.users=User:ANONYMOUS"""

# Three, each with its own way to tell who comes: clients by their password; the broker, to itself and its controller,
# by its certificate, for passwords are in the log that is yet to be read by then.
_SECURE_LISTENERS = """listeners=CLIENTS://127.0.0.1:{port},INTERNAL://127.0.0.1:{internal_port},\\
  CONTROLLER://127.0.0.1:{controller_port}
listener.security.protocol.map=CLIENTS:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL
inter.broker.listener.name=INTERNAL"""
_SECURE_IDENTITY = """# Nobody may do what no rule allows, but for the broker itself and its administrator.
super.users=User:CN={broker};User:{admin}
allow.everyone.if.no.acl.found=false
sasl.enabled.mechanisms={mechanism}
listener.name.clients.scram-sha-512.sasl.jaas.config=\\
  org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.internal.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={broker_file}
ssl.truststore.type=PEM
ssl.truststore.location={ca_file}"""


def server_properties(data: Path, port: int, controller_port: int) -> str:
    """The configuration file of a broker that trusts everyone on this machine."""
    listeners = _OPEN_LISTENERS.format(port=port, controller_port=controller_port)
    return _filled(data, controller_port, listeners, _OPEN_IDENTITY)


def secure_properties(data: Path, secured: Secured, port: int, internal_port: int, controller_port: int) -> str:
    """The configuration file of a broker that knows whom it talks to. There is no password in it."""
    listeners = _SECURE_LISTENERS.format(port=port, internal_port=internal_port, controller_port=controller_port)
    identity = _SECURE_IDENTITY.format(
        broker=BROKER,
        admin=ADMIN,
        mechanism=MECHANISM,
        broker_file=escaped(secured.broker_file),
        ca_file=escaped(secured.ca_file),
    )
    return _filled(data, controller_port, listeners, identity)


def _filled(data: Path, controller_port: int, listeners: str, identity: str) -> str:
    return _SETTINGS.lstrip().format(
        data=escaped(data), controller_port=controller_port, listeners=listeners, identity=identity
    )


def read_port(properties: Path) -> int:
    """The client port of a configuration file.

    Raises:
        OSError: there is no such file.
        ValueError: it names no client port.
    """
    found = re.search(
        r"^listeners=(?:PLAINTEXT|CLIENTS)://127\.0\.0\.1:(\d+)", properties.read_text("utf-8"), re.MULTILINE
    )
    if found is None:
        raise ValueError(f"{properties}: no client listener")
    return int(found[1])
