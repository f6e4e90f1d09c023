"""Reads an ATT&CK release from MITRE's own STIX 2.1 bundle, through mitreattack-python. At import time only: no worker.

The library takes seconds to import, and a whole bundle a quarter of a minute and hundreds of megabytes: it is imported
when a bundle is read, and after what needs no library to be seen to be wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from fsoc.attack.defenses import Analytic, DataComponent, Defenses, LogSource, Mitigation, Strategy
from fsoc.attack.release import Entry, Release, Tactic
from fsoc.attack.tables import DEPRECATED, VERSION
from fsoc.errors import Problem, RefusedToStart

BUNDLE_BYTES_MAX: Final = 256 * 1024 * 1024
"""Five times what ATT&CK 18 has: of what is larger nothing is read."""

Object = Mapping[str, Any]
Told = Callable[[str], None]


def read_bundle(path: Path, version: str | None = None, tell: Told = lambda _: None) -> Release:
    """Read all that fsoc keeps of a bundle. version: None is what the bundle's collection says.

    Raises:
        RefusedToStart: it cannot be read, is no STIX bundle of the Enterprise matrix, or says no version.
    """
    objects = _objects(path)
    said = version or _version(objects)
    if said is None:
        raise _refused(path, "says no version of its own (no x-mitre-collection); give one with --version")
    if not VERSION.fullmatch(said):
        raise RefusedToStart(
            Problem("--version" if version else str(path), f"found {said[:20]!r}, expected 19 or 18.1")
        )
    tell("loading mitreattack-python and the bundle")
    from mitreattack.stix20 import MitreAttackData  # seconds and hundreds of MB: only here
    from stix2.exceptions import STIXError

    try:
        data = MitreAttackData(stix_filepath=str(path))
        return Release(said, _tactics(data, path), _entries(data, tell), _defenses(data, said, tell))
    except (STIXError, ValueError, KeyError, AttributeError, TypeError) as error:
        # What the library says of an object it cannot take: whoever made the bundle has to mend it.
        raise _refused(
            path, f"an object in it is not as STIX 2.1 has it: {type(error).__name__}: {str(error)[:300]}"
        ) from error


def _objects(path: Path) -> list[Object]:
    try:
        size = path.stat().st_size
        if size > BUNDLE_BYTES_MAX:
            raise _refused(path, f"is {size} bytes, limit {BUNDLE_BYTES_MAX}")
        bundle = json.loads(path.read_bytes())
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    except json.JSONDecodeError as error:
        raise RefusedToStart(Problem(f"{path}:{error.lineno}", f"not JSON: {error.msg}")) from error
    except UnicodeDecodeError as error:
        raise _refused(path, f"not UTF-8: {error.reason}") from error
    objects = bundle.get("objects") if isinstance(bundle, dict) and bundle.get("type") == "bundle" else None
    if not isinstance(objects, list) or not all(isinstance(each, dict) and "type" in each for each in objects):
        raise _refused(path, "is JSON, and no STIX bundle: expected an object of type bundle with a list of objects")
    matrices = [each for each in objects if each["type"] == "x-mitre-matrix"]
    if not any(str(each.get("name", "")).startswith("Enterprise") for each in matrices):
        found = ", ".join(repr(str(each.get("name"))[:40]) for each in matrices) or "none"
        raise _refused(path, f"holds no Enterprise matrix (matrices: {found}); expected enterprise-attack-*.json")
    return objects


def _version(objects: Iterable[Object]) -> str | None:
    said = [each.get("x_mitre_version") for each in objects if each["type"] == "x-mitre-collection"]
    return str(said[0]) if said and said[0] else None


def _tactics(data: Any, path: Path) -> list[Tactic]:
    by_stix = {tactic["id"]: tactic for tactic in data.get_objects_by_type("x-mitre-tactic")}
    matrix = next(m for m in data.get_objects_by_type("x-mitre-matrix") if m["name"].startswith("Enterprise"))
    lost = [ref for ref in matrix["tactic_refs"] if ref not in by_stix]
    if lost:
        raise _refused(path, f"its matrix names tactics that it does not hold: {', '.join(lost[:3])}")
    named = [by_stix[ref] for ref in matrix["tactic_refs"]]
    return [Tactic(_id(tactic), tactic["x_mitre_shortname"], tactic["name"]) for tactic in named]


def _entries(data: Any, tell: Told) -> list[Entry]:
    entries = []
    techniques = data.get_techniques(include_subtechniques=True, remove_revoked_deprecated=False)
    for number, technique in enumerate(techniques, 1):
        tell(f"techniques: {number:,} of {len(techniques):,}")
        now = DEPRECATED if technique.get("x_mitre_deprecated", False) else ""
        if technique.get("revoked", False):
            heir = data.get_revoking_object(technique["id"])
            now = _id(heir) if heir is not None else DEPRECATED
        phases = tuple(phase["phase_name"] for phase in technique.get("kill_chain_phases", []))
        entries.append(Entry(_id(technique), technique["name"], phases, now))
    return entries


def _defenses(data: Any, version: str, tell: Told) -> Defenses:
    def used(kind: str) -> Iterator[Object]:
        tell(f"defenses: {kind}")
        for each in data.get_objects_by_type(kind):
            if not each.get("revoked", False) and not each.get("x_mitre_deprecated", False) and _id(each):
                yield each

    techniques = {each["id"]: _id(each) for each in used("attack-pattern")}
    countered, detected = _related(data, "mitigates", techniques), _related(data, "detects", techniques)
    # A mitigation of before 2019 has a technique's id: it is that technique's own advice, and is in no use.
    mitigations = [each for each in used("course-of-action") if _id(each).startswith("M")]
    components = {each["id"]: each for each in used("x-mitre-data-component")}
    strategies = list(used("x-mitre-detection-strategy"))
    of_analytic = {ref: _id(each) for each in strategies for ref in each.get("x_mitre_analytic_refs", [])}
    return Defenses(
        version,
        {_id(each): Mitigation(_id(each), _line(each["name"]), countered.get(each["id"], ())) for each in mitigations},
        {_id(each): DataComponent(_id(each), _line(each["name"])) for each in components.values()},
        tuple(log_sources((_id(each), _logged(each.get("x_mitre_log_sources", []))) for each in components.values())),
        {_id(each): Strategy(_id(each), _line(each["name"]), detected.get(each["id"], ())) for each in strategies},
        {
            _id(each): _analytic(each, of_analytic[each["id"]], components)
            for each in used("x-mitre-analytic")
            if each["id"] in of_analytic
        },
    )


def _analytic(each: Object, strategy: str, components: Mapping[str, Object]) -> Analytic:
    logged = each.get("x_mitre_log_source_references", [])
    refs = {reference["x_mitre_data_component_ref"] for reference in logged}
    return Analytic(
        _id(each),
        strategy,
        tuple(map(_line, each.get("x_mitre_platforms", []))),
        tuple(sorted(_id(components[ref]) for ref in refs if ref in components)),
        tuple(sorted({_line(reference["name"]) for reference in logged})),
    )


def _related(data: Any, how: str, techniques: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Source of each relationship of this kind → the techniques in use that it is about."""
    found: dict[str, set[str]] = {}
    for each in data.get_objects_by_type("relationship"):
        if each["relationship_type"] == how and not each.get("revoked", False) and each["target_ref"] in techniques:
            found.setdefault(each["source_ref"], set()).add(techniques[each["target_ref"]])
    return {source: tuple(sorted(several)) for source, several in found.items()}


def log_sources(told: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> Iterator[LogSource]:
    """Of (data component, its (name, channel)s): each name and channel once, with all that it carries."""
    carried: dict[tuple[str, str], set[str]] = {}
    for component, logged in told:
        for place in logged:
            carried.setdefault(place, set()).add(component)
    for (name, channel), components in sorted(carried.items()):
        yield LogSource(name, channel, tuple(sorted(components)))


def _logged(sources: Iterable[Object]) -> Iterator[tuple[str, str]]:
    for source in sources:
        yield _line(source["name"]), channel_of(source.get("channel"))


def channel_of(channel: Any) -> str:
    """As a cell: MITRE writes None, as a word, where it is all of a log source."""
    return "" if channel in (None, "None") else _line(channel)


def _line(text: Any) -> str:
    """In one cell, whatever white space is in it."""
    return " ".join(str(text).split())


def _id(each: Object) -> str:
    """Its ATT&CK id; "" where it has none, as data components had before 18."""
    references = each.get("external_references", [])
    return next((str(ref["external_id"]) for ref in references if ref.get("source_name") == "mitre-attack"), "")


def _refused(path: Path, text: str) -> RefusedToStart:
    return RefusedToStart(Problem(str(path), text))
