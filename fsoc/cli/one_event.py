"""The event that a person names on the command line: a file, a line of a file, standard input. Matches nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fsoc.detection import Logsource
from fsoc.detection.logsource import ATTRIBUTES
from fsoc.detection.routes import over_of_ticket
from fsoc.errors import Problem, RefusedToStart


class Subject(NamedTuple):
    """What a rule looks at. name: of several, which; else ""."""

    name: str
    fields: dict[str, Any]
    stated: Logsource | None


def subjects(fields: dict[str, Any], stated: Logsource | None, *, about_tickets: bool) -> list[Subject]:
    """What a rule is shown of an event: all of it; of a ticket each evidence item, unless the rule is about tickets.

    Raises:
        RefusedToStart: it is no ticket where one is wanted, a ticket without evidence, or states a wrong logsource.
    """
    if about_tickets:
        try:
            over_of_ticket(fields)
        except (AttributeError, TypeError) as error:  # observables that are none
            raise RefusedToStart(Problem("--event", "no ticket: fsoc check tickets tells what is wrong")) from error
        return [Subject("", fields, stated)]
    if str(fields.get("schema")).startswith("fsoc.ticket/"):
        evidence = fields.get("evidence")
        items = [item for item in evidence if isinstance(item, dict)] if isinstance(evidence, list) else []
        if not items:
            raise RefusedToStart(Problem("--event", "the ticket has no evidence for a rule to look at"))
        return [
            Subject(f"evidence {place}", _mapping(item.get("fields")), stated or _stated(item.get("logsource")))
            for place, item in enumerate(items)
        ]
    named = {name: value for name, value in fields.items() if name != "logsource"}
    return [Subject("", named, stated or _stated(fields.get("logsource")))]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _stated(logsource: Any) -> Logsource | None:
    try:
        return (Logsource.read(logsource) or None) if logsource is not None else None
    except (ValueError, AttributeError) as error:
        text = f"logsource is {logsource!r:.64} — expected {{product, category, service}}"
        raise RefusedToStart(Problem("--event", text)) from error


def read_logsource(text: str) -> Logsource:
    """`product=windows,category=process_creation`.

    Raises:
        RefusedToStart: it is written another way.
    """
    pairs = [pair.partition("=") for pair in text.split(",")]
    for name, _, value in pairs:
        if name.strip() not in ATTRIBUTES or not value.strip():
            expected = "product=…, category=… or service=…, with commas between them"
            raise RefusedToStart(Problem("--logsource", f'"{text}" — expected {expected}'))
    return Logsource.read({name.strip(): value.strip() for name, _, value in pairs})


def read_event(place: str) -> dict[str, Any]:
    """The event at `FILE`, `FILE:LINE` or `-`.

    Raises:
        RefusedToStart: it cannot be read, is no JSON object, or several.
    """
    try:
        text = _text(place).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise RefusedToStart(Problem("--event", f"{place}: {error.strerror}")) from error
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        several = len([line for line in text.splitlines() if line.strip()])
        hint = f"; of {several:,} lines name one: {place}:1" if several > 1 and place != "-" else ""
        raise RefusedToStart(Problem("--event", f"{place}: not JSON: {error}{hint}")) from error
    if not isinstance(event, dict):
        raise RefusedToStart(Problem("--event", f"{place}: not a JSON object"))
    return event


def _text(place: str) -> bytes:
    if place == "-":
        return sys.stdin.buffer.read()
    file, _, number = place.rpartition(":")
    if not file or not number.isdecimal() or Path(place).exists():
        return Path(place).read_bytes()
    with Path(file).open("rb") as lines_of_file:
        for at, line in enumerate(lines_of_file, 1):
            if at == int(number):
                return line
    raise RefusedToStart(Problem("--event", f"{file} has no line {number}"))
