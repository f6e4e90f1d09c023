"""Which SIEM each institution has and how its fields are called: read from the file of mappings. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fsoc.baseline.conversion.convert import pipelines_of
from fsoc.baseline.conversion.targets import TARGETS
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.document import Document, Path, unknown_name

PROFILES_MAX: Final = 64
_FILES: Final = (".yml", ".yaml")
_is_name = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}").fullmatch


@dataclass(frozen=True, slots=True)
class Profile:
    """A target with the field mapping that is applied. mapping: a name, "" for Sigma's own names; text: of a file."""

    target: str
    mapping: str = ""
    text: str | None = None

    @property
    def name(self) -> str:
        """Of its folder and its column: `splunk`, `splunk+splunk_cim`."""
        return f"{self.target}+{self.mapping}" if self.mapping else self.target

    @property
    def pipeline(self) -> str | None:
        """As `convert` takes it."""
        return self.text or self.mapping or None


DEFAULT: Final = tuple(Profile(target) for target in TARGETS)


@dataclass(frozen=True, slots=True)
class Profiles:
    """all: each once, every target's own first. chosen: by institution."""

    all: tuple[Profile, ...] = DEFAULT
    chosen: Mapping[str, Profile] = field(default_factory=dict)

    def of(self, targets: Collection[str]) -> Profiles:
        """Those of these targets alone; of all where none is named."""
        if not targets:
            return self
        chosen = {name: profile for name, profile in self.chosen.items() if profile.target in targets}
        return Profiles(tuple(profile for profile in self.all if profile.target in targets), chosen)


def read_profiles(
    text: str, where: str, file_text: Callable[[str], str], institutions: Collection[str] | None = None
) -> Profiles:
    """Read `institutions: {fi-001: {target: splunk, mapping: splunk_cim}}`.

    file_text: reads a mapping that is a file, beside `where`. institutions: those there are; None is any.

    Raises:
        RefusedToStart: every problem, with `where:line`.
    """
    document = Document.parse(text, where)
    data = document.data
    entries = data.get("institutions") if isinstance(data, dict) and set(data) == {"institutions"} else None
    if not isinstance(entries, dict):
        document.problem((), "expected {institutions: {fi-001: {target: …, mapping: …}}}")
        entries = {}
    chosen: dict[str, Profile] = {}
    for name, entry in entries.items():
        at: Path = ("institutions", name)
        if institutions is not None and name not in institutions:
            document.problem(at, unknown_name(str(name), sorted(institutions)))
        profile = _profile(document, entry, at, file_text)
        if profile is not None:
            chosen[str(name)] = profile
    every = tuple(dict.fromkeys((*DEFAULT, *sorted(chosen.values(), key=lambda one: one.name))))
    if len(every) > PROFILES_MAX:
        document.problem(("institutions",), f"{len(every)} targets with mappings, limit {PROFILES_MAX}")
    document.refuse_if_problems()
    return Profiles(every, chosen)


def _profile(document: Document, entry: Any, at: Path, file_text: Callable[[str], str]) -> Profile | None:
    """One institution's; None where something is wrong, which is told."""
    if not isinstance(entry, dict):
        document.problem(at, "expected {target: …} or {target: …, mapping: …}")
        return None
    for name in entry:
        if name not in {"target", "mapping"}:
            document.problem((*at, name), unknown_name(str(name), ("target", "mapping")))
    target, mapping = entry.get("target"), entry.get("mapping", "")
    if not isinstance(target, str) or target not in TARGETS:
        document.problem((*at, "target"), f"target: {unknown_name(str(target), TARGETS)}")
        return None
    try:
        return _mapped(target, mapping, file_text)
    except RefusedToStart as refused:
        document.problem((*at, "mapping"), f"mapping: {refused.problems[0].text}")
        return None


def _mapped(target: str, mapping: Any, file_text: Callable[[str], str]) -> Profile:
    """Raises: RefusedToStart: there is no such mapping."""
    known = pipelines_of(target)
    if mapping == "" or mapping in known:
        return Profile(target, mapping)
    if not isinstance(mapping, str) or not mapping.endswith(_FILES):
        raise RefusedToStart(Problem("", f"{unknown_name(str(mapping), known)}, or a file"))
    stem = mapping.rpartition("/")[2].rpartition(".")[0].lower()
    if not _is_name(stem):
        raise RefusedToStart(Problem("", "a file is called by letters, digits, _ and -"))
    return Profile(target, stem, file_text(mapping))
