"""What stands under a correlation's `fsoc:` key and changes what it measures: read and checked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fsoc.correlation.conditions import Condition, read_bounds
from fsoc.correlation.lookup import complaint

OPERATORS = frozenset({"also"})
"""The keys that are read here."""

_RISING = ("gt", "gte")


class Refuse(Protocol):
    """Takes what is wrong, at the line of a key under `fsoc:`."""

    def __call__(self, text: str, key: str, under: str = "fsoc") -> None: ...


def read_operators(options: Mapping[str, Any], refuse: Refuse) -> dict[str, Any]:
    """Fields of the `CorrelationRule`, by name, for the keys that are there."""
    read: dict[str, Callable[[Any, Refuse], Any]] = {"also": _also}
    return {name: read[name](value, refuse) for name, value in options.items() if name in read}


def _also(value: Any, refuse: Refuse) -> tuple[tuple[str, Condition], ...]:
    """Fields and how many different values of each there must be, by name."""
    if not isinstance(value, dict) or not value:
        refuse("fsoc.also is not a mapping of fields to conditions such as {institution: {gte: 2}}", "also")
        return ()
    found: list[tuple[str, Condition]] = []
    for field, asked in value.items():
        if not isinstance(field, str) or not field:
            refuse(f'fsoc.also: "{field}" is not a field name', "also")
            continue
        wrong = complaint(field)
        if wrong:
            refuse(f"fsoc.also: {wrong}", "also")
        found.append((field, _bounds(f"fsoc.also.{field}", asked, _RISING, "also", refuse)))
    return tuple(sorted(found, key=lambda one: one[0]))


def _bounds(name: str, asked: Any, allowed: tuple[str, ...], key: str, refuse: Refuse) -> Condition:
    """Bounds on a count, with no other operators than those allowed."""
    if not isinstance(asked, dict) or not asked or set(map(str, asked)) - set(allowed):
        refuse(f"{name} is not a mapping of {' and '.join(allowed)}, such as {{{allowed[-1]}: 2}}", key)
        return Condition(())
    bounds, wrong = read_bounds(asked, whole=True)
    for text in wrong:
        refuse(f"{name}: {text}", key)
    return Condition(tuple(bounds))
