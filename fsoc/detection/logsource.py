"""A logsource: which logs a rule is for, and which logs an event comes from. Derives nothing (logsources.py does)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ATTRIBUTES: Final = ("product", "category", "service")


@dataclass(frozen=True, slots=True)
class Logsource:
    """product, category and service, each in lower case or unset."""

    product: str | None = None
    category: str | None = None
    service: str | None = None

    def covers(self, other: Logsource) -> bool:
        """Whether a rule for self runs on an event from `other`: each attribute is unset here or equal there."""
        return (
            self.product in (None, other.product)
            and self.category in (None, other.category)
            and self.service in (None, other.service)
        )

    def __bool__(self) -> bool:
        return self != _UNSET

    @classmethod
    def read(cls, stated: Mapping[str, Any]) -> Logsource:
        """From a mapping; other keys, such as definition, are left alone. All may be unset.

        Raises:
            ValueError: an attribute is not text.
        """
        found = {name: stated[name] for name in ATTRIBUTES if stated.get(name) not in (None, "")}
        for name, value in found.items():
            if not isinstance(value, str):
                raise ValueError(f"logsource {name} is {value!r} — expected text")  # noqa: TRY004 - one error for callers
        return cls(**{name: value.lower() for name, value in found.items()})


_UNSET: Final = Logsource()
