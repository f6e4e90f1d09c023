"""Where rules, and all that decides what they mean, are read from; what was read, and its digest. Compiles nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from fsoc.detection.documents import Source
from fsoc.errors import together
from fsoc.runtime.attack_files import read_tables, technique_files
from fsoc.runtime.content import (
    CLOCKS,
    LOGSOURCES,
    RULE_SUFFIXES,
    SUPPRESSIONS,
    allow_lists_files,
    files_named,
    files_of,
    read_source,
    read_sources,
    shipped,
)

DIGEST_BYTES = 16

FileSignature = tuple[str, int, int, int, int]
"""Path, size, times of the last change of its content and of its entry, and its number on the disk."""


class Content(Struct, frozen=True):
    """The texts a rule set is made of, and from which what its matches mean follows. attack: the ATT&CK tables."""

    rules: tuple[Source, ...]
    logsources: Source
    attack: tuple[Source, ...]
    placeholders: Source | None = None
    pipeline: Source | None = None
    allow_lists: tuple[Source, ...] = ()
    clocks: tuple[Source, ...] = ()
    suppressions: tuple[Source, ...] = ()

    @property
    def digest(self) -> str:
        """Two workers whose content has the same digest decide alike."""
        digest = blake2b(digest_size=DIGEST_BYTES)
        for name, sources in self._named():
            digest.update(f"{name} {len(sources)}\n".encode())
            for source in sources:
                for text in (source.path.encode("utf-8", "surrogateescape"), source.text.encode()):
                    digest.update(b"%d\n" % len(text))
                    digest.update(text)
        return digest.hexdigest()

    def _named(self) -> Iterator[tuple[str, tuple[Source, ...]]]:
        yield "rules", self.rules
        yield "logsources", (self.logsources,)
        yield "attack", self.attack
        yield "placeholders", () if self.placeholders is None else (self.placeholders,)
        yield "pipeline", () if self.pipeline is None else (self.pipeline,)
        yield "allow lists", self.allow_lists
        yield "clocks", self.clocks
        yield "suppressions", self.suppressions


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """Files and folders. rules: () are those that fsoc ships; logsources, attack: None is what fsoc ships.

    Allow lists are those in the folders of rules; where these hold none, what fsoc ships.
    clocks.yml and suppressions.yml are those in the folders of the rules, to any depth; where there is none, those that
    fsoc ships.
    """

    rules: tuple[Path, ...] = ()
    logsources: Path | None = None
    placeholders: Path | None = None
    pipeline: Path | None = None
    attack: Path | None = None

    def read(self) -> Content:
        """All of them.

        Raises:
            RefusedToStart: naming every one that cannot be read.
        """
        rules, logsources, attack, placeholders, pipeline, allow_lists, clocks, suppressions = together(
            lambda: read_sources(self._rules),
            lambda: read_source(self._logsources),
            lambda: read_tables(self.attack),
            lambda: read_source(self.placeholders) if self.placeholders else None,
            lambda: read_source(self.pipeline) if self.pipeline else None,
            lambda: tuple(read_sources(allow_lists_files(self._rules))),
            lambda: tuple(map(read_source, self.named(CLOCKS))),
            lambda: tuple(map(read_source, self.named(SUPPRESSIONS))),
        )
        return Content(
            tuple(rules), logsources, tuple(attack), placeholders, pipeline, allow_lists, clocks, suppressions
        )

    def signature(self) -> frozenset[FileSignature]:
        """Changes when a file is added, removed or written; content may be the same nevertheless. Reads none."""
        single = (self._logsources, self.placeholders, self.pipeline)
        files = [file for path in self._rules for file in files_of(path, RULE_SUFFIXES)]
        files += technique_files(self.attack)
        files += [path for path in single if path is not None]
        files += allow_lists_files(self._rules)
        files += [file for name in (CLOCKS, SUPPRESSIONS) for file in self.named(name)]
        return frozenset(filter(None, map(_signed, files)))

    def named(self, name: str) -> list[Path]:
        """The files of this name that apply."""
        return files_named(self._rules, name) or [shipped("rules") / name]

    @property
    def _rules(self) -> tuple[Path, ...]:
        return self.rules or (shipped("rules"),)

    @property
    def _logsources(self) -> Path:
        return self.logsources or shipped("rules") / LOGSOURCES


def _signed(file: Path) -> FileSignature | None:
    try:
        status = file.stat()
    except OSError:  # it went while we looked
        return None
    return str(file), status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
