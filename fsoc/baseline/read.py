"""Reads the baseline's YAML into items: every problem at once, `file:line`. What rules and tables tell: check.py."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from fsoc.baseline.model import THEMES, TIERS, Baseline, Item, Sample, ScriptStep, Trigger
from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.document import Document, Path, unknown_name
from fsoc.institutions.duration import duration_ms
from fsoc.tickets import vocabulary
from fsoc.tickets.model import Ticket

ITEMS_MAX: Final = 2_000
TESTS_MAX: Final = 50
TEXT_MAX: Final = 1_000
WITHIN_MAX_MS: Final = 30 * 86_400_000

_is_id = re.compile(r"FB-[0-9]{4}").fullmatch
_is_version = re.compile(r"[0-9]{4}\.[0-9]{1,3}(\.[0-9]{1,3})?").fullmatch
_is_attack_version = re.compile(r"[0-9]+(\.[0-9]+)?").fullmatch
_is_uuid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_has_chinese = re.compile(r"[一-鿿]").search

_ITEM_KEYS: Final = (
    "id",
    "title",
    "title_zh",
    "technique",
    "tactic",
    "why",
    "why_zh",
    "themes",
    "tiers",
    "sources",
    "rules",
    "references",
    "trigger",
    "test",
)
_TRIGGER_KEYS: Final = ("count", "within", "per", "severity", "category", "asset", "carries")
_CATEGORIES: Final = frozenset(get_args(vocabulary.Category))
_ASSETS: Final = frozenset(get_args(vocabulary.AssetType))
_TICKET_FIELDS: Final = frozenset(Ticket.model_fields)


@dataclass(slots=True)
class Reading:
    """The baseline as far as it could be read, and what is wrong with the rest."""

    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def is_version(text: str) -> bool:
    """Whether a text names a version of the baseline: `2026.4`, `2026.4.1`."""
    return _is_version(text) is not None


def read_items(sources: Iterable[tuple[str, str]], names: Mapping[str, str]) -> Reading:
    """Read items of (where, text) pairs.

    names: of our detections to their ids. An item may name a rule by either; one that is neither is told by check.py.
    """
    reading = Reading()
    first: dict[str, str] = {}
    for where, text in sources:
        try:
            document = Document.parse(text, where)
        except RefusedToStart as refusal:
            reading.problems.extend(refusal.problems)
            continue
        _File(document, names, first, reading).read()
        reading.problems.extend(document.problems)
    return reading


def read_baseline(
    header: tuple[str, str], sources: Iterable[tuple[str, str]], names: Mapping[str, str]
) -> tuple[Baseline, list[Problem]]:
    """The baseline, and every problem of its files. header: (where, text) of baseline.yml.

    Raises:
        RefusedToStart: the header cannot be used.
    """
    document = Document.parse(header[1], header[0])
    data = document.data if isinstance(document.data, dict) else {}
    version, attack_version = data.get("version"), data.get("attack_version")
    for name in data:
        if name not in {"version", "attack_version"}:
            document.problem((name,), unknown_name(str(name), ("version", "attack_version")))
    if not isinstance(version, str) or not is_version(version):
        document.problem(("version",), 'version: expected a year and a number in quotes, such as "2026.4"')
    if not isinstance(attack_version, str) or not _is_attack_version(attack_version):
        document.problem(("attack_version",), 'attack_version: expected a version of ATT&CK in quotes, such as "19"')
    document.refuse_if_problems()
    reading = read_items(sources, names)
    return Baseline(str(version), str(attack_version), reading.items), reading.problems


class _File:
    """One file of items."""

    def __init__(self, document: Document, names: Mapping[str, str], first: dict[str, str], reading: Reading) -> None:
        self._document = document
        self._names = names
        self._first = first
        self._reading = reading

    def read(self) -> None:
        data = self._document.data
        if not isinstance(data, dict) or set(data) != {"items"} or not isinstance(data.get("items"), list):
            self._document.problem((), "expected one key, `items`, with a list of items")
            return
        for index, entry in enumerate(data["items"]):
            before = len(self._document.problems)
            item = self._item(entry, ("items", index))
            if item is not None and len(self._document.problems) == before:
                self._reading.items.append(item)
        if len(self._reading.items) > ITEMS_MAX:
            self._document.problem((), f"more than {ITEMS_MAX} items, all files together")

    def _item(self, entry: Any, at: Path) -> Item | None:
        if not isinstance(entry, dict):
            self._document.problem(at, "expected an item: a mapping with id, title, technique, …")
            return None
        self._known(entry, at, _ITEM_KEYS)
        trigger = self._trigger(entry.get("trigger"), (*at, "trigger"))
        samples, steps = self._tests(entry.get("test"), (*at, "test"))
        item = Item(
            id=self._id(entry, at),
            title=self._text(entry, at, "title"),
            title_zh=self._text(entry, at, "title_zh", chinese=True),
            technique=self._text(entry, at, "technique"),
            tactic=self._text(entry, at, "tactic"),
            why=self._text(entry, at, "why"),
            why_zh=self._text(entry, at, "why_zh", chinese=True),
            themes=self._words(entry, at, "themes", frozenset(THEMES)),
            tiers=self._tiers(entry, at),
            sources=self._words(entry, at, "sources"),
            rules=tuple(self._names.get(rule, rule) for rule in self._words(entry, at, "rules")),
            references=self._references(entry, at),
            trigger=trigger or Trigger(1, 0, None, 0, "", "", ()),
            samples=samples,
            steps=steps,
            where=self._document.place(at),
        )
        shown = {sample.rule for sample in samples}
        for place, rule in enumerate(item.rules):
            if rule not in shown and not steps:
                self._document.problem((*at, "rules", place), f"rule {rule[:64]}: no test shows that it works")
        return item

    def _id(self, entry: Mapping[str, Any], at: Path) -> str:
        name = entry.get("id")
        if not isinstance(name, str) or not _is_id(name):
            self._document.problem((*at, "id"), f"id: found {str(name)[:40]!r}, expected FB- and four digits")
            return ""
        place = self._document.place((*at, "id"))
        if name in self._first:
            self._document.problem((*at, "id"), f"id: {name} is already at {self._first[name]}")
        self._first.setdefault(name, place)
        return name

    def _text(self, entry: Mapping[str, Any], at: Path, key: str, *, chinese: bool = False) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip():
            missing = "is missing" if value is None else f"found {str(value)[:40]!r}, expected text"
            self._document.problem((*at, key), f"{key}: {missing}")
            return ""
        if len(value) > TEXT_MAX:
            self._document.problem((*at, key), f"{key}: is {len(value)} characters, limit {TEXT_MAX}")
        if chinese and not _has_chinese(value):
            self._document.problem((*at, key), f"{key}: expected Traditional Chinese, found {value[:40]!r}")
        return " ".join(value.split())

    def _words(
        self, entry: Mapping[str, Any], at: Path, key: str, known: frozenset[str] = frozenset()
    ) -> tuple[Any, ...]:
        """A list of texts that is not empty, each once."""
        value = entry.get(key)
        if not isinstance(value, list) or not value:
            self._document.problem((*at, key), f"{key}: expected a list, and something in it")
            return ()
        found: list[str] = []
        for place, word in enumerate(value):
            if not isinstance(word, str) or not word:
                self._document.problem((*at, key, place), f"{key}: found {str(word)[:40]!r}, expected text")
            elif known and word not in known:
                self._document.problem((*at, key, place), f"{key}: {unknown_name(word, sorted(known))}")
            elif word in found:
                self._document.problem((*at, key, place), f"{key}: {word[:64]} is there twice")
            else:
                found.append(word)
        return tuple(found)

    def _tiers(self, entry: Mapping[str, Any], at: Path) -> tuple[int, ...]:
        value = entry.get("tiers")
        listed = value if isinstance(value, list) else []
        if (
            not listed
            or any(type(tier) is not int or tier not in TIERS for tier in listed)
            or listed != sorted(set(listed))
        ):
            self._document.problem((*at, "tiers"), f"tiers: expected a list of {', '.join(map(str, TIERS))}, ascending")
            return ()
        return tuple(listed)

    def _references(self, entry: Mapping[str, Any], at: Path) -> tuple[str, ...]:
        if entry.get("references") is None:
            return ()
        found = self._words(entry, at, "references")
        for place, name in enumerate(found):
            if not _is_uuid(name):
                self._document.problem(
                    (*at, "references", place), f"references: {name[:40]!r} is no id of a Sigma rule"
                )
        return found

    def _trigger(self, entry: Any, at: Path) -> Trigger | None:
        if not isinstance(entry, dict):
            self._document.problem(
                at, "trigger: expected {count: …, within: …, severity: …, category: …, asset: …, carries: […]}"
            )
            return None
        self._known(entry, at, _TRIGGER_KEYS)
        within_ms = 0
        try:
            within_ms = duration_ms(entry.get("within"))
        except ValueError as error:
            self._document.problem((*at, "within"), f"within: {error}")
        if within_ms > WITHIN_MAX_MS:
            self._document.problem((*at, "within"), "within: longer than 30d")
        per = entry.get("per")
        if per is not None and not (isinstance(per, str) and per):
            self._document.problem((*at, "per"), f"per: found {str(per)[:40]!r}, expected the name of an event's field")
        return Trigger(
            count=self._whole(entry, at, "count", 1, 10_000),
            within_ms=within_ms,
            per=per,
            severity=self._whole(entry, at, "severity", 0, 5),
            category=self._word(entry, at, "category", _CATEGORIES),
            asset=self._word(entry, at, "asset", _ASSETS),
            carries=self._words(entry, at, "carries", _TICKET_FIELDS),
        )

    def _whole(self, entry: Mapping[str, Any], at: Path, key: str, least: int, most: int) -> int:
        value = entry.get(key)
        if type(value) is not int or not least <= value <= most:
            self._document.problem(
                (*at, key), f"{key}: found {str(value)[:40]!r}, expected a number from {least} to {most}"
            )
            return least
        return value

    def _word(self, entry: Mapping[str, Any], at: Path, key: str, known: frozenset[str]) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or value not in known:
            self._document.problem((*at, key), f"{key}: {unknown_name(str(value), sorted(known))}")
            return ""
        return value

    def _tests(self, entry: Any, at: Path) -> tuple[tuple[Sample, ...], tuple[ScriptStep, ...]]:
        samples: list[Sample] = []
        steps: list[ScriptStep] = []
        if not isinstance(entry, list) or not 1 <= len(entry) <= TESTS_MAX:
            self._document.problem(
                at, f"test: expected a list of at most {TESTS_MAX}: {{rule, event}} or {{script, step}}"
            )
            return (), ()
        for place, one in enumerate(entry):
            match one:
                case {"rule": str(rule), "event": dict(fields), **more} if fields and not more:
                    samples.append(Sample(self._names.get(rule, rule), fields))
                case {"script": str(script), "step": str(step), **more} if not more:
                    steps.append(ScriptStep(script, step))
                case _:
                    self._document.problem((*at, place), "test: expected {rule: …, event: {…}} or {script: …, step: …}")
        return tuple(samples), tuple(steps)

    def _known(self, entry: Mapping[str, Any], at: Path, known: tuple[str, ...]) -> None:
        for name in entry:
            if name not in known:
                self._document.problem((*at, name), unknown_name(str(name), known))
