"""What a field's values are tried against: one class per kind of value a rule can hold. compile.py makes them.

Every matcher takes what was found of the field (None: the event has no such field) and the event. A list matches if any
of its values does.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final, Literal

import re2

from fsoc.detection.event import Event, Found, Value, is_number

Place = Literal["whole", "start", "end", "anywhere"]
TimePart = Literal["minute", "hour", "day", "week", "month", "year"]
Order = Literal["lt", "lte", "gt", "gte"]
MANY: Final = 0
"""In a text with wildcards: any characters, or none."""
ONE: Final = 1
"""In a text with wildcards: one character."""

_PLACES: Final[Mapping[Place, Callable[[str, str], bool]]] = {
    "whole": operator.eq,
    "start": str.startswith,
    "end": str.endswith,
    "anywhere": operator.contains,
}
_ORDERS: Final[Mapping[Order, Callable[[float, float], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_WILD: Final = {MANY: "(?s:.*)", ONE: "(?s:.)"}
INSTRUCTIONS_MAX: Final = 5_000
"""Of a pattern's program, which the time it takes grows with: many more, and 8 KiB could take over 100 ms."""
LARGE_INSTRUCTIONS: Final = 500
LARGE_PATTERN_BYTES: Final = 32 << 20
"""What a pattern of so many instructions may remember of the states it was in. Within RE2's own 8 MiB some begin
anew all the time and take five to a thousand times as long; few rules have such a pattern."""
_ADDRESS_LENGTH_MAX: Final = 100
_TIME_LENGTH_MAX: Final = 64


class _OfEach(ABC):
    __slots__ = ()

    def __call__(self, found: Found, event: Event) -> bool:  # noqa: ARG002 - every matcher is called alike
        for value in found or ():  # noqa: SIM110 - any() and a generator take twice as long
            if self.holds(value):
                return True
        return False

    @abstractmethod
    def holds(self, value: Value) -> bool: ...


@dataclass(frozen=True, slots=True)
class Text(_OfEach):
    """Text without wildcards but at its ends.

    text: folded unless cased. number: the number the text is, where it stands for the whole value.
    """

    text: str
    place: Place
    cased: bool = False
    number: int | float | None = None

    def holds(self, value: Value) -> bool:
        subject = value.text if self.cased else value.folded
        if subject is None:
            return False
        return _PLACES[self.place](subject, self.text) or (
            self.number is not None and is_number(value.raw) and value.raw == self.number
        )


def _options(remembered_bytes: int | None = None) -> Any:
    options: Any = re2.Options()
    options.log_errors = False
    options.never_capture = True  # nobody asks what a group matched
    if remembered_bytes is not None:
        options.max_mem = remembered_bytes
    return options


_OPTIONS: Final = _options()
_OPTIONS_OF_LARGE: Final = _options(LARGE_PATTERN_BYTES)


def compiled_pattern(pattern: str) -> Any:
    """The pattern for RE2.

    Raises:
        re2.error: RE2 does not know it, or it is too large.
    """
    made: Any = re2.compile(pattern, _OPTIONS)
    if made.programsize > INSTRUCTIONS_MAX:
        raise re2.error(f"its program has {made.programsize} instructions, {INSTRUCTIONS_MAX} are allowed")
    return made if made.programsize < LARGE_INSTRUCTIONS else re2.compile(pattern, _OPTIONS_OF_LARGE)


@dataclass(frozen=True, slots=True)
class Wildcards(_OfEach):
    """Text with wildcards inside, against the whole. parts: texts, folded unless cased; MANY and ONE between them.

    Building it raises re2.error where it is too large.
    """

    parts: tuple[str | int, ...]
    cased: bool = False
    compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        inner = "".join(re2.escape(part) if isinstance(part, str) else _WILD[part] for part in self.parts)
        object.__setattr__(self, "compiled", compiled_pattern(rf"\A{inner}\z"))

    def holds(self, value: Value) -> bool:
        if value.text is None:
            return False
        return self.compiled.search(value.utf8 if self.cased else value.folded_utf8) is not None


@dataclass(frozen=True, slots=True)
class Regex(_OfEach):
    """A search on RE2 (law 14). Building it raises re2.error for what RE2 does not know, or what is too large."""

    pattern: str
    compiled: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", compiled_pattern(self.pattern))

    def holds(self, value: Value) -> bool:
        return value.text is not None and self.compiled.search(value.utf8) is not None


@dataclass(frozen=True, slots=True)
class Number(_OfEach):
    number: int | float

    def holds(self, value: Value) -> bool:
        return value.number == self.number


@dataclass(frozen=True, slots=True)
class Bool(_OfEach):
    """A boolean, or its name as text; never a number."""

    flag: bool

    def holds(self, value: Value) -> bool:
        return value.folded == ("true" if self.flag else "false")


@dataclass(frozen=True, slots=True)
class Compare(_OfEach):
    """part: compare this part of a time instead of a number."""

    order: Order
    number: int | float
    part: TimePart | None = None

    def holds(self, value: Value) -> bool:
        number = value.number if self.part is None else time_part(value, self.part)
        return number is not None and _ORDERS[self.order](number, self.number)


@dataclass(frozen=True, slots=True)
class TimeIs(_OfEach):
    part: TimePart
    number: int | float

    def holds(self, value: Value) -> bool:
        return time_part(value, self.part) == self.number


@dataclass(frozen=True, slots=True)
class Network(_OfEach):
    """An IPv4 address written as IPv6 (::ffff:10.0.0.1) lies in IPv4 networks too: Windows logs write it so."""

    network: IPv4Network | IPv6Network

    def holds(self, value: Value) -> bool:
        if not isinstance(value.raw, str) or len(value.raw) > _ADDRESS_LENGTH_MAX:
            return False
        try:
            address = ip_address(value.raw)
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return address in self.network or (mapped is not None and mapped in self.network)


@dataclass(frozen=True, slots=True)
class SameAs:
    """A value of the field against the values of another field of the same event."""

    field: str
    place: Place
    cased: bool = False

    def __call__(self, found: Found, event: Event) -> bool:
        others = event.find(self.field) or ()
        return any(self._holds(value, other) for value in found or () for other in others)

    def _holds(self, value: Value, other: Value) -> bool:
        if self.place == "whole" and (is_number(value.raw) or is_number(other.raw)):
            return value.number is not None and value.number == other.number
        mine, its = (value.text, other.text) if self.cased else (value.folded, other.folded)
        return mine is not None and its is not None and _PLACES[self.place](mine, its)


@dataclass(frozen=True, slots=True)
class Null:
    """Missing, null, or a list of nothing. An empty text is not null."""

    def __call__(self, found: Found, event: Event) -> bool:  # noqa: ARG002
        return not found or any(value.raw is None for value in found)


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether the event has the field, be it empty or null."""

    wanted: bool

    def __call__(self, found: Found, event: Event) -> bool:  # noqa: ARG002
        return (found is not None) is self.wanted


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What one value of a rule expanded to: one match is enough, even under `all`."""

    matchers: tuple[Callable[[Found, Event], bool], ...]

    def __call__(self, found: Found, event: Event) -> bool:
        return any(matcher(found, event) for matcher in self.matchers)


def time_part(value: Value, part: TimePart) -> int | None:
    """A part of an ISO 8601 time as it is written, its zone not converted. A number is s, ms, µs or ns since 1970."""
    moment = _moment(value)
    if moment is None:
        return None
    return moment.isocalendar().week if part == "week" else int(getattr(moment, part))


def _moment(value: Value) -> datetime | None:
    try:
        if isinstance(value.raw, str):
            return datetime.fromisoformat(value.raw) if len(value.raw) <= _TIME_LENGTH_MAX else None
        if not is_number(value.raw):
            return None
        seconds = value.raw
        for _ in ("ms", "µs", "ns"):
            if abs(seconds) >= 1e11:  # the year 5138 in seconds, 1973 in milliseconds
                seconds /= 1000
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
