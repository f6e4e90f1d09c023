"""Who may send: institutions, holding groups, feeds and allowed lateness. Reads no file; the text is an argument."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final

from fsoc.institutions.document import Document, Path, unknown_name
from fsoc.institutions.duration import duration_ms
from fsoc.institutions.signing import UNSIGNED, Signing, SigningKey, read_signing, taken_by

INSTITUTIONS_MAX: Final = 4096
FEEDS_MAX: Final = 64
DELEGATIONS_MAX: Final = 16
NAME_MAX: Final = 200
ALLOWED_LATENESS_MS: Final = 3_600_000
ALLOWED_LATENESS_MAX_MS: Final = 7 * 86_400_000

_is_id = re.compile(r"[a-z0-9-]{2,32}").fullmatch
_is_feed = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}").fullmatch
_is_sector = re.compile(r"[a-z][a-z0-9_-]{1,31}").fullmatch
_KEYS: Final = (
    "id",
    "name",
    "name_zh",
    "sector",
    "tier",
    "group",
    "feeds",
    "allowed_lateness",
    "delegations",
    "suspended",
    "signing",
)
_REQUIRED: Final = ("id", "name", "sector", "tier", "feeds")
# An id is a user of the cluster and part of a consumer group's name: these are our own.
_OURS: Final = frozenset({"console", "workers"})
_OUR_USERS: Final = "fsoc-"


@dataclass(frozen=True, slots=True)
class Institution:
    """One sender.

    group: the holding group it belongs to, or None.
    feeds: what it sends by; () only in an open registry, where any feed is taken.
    allowed_lateness_ms: how far behind its own watermark a ticket may be and still be used, at first and at least.
    delegations: who may send on its behalf, named in a ticket's `submitted_by`: a group SOC, a managed service.
    suspended: it may neither send nor read; what it has sent stays.
    signing: its public keys, and since when what it sends must be signed by one.
    """

    id: str
    name: str
    name_zh: str
    sector: str
    tier: int
    group: str | None
    feeds: tuple[str, ...]
    allowed_lateness_ms: int = ALLOWED_LATENESS_MS
    delegations: tuple[str, ...] = ()
    suspended: bool = False
    signing: Signing = UNSIGNED

    def has_feed(self, feed: str) -> bool:
        return not self.feeds or feed in self.feeds


class Registry:
    """The institutions that are known.

    institutions: by id, in the order of the file; an open registry adds those it has met.
    digest: equal for two registries that say the same, whatever their comments and order.
    """

    def __init__(self, institutions: Mapping[str, Institution], *, is_open: bool = False) -> None:
        self._institutions = dict(institutions)
        self.institutions: Mapping[str, Institution] = MappingProxyType(self._institutions)
        self.is_open = is_open
        self._keys = {key.kid: (one.id, key) for one in institutions.values() for key in one.signing.keys}

    @classmethod
    def parse(cls, text: str, where: str, *, allowed_lateness_ms: int = ALLOWED_LATENESS_MS) -> Registry:
        """Read a registry from YAML; `where` is its file's name in messages.

        allowed_lateness_ms: of institutions that name none.

        Raises:
            RefusedToStart: every problem at once, each with `where:line`.
        """
        document = Document.parse(text, where)
        institutions = _read_all(document, allowed_lateness_ms)
        document.refuse_if_problems()
        return cls(institutions)

    @classmethod
    def open(cls) -> Registry:
        """Make a registry that takes every institution and feed it meets, each independent of all others."""
        return cls({}, is_open=True)

    def get(self, institution: str) -> Institution | None:
        """Return the institution, or None when it is unknown. An open registry knows every well-formed id."""
        known = self._institutions.get(institution)
        if known is None and self.is_open and _is_id(institution) and len(self._institutions) < INSTITUTIONS_MAX:
            known = Institution(institution, institution, institution, "unknown", 3, None, ())
            self._institutions[institution] = known
        return known

    def independent_of(self, institution: str) -> str:
        """Return what counts once where a rule says `independent`: the holding group's id, or the institution's own."""
        known = self._institutions.get(institution)
        return institution if known is None or known.group is None else known.group

    def may_submit(self, submitter: str, institution: str) -> bool:
        """Whether a ticket of `institution` may say `submitted_by: submitter`: itself may, and who is registered."""
        known = self._institutions.get(institution)
        return self.is_open or submitter == institution or (known is not None and submitter in known.delegations)

    def signing_key(self, kid: str) -> tuple[str, SigningKey] | None:
        """Whose signing key is called so, and the key; None where nobody's is."""
        return self._keys.get(kid)

    def without_signing(self) -> Registry:
        """The same, but nobody has keys and nothing need be signed: for tickets of files, which keep no signature."""
        institutions = {name: replace(one, signing=UNSIGNED) for name, one in self._institutions.items()}
        return Registry(institutions, is_open=self.is_open)

    @property
    def digest(self) -> str:
        lines = sorted(repr(institution) for institution in self._institutions.values())
        return blake2b("\n".join([str(self.is_open), *lines]).encode(), digest_size=16).hexdigest()


def _read_all(document: Document, allowed_lateness_ms: int) -> dict[str, Institution]:
    institutions: dict[str, Institution] = {}
    data = document.data
    if not isinstance(data, dict):
        document.problem((), "expected a mapping with the key institutions")
        return institutions
    for key in data:
        if key != "institutions":
            document.problem((key,), unknown_name(key, ["institutions"]))
    entries = data.get("institutions")
    if not isinstance(entries, list) or not entries:
        document.problem(("institutions",), "institutions: expected a list with at least one institution")
        return institutions
    if len(entries) > INSTITUTIONS_MAX:
        document.problem(("institutions",), f"institutions: {len(entries)} entries, limit {INSTITUTIONS_MAX}")
        return institutions
    first_path: dict[str, Path] = {}
    for index, entry in enumerate(entries):
        path: Path = ("institutions", index)
        institution = _Entry(document, path, entry, allowed_lateness_ms).read()
        identifier = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(identifier, str) and identifier in first_path:
            first = document.place(first_path[identifier]).rpartition(":")[2]
            document.problem((*path, "id"), f'id: "{identifier}" is taken, first in line {first}')
        elif isinstance(identifier, str):
            first_path[identifier] = (*path, "id")
        if institution is not None:
            institutions[institution.id] = institution
    _refuse_confusable_groups(document, entries, institutions)
    _refuse_shared_keys(document, entries, institutions)
    return institutions


def _refuse_confusable_groups(document: Document, entries: list[Any], institutions: dict[str, Institution]) -> None:
    """A group named as an institution outside it would make two independent victims count as one."""
    for index, entry in enumerate(entries):
        group = entry.get("group") if isinstance(entry, dict) else None
        namesake = institutions.get(group) if isinstance(group, str) else None
        if namesake is not None and namesake.group != group:
            text = f'group: "{group}" is also the id of an institution that is not in this group'
            document.problem(("institutions", index, "group"), text)


def _refuse_shared_keys(document: Document, entries: list[Any], institutions: dict[str, Institution]) -> None:
    """Whose a signature is must be said by its key alone."""
    ids = [entry.get("id") if isinstance(entry, dict) else None for entry in entries]
    for name, index, key in taken_by({one.id: one.signing for one in institutions.values()}):
        text = f"{key}: is another key's already; a signing key is one institution's, and is listed once"
        document.problem(("institutions", ids.index(name), "signing", "keys", index, key), text)


class _Entry:
    """One entry of the file while it is read: collects problems instead of raising."""

    def __init__(self, document: Document, path: Path, entry: Any, default_lateness_ms: int) -> None:
        self._default_lateness_ms = default_lateness_ms
        self._document = document
        self._path = path
        self._entry = entry
        self._failed = False

    def read(self) -> Institution | None:
        if not isinstance(self._entry, dict):
            self._fail("", "expected a mapping such as {id: fi-001, name: …, sector: bank, tier: 1, feeds: [siem]}")
            return None
        for key in self._entry:
            if key not in _KEYS:
                self._fail(key, unknown_name(key, _KEYS))
        for key in _REQUIRED:
            if self._entry.get(key) is None:
                self._fail(key, f"{key}: is required and missing")
        name = self._text("name")
        institution = Institution(
            id=self._id(),
            name=name,
            name_zh=self._text("name_zh") or name,
            sector=self._matching("sector", _is_sector, "a lower-case word such as bank, securities or insurance"),
            tier=self._tier(),
            group=self._matching("group", _is_id, "2 to 32 of a–z, 0–9 and -, or null") or None,
            feeds=self._feeds(),
            allowed_lateness_ms=self._allowed_lateness_ms(),
            delegations=self._delegations(),
            suspended=self._suspended(),
            signing=read_signing(self._entry.get("signing"), self._fail_in_signing),
        )
        return None if self._failed else institution

    def _fail(self, key: str, text: str) -> None:
        self._failed = True
        self._document.problem((*self._path, key) if key else self._path, text)

    def _fail_in_signing(self, path: Path, text: str) -> None:
        self._failed = True
        self._document.problem((*self._path, "signing", *path), text)

    def _text(self, key: str) -> str:
        value = self._entry.get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or not 1 <= len(value) <= NAME_MAX:
            self._fail(key, f"{key}: {_shown(value)}; expected text of 1 to {NAME_MAX} characters")
            return ""
        return value

    def _matching(self, key: str, matches: Any, allowed: str) -> str:
        value = self._entry.get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or matches(value) is None:
            self._fail(key, f"{key}: {_shown(value)}; expected {allowed}")
            return ""
        return value

    def _id(self) -> str:
        value = self._matching("id", _is_id, "2 to 32 of a–z, 0–9 and -")
        if is_ours(value):
            self._fail("id", f'id: "{value}" is fsoc\'s own name on a cluster; choose another')
        return value

    def _delegations(self) -> tuple[str, ...]:
        value = self._entry.get("delegations")
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > DELEGATIONS_MAX:
            self._fail("delegations", f"delegations: {_shown(value)}; expected a list of at most {DELEGATIONS_MAX} ids")
            return ()
        for index, submitter in enumerate(value):
            if not isinstance(submitter, str) or _is_id(submitter) is None or is_ours(submitter):
                text = f"delegations: {_shown(submitter)}; expected 2 to 32 of a–z, 0–9 and -, and none of fsoc's own"
                self._fail("delegations", text)
            elif submitter == self._entry.get("id"):
                self._fail("delegations", f'delegations: "{submitter}" is the institution itself')
            elif submitter in value[:index]:
                self._fail("delegations", f'delegations: "{submitter}" is named twice')
        return tuple(submitter for submitter in value if isinstance(submitter, str))

    def _suspended(self) -> bool:
        value = self._entry.get("suspended")
        if value is not None and not isinstance(value, bool):
            self._fail("suspended", f"suspended: {_shown(value)}; expected true or false")
        return value is True

    def _tier(self) -> int:
        value = self._entry.get("tier")
        if value is not None and (type(value) is not int or not 1 <= value <= 3):
            self._fail("tier", f"tier: {_shown(value)}; expected 1, 2 or 3")
        return value if type(value) is int else 0

    def _feeds(self) -> tuple[str, ...]:
        value = self._entry.get("feeds")
        if value is None:
            return ()
        if not isinstance(value, list) or not 1 <= len(value) <= FEEDS_MAX:
            self._fail("feeds", f"feeds: {_shown(value)}; expected a list of 1 to {FEEDS_MAX} feed names")
            return ()
        for index, feed in enumerate(value):
            if not isinstance(feed, str) or _is_feed(feed) is None:
                self._fail("feeds", f"feeds: {_shown(feed)}; expected 1 to 32 of A–Z, a–z, 0–9, ., _ and -")
            elif feed in value[:index]:
                self._fail("feeds", f'feeds: "{feed}" is named twice')
        return tuple(feed for feed in value if isinstance(feed, str))

    def _allowed_lateness_ms(self) -> int:
        value = self._entry.get("allowed_lateness")
        if value is None:
            return self._default_lateness_ms
        try:
            lateness_ms = duration_ms(value)
        except ValueError as error:
            self._fail("allowed_lateness", f"allowed_lateness: {error}")
            return self._default_lateness_ms
        if lateness_ms > ALLOWED_LATENESS_MAX_MS:
            self._fail("allowed_lateness", f"allowed_lateness: {value}; at most 7d")
        return lateness_ms


def is_ours(identifier: str) -> bool:
    """Whether this is a name that fsoc itself has on a cluster, as a user or in a consumer group."""
    return identifier in _OURS or identifier.startswith(_OUR_USERS)


def _shown(value: Any) -> str:
    return "an object" if isinstance(value, dict) else ascii(value)[:60]
