"""The statement of the day: what is said of the others, the same to everybody. Pure; made by picking, by field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, Protocol, get_args

from fsoc.attack.techniques import Techniques
from fsoc.correlation.terms import TOLD_TYPES
from fsoc.institutions.registry import Registry
from fsoc.sharing import words
from fsoc.sharing.allowed import FREE, Names, Value, of_form
from fsoc.sharing.caution import Caution, confidence_told
from fsoc.sharing.hunt import Sought, hunts
from fsoc.sharing.mitigations import advice
from fsoc.sharing.records import TOLD, Pair, Row, Shared
from fsoc.tickets.times import milliseconds, rfc3339
from fsoc.tickets.vocabulary import ID_PATTERN, AssetType, Category

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000

Statement = dict[str, Any]

KEY_FIELDS: Final = frozenset({"indicator", "cs-host"})
"""Fields of a group, besides `observable:<type>`, whose value is the attacker's where institutions share it."""

_OBSERVABLES: Final = frozenset(f"observable:{kind}" for kind in TOLD_TYPES)
_ASSETS: Final = frozenset(get_args(AssetType))
_CATEGORIES: Final = frozenset(get_args(Category))
_is_id = re.compile(ID_PATTERN).fullmatch


class Sector(Protocol):
    """Among whom it is told, and by what words."""

    @property
    def registry(self) -> Registry: ...
    @property
    def techniques(self) -> Techniques: ...
    @property
    def names(self) -> Names: ...
    @property
    def caution(self) -> Caution: ...
    @property
    def registered(self) -> int: ...


def day_of(at_ms: int) -> str:
    """The day in Taiwan."""
    return rfc3339(at_ms + words.TAIWAN_MS)[:10]


Reason = Literal["kind", "environment", "suppressed", "red", "few"]
"""Why nobody may be told: of what kind it is; that it is of a drill, a test or an incident, and the installation is for
another of these; a suppression; that it rests on red tickets; that too few are left."""


def untold(shared: Shared, caution: Caution, registered: int) -> Reason | None:
    """Why nobody may be told of an alert; None where all who should may. registered: the size of the sector."""
    if shared.kind not in TOLD:
        return "kind"
    if caution.environment not in {None, shared.environment}:
        return "environment"
    if shared.suppressed is not None:
        return "suppressed"
    if shared.kind == "feed":
        return None
    if not shared.sharing.stands or len(shared.told_of) < 2:
        return "red"
    return None if caution.hides(registered, shared.sharing.institutions_least) else "few"


def statement(shared: Shared, day: str, sector: Sector, *, is_common: bool | None = None) -> Statement | None:
    """What is said of an alert on this day; None of one on a feed: there is nobody else in it.

    is_common: whether so many have what joins the tickets that it is told though its form says little; by default,
    whether k do.
    """
    if shared.kind == "feed":
        return None
    if is_common is None:
        is_common = len(shared.told_of) >= sector.caution.k
    red = shared.sharing.red
    pairs = _known(shared.attack if red is None else red.attack, sector.techniques)
    first, last = (shared.first_seen, shared.last_seen) if red is None else (red.first_seen, red.last_seen)
    first_seen, last_seen = _hour(first or shared.first_seen), _hour(last or shared.last_seen)
    count = sector.caution.at_least(len(shared.told_of), sector.registered)
    indicators = list(_indicators(shared, sector, is_common=is_common))
    techniques = list(dict.fromkeys(pair.technique for pair in pairs))
    tactics = list(dict.fromkeys(pair.tactic for pair in pairs))
    sought = [Sought(each["type"], each["value"]) for each in indicators]
    confidence = shared.sharing.confidence if len(shared.told_of) >= sector.caution.k else None
    title = words.Said(shared.rule_title, shared.rule_title_zh)
    return {
        "day": day,
        "summary": words.summary(shared.kind, title, count, first_seen, last_seen)._asdict(),
        "confidence": None if confidence is None else confidence_told(confidence),
        "institution_count_at_least": count,
        "first_seen": first_seen,
        "last_seen": last_seen,
        "techniques": [_technique(pair, sector.techniques) for pair in pairs],
        "timeline": list(_timeline(shared.timeline if red is None else red.timeline, sector.techniques)),
        "indicators": indicators,
        "suppliers": [
            text
            for text in _values(shared, "suppliers.supplier_id")
            if is_common and _is_id(text) and not sector.names.stand_in(Value("text", text))
        ],
        "asset_types": [text for text in _values(shared, "assets.type") if text in _ASSETS],
        "categories": [text for text in _values(shared, "category") if text in _CATEGORIES],
        "sources": _sources(shared, sector),
        "hunt": hunts(sought, techniques, tactics, shared.level, day) if shared.kind == "joint" else [],
        "mitigations": advice(techniques) if shared.kind == "joint" else [],
        "tlp": "amber+strict" if shared.sharing.told_tlp == "amber+strict" else "amber",
    }


def without_count(said: Statement | None, title: words.Said, kind: str) -> Statement | None:
    """The same, but no number of institutions is told any more."""
    if said is None or said["institution_count_at_least"] is None:
        return said
    summary = words.summary(kind, title, None, said["first_seen"], said["last_seen"])._asdict()
    return {**said, "institution_count_at_least": None, "summary": summary}


def _known(pairs: Iterable[Pair], techniques: Techniques) -> list[Pair]:
    """Those that ATT&CK knows, in its words; the order is the alert's."""
    found: dict[tuple[str, str], Pair] = {}
    for pair in pairs:
        tactic, technique = techniques.tactic(pair.tactic), techniques.resolve(pair.technique)
        if tactic is not None and technique is not None:
            found[tactic, technique.id] = Pair(tactic, technique.id)
    return list(found.values())


def _technique(pair: Pair, techniques: Techniques) -> dict[str, str]:
    known = techniques.resolve(pair.technique)
    name, name_zh = words.TACTICS.get(pair.tactic, (pair.tactic, pair.tactic))
    return {
        "tactic": pair.tactic,
        "tactic_name": name,
        "tactic_name_zh": name_zh,
        "technique": pair.technique,
        "name": pair.technique if known is None else known.name,
    }


def _timeline(rows: Iterable[Row], techniques: Techniques) -> Iterable[dict[str, Any]]:
    for row in rows:
        known = _known([Pair(row.tactic, technique) for technique in row.techniques], techniques)
        if known:
            yield {
                "tactic": known[0].tactic,
                "techniques": [pair.technique for pair in known],
                "first_seen": _hour(row.first_seen),
                "last_seen": _hour(row.last_seen),
            }


def _indicators(shared: Shared, sector: Sector, *, is_common: bool) -> Iterable[dict[str, Any]]:
    """The value that joins the tickets, where it is the attacker's; then what senders offer."""
    told: set[str] = set()
    sharing = shared.sharing
    for field in shared.group if sharing.key != "own" and shared.kind == "joint" else ():
        if field not in KEY_FIELDS and field not in _OBSERVABLES:
            continue
        for text in _values(shared, field):
            value = of_form(text)
            if value is None or sector.names.stand_in(value):
                continue
            if value.type in FREE and not is_common:
                continue
            told.add(value.text)
            role = "infrastructure" if field == "cs-host" else sharing.key
            yield _indicator(value, role, sharing.confidence or 0, "shared")
    for offer in sharing.offers if shared.kind == "joint" else ():
        value = of_form(offer.value)
        if value is None or value.type in FREE or value.text in told or sector.names.stand_in(value):
            continue
        told.add(value.text)
        yield _indicator(value, offer.role, offer.confidence, "offered")


def _indicator(value: Value, role: str, confidence: int, basis: str) -> dict[str, Any]:
    sure = confidence_told(confidence)
    return {"type": value.type, "value": value.text, "role": role, "confidence": sure, "basis": basis}


def _values(shared: Shared, field: str) -> Sequence[str]:
    value = shared.group.get(field)
    return () if value is None else (str(value),)


def _sources(shared: Shared, sector: Sector) -> list[dict[str, Any]]:
    """Who lets itself be named, and of which sectors others are that let that be told.

    A sector of so few that k − 1 of them know who the others are is none; whoever is named hides nobody.
    """
    told = set(shared.told_of)
    hidden: dict[str, int] = {}
    for one in sector.registry.institutions.values():
        hidden[one.sector] = hidden.get(one.sector, 0) + (not one.suspended)
    named: list[dict[str, Any]] = []
    sectors: set[str] = set()
    for name, word in shared.sharing.attribution.items():
        known = sector.registry.institutions.get(name)
        if name not in told or known is None:
            continue
        if word == "named":
            named.append({"sector": known.sector, "institution": name, "name": known.name, "name_zh": known.name_zh})
            hidden[known.sector] -= not known.suspended
        else:
            sectors.add(known.sector)
    only = [
        {"sector": name, "institution": None, "name": None, "name_zh": None}
        for name in sorted(sectors)
        if sector.caution.hides(hidden[name], 0)
    ]
    return [*named, *only]


def _hour(time: str) -> str:
    at_ms = milliseconds(time)
    return rfc3339(at_ms - at_ms % HOUR_MS)
