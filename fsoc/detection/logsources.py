"""Where an event comes from, by what it says: rules/logsources.yml, read and applied. The mapping itself is data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final, NamedTuple

from fsoc.detection.build import Builder, Keys
from fsoc.detection.compile import CannotEvaluateError, compile_detection
from fsoc.detection.documents import Document, Source, read
from fsoc.detection.event import Event
from fsoc.detection.logsource import ATTRIBUTES, Logsource
from fsoc.detection.matchers import Exists, Null, SameAs, Text
from fsoc.detection.modifiers import modifiers
from fsoc.detection.nodes import Node, fields_of, items_of
from fsoc.errors import Problem, RefusedToStart

REMEMBERED_MAX: Final = 4096
REMEMBERED_LENGTH_MAX: Final = 256
_REMEMBERED_TYPES: Final = (str, int, type(None), type(...))
_ALWAYS_DECIDING: Final = dict.fromkeys((*ATTRIBUTES, "EventID"))
_KEYS: Final = frozenset({"logsources", "stated"})
_ENTRY_KEYS: Final = frozenset({"when", "logsource", "events", "fields"})
_EVENT_KEYS: Final = frozenset({"category", "service", "when", "fields"})

Aliases = tuple[tuple[str, str], ...]
"""(name a rule uses, name in the event)"""
Derived = tuple[Aliases, tuple[Logsource, ...]]


class Origin(NamedTuple):
    """A logsource of an event, and the names its rules use for the event's fields.

    where: file and line of the mapping that derives it; "" where the sender states it.
    """

    aliases: Aliases
    logsource: Logsource
    where: str


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at an event: as of these logsources, with `over` hiding fields of the same name."""

    logsources: tuple[Logsource, ...]
    over: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Meaning:
    """A logsource, the condition it holds under, the names its rules use for the event's fields.

    where: file and line of the mapping.
    """

    logsource: Logsource
    when: Node | None
    aliases: Aliases
    where: str = ""

    def holds(self, event: Event) -> bool:
        return self.when is not None and self.when(event)


@dataclass(frozen=True, slots=True)
class _Entry:
    meaning: _Meaning
    events: Mapping[int, tuple[_Meaning, ...]]

    def is_stated(self, said: Logsource | None) -> bool:
        """Whether the sender states this entry's very service; of a product alone nothing follows."""
        logsource = self.meaning.logsource
        return said is not None and logsource.service is not None and logsource.covers(said)

    def meanings(self) -> Iterator[_Meaning]:
        yield self.meaning
        for several in self.events.values():
            yield from several

    def deciding(self) -> Iterator[str]:
        """The fields that its conditions look at."""
        for meaning in self.meanings():
            if meaning.when is not None:
                yield from filter(None, fields_of(meaning.when))


class LogsourceMap:
    """What logsources.yml says. Remembers what it derived from the few values that decide it, and nothing else."""

    def __init__(self, entries: Iterable[_Entry] = (), stated: Iterable[Logsource] = ()) -> None:
        self._entries = tuple(entries)
        self._stated = tuple(stated)
        self._deciding = tuple({name: None for entry in self._entries for name in entry.deciding()} | _ALWAYS_DECIDING)
        self._remembered: dict[tuple[Any, ...], tuple[Derived, ...]] = {}

    @classmethod
    def parse(cls, source: Source) -> LogsourceMap:
        """Read the text of a logsources.yml.

        Raises:
            RefusedToStart: with every problem, file and line.
        """
        documents, problems = read([source])
        entries: list[_Entry] = []
        stated: list[Logsource] = []
        for document in documents:
            reader = _Reader(document)
            entries += reader.entries()
            stated += reader.stated()
            problems += reader.problems
        if not documents and not problems:
            problems = [Problem(f"{source.path}:1", "empty — expected logsources: and a list")]
        if problems:
            raise RefusedToStart(*problems)
        return cls(entries, stated)

    @property
    def deciding(self) -> tuple[str, ...]:
        """The fields of an event that decide what is derived; nothing else of it is looked at."""
        return self._deciding

    def texts_deciding(self, name: str) -> tuple[Text, ...] | None:
        """What a text of a deciding field is compared with; two of which the same hold decide alike.

        None where more of it decides.
        """
        if name in _ALWAYS_DECIDING:
            return None
        conditions = [each.when for entry in self._entries for each in entry.meanings() if each.when is not None]
        texts: list[Text] = []
        for item in (item for condition in conditions for item in items_of(condition)):
            for matcher in item.matchers:
                if isinstance(matcher, SameAs):
                    return None
                if item.field != name or isinstance(matcher, Null | Exists):
                    continue
                if not isinstance(matcher, Text) or matcher.cased:
                    return None
                texts.append(matcher)
        return tuple(texts)

    def views(self, fields: Mapping[str, Any], stated: Logsource | None = None) -> list[View]:
        """Every view of an event; that which hides nothing comes first. No view: nothing is known of its logsource.

        stated: what its sender says; None: the event's own fields product, category and service, where they are text.
        """
        return [View(logsources, over(fields, aliases)) for aliases, logsources in self.derive(fields, stated)]

    def derive(self, fields: Mapping[str, Any], stated: Logsource | None = None) -> tuple[Derived, ...]:
        """The views without the event's values: which names stand for which, and the logsources."""
        said = stated or _said(fields)
        key = self._key(fields, said)
        derived = self._remembered.get(key) if key is not None else None
        if derived is None:
            derived = self._derive(fields, said)
            if key is not None:
                if len(self._remembered) >= REMEMBERED_MAX:
                    self._remembered.clear()
                self._remembered[key] = derived
        return derived

    def origins(self, fields: Mapping[str, Any], stated: Logsource | None = None) -> list[Origin]:
        """What `derive` finds, and why."""
        said = stated or _said(fields)
        found = [] if said is None else [Origin((), said, "")]
        return found + [Origin(each.aliases, each.logsource, each.where) for each in self._meant(fields, said)]

    @property
    def named(self) -> tuple[Logsource, ...]:
        """Every logsource that stands in the mapping, each once: what it derives, and what it expects to be stated."""
        meanings = (each for entry in self._entries for each in entry.meanings())
        return tuple(dict.fromkeys((*(meaning.logsource for meaning in meanings), *self._stated)))

    def _derive(self, fields: Mapping[str, Any], said: Logsource | None) -> tuple[Derived, ...]:
        found: dict[Aliases, dict[Logsource, None]] = {(): {} if said is None else {said: None}}
        for meaning in self._meant(fields, said):
            found.setdefault(meaning.aliases, {})[meaning.logsource] = None
        return tuple((aliases, tuple(logsources)) for aliases, logsources in found.items() if logsources)

    def _meant(self, fields: Mapping[str, Any], said: Logsource | None) -> Iterator[_Meaning]:
        event = Event(fields, {} if said is None else {name: getattr(said, name) for name in ATTRIBUTES})
        numbers = {value.number for value in event.find("EventID") or ()}
        for entry in self._entries:
            if entry.meaning.holds(event) or entry.is_stated(said):
                meant = [each for number, several in entry.events.items() if number in numbers for each in several]
                yield entry.meaning
                yield from (each for each in meant if each.when is None or each.holds(event))

    def _key(self, fields: Mapping[str, Any], said: Logsource | None) -> tuple[Any, ...] | None:
        """All that decides the derivation; None where that is not worth remembering, or cannot be."""
        stated = (None,) * len(ATTRIBUTES) if said is None else (said.product, said.category, said.service)
        # A field that is null is there; one that is missing is not: `exists` tells them apart.
        key = (*stated, *(fields.get(name, ...) for name in self._deciding))
        for value in key:
            # Exact types: True and 1.0 equal 1 as keys, and mean something else.
            if type(value) not in _REMEMBERED_TYPES or (type(value) is str and len(value) > REMEMBERED_LENGTH_MAX):
                return None
        return key


class _Reader:
    """Reads one document and keeps every problem it meets."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._builder = Builder(document, modifiers({}))

    @property
    def problems(self) -> list[Problem]:
        return self._builder.problems

    def entries(self) -> list[_Entry]:
        """Every entry without problems."""
        for key in self._document.data.keys() - _KEYS:
            self._builder.refuse(f'"{key}" is unknown — expected {" or ".join(sorted(_KEYS))}', key)
        stated = self._document.data.get("logsources")
        if not isinstance(stated, list):
            self._builder.refuse("logsources is not a list", "logsources")
            return []
        found = [self._entry(entry, ("logsources", index)) for index, entry in enumerate(stated)]
        return [entry for entry in found if entry is not None]

    def stated(self) -> list[Logsource]:
        """Logsources that senders are expected to state."""
        named = self._document.data.get("stated") or []
        if not isinstance(named, list):
            self._builder.refuse("stated is not a list of logsources", "stated")
            return []
        found = [self._logsource(each, ("stated", index)) for index, each in enumerate(named)]
        return [logsource for logsource in found if logsource is not None]

    def _logsource(self, stated: Any, keys: Keys) -> Logsource | None:
        try:
            logsource = Logsource.read(stated if isinstance(stated, Mapping) else {})
            if not logsource:
                raise ValueError("logsource sets none of product, category, service")  # noqa: TRY301
        except ValueError as error:
            self._builder.refuse(str(error), *keys)
            return None
        return logsource

    def _entry(self, entry: Any, keys: Keys) -> _Entry | None:
        if not self._is_mapping(entry, keys, _ENTRY_KEYS):
            return None
        logsource = self._logsource(entry.get("logsource"), (*keys, "logsource"))
        if logsource is None:
            return None
        events: dict[int, tuple[_Meaning, ...]] = {}
        stated = entry.get("events") or {}
        if not isinstance(stated, Mapping):
            self._builder.refuse("events is not a mapping of EventID to what it means", *keys, "events")
            stated = {}
        for number, meant in stated.items():
            if not isinstance(number, int) or isinstance(number, bool):
                self._builder.refuse(f'"{number}" is no EventID — expected a whole number', *keys, "events", number)
                continue
            several = isinstance(meant, list)
            within = [
                (*keys, "events", number, *([index] if several else []))
                for index in range(len(meant) if several else 1)
            ]
            meanings = map(self._meaning, meant if several else [meant], repeat(logsource), within)
            events[number] = tuple(meaning for meaning in meanings if meaning is not None)
        meaning = _Meaning(logsource, self._when(entry, keys), self._aliases(entry, keys), self._where(keys))
        return _Entry(meaning, events)

    def _meaning(self, meant: Any, base: Logsource, keys: Keys) -> _Meaning | None:
        if not self._is_mapping(meant, keys, _EVENT_KEYS):
            return None
        try:
            stated = {name: getattr(base, name) for name in ATTRIBUTES} | dict(meant)
            return _Meaning(
                Logsource.read(stated), self._when(meant, keys), self._aliases(meant, keys), self._where(keys)
            )
        except ValueError as error:
            self._builder.refuse(str(error), *keys)
            return None

    def _where(self, keys: Keys) -> str:
        return f"{self._document.path}:{self._document.line_of(*keys)}"

    def _when(self, stated: Mapping[str, Any], keys: Keys) -> Node | None:
        """A condition in the words of a Sigma detection: a mapping, or a list of mappings of which one must hold."""
        if "when" not in stated:
            return None
        before = len(self.problems)
        named = self._builder.detections({"when": stated["when"]}, keys, without=frozenset())
        if len(self.problems) > before:
            return None
        try:
            node = compile_detection(named["when"])
        except CannotEvaluateError as error:
            self._builder.refuse(str(error), *keys, "when")
            return None
        for name in fields_of(node) if node is not None else ():
            if name is None or "." in name:  # what is derived is remembered by the values of these fields
                self._builder.refuse("when looks at fields by name only, without dots", *keys, "when")
                return None
        return node

    def _aliases(self, stated: Mapping[str, Any], keys: Keys) -> Aliases:
        fields = stated.get("fields") or {}
        if not isinstance(fields, Mapping) or not all(
            isinstance(name, str) for pair in fields.items() for name in pair
        ):
            self._builder.refuse("fields is not a mapping of Sigma's names to the event's", *keys, "fields")
            return ()
        return tuple(fields.items())

    def _is_mapping(self, value: Any, keys: Keys, known: frozenset[str]) -> bool:
        if not isinstance(value, Mapping):
            self._builder.refuse(f"not a mapping — expected {', '.join(sorted(known))}", *keys)
            return False
        for key in value.keys() - known:
            self._builder.refuse(f'"{key}" is unknown — expected one of {", ".join(sorted(known))}', *keys, key)
        return True


def _said(fields: Mapping[str, Any]) -> Logsource | None:
    said = Logsource(
        *(value.lower() if isinstance(value := fields.get(name), str) and value else None for name in ATTRIBUTES)
    )
    return said or None


def over(fields: Mapping[str, Any], aliases: Aliases) -> Mapping[str, Any]:
    """What hides the event's own fields in a view with these aliases."""
    return {wanted: fields[name] for wanted, name in aliases if name in fields}
