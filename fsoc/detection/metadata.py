"""What a document says about itself: id, title, level, tags, logsource, `fsoc:`. Not what it detects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from fsoc.detection.documents import Document
from fsoc.detection.logsource import Logsource
from fsoc.errors import Problem

_TECHNIQUE: Final = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)")
_TACTIC: Final = re.compile(r"attack\.([a-z]+(?:[_-][a-z]+)*)")
_ID_LENGTH_MAX: Final = 128


@dataclass(frozen=True, slots=True)
class Metadata:
    """id: the document's, else its name, else its title. sigma: as pySigma keeps it, for pipelines."""

    id: str
    title: str
    name: str | None
    level: str | None
    status: str | None
    tags: tuple[str, ...]
    logsource: Logsource
    fsoc: Mapping[str, Any]
    sigma: Mapping[str, Any]


def read_metadata(document: Document) -> tuple[Metadata | None, list[Problem]]:
    """The metadata, or every problem of it."""
    data = document.data
    problems: list[Problem] = []
    sigma: Mapping[str, Any] = {}
    identity = data.get("id")
    try:
        # Without the id: the specification recommends a UUID, and pySigma insists.
        sigma, errors = SigmaRule.from_dict_common_params({**data, "id": None}, collect_errors=True)
        problems += [_problem(document, error) for error in errors]
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # pySigma on values it did not think of
        problems.append(document.problem(f"pySigma cannot read it: {type(error).__name__}: {str(error)[:200]}"))
    if identity is not None and not (isinstance(identity, str) and 0 < len(identity) <= _ID_LENGTH_MAX):
        problems.append(document.problem(f"id is {identity!r:.64} — expected text, best a UUID", "id"))
    logsource = Logsource()
    try:
        stated = data.get("logsource")
        if not isinstance(stated, Mapping):
            raise ValueError("logsource is missing — expected a mapping with product, category or service")  # noqa: TRY301, TRY004
        logsource = Logsource.read(stated)
        if not logsource:
            raise ValueError("logsource sets none of product, category, service")  # noqa: TRY301
    except ValueError as error:
        problems.append(document.problem(str(error), "logsource"))
    fsoc = data.get("fsoc") or {}
    if not isinstance(fsoc, Mapping):
        problems.append(document.problem("fsoc is not a mapping", "fsoc"))
    if problems:
        return None, problems
    title, name = str(sigma["title"]), sigma["name"]
    tags = tuple(map(str, data.get("tags") or ()))
    level, status = (str(sigma[key]) if sigma[key] is not None else None for key in ("level", "status"))
    sigma = {**sigma, "id": identity}
    return Metadata(identity or name or title, title, name, level, status, tags, logsource, fsoc, sigma), []


def techniques(tags: tuple[str, ...]) -> tuple[str, ...]:
    """`attack.t1059.001` → T1059.001, in order."""
    return tuple(match[1].upper() for tag in tags if (match := _TECHNIQUE.fullmatch(tag.lower())))


def tactics(tags: tuple[str, ...]) -> tuple[str, ...]:
    """`attack.defense-evasion` → defense_evasion, in order."""
    return tuple(match[1].replace("-", "_") for tag in tags if (match := _TACTIC.fullmatch(tag.lower())))


def dated(data: Mapping[Any, Any]) -> str:
    """When a document was last changed: modified, else date, as 2026-03-02; "" where it says neither."""
    for name in ("modified", "date"):
        stated = data.get(name)
        text = stated.isoformat() if isinstance(stated, date) else str(stated or "").replace("/", "-")
        try:
            return date.fromisoformat(text[:10]).isoformat()
        except ValueError:
            continue
    return ""


def _problem(document: Document, error: SigmaError) -> Problem:
    """Each of pySigma's errors about metadata is named after its key: SigmaLevelError."""
    key = type(error).__name__.removeprefix("Sigma").removesuffix("Error").lower()
    text = str(error.args[0])
    if key == "value":  # tags are the one thing read by value
        key = "tag"
    keys = [name for name in document.data if name in (key, f"{key}s")]
    return document.problem(text, *keys[:1])
