"""What a TAXII client asks of a collection: which objects, from when, how many. Pure: refuses and selects."""

from __future__ import annotations

import re
from collections.abc import Collection as Several
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from fsoc.runtime.gateway.collection import Place, Version
from fsoc.runtime.gateway.problems import Refusal

LIMIT_MAX: Final = 1_000
"""Objects in one answer; who asks for more gets so many, and where to go on."""
WORDS_MAX: Final = 200
"""Values of one filter."""
SPEC: Final = "2.1"

_place: Final = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})").fullmatch
_number: Final = re.compile(r"[0-9]{1,9}").fullmatch
_time: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z").fullmatch


class Page(NamedTuple):
    """versions: as asked for. next: where to go on; None: that is all for now."""

    versions: Sequence[Version]
    next: str | None


@dataclass(frozen=True, slots=True)
class Query:
    """ids, types, versions, specs: one of these, or any where empty. after_us: added later than that."""

    limit: int = LIMIT_MAX
    after: Place | None = None
    after_us: int | None = None
    ids: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    versions: frozenset[str] = frozenset({"last"})
    specs: frozenset[str] = frozenset()

    @classmethod
    def of(cls, given: Mapping[str, str], *, allowed: Several[str]) -> Query:
        """Read a request's parameters; those that are not `allowed` there, and unknown ones, are passed over.

        Raises:
            Refusal: one of them is malformed.
        """
        said = {name: value for name, value in given.items() if name in allowed}
        versions = _words(said, "match[version]")
        return cls(
            _limit(said.get("limit")),
            _next(said.get("next")),
            _added_after(said.get("added_after")),
            _words(said, "match[id]"),
            _words(said, "match[type]"),
            frozenset(_version(one) for one in versions) or frozenset({"last"}),
            _words(said, "match[spec_version]"),
        )

    def page(self, versions: Sequence[Version]) -> Page:
        """Those that match, the first added first."""
        if self.specs and SPEC not in self.specs:
            return Page([], None)
        found = [one for one in _of_versions(versions, self.versions) if self._holds(one)]
        more = len(found) > self.limit
        shown = found[: self.limit]
        return Page(shown, str(shown[-1].place) if more else None)

    def _holds(self, one: Version) -> bool:
        return (
            (self.after is None or one.place > self.after)
            and (self.after_us is None or one.added_us > self.after_us)
            and (not self.ids or one.id in self.ids)
            and (not self.types or one.type in self.types)
        )


def _of_versions(versions: Sequence[Version], wanted: frozenset[str]) -> Iterable[Version]:
    if "all" in wanted:
        return versions
    named = wanted - {"first", "last"}
    ends: dict[str, list[Version]] = {}
    for one in versions:
        first_last = ends.setdefault(one.id, [one, one])
        if one.version < first_last[0].version:
            first_last[0] = one
        if one.version >= first_last[1].version:
            first_last[1] = one
    return [
        one
        for one in versions
        if ("first" in wanted and ends[one.id][0] is one)
        or ("last" in wanted and ends[one.id][1] is one)
        or one.version in named
    ]


def _words(said: Mapping[str, str], name: str) -> frozenset[str]:
    words = [word.strip() for word in said.get(name, "").split(",") if word.strip()]
    if len(words) > WORDS_MAX:
        raise Refusal("taxii-query", name=name, expected=f"at most {WORDS_MAX} values")
    return frozenset(words)


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT_MAX
    if not _number(text) or int(text) < 1:
        raise Refusal("taxii-query", name="limit", expected="a whole number of 1 or more")
    return min(int(text), LIMIT_MAX)


def _next(text: str | None) -> Place | None:
    if text is None:
        return None
    match = _place(text)
    if match is None:
        raise Refusal("taxii-query", name="next", expected="`next` of the answer before, as it is")
    return Place(int(match[1]), int(match[2]))


def _added_after(text: str | None) -> int | None:
    return None if text is None else _microseconds(text, "added_after")


def _version(text: str) -> str:
    if text in {"first", "last", "all"}:
        return text
    at_us = _microseconds(text, "match[version]")
    stamp = datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    micros = f"{at_us % 1_000_000:06}"
    return f"{stamp}.{micros[:3] if micros.endswith('000') else micros}Z"


def _microseconds(text: str, name: str) -> int:
    expected = "a time such as 2026-03-02T08:00:00.000Z"
    if not _time(text):
        raise Refusal("taxii-query", name=name, expected=expected)
    whole, _, fraction = text.removesuffix("Z").partition(".")
    try:
        seconds = round(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError) as error:
        raise Refusal("taxii-query", name=name, expected=expected) from error
    return seconds * 1_000_000 + int((fraction + "000000")[:6])
