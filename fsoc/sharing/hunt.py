"""Sigma rules that look for an alert's indicators in the receiver's own logs. Pure.

One rule a kind of log, with the field names of Sigma's taxonomy, so that any backend of pySigma's can convert it. Its
id is a function of what it looks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import yaml

VALUES_MAX: Final = 60
"""That one rule looks for."""


class Sought(NamedTuple):
    """One value, by its type."""

    type: str
    value: str


class _Log(NamedTuple):
    """A kind of log, and what of it holds values of some types: type → selections, any of which is a hit."""

    title: str
    title_zh: str
    logsource: Mapping[str, str]
    fields: Mapping[str, Sequence[str]]


# A type's selections are fields with modifiers; how the value is written for each is in `_written`.
_LOGS: Final = (
    _Log(
        "Traffic with an attacker's address",
        "與攻擊者位址之連線",
        {"category": "firewall"},
        {
            "ipv4": ("dst_ip", "src_ip"),
            "ipv6": ("dst_ip", "src_ip"),
            "cidr": ("dst_ip|cidr", "src_ip|cidr"),
        },
    ),
    _Log(
        "Look-up of an attacker's domain",
        "查詢攻擊者網域",
        {"category": "dns"},
        {"domain": ("query", "query|endswith")},
    ),
    _Log(
        "Web access to an attacker's site, or by the attacker's tool",
        "連線至攻擊者網站或使用攻擊者工具",
        {"category": "proxy"},
        {
            "domain": ("cs-host", "cs-host|endswith"),
            "url": ("c-uri|contains",),
            "user_agent": ("c-useragent",),
        },
    ),
    _Log(
        "An attacker's tool at a web server of one's own",
        "攻擊者工具存取自有網站",
        {"category": "webserver"},
        {"ipv4": ("c-ip",), "ipv6": ("c-ip",), "user_agent": ("cs-user-agent",)},
    ),
    _Log(
        "An attacker's program is started",
        "執行攻擊者程式",
        {"product": "windows", "category": "process_creation"},
        {"sha256": ("Hashes|contains",), "sha1": ("Hashes|contains",), "md5": ("Hashes|contains",)},
    ),
)


def hunts(
    sought: Iterable[Sought], techniques: Sequence[str], tactics: Sequence[str], level: str, day: str
) -> list[dict[str, str]]:
    """A rule for each kind of log in which one of these can be seen. techniques, tactics: ids and short names."""
    values = list(dict.fromkeys(sought))[:VALUES_MAX]
    return [_hunt(log, fitting, techniques, tactics, level, day) for log in _LOGS if (fitting := _fitting(log, values))]


def _fitting(log: _Log, values: Sequence[Sought]) -> list[Sought]:
    return [one for one in values if one.type in log.fields]


def _hunt(
    log: _Log, values: Sequence[Sought], techniques: Sequence[str], tactics: Sequence[str], level: str, day: str
) -> dict[str, str]:
    selections: dict[str, list[str]] = {}
    for one in values:
        for field in log.fields[one.type]:
            selections.setdefault(field, []).append(_written(one, field))
    rule_id = _uuid(repr((sorted(log.logsource.items()), sorted(values))))
    detection: dict[str, Any] = {
        f"by_{number}": {field: found if len(found) > 1 else found[0]}
        for number, (field, found) in enumerate(sorted(selections.items()), 1)
    }
    rule = {
        "title": log.title,
        "id": rule_id,
        "status": "experimental",
        "description": "Indicators of a joint alert of the financial sector's F-SOC. Withdraw it when the alert is.",
        "author": "F-SOC",
        "date": day,
        "tags": [*(f"attack.{name}" for name in tactics), *(f"attack.{name.lower()}" for name in techniques)],
        "logsource": dict(log.logsource),
        "detection": {**detection, "condition": "1 of by_*"},
        "falsepositives": ["Shared hosting, and values that are looked at by analysts"],
        "level": "high" if level == "critical" else level,
    }
    if not rule["tags"]:
        del rule["tags"]
    text = yaml.safe_dump(rule, sort_keys=False, allow_unicode=True, width=110)
    return {"rule_id": rule_id, "title": log.title, "title_zh": log.title_zh, "sigma": text}


def _written(one: Sought, field: str) -> str:
    """The value as the field has it, escaped as Sigma asks."""
    value = one.value
    if field == "Hashes|contains":
        return f"{one.type.upper()}={value.upper()}"
    if one.type == "url":
        value = value.partition("://")[2]
    if field.endswith("|endswith"):
        value = f".{value}"
    return value if field.endswith("|cidr") else value.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def _uuid(text: str) -> str:
    """A name-based UUID of version 8 (RFC 9562)."""
    digits = bytearray(blake2b(text.encode(), digest_size=16, person=b"fsoc-hunt").digest())
    digits[6] = digits[6] & 0x0F | 0x80
    digits[8] = digits[8] & 0x3F | 0x80
    name = digits.hex()
    return f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}"
