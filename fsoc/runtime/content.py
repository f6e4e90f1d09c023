"""Finds and reads what people write: rules and mappings, in folders or the installed package. Understands none."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from fsoc.detection.documents import Source
from fsoc.errors import Problem, RefusedToStart

LOGSOURCES: Final = "logsources.yml"
_NOT_RULES: Final = {LOGSOURCES, "waivers.yml"}
_SUFFIXES: Final = {".yml", ".yaml"}


def shipped(name: str) -> Path:
    """Where what comes with fsoc lies: in the installed package, else in the checkout."""
    package = Path(__file__).parents[1]
    installed = package / "content" / name
    return installed if installed.exists() else package.parent / name


def read_sources(paths: Iterable[Path]) -> list[Source]:
    """Every rule file of the paths, in their order; within a folder by name, to any depth.

    Raises:
        RefusedToStart: naming every path that cannot be read or holds no rule file.
    """
    problems: list[Problem] = []
    sources: list[Source] = []
    for path in paths:
        files = rule_files(path)
        if not files:
            wanted = "no such file or folder" if not path.exists() else "holds no .yml or .yaml file"
            problems.append(Problem(str(path), wanted))
        for file in files:
            try:
                sources.append(read_source(file))
            except RefusedToStart as refusal:
                problems.extend(refusal.problems)
    if problems:
        raise RefusedToStart(*problems)
    return sources


def read_source(path: Path) -> Source:
    """One text file, a byte order mark left out.

    Raises:
        RefusedToStart: it cannot be read, or is not UTF-8.
    """
    try:
        return Source(str(path), path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RefusedToStart(Problem(str(path), error.strerror or str(error))) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise RefusedToStart(Problem(f"{path}:{line}", f"not UTF-8: {error.reason}")) from error


def rule_files(path: Path) -> list[Path]:
    """The file itself, or the rule files of a folder: what is not a rule by name is left out."""
    if not path.is_dir():
        return [path] if path.exists() else []
    found = (file for file in path.rglob("*") if file.suffix in _SUFFIXES and file.name not in _NOT_RULES)
    return sorted(file for file in found if file.is_file())


@contextmanager
def collector_paused() -> Iterator[None]:
    """Loading thousands of rules makes no garbage worth looking for, and looking takes a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
