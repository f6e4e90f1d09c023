"""Puts together what a version is made of: items, rule texts, queries written by hand, mappings that were chosen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from fsoc.baseline.conversion.convert import missing_backends
from fsoc.baseline.conversion.targets import TARGETS
from fsoc.baseline.model import Baseline
from fsoc.baseline.publish.matrix import Matrix, Published, make_matrix, published
from fsoc.baseline.publish.profiles import DEFAULT, Profiles, read_profiles
from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.baseline.load import Loaded
from fsoc.runtime.content import files_of, read_source, shipped
from fsoc.runtime.rules import load_registry

QUERIES: Final = "queries"
MATRIX: Final = "matrix.csv"


def rules_of(loaded: Loaded) -> list[Published]:
    """The baseline's rules with their texts.

    Raises:
        RefusedToStart: the baseline or a rule has a problem: what is published is whole.
    """
    problems = [*loaded.problems, *loaded.rules.problems]
    texts = {rule.id: loaded.texts[rule.path].text for rule in loaded.rules.rules}
    problems += [Problem(rule, "is no detection of ours") for rule in loaded.baseline.rules if rule not in texts]
    if problems:
        raise RefusedToStart(*problems)
    return published(loaded.baseline, loaded.rules.rules, texts)


def as_version(baseline: Baseline, version: str) -> Baseline:
    """The same items as another version."""
    return Baseline(version, baseline.attack_version, (replace(item) for item in baseline.items.values()))


def profiles_of(mappings: Path | None, institutions: Path | None) -> Profiles:
    """What institutions chose; every target's own names where there is no file.

    Raises:
        RefusedToStart: the file, the registry or a mapping is wrong.
    """
    if mappings is None:
        return Profiles()
    source = read_source(mappings)
    known = load_registry(institutions).institutions if institutions else None
    return read_profiles(source.text, source.path, lambda name: read_source(mappings.parent / name).text, known)


def matrix_of(
    loaded: Loaded, version: str, profiles: Profiles | None = None, tell: Callable[[Published], None] = lambda _: None
) -> Matrix:
    """Convert every rule.

    Raises:
        RefusedToStart: a backend is not installed, or a rule or query is wrong.
    """
    asked = profiles.all if profiles else DEFAULT
    missing = missing_backends(dict.fromkeys(profile.target for profile in asked))
    if missing:
        hint = "its backend is not installed: pip install {}; or ask for other targets"
        texts = (Problem(target, hint.format(package)) for target, package in missing.items())
        raise RefusedToStart(*texts)
    rules = rules_of(loaded)
    written = dict(_by_hand(loaded.folder / QUERIES, {profile.target for profile in asked}))
    return make_matrix(version, rules, asked, written, tell)


def notice() -> str:
    """MITRE's terms, which go wherever ATT&CK's words go."""
    return read_source(shipped("attack_mappings") / "NOTICE").text


def _by_hand(folder: Path, targets: Collection[str]) -> Iterator[tuple[tuple[str, str], str]]:
    """Queries of `queries/<target>/<rule name>.<suffix>`."""
    for target in (TARGETS[name] for name in sorted(targets) if (folder / name).is_dir()):
        for file in files_of(folder / target.id, {target.suffix}):
            yield (target.id, file.name.removesuffix(target.suffix)), read_source(file).text
