"""Finds and reads what people write: rules and mappings, in folders or the installed package. Understands none."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from fsoc.detection.documents import Source
from fsoc.errors import Problem, RefusedToStart

LOGSOURCES: Final = "logsources.yml"
ALLOW_LISTS: Final = "allow_lists.yml"
CLOCKS: Final = "clocks.yml"
SUPPRESSIONS: Final = "suppressions.yml"
_NOT_RULES: Final = {LOGSOURCES, ALLOW_LISTS, CLOCKS, SUPPRESSIONS, "waivers.yml"}
RULE_SUFFIXES: Final = frozenset({".yml", ".yaml"})
TABLE_SUFFIXES: Final = frozenset({".tsv"})


def shipped(name: str) -> Path:
    """Where what comes with fsoc lies: in the installed package, else in the checkout."""
    package = Path(__file__).parents[1]
    installed = package / "content" / name
    return installed if installed.exists() else package.parent / name


def read_sources(paths: Iterable[Path], suffixes: AbstractSet[str] = RULE_SUFFIXES) -> list[Source]:
    """Every file of the paths, in their order; of a folder those with these suffixes, by name, to any depth.

    What is by its name no rule (logsources.yml and its like) is left out of folders.

    Raises:
        RefusedToStart: naming every path that cannot be read or holds no such file.
    """
    problems: list[Problem] = []
    sources: list[Source] = []
    for path in paths:
        files = files_of(path, suffixes)
        if not files:
            lacking = f"holds no {' or '.join(sorted(suffixes))} file" if path.exists() else "no such file or folder"
            problems.append(Problem(str(path), lacking))
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
        text = path.read_bytes().decode()
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return Source(str(path), text.removeprefix("\ufeff"))
    except OSError as error:
        raise RefusedToStart(Problem(str(path), error.strerror or str(error))) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise RefusedToStart(Problem(f"{path}:{line}", f"not UTF-8: {error.reason}")) from error


def logsources_files(paths: Iterable[Path]) -> list[Path]:
    """The logsources.yml in the folders of `paths`."""
    return files_named(paths, LOGSOURCES)


def files_named(paths: Iterable[Path], name: str) -> list[Path]:
    """The files of this name in the folders of `paths`, to any depth; hidden folders left out, as of rules."""
    return [file for path in paths if path.is_dir() for file in _walk(path, (name,), ()) if file.name == name]


def allow_lists_files(paths: Iterable[Path]) -> list[Path]:
    """Every allow_lists.yml in the folders of `paths`; where there is none, the one that comes with fsoc."""
    return files_named(paths, ALLOW_LISTS) or [shipped("rules") / ALLOW_LISTS]


def files_of(path: Path, suffixes: AbstractSet[str]) -> list[Path]:
    """The file that a path is, or the files of a folder that `read_sources` reads, in its order.

    Hidden folders within it are left out: a repository's own, or the one behind a volume that Kubernetes mounts.
    """
    if not path.is_dir():
        return [path] if path.exists() else []
    return list(_walk(path, tuple(suffixes)))


def _walk(folder: Path, suffixes: tuple[str, ...], left_out: Collection[str] = _NOT_RULES) -> Iterator[Path]:
    # Not pathlib's: workers look every few seconds, at thousands of files.
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                yield from _walk(folder / entry.name, suffixes, left_out)
        elif entry.name.endswith(suffixes) and entry.name not in left_out and entry.is_file():
            yield folder / entry.name
