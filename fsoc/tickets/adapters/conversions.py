"""One value of an event to one of a ticket. Pure; each raises ValueError with what it found and what it expects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from ipaddress import ip_interface
from typing import Any, Final

from fsoc.tickets.times import TIME_MAX_MS, milliseconds, rfc3339
from fsoc.tickets.vocabulary import ID_MAX, INTEGER_MAX, INTEGER_MIN

SECONDS_MAX: Final = 100_000_000_000
"""A number below it is seconds since 1970 (until the year 5138), from it on milliseconds (since 1973)."""

ZONE_PATTERN: Final = r"Z|[+-][0-9]{2}:[0-9]{2}"
_DIGEST_BYTES: Final = 8
_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9._:/-]+")
_NOT_FIRST_IN_IDS: Final = re.compile(r"^[^A-Za-z0-9]+")
_has_offset = re.compile(r".*(Z|z|[+-][0-9]{2}:?[0-9]{2})$").fullmatch
_is_date_and_time = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]+)?(.*)"
).fullmatch
_is_number = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,19})?").fullmatch


def text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"is {_kind(value)} — expected a single value")


def number(value: Any) -> float:
    """A number, or its text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _is_number(value.strip()):
        return float(value) if "." in value else int(value)
    raise ValueError(f"is {_shown(value)} — expected a number")


def integer(value: Any) -> int:
    found = number(value)
    if not INTEGER_MIN <= found <= INTEGER_MAX:
        raise ValueError(f"is {_shown(value)} — expected a number of 64 bit")
    return int(found)


def time(value: Any, zone: str | None = None) -> str:
    """RFC 3339 with an offset. zone: the offset of texts that have none."""
    if not isinstance(value, str) or _is_number(value.strip()):
        since = number(value)
        at_ms = int(since if since >= SECONDS_MAX else since * 1000)
        if not 0 <= at_ms <= TIME_MAX_MS:
            raise ValueError(f"is {_shown(value)} — expected seconds or milliseconds since 1970")
        return rfc3339(at_ms)
    found = _is_date_and_time(value.strip())
    if found is None:
        raise ValueError(f"is {_shown(value)} — expected a date and a time, or a number of seconds since 1970")
    date, minutes, seconds, fraction, offset = found.groups()
    whole = f"{date}T{minutes}{seconds or ':00'}{(fraction or '')[:10]}"
    offset = offset.strip()
    if not offset:
        if zone is None:
            raise ValueError(f"is {_shown(value)}, a time without an offset — say whose with zone")
        return whole + zone
    if _has_offset(offset) is None:
        raise ValueError(f"is {_shown(value)} — expected an offset such as Z or +08:00 at its end")
    return whole + (offset.upper() if offset in "Zz" or ":" in offset else f"{offset[:3]}:{offset[3:]}")


def since_1970(value: Any, zone: str | None = None) -> int:
    """A time as milliseconds since 1970, which rises with every change: a revision."""
    return milliseconds(time(value, zone))


def identifier(value: Any) -> str:
    """As a ticket's id may be written; the same for the same value."""
    whole = text(value)
    found = _NOT_FIRST_IN_IDS.sub("", _NOT_IN_IDS.sub("-", whole))
    if not found:
        raise ValueError(f"is {_shown(value)} — expected letters or digits")
    if len(found) <= ID_MAX:
        return found
    digest = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{found[: ID_MAX - len(digest) - 1]}-{digest}"


def lower(value: Any) -> str:
    return text(value).lower()


def tactic(value: Any) -> str:
    """`Initial Access` as `initial-access`."""
    return re.sub(r"[^a-z0-9_]+", "-", text(value).strip().lower()).strip("-")


def address_type(value: Any) -> str | None:
    """None: it is no address."""
    try:
        found = ip_interface(text(value))
    except ValueError:
        return None
    if "/" in text(value):
        return "cidr"
    return f"ipv{found.version}"


OF_TIMES: Final = frozenset({"time", "ms"})
"""Those that may be told a zone."""

CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "text": text,
    "int": integer,
    "time": time,
    "ms": since_1970,
    "id": identifier,
    "lower": lower,
    "tactic": tactic,
    "address_type": address_type,
}


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else "an object"


def _shown(value: Any) -> str:
    return f"{value!r:.64}"
