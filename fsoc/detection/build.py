"""The detections of one YAML document as pySigma's objects, every problem with its line. Matches nothing.

pySigma's own `from_definition` stops at the first problem and knows no lines; its types and modifiers are used as they
are but for those of modifiers.py. Pipelines then work on these objects as on any of pySigma's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sigma.exceptions import SigmaError
from sigma.rule import SigmaDetection, SigmaDetectionItem
from sigma.types import SigmaString, sigma_type

from fsoc.detection.documents import Document, LineList
from fsoc.detection.modifiers import ModifierClass
from fsoc.errors import Problem

Keys = tuple[str | int, ...]

_SPECIAL: Final = re.compile(r"[*?]|\\\\")
_MISFIT: Final = re.compile(r"Modifier (\w+) incompatible to value type of '(.*)'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """How and where an item was written; pySigma carries it along as the item's source.

    key: field and modifiers; "" for keywords. values: each with its own line.
    """

    number: int
    key: str
    values: tuple[tuple[int, Any], ...]


class Builder:
    """Builds from one document and keeps every problem it meets."""

    def __init__(self, document: Document, modifiers: Mapping[str, ModifierClass]) -> None:
        self._document = document
        self._modifiers = modifiers
        self.problems: list[Problem] = []

    def refuse(self, text: str, *keys: str | int) -> None:
        self.problems.append(self._document.problem(text, *keys))

    def detections(self, named: Mapping[Any, Any], keys: Keys, *, without: frozenset[str]) -> dict[str, SigmaDetection]:
        """Every detection of a mapping but the keys `without`; those with problems are left out."""
        found = {}
        for name, definition in named.items():
            if name in without:
                continue
            if not isinstance(name, str):
                self.refuse(f"{_shown(name)} is no search identifier; quote it", *keys, name)
                continue
            detection = self._detection(definition, (*keys, name))
            if detection is not None:
                found[name] = detection
        return found

    def _detection(self, definition: Any, keys: Keys) -> SigmaDetection | None:
        if isinstance(definition, Mapping):
            parts = [self._item(key, value, (*keys, key)) for key, value in definition.items()]
        elif isinstance(definition, list) and any(isinstance(item, list | Mapping) for item in definition):
            parts = [self._detection(item, (*keys, index)) for index, item in enumerate(definition)]
        else:
            parts = [self._item("", definition, keys)]
        if not parts:
            self.refuse(f"{keys[-1]} is empty — expected fields or keywords", *keys)
        kept = [part for part in parts if part is not None]
        return SigmaDetection(kept) if kept and len(kept) == len(parts) else None

    def _item(self, key: Any, value: Any, keys: Keys) -> SigmaDetectionItem | None:
        if not isinstance(key, str):
            self.refuse(f"{_shown(key)} is no field name; quote it", *keys)
            return None
        field, *names = key.split("|")
        unknown = [name for name in names if name not in self._modifiers]
        for name in unknown:
            self.refuse(f'{key}: "{name}" is no modifier — {_nearest(name, self._modifiers)}', *keys)
        if unknown:
            return None
        values = value if isinstance(value, list) else [value]
        if not field and (not values or None in values):
            self.refuse("null needs a field — a keyword is text or a number", *keys)
            return None
        try:
            return self._typed_item(key, values, self._line(key, value, keys))
        except SigmaError as error:
            places = self._misfits(key, values) if isinstance(value, list) else {}
            for place, reason in (places or {None: error}).items():
                self.refuse(f"{key or keys[-1]}: {self._reason(reason)}", *keys, *([] if place is None else [place]))
            return None

    def _typed_item(self, key: str, values: list[Any], line: Line | None = None) -> SigmaDetectionItem:
        field, *names = key.split("|")
        typed = [self._typed(each, is_regex="re" in names) for each in values]
        return SigmaDetectionItem(field or None, [self._modifiers[name] for name in names], typed, source=line)

    def _line(self, key: str, value: Any, keys: Keys) -> Line:
        number = self._document.line_of(*keys)
        lines = value.lines if isinstance(value, LineList) else [number]
        return Line(number, key, tuple(zip(lines, value if isinstance(value, list) else [value], strict=True)))

    def _misfits(self, key: str, values: list[Any]) -> dict[int | None, SigmaError]:
        """Which values of a list cannot be used on their own, and why; none where only all together cannot."""
        found: dict[int | None, SigmaError] = {}
        for place, each in enumerate(values):
            try:
                self._typed_item(key, [each])
            except SigmaError as error:
                found[place] = error
        return found

    @staticmethod
    def _typed(value: Any, *, is_regex: bool) -> Any:
        if isinstance(value, str) and value and (is_regex or not _SPECIAL.search(value)):
            return SigmaString.from_str(value)  # nothing to unescape: half the time of reading it char by char
        if isinstance(value, str | int | float) or value is None:
            typed = sigma_type(value)
            if type(value) is int:
                typed.number = value  # pySigma goes through a float, and loses what lies past 2**53
            return typed
        kind = "mapping" if isinstance(value, Mapping) else "list" if isinstance(value, list) else type(value).__name__
        raise SigmaError(
            f"the value is a {kind} — expected text, a number, true, false or null; quote it if text is meant"
        )

    def _reason(self, error: SigmaError) -> str:
        text = str(error.args[0]) if error.args else type(error).__name__
        misfit = _MISFIT.fullmatch(text)
        if misfit is None:
            return text
        name = next(name for name, found in self._modifiers.items() if found.__name__ == misfit[1])
        return f"{name} cannot be applied to {misfit[2].strip()[:64] or 'an empty value'}; quote it if text is meant"


def _shown(value: Any) -> str:
    return f'"{str(value)[:64]}"'


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"expected one of {', '.join(sorted(known))}"
