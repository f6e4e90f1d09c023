"""A YAML text as plain data that remembers the line of every value. Knows nothing of what the data means.

Used for what people write by hand (registry, settings), so that every error can name its line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from fsoc.errors import Problem, RefusedToStart

NODES_MAX: Final = 200_000  # aliases count each time they are used: a text that unfolds without end is refused
DEPTH_MAX: Final = 16

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Path = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """Data, the line each value was written in, and the problems found while reading it."""

    where: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str, where: str) -> Document:
        """Read one YAML document.

        Raises:
            RefusedToStart: not YAML, more than one document, or it unfolds without end.
        """
        document = cls(where)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            document.data = None if node is None else document._read(loader, node, (), [0])
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise RefusedToStart(Problem(f"{where}:{line}", f"not YAML: {error.problem or error.context}")) from error
        except (yaml.YAMLError, ValueError) as error:  # characters YAML forbids; dates such as 2026-02-30
            raise RefusedToStart(Problem(where, f"not YAML: {str(error).splitlines()[0][:200]}")) from error
        finally:
            loader.dispose()
        return document

    def problem(self, path: Path, text: str) -> None:
        """Note a problem at the line of `path`, or of the nearest value around it."""
        self.problems.append(Problem(self.place(path), text))

    def place(self, path: Path) -> str:
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.where}:{self.lines.get(path, 1)}"

    def refuse_if_problems(self) -> None:
        """Raise RefusedToStart with every problem noted so far, in the order of their lines."""
        if self.problems:
            raise RefusedToStart(*sorted(self.problems, key=_line))

    def _read(self, loader: Any, node: yaml.Node, path: Path, nodes: list[int]) -> Any:
        nodes[0] += 1
        if nodes[0] > NODES_MAX or len(path) > DEPTH_MAX:
            text = f"holds more than {NODES_MAX} values or nests deeper than {DEPTH_MAX}, aliases unfolded"
            raise RefusedToStart(Problem(f"{self.where}:{node.start_mark.line + 1}", text))
        self.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path, nodes)
        if isinstance(node, yaml.SequenceNode):
            return [self._read(loader, item, (*path, index), nodes) for index, item in enumerate(node.value)]
        return loader.construct_object(node)

    def _mapping(self, loader: Any, node: yaml.MappingNode, path: Path, nodes: list[int]) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            line = key_node.start_mark.line + 1
            if key in mapping:
                first = self.lines[(*path, key)]
                self.problems.append(
                    Problem(f"{self.where}:{line}", f'"{key}" is written twice, first in line {first}')
                )
                continue
            mapping[key] = self._read(loader, value_node, (*path, key), nodes)
            self.lines[(*path, key)] = line
        return mapping


def unknown_name(name: str, known: Iterable[str]) -> str:
    """`"grup" is unknown; did you mean "group"? Known: …`"""
    known = list(known)
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f'; did you mean "{nearest[0]}"?' if nearest else "."
    return f'"{name[:64]}" is unknown{hint} Known: {", ".join(known)}'


def _line(problem: Problem) -> tuple[str, int]:
    path, _, line = problem.where.rpartition(":")
    return path, int(line) if line.isdigit() else 0
