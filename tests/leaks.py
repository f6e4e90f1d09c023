"""Finds in a text what one institution may not know of the others: for every form in which feedback leaves.

leaks = Leaks.of(payloads, registry, ours)   # of everything that all institutions have sent; ours: texts of our own
leaks.found(text, "fi-007")               # what of it is somebody else's, and why; [] where nothing is
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from fsoc.tickets.vocabulary import INDICATOR_ROLES

PREFIX = 4
"""Characters by which a string is looked up; what is shorter is nobody's: a port, a percentage."""


_WORD = re.compile(r"[a-z]+")


class Leaks:
    """Who has which string, and what it is. public: strings that may be told whoever has them."""

    def __init__(self) -> None:
        self.owners: dict[str, dict[str, str]] = {}
        self.public: set[str] = set()
        self._by_prefix: dict[str, list[str]] = {}

    @classmethod
    def of(cls, payloads: Iterable[bytes], registry: Any, ours: Iterable[str] = ()) -> Leaks:
        """Of tickets as they were sent, and the institutions that there are.

        ours: texts of our own. A word of theirs is nobody's, alone: `high` stands in somebody's evidence too.
        """
        found = cls()
        for payload in payloads:
            try:
                body = orjson.loads(payload)
            except orjson.JSONDecodeError:
                continue
            if isinstance(body, dict) and isinstance(body.get("institution"), str):
                found._take(body)
        for one in registry.institutions.values():
            for what, name in (("id", one.id), ("name", one.name), ("name", one.name_zh), ("group", one.group)):
                if name:
                    found._own(one.id, name, what)
                    found.public.discard(name.lower())
        words = {word for text in ours for word in _WORD.findall(text.lower())}
        found.public |= {text for text, by in found.owners.items() if text in words and {*by.values()} == {"evidence"}}
        for text in found.owners:
            found._by_prefix.setdefault(text[:PREFIX], []).append(text)
        return found

    def _take(self, body: Mapping[str, Any]) -> None:
        who = body["institution"]
        for field in ("ticket_id", "title", "description", "submitted_by"):
            if isinstance(body.get(field), str):
                self._own(who, body[field], field)
        for asset in body.get("assets") or ():
            self._own(who, asset["ref"], "asset ref")
        for item in body.get("evidence") or ():
            for value in _texts(list(item["fields"].values())):
                self._own(who, value, "evidence")
        red = body.get("tlp") == "red"
        for item in body.get("observables") or ():
            is_attackers = item["role"] in INDICATOR_ROLES
            self._own(who, str(item["value"]), "observable" if is_attackers else "victim's value")
            if is_attackers and not red:
                self.public.add(str(item["value"]).lower())
        for supplier in body.get("suppliers") or ():
            if not red:
                self.public.add(supplier["supplier_id"].lower())

    def _own(self, who: str, text: str, what: str) -> None:
        if len(text) >= PREFIX:
            self.owners.setdefault(text.lower(), {}).setdefault(who, what)

    def found(self, text: str, receiver: str) -> list[str]:
        """What of others stands in a text that this institution gets, as it is or escaped for HTML."""
        plain = text.lower()
        leaks = dict.fromkeys(self._in(plain, receiver))
        if "&" in plain:
            leaks.update(dict.fromkeys(self._in(html.unescape(plain), receiver)))
        return list(leaks)

    def found_in_json(self, value: bytes, receiver: str) -> list[str]:
        """The same of every text in a JSON document."""
        return self.found("\n".join(_texts(orjson.loads(value))), receiver)

    def _in(self, plain: str, receiver: str) -> Iterator[str]:
        for at in range(len(plain) - PREFIX + 1):
            for text in self._by_prefix.get(plain[at : at + PREFIX], ()):
                if not plain.startswith(text, at) or text in self.public or receiver in self.owners[text]:
                    continue
                if _is_whole(plain, at, at + len(text)):
                    who, what = next(iter(self.owners[text].items()))
                    yield f"{what} of {who}: {text}"


def _is_whole(plain: str, start: int, end: int) -> bool:
    """It is no part of a longer word."""
    before, after = plain[start - 1 : start], plain[end : end + 1]
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
