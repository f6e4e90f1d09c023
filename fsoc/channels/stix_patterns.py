"""A value of the attacker's as a STIX pattern. Pure text; whether it parses is for `stix2` to say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_asn = re.compile(r"(?:AS)?([0-9]{1,10})", re.IGNORECASE).fullmatch
_HASHES: Final = {"sha256": "SHA-256", "sha1": "SHA-1", "md5": "MD5"}


def pattern_of(kind: str, value: str) -> str | None:
    """The pattern that matches a value of this type of indicator.

    None where STIX has no property for the type, and a Sigma rule alone can tell.
    """
    make = _PATTERNS.get(kind)
    return None if make is None else make(value)


def literal(value: str) -> str:
    """A string as patterns quote it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _equals(path: str) -> Callable[[str], str]:
    return lambda value: f"[{path} = {literal(value)}]"


def _in_any_case(path: str) -> Callable[[str], str]:
    """Of what is written in any case and told in lower case: STIX compares strings as they are."""
    return lambda value: f"[{path} MATCHES {literal(f'(?i)^{re.escape(value)}$')}]"


def _network(value: str) -> str:
    kind = "ipv6-addr" if ":" in value else "ipv4-addr"
    return f"[{kind}:value ISSUBSET {literal(value)}]"


def _autonomous_system(value: str) -> str | None:
    match = _asn(value.strip())
    return None if match is None else f"[autonomous-system:number = {int(match[1])}]"


_PATTERNS: Final[dict[str, Callable[[str], str | None]]] = {
    "ipv4": _equals("ipv4-addr:value"),
    "ipv6": _equals("ipv6-addr:value"),
    "cidr": _network,
    "asn": _autonomous_system,
    "domain": _equals("domain-name:value"),
    "url": _in_any_case("url:value"),
    "email": _equals("email-addr:value"),
    "user_agent": _in_any_case("network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"),
    **{name: _equals(f"file:hashes.'{algorithm}'") for name, algorithm in _HASHES.items()},
}
