"""YAML texts as plain data whose mappings and lists remember their lines. Knows nothing of what the data means.

Built from libyaml's events: its nodes, and PyYAML's constructor over them, take longer and forget the lines. Plain
scalars mean what PyYAML's safe loader says they mean (YAML 1.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from fsoc.errors import Problem

DEPTH_MAX: Final = 40
VALUES_MAX: Final = 200_000
"""Of one source; what an alias stands for counts each time: a text that unfolds without end is refused."""

_TAG: Final = "tag:yaml.org,2002:"
_CONSTRUCTED: Final[Mapping[str, Any]] = {
    _TAG + name: getattr(yaml.constructor.SafeConstructor, f"construct_yaml_{name}")
    for name in ("str", "int", "float", "bool", "null", "timestamp")
}
_NOT_SCALARS: Final = {_TAG + "merge", _TAG + "value"}
_COLLECTION_TAGS: Final = {_TAG + "map", _TAG + "seq"}
_CONSTRUCTOR: Final = yaml.constructor.SafeConstructor()
_IMPLICIT: Final[Mapping[str, Any]] = yaml.SafeLoader.yaml_implicit_resolvers
_Parser: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Source:
    """One text, and what to call it in errors."""

    path: str
    text: str


class LineDict(dict[Any, Any]):
    """A mapping that knows the line of each of its keys."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}


class LineList(list[Any]):
    """A list that knows the line of each of its items."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document that is a mapping; line: where it starts."""

    path: str
    line: int
    data: LineDict

    def line_of(self, *keys: str | int) -> int:
        """The line of the value that `keys` lead to, or of the nearest one around it."""
        line: int = self.line
        node: Any = self.data
        for key in keys:
            if not isinstance(node, LineDict | LineList):
                break
            try:
                line, node = node.lines[key], node[key]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                break
        return line

    def problem(self, text: str, *keys: str | int) -> Problem:
        """A problem at the line of `keys`."""
        return Problem(f"{self.path}:{self.line_of(*keys)}", text)


def read(sources: Iterable[Source]) -> tuple[list[Document], list[Problem]]:
    """Read every document of every source; what cannot be read becomes a problem and ends its own source only."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for source in sources:
        reader = _Reader(source)
        try:
            reader.read()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            reader.refuse(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}")
        except yaml.YAMLError as error:  # characters that YAML forbids
            reader.refuse(1, f"not YAML: {str(error).splitlines()[0][:200]}")
        except _NotReadableError as error:
            reader.refuse(error.line, str(error))
        documents.extend(reader.documents)
        problems.extend(reader.problems)
    return documents, problems


class _NotReadableError(Exception):
    """Ends the reading of one source."""

    def __init__(self, event: Any, text: str) -> None:
        super().__init__(text)
        self.line = _line(event)


class _Reader:
    """One source: its documents up to the first thing that cannot be read."""

    def __init__(self, source: Source) -> None:
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self._path = source.path
        self._next = _Parser(source.text).get_event
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._values = 0

    def refuse(self, line: int, text: str) -> None:
        self.problems.append(Problem(f"{self._path}:{line}", text))

    def read(self) -> None:
        while not isinstance(event := self._next(), yaml.StreamEndEvent):
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                first = self._next()
                data = self._build(first, 0)
                if isinstance(data, LineDict):
                    self.documents.append(Document(self._path, _line(first), data))
                elif data is not None:  # an empty document, as a trailing --- makes, says nothing
                    self.refuse(_line(first), "not a mapping of keys to values")

    def _build(self, event: Any, depth: int) -> Any:
        before = self._values
        self._values += 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _NotReadableError(event, f"alias *{event.anchor} stands for nothing above it")
            value, size = self._anchors[event.anchor]
            self._values += size
            return value
        if depth > DEPTH_MAX or self._values > VALUES_MAX:
            raise _NotReadableError(
                event, f"more than {VALUES_MAX} values, aliases unfolded, or deeper than {DEPTH_MAX}"
            )
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif event.tag is not None and event.tag not in _COLLECTION_TAGS:
            raise _NotReadableError(event, f"tag {event.tag} is not allowed — expected plain YAML")
        else:
            value = self._mapping(depth) if isinstance(event, yaml.MappingStartEvent) else self._sequence(depth)
        if event.anchor:
            self._anchors[event.anchor] = (value, self._values - before)
        return value

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        text, tag = event.value, event.tag
        if tag is None:
            if not event.implicit[0]:
                return text
            candidates = _IMPLICIT.get(text[:1])
            if not candidates:
                return text
            tag = next((tag for tag, shape in candidates if shape.match(text)), None)
            if tag is None or tag in _NOT_SCALARS:
                return text
        elif tag not in _CONSTRUCTED:
            raise _NotReadableError(event, f"tag {tag} is not allowed — expected plain YAML")
        try:
            return _CONSTRUCTED[tag](_CONSTRUCTOR, yaml.ScalarNode(tag, text))
        except (ValueError, KeyError) as error:  # 2026-02-30; !!int abc
            raise _NotReadableError(
                event, f'"{text[:64]}" is no {tag.rpartition(":")[2]}; quote it if text is meant'
            ) from error

    def _sequence(self, depth: int) -> LineList:
        items = LineList()
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.lines.append(_line(event))
            items.append(self._build(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> LineDict:
        mapping, merged = LineDict(), []
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _NotReadableError(event, "a key that is no scalar is not allowed")
            merge = event.value == "<<" and event.implicit[0]
            key = "<<" if merge else self._scalar(event)
            line = _line(event)
            value = self._build(self._next(), depth + 1)
            if merge:
                merged.extend(value if isinstance(value, list) else [value])
            elif key in mapping:
                self.refuse(line, f'"{key}" is written twice, first in line {mapping.lines[key]}')
            else:
                mapping[key] = value
                mapping.lines[key] = line
        for other in merged:
            if not isinstance(other, LineDict):
                raise _NotReadableError(event, "<< takes a mapping or a list of mappings")
            for key in other.keys() - mapping.keys():
                mapping[key], mapping.lines[key] = other[key], other.lines[key]
        return mapping


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
