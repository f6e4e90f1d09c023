"""The credentials file's text with a token more, or an institution's taken out; other lines stay as they were. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import yaml

from fsoc.errors import Problem, RefusedToStart
from fsoc.runtime.gateway.credentials import Credential, Credentials

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NEW: Final = (
    "# Who may send by HTTPS; what an entry may say: fsoc/runtime/gateway/README.md. Gateways read this file again.\n"
    "credentials:\n"
)


def entry_lines(credential: Credential, indent: str = "  ") -> list[str]:
    """A token's entry, as lines of the file."""
    fields = {
        "institution": credential.institution,
        "token_sha256": credential.digest,
        **({} if credential.not_after is None else {"not_after": credential.not_after.isoformat()}),
        **({} if not credential.name else {"name": credential.name}),
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return [f"{indent}- {lines[0]}", *(f"{indent}  {line}" for line in lines[1:])]


def with_token(text: str, where: str, token: Credential) -> str:
    """Add a token, instead of those that are called as it is and are the same institution's.

    text: "" begins a new file.

    Raises:
        RefusedToStart: the file is refused, before or after; or it has a layout that this cannot change by itself.
    """
    before = Credentials.parse(text, where) if text.strip() else Credentials([], [])
    begun = text if text.strip() else NEW
    made = _without(begun, where, lambda one: (one.institution, one.name) == (token.institution, token.name))
    sequence = _entries(made, where)
    newline = "\r\n" if "\r\n" in made else "\n"
    if isinstance(sequence, yaml.SequenceNode) and sequence.value:
        at = _line_end(made, sequence.value[-1])
        indent = " " * sequence.start_mark.column
    else:
        # Nobody is in it: `credentials:` with nothing after it, or an empty list.
        made = made[: sequence.start_mark.index].rstrip(" ") + made[sequence.end_mark.index :]
        at = made.find("\n", len(made[: sequence.start_mark.index].rstrip(" "))) + 1 or len(made)
        indent = "  "
    head = made[:at] if made[:at].endswith("\n") else made[:at] + newline
    made = head + newline.join(entry_lines(token, indent)) + newline + made[at:]
    kept = {one for one in before.all if (one.institution, one.name) != (token.institution, token.name)}
    return _held(made, where, {*kept, token}, "\n".join(entry_lines(token)))


def without_institution(text: str, where: str, institution: str) -> str:
    """Take out all credentials of an institution, certificates too; the same text where it has none.

    Raises:
        RefusedToStart: the file is refused, or has a layout that this cannot change by itself.
    """
    if not text.strip():
        return text
    before = Credentials.parse(text, where)
    made = _without(text, where, lambda one: one.institution == institution)
    return _held(made, where, {one for one in before.all if one.institution != institution}, f"no {institution}")


def _without(text: str, where: str, is_gone: Callable[[Credential], bool]) -> str:
    sequence = _entries(text, where)
    if not isinstance(sequence, yaml.SequenceNode):
        return text
    # From the end, so that places before stay where they are.
    for node in reversed(sequence.value):
        fields = {key.value: value.value for key, value in node.value}
        if not is_gone(Credential(fields["institution"], "", None, fields.get("name", ""))):
            continue
        begin = text.rfind("\n", 0, node.start_mark.index) + 1
        if sequence.flow_style or text[begin : node.start_mark.index].strip() != "-":
            raise _by_hand(where, f"take out what {fields['institution']} has")
        text = text[:begin] + text[_line_end(text, node) :]
    return text


def _entries(text: str, where: str) -> yaml.Node:
    """The value of `credentials`."""
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
    finally:
        loader.dispose()
    found = [value for key, value in root.value if key.value == "credentials"] if root is not None else []
    if len(found) != 1 or not isinstance(found[0], yaml.Node):
        raise _by_hand(where, "credentials:")
    if isinstance(found[0], yaml.SequenceNode) and found[0].flow_style and found[0].value:
        raise _by_hand(where, "an entry a line")
    return found[0]


def _line_end(text: str, node: yaml.Node) -> int:
    """Where the line after an entry begins. A block's own mark is at whatever comes next, after comments."""
    last = node
    while isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    return text.find("\n", last.end_mark.index) + 1 or len(text)


def _held(text: str, where: str, expected: set[Credential], wanted: str) -> str:
    """The text, once it is seen to say what was expected."""
    if set(Credentials.parse(text, where).all) != expected:
        raise _by_hand(where, wanted)
    return text


def _by_hand(where: str, wanted: str) -> RefusedToStart:
    return RefusedToStart(Problem(where, f"has a layout that cannot be changed here; write by hand: {wanted}"))
