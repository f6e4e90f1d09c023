"""Values that say nothing of who shares them: public resolvers, networks of CDNs, private addresses. Pure.

Read from files called allow_lists.yml beside the rules:

    allow_lists:
      cdn-and-resolvers:
        description: What half the Internet shares
        entries:
          - {value: dns.google, owner: Google, reason: public resolver}
          - {cidr: [104.16.0.0/13, 104.24.0.0/14], owner: Cloudflare, reason: edge of a CDN, until: 2027-12-31}
          - {domain: .example.org, asn: AS64500, owner: …, reason: …}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final

from fsoc.correlation.rules import DAY_MS
from fsoc.detection.documents import Document, Source, read
from fsoc.errors import Problem, RefusedToStart

_FOR_EVER_MS: Final = 2**63
_NEVER_MS: Final = -(2**63)
_KNOWN_MAX: Final = 65_536
"""Values a list remembers its answer to; then it begins anew."""
_ADDRESS_MAX: Final = 49
"""Characters of the longest text of an address with its prefix."""
_KINDS: Final = ("value", "cidr", "domain", "asn")
_KEYS: Final = frozenset({*_KINDS, "owner", "reason", "until"})
_ASN: Final = re.compile(r"as[1-9][0-9]{0,9}")
_DOMAIN: Final = re.compile(r"(\.[a-z0-9_-]{1,63}){2,}")
_EPOCH: Final = date(1970, 1, 1).toordinal()

_Network = IPv4Network | IPv6Network


class AllowList:
    """One list. An entry holds while event time is before the end of its last day, in UTC."""

    __slots__ = ("_known", "_networks", "_suffix_lengths", "_suffixes", "_texts")

    def __init__(self) -> None:
        self._texts: dict[str, int] = {}  # → until which event time, exclusive
        self._suffixes: dict[str, int] = {}
        self._suffix_lengths: tuple[int, ...] = ()
        self._networks: dict[tuple[int, int], dict[int, int]] = {}  # (version, prefix) → its leading bits → until
        self._known: dict[str, int] = {}  # value → until, as far as it was asked for

    def add(self, kind: str, text: str, until_ms: int) -> None:
        """Take an entry.

        Raises:
            ValueError: the text is none of its kind; says what was expected.
        """
        self._known.clear()
        folded = text.strip().lower()
        network = _network(folded)
        if kind == "cidr" or (kind == "value" and network is not None):
            self._add_network(text, network, until_ms)
        elif kind == "domain":
            if not _DOMAIN.fullmatch(folded):
                raise ValueError(f'domain "{text}" — expected a point and two labels at least, such as .example.org')
            self._suffixes[folded] = max(until_ms, self._suffixes.get(folded, 0))
            self._suffix_lengths = tuple(sorted({len(suffix) for suffix in self._suffixes}))
        elif kind == "asn" and not _ASN.fullmatch(folded):
            raise ValueError(f'asn "{text}" — expected such as AS13335')
        elif not folded:
            raise ValueError("value is empty")
        else:
            self._texts[folded] = max(until_ms, self._texts.get(folded, 0))

    def _add_network(self, text: str, network: _Network | None, until_ms: int) -> None:
        if network is None or not network.prefixlen:
            raise ValueError(
                f'cidr "{text}" — expected such as 192.0.2.0/24, no bits beyond its prefix, not everything'
            )
        known = self._networks.setdefault((network.version, network.prefixlen), {})
        bits = _leading(network, network.prefixlen)
        known[bits] = max(until_ms, known.get(bits, 0))

    def holds(self, value: str, at_ms: int) -> bool:
        """Whether a value is on the list at an event time. A network is where it lies within one that is."""
        until_ms = self._known.get(value)
        if until_ms is None:  # every rule that names the list asks anew, and parsing an address is dear
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            until_ms = self._known[value] = self._until_ms(value.lower())
        return at_ms < until_ms

    def _until_ms(self, folded: str) -> int:
        """Until when a value is on the list, by the entry that ends last; before all times where none has it."""
        dotted = f".{folded}"
        found = [self._texts.get(folded, _NEVER_MS)]
        found += [self._suffixes.get(dotted[-length:], _NEVER_MS) for length in self._suffix_lengths]
        network = _network(folded) if self._networks else None
        if network is not None:
            found += [
                known.get(_leading(network, prefix), _NEVER_MS)
                for (version, prefix), known in self._networks.items()
                if version == network.version and prefix <= network.prefixlen
            ]
        return max(found)


class AllowLists:
    """All lists there are, by name."""

    def __init__(self, lists: Mapping[str, AllowList] | None = None) -> None:
        self._lists = lists or {}

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._lists)

    @classmethod
    def parse(cls, sources: Iterable[Source]) -> AllowLists:
        """Read all files.

        Raises:
            RefusedToStart: with every problem of every file.
        """
        lists, problems = read_allow_lists(sources)
        if problems:
            raise RefusedToStart(*problems)
        return lists

    def passes(self, names: Iterable[str], values: Sequence[str], at_ms: int) -> Sequence[str]:
        """The values that are on none of these lists at an event time."""
        for name in names:
            listed = self._lists[name]
            values = [value for value in values if not listed.holds(value, at_ms)]
        return values


def read_allow_lists(sources: Iterable[Source]) -> tuple[AllowLists, list[Problem]]:
    """What can be read, lists with bad entries among them, and every problem."""
    documents, problems = read(sources)
    lists: dict[str, AllowList] = {}
    for document in documents:
        problems.extend(_read(document, lists))
    return AllowLists(lists), problems


def _read(document: Document, lists: dict[str, AllowList]) -> Iterator[Problem]:
    stated = document.data.get("allow_lists")
    if not isinstance(stated, dict) or set(document.data) != {"allow_lists"}:
        yield document.problem("expected one key, allow_lists: a mapping of names to lists")
        return
    for name, body in stated.items():
        place = ("allow_lists", name)
        if not isinstance(name, str) or name in lists:
            yield document.problem(f'list "{name}" is there twice, or its name is no text', *place)
            continue
        lists[name] = AllowList()
        entries = body.get("entries") if isinstance(body, dict) else None
        if not isinstance(entries, list) or set(body) - {"description", "entries"}:
            yield document.problem(f'list "{name}" — expected a description and entries, a list', *place)
            continue
        for number, entry in enumerate(entries):
            for text in _read_entry(lists[name], entry):
                yield document.problem(f'list "{name}": {text}', *place, "entries", number)


def _read_entry(found: AllowList, entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict) or set(entry) - _KEYS or not any(kind in entry for kind in _KINDS):
        yield f"an entry has {', '.join(_KINDS)}, one at least, owner, reason, and until where it ends"
        return
    for key in ("owner", "reason"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            yield f"{key} is missing: who answers for an entry, and why it is there"
    until = entry.get("until")
    if until is not None and (not isinstance(until, date) or isinstance(until, datetime)):
        yield f'until "{until}" — expected a day such as 2027-12-31'
        return
    until_ms = _FOR_EVER_MS if until is None else (until.toordinal() - _EPOCH + 1) * DAY_MS
    for kind in _KINDS:
        given = entry.get(kind, [])
        for text in given if isinstance(given, list) else [given]:
            try:
                found.add(kind, str(text), until_ms)
            except ValueError as error:
                yield str(error)


def _network(text: str) -> _Network | None:
    """An address, or a network without bits beyond its prefix; None for any other text."""
    if len(text) > _ADDRESS_MAX or not ("." in text or ":" in text):
        return None
    try:
        return ip_network(text)
    except ValueError:
        return None


def _leading(network: _Network, prefix: int) -> int:
    return int(network.network_address) >> (network.max_prefixlen - prefix)
