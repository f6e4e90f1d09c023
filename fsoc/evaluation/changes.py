"""One value of a correlation, changed in its parsed document. Whatever a rule may say can be changed.

gte                the one bound of that name, wherever the rule has it
condition.gte      the same, with its place
fsoc.surge_factor  under the rule's `fsoc:`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml

from fsoc.correlation.conditions import OPERATORS
from fsoc.detection.documents import Document, LineDict

Path = tuple[str, ...]

_SECTIONS: Final[dict[str, Path]] = {
    "condition": ("correlation", "condition"),
    "correlation": ("correlation",),
    "fsoc": ("fsoc",),
}
_SEARCHED: Final[tuple[Path, ...]] = (("correlation", "condition"), ("correlation",), ("fsoc",))
_OF_CORRELATIONS: Final = frozenset({"type", "rules", "group-by", "timespan", "aliases", "generate"})


@dataclass(frozen=True, slots=True)
class Change:
    """rule: an id, a name or a title; None: every correlation that says anything under the key.

    value: as YAML has it; None takes the key out.
    """

    rule: str | None
    key: str
    value: Any

    def __str__(self) -> str:
        shown = "" if self.value is None else self.value
        return f"{self.key}={shown}" if self.rule is None else f"{self.rule}:{self.key}={shown}"


def value_of(text: str) -> Any:
    """`3` is a number, `4h` text, `true` true, and nothing is None, as they are in a rule.

    Raises:
        ValueError: not a value that fits on one line of YAML.
    """
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f'"{text}" is no YAML value') from error


def shown(value: Any) -> str:
    """A value as a person would write it; where the rule says nothing, its default."""
    return str(value).lower() if isinstance(value, bool) else "default" if value is None else str(value)


def path_of(document: Document, key: str) -> Path:
    """Where a key lies in a rule; with no section named, where the rule has it, else where a rule would have it."""
    section, dot, rest = key.partition(".")
    if dot and section in _SECTIONS:
        return (*_SECTIONS[section], *rest.split("."))
    if key in OPERATORS:
        return ("correlation", "condition", key)
    for path in _SEARCHED:
        if found(document, (*path, key)):
            return (*path, key)
    return ("correlation", key) if key in _OF_CORRELATIONS else ("fsoc", key)


def found(document: Document, path: Path) -> bool:
    node: Any = document.data
    for key in path:
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return True


def value_at(document: Document, path: Path) -> Any:
    """What the rule says there; None where it says nothing."""
    node: Any = document.data
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def is_called(document: Document, name: str) -> bool:
    return name in {str(document.data.get(key)) for key in ("id", "name", "title") if document.data.get(key)}


def concerned(documents: Iterable[Document], change: Change) -> list[Document]:
    """The documents that a change is about; none is a mistake of whoever asked for it."""
    if change.rule is not None:
        return [document for document in documents if is_called(document, change.rule)]
    return [document for document in documents if found(document, path_of(document, change.key))]


def changed(documents: Sequence[Document], changes: Iterable[Change]) -> list[Document]:
    """The documents with all changes made; those given stay as they are."""
    result = list(documents)
    for change in changes:
        about = {id(document) for document in concerned(result, change)}
        result = [
            replace(document, data=_with(document.data, path_of(document, change.key), change.value, document.line))
            if id(document) in about
            else document
            for document in result
        ]
    return result


def _with(mapping: Any, path: Path, value: Any, line: int) -> LineDict:
    """A copy of the mapping with another value at the path; what is no mapping on the way there becomes one."""
    copy = LineDict()
    if isinstance(mapping, dict):
        copy.update(mapping)
        copy.lines.update(getattr(mapping, "lines", {}))
    key, *rest = path
    line = copy.lines.get(key, line)
    if rest:
        value = _with(copy.get(key), tuple(rest), value, line)
        copy[key], copy.lines[key] = value, line
    elif value is None:
        copy.pop(key, None)
        copy.lines.pop(key, None)
    else:
        copy[key], copy.lines[key] = value, line
    return copy
