"""What stands under a correlation's `fsoc:` key and changes what it measures: read and checked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from fsoc.correlation.conditions import Condition, read_bounds
from fsoc.correlation.lookup import complaint
from fsoc.correlation.rules import timespan_ms

_RISING: Final = ("gt", "gte")
_FALLING: Final = ("lt", "lte")

NOTHING: Final = (("eq", 0),)
"""The bounds of a rule that asks for absence."""


class Refuse(Protocol):
    """Takes what is wrong, at the line of a key under `fsoc:`."""

    def __call__(self, text: str, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class About:
    """The rest of the rule, as far as it was understood.

    timespan_ms: 0 where it was not. options: all that stands under `fsoc:`. orders: fields whose values have an order,
    and that order. lists: names of the allow lists there are.
    """

    type: str
    fields: tuple[str, ...]
    condition: Condition
    timespan_ms: int
    options: Mapping[str, Any]
    orders: Mapping[str, Sequence[str]]
    lists: Sequence[str]
    group_by: tuple[str, ...]


def read_operators(about: About, refuse: Refuse) -> dict[str, Any]:
    """Fields of the `CorrelationRule`, by name, for the keys that are there."""
    fields: dict[str, Any] = {}
    for key, value in about.options.items():
        if key in _READ:
            fields.update(_READ[key](value, about, refuse))
    return fields


def _also(value: Any, _: About, refuse: Refuse) -> dict[str, Any]:
    """Fields and how many different values of each there must be, by name."""
    if not isinstance(value, dict) or not value:
        refuse("fsoc.also is not a mapping of fields to conditions such as {institution: {gte: 2}}", "also")
        return {}
    found: list[tuple[str, Condition]] = []
    for field, asked in value.items():
        if not isinstance(field, str) or not field:
            refuse(f'fsoc.also: "{field}" is not a field name', "also")
            continue
        wrong = complaint(field)
        if wrong:
            refuse(f"fsoc.also: {wrong}", "also")
        found.append((field, _bounds(f"fsoc.also.{field}", asked, _RISING, "also", refuse)))
    return {"also": tuple(sorted(found, key=lambda one: one[0]))}


def _ordered(value: Any, about: About, refuse: Refuse) -> dict[str, Any]:
    """Count the longest chain of values, each no earlier than the one before, in the order that they have."""
    if not isinstance(value, bool):
        refuse(f'fsoc.ordered is "{value}" — expected true or false', "ordered")
        return {}
    if not value:
        return {}
    if about.type != "value_count" or len(about.fields) != 1 or about.fields[0] not in about.orders:
        text = f"fsoc.ordered needs value_count of one field whose values have an order: {', '.join(about.orders)}"
        refuse(text, "ordered")
        return {}
    for other in ("each", "spread"):
        if other in about.options:
            refuse(f"fsoc.ordered counts a chain, not values that fsoc.{other} could be asked of", "ordered")
    return {"order": tuple(about.orders[about.fields[0]])}


def _each(value: Any, about: About, refuse: Refuse) -> dict[str, Any]:
    """Count a value only where it has few tickets."""
    if about.type != "value_count":
        refuse("fsoc.each needs value_count: it is asked of each value", "each")
    few = _bounds("fsoc.each", value, _FALLING, "each", refuse)
    if not few.holds(1):
        refuse(f"fsoc.each {few} never holds: a value that is there has a ticket at least", "each")
    return {"each": few}


def _spread(value: Any, about: About, refuse: Refuse) -> dict[str, Any]:
    """Ask for time between the first tickets of the values that count."""
    if about.type != "value_count":
        refuse("fsoc.spread needs value_count: it is between the first tickets of its values", "spread")
    try:
        spread_ms = timespan_ms(value)
    except ValueError as error:
        refuse(f"fsoc.spread: {error}", "spread")
        return {}
    if spread_ms >= about.timespan_ms > 0:
        refuse(f'fsoc.spread "{value}" never lies within the timespan: expected less', "spread")
    return {"spread_ms": spread_ms}


def _cap_each(value: Any, about: About, refuse: Refuse) -> dict[str, Any]:
    """Let no member alone bring more than half of what a sum is asked for (law 13)."""
    if value != "half":
        refuse(f'fsoc.cap_each is "{value}" — expected half', "cap_each")
    if about.type != "value_sum":
        refuse("fsoc.cap_each needs value_sum: it is of each member's number", "cap_each")
    elif about.options.get("non_negative") is not True:
        refuse("fsoc.cap_each needs fsoc.non_negative: true, or a member could take from the sum", "cap_each")
    if about.condition.floor is None or about.condition.floor <= 0:
        refuse("fsoc.cap_each needs a condition with gt or gte above 0, of which half can be taken", "cap_each")
    return {"cap_each": True}


def _allow_list(value: Any, about: About, refuse: Refuse) -> dict[str, Any]:
    """Leave out groups of values that say nothing of who shares them."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        refuse("fsoc.allow_list is not the name of a list, or several", "allow_list")
        return {}
    for name in names:
        if name not in about.lists:
            known = ", ".join(about.lists) or "there is none"
            refuse(f'fsoc.allow_list names "{name}", which is no list — expected one of: {known}', "allow_list")
    if not about.group_by:
        refuse("fsoc.allow_list needs group-by: it is of the values that are grouped by", "allow_list")
    return {"allow_lists": tuple(dict.fromkeys(names))}


def _bounds(name: str, asked: Any, allowed: tuple[str, ...], key: str, refuse: Refuse) -> Condition:
    """Bounds on a count, with no other operators than those allowed."""
    if not isinstance(asked, dict) or not asked or set(map(str, asked)) - set(allowed):
        refuse(f"{name} is not a mapping of {' and '.join(allowed)}, such as {{{allowed[-1]}: 2}}", key)
        return Condition(())
    bounds, wrong = read_bounds(asked, whole=True)
    for text in wrong:
        refuse(f"{name}: {text}", key)
    return Condition(tuple(bounds))


def _absent(value: Any, about: About, refuse: Refuse) -> dict[str, Any]:
    """Look for what did not come."""
    if not isinstance(value, bool):
        refuse(f'fsoc.absent is "{value}" — expected true or false', "absent")
    if value is not True:
        return {}
    if about.type != "event_count":
        refuse("fsoc.absent needs event_count: it is that there are no tickets", "absent")
    if about.condition.bounds != NOTHING:
        refuse("fsoc.absent asks for nothing: its condition is eq: 0, or left out", "absent")
    for other in ("also", "counts_when", "hub"):
        if other in about.options:
            refuse(f"fsoc.{other} is asked of tickets, and fsoc.absent is that there are none", "absent")
    return {"absent": True}


_READ: Final[Mapping[str, Callable[[Any, About, Refuse], dict[str, Any]]]] = {
    "absent": _absent,
    "allow_list": _allow_list,
    "also": _also,
    "cap_each": _cap_each,
    "each": _each,
    "ordered": _ordered,
    "spread": _spread,
}

OPERATORS: Final = frozenset(_READ)
"""The keys that are read here."""
