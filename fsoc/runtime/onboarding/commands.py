"""The same as `--apply` does, as commands of Kafka's own tools, for clusters that fsoc may not change. Runs none."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from fsoc.runtime.kafka.admin import settings as topic_settings
from fsoc.runtime.kafka.security import MECHANISM
from fsoc.runtime.kafka.topics import Acl, Quota
from fsoc.runtime.onboarding.member import Share

_HEAD: Final = (
    "# ADMIN names the properties file of a user who may do this.",
    "ADMIN=admin.properties",
)
_OPERATIONS: Final = {"read": "Read", "write": "Write"}


def joining(brokers: str, share: Share, institution: str, scram_file: Path | None) -> list[str]:
    """Make its topics, rules, quotas and, where there is a file for it, its credential."""
    at = f'--bootstrap-server {shlex.quote(brokers)} --command-config "$ADMIN"'
    return [
        *_HEAD,
        *_topics(at, share),
        *_rules(at, share.allow, "--add"),
        *_quotas(at, share.quotas),
        *([] if scram_file is None else [_credential(at, institution, scram_file)]),
    ]


def renewing(brokers: str, user: str, scram_file: Path) -> list[str]:
    """Give it another password."""
    at = f'--bootstrap-server {shlex.quote(brokers)} --command-config "$ADMIN"'
    return [*_HEAD, _credential(at, user, scram_file)]


def leaving(brokers: str, share: Share, institution: str, *, has_password: bool) -> list[str]:
    """Take back its rules and its credential."""
    at = f'--bootstrap-server {shlex.quote(brokers)} --command-config "$ADMIN"'
    taking = f"kafka-configs.sh {at} --alter --entity-type users --entity-name {institution}"
    return [
        *_HEAD,
        *_rules(at, share.forbid, "--remove --force"),
        *([f"{taking} --delete-config {MECHANISM}"] if has_password else []),
    ]


def scram_properties(password: str) -> bytes:
    """What `--add-config-file` reads: on a command line the password would be everyone's to see."""
    return f"{MECHANISM}=password={password}\n".encode()


def _topics(at: str, share: Share) -> Iterator[str]:
    for spec in share.specs:
        configs = " ".join(f"--config {key}={value}" for key, value in topic_settings(spec).items())
        size = f"--partitions {spec.partitions} --replication-factor {spec.replicas}"
        yield f"kafka-topics.sh {at} --create --if-not-exists --topic {spec.name} {size} {configs}"


def _rules(at: str, rules: Sequence[Acl], what: str) -> Iterator[str]:
    for rule in rules:
        who = f"--allow-principal {shlex.quote(rule.principal)} --operation {_OPERATIONS[rule.operation]}"
        yield f"kafka-acls.sh {at} {what} {who} --{rule.resource} {rule.name} --resource-pattern-type literal"


def _quotas(at: str, quotas: Sequence[Quota]) -> Iterator[str]:
    for quota in quotas:
        limits = ",".join(f"{key}={value}" for key, value in quota.limits.items())
        user = f"--entity-type users --entity-name {quota.user}"
        yield f"kafka-configs.sh {at} --alter {user} --add-config {shlex.quote(limits)}"


def _credential(at: str, user: str, scram_file: Path) -> str:
    file = shlex.quote(str(scram_file))
    return f"kafka-configs.sh {at} --alter --entity-type users --entity-name {user} --add-config-file {file}"
