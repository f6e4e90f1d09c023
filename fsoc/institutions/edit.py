"""A registry's text with one entry more, or one changed, and every other character as it was. Pure; writes no file.

People keep comments, an order and a layout in that file, which reading and writing it as data would lose. So the place
is found by the YAML parser's own marks, and what comes out is read again: it must say what was there and what changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import yaml

from fsoc.errors import Problem, RefusedToStart
from fsoc.institutions.registry import Institution, Registry
from fsoc.institutions.signing import Signing

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What reads as itself in YAML, within braces too: words, in Latin or Han script. Anything else is quoted.
_PLAIN: Final = re.compile(r"[A-Za-z\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff ._-]*(?<! )").fullmatch
NEW: Final = (
    "# Who may send; what an entry may say: fsoc/institutions/README.md. Workers read this file again by themselves.\n"
)


def with_entry(text: str, where: str, entry: Mapping[str, Any]) -> str:
    """Add an institution at the end, written as the one before it is.

    text: "" begins a new registry. entry: the keys of the file; None values are left out.

    Raises:
        RefusedToStart: the registry is refused, before or with the entry; its id is taken; or the layout of the file is
            one that this cannot add to by itself.
    """
    fields = {key: value for key, value in entry.items() if value is not None}
    if not text.strip():
        made = f"{text or NEW}institutions:\n  - {_flow(fields)}\n"
        Registry.parse(made, where)
        return made
    before = Registry.parse(text, where)
    name = str(fields["id"])
    if name in before.institutions:
        raise RefusedToStart(Problem(where, f'"{name}" is registered already'))
    sequence = _institutions(text)
    last = sequence.value[-1]
    if sequence.flow_style:
        at = _end(last)
        made = f"{text[:at]}, {_flow(fields)}{text[at:]}"
    else:
        indent = " " * sequence.start_mark.column
        body = _flow(fields) if last.flow_style else _block(fields, indent + "  ", _newline(text))
        made = _line_after(text, _end(last), f"{indent}- {body}")
    return _held(made, where, before, name, None, by_hand=f"- {_flow(fields)}")


def with_suspension(text: str, where: str, name: str, *, suspended: bool) -> str:
    """Suspend an institution, or lift that; the same text where it is so already.

    Raises:
        RefusedToStart: the registry is refused, the institution is not in it, or its entry's layout is one that this
            cannot change by itself.
    """
    before = Registry.parse(text, where)
    known = before.institutions.get(name)
    if known is None:
        raise RefusedToStart(Problem(where, f'"{name}" is not registered'))
    if known.suspended is suspended:
        return text
    entry = _entry(text, name)
    word = "true" if suspended else "false"
    found = next((value for key, value in entry.value if key.value == "suspended"), None)
    if found is not None:
        made = text[: found.start_mark.index] + word + text[found.end_mark.index :]
    else:
        made = _added(text, entry, f"suspended: {word}")
    return _held(made, where, before, name, replace(known, suspended=suspended), by_hand=f"suspended: {word}")


def with_signing(text: str, where: str, name: str, signing: Signing) -> str:
    """Give an institution these signing keys; the same text where it has them already.

    Raises:
        RefusedToStart: the registry is refused, before or with them; the institution is not in it; or what its entry
            says of signing has comments or a layout that would be lost.
    """
    before = Registry.parse(text, where)
    known = before.institutions.get(name)
    if known is None:
        raise RefusedToStart(Problem(where, f'"{name}" is not registered'))
    if known.signing == signing:
        return text
    entry = _entry(text, name)
    written = _flow(signing.as_written())
    by_hand = f"signing: {written}"
    found = next((value for key, value in entry.value if key.value == "signing"), None)
    if found is not None:
        begin, end = found.start_mark.index, _end(found)
        if "#" in text[begin:end]:
            raise RefusedToStart(Problem(where, f'signing of "{name}" has comments; change it by hand: {by_hand}'))
        made = text[:begin] + written + text[end:]
    else:
        made = _added(text, entry, by_hand)
    return _held(made, where, before, name, replace(known, signing=signing), by_hand=by_hand)


def _added(text: str, entry: yaml.MappingNode, what: str) -> str:
    """The text with one key more at the end of an entry."""
    if entry.flow_style:
        at = _end(entry.value[-1][1])
        return f"{text[:at]}, {what}{text[at:]}"
    return _line_after(text, _end(entry), " " * entry.start_mark.column + what)


def _held(made: str, where: str, before: Registry, name: str, wanted: Institution | None, *, by_hand: str) -> str:
    """The text, once it is seen to say what was there before and the one change. wanted: None: whatever was added."""
    after = Registry.parse(made, where)
    expected = dict(before.institutions)
    expected[name] = wanted if wanted is not None else after.institutions.get(name, next(iter(expected.values())))
    if dict(after.institutions) != expected:
        text = f'has a layout that cannot be changed here; for "{name}", write by hand: {by_hand}'
        raise RefusedToStart(Problem(where, text))
    return made


def _institutions(text: str) -> yaml.SequenceNode:
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    finally:
        loader.dispose()
    (found,) = (value for key, value in root.value if key.value == "institutions")
    assert isinstance(found, yaml.SequenceNode)  # noqa: S101 - the registry was read
    return found


def _entry(text: str, name: str) -> yaml.MappingNode:
    for entry in _institutions(text).value:
        if any(key.value == "id" and value.value == name for key, value in entry.value):
            assert isinstance(entry, yaml.MappingNode)  # noqa: S101 - the registry was read
            return entry
    raise AssertionError(name)  # it was in the registry that this text is


def _end(node: yaml.Node) -> int:
    """Where its last character is followed. A block's own mark is at whatever comes next, after comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_after(text: str, at: int, line: str) -> str:
    """The text with a line after the one that position is in."""
    newline = _newline(text)
    if at and text[at - 1] == "\n":  # a block of lines ends where the next begins
        return f"{text[:at]}{line}{newline}{text[at:]}"
    end = text.find("\n", at)
    if end < 0:
        return f"{text}{newline}{line}{newline}"
    return f"{text[: end + 1]}{line}{newline}{text[end + 1 :]}"


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _flow(fields: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_value(value)}" for key, value in fields.items()) + "}"


def _block(fields: Mapping[str, Any], indent: str, newline: str) -> str:
    return f"{newline}{indent}".join(f"{key}: {_value(value)}" for key, value in fields.items())


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return _flow(value)
    if isinstance(value, str):
        is_itself = _PLAIN(value) is not None and yaml.load(value, Loader=_Loader) == value  # noqa: S506 - a safe loader
        return value if is_itself else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
