"""Reads a Logstash pipeline file as far as ours go: sections, plugins, options. Refuses what it does not know."""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(r"""\s*(?:\#[^\n]*|(=>|[{}\[\],])|"([^"]*)"|([A-Za-z_][A-Za-z0-9_]*|-?[0-9]+))""")


def plugins(text: str) -> dict[str, dict[str, Any]]:
    """Options by `section.plugin`. Raises: ValueError: it is no such file."""
    reader = _Reader(text)
    found: dict[str, dict[str, Any]] = {}
    while reader.next is not None:
        section = reader.take()
        reader.expect("{")
        while reader.next not in {"{", "}"}:
            name = reader.take()
            found[f"{section}.{name}"] = reader.options()
        reader.expect("}")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, bool]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"not understood at: {text[at : at + 40]!r}")
            at = match.end()
            sign, quoted, word = match.groups()
            if quoted is not None:
                self._tokens.append((quoted, True))
            elif sign or word:
                self._tokens.append((sign or word, False))

    @property
    def next(self) -> str | None:
        return self._tokens[0][0] if self._tokens else None

    def take(self) -> str:
        return self._tokens.pop(0)[0]

    def expect(self, sign: str) -> None:
        if not self._tokens or self._tokens.pop(0) != (sign, False):
            raise ValueError(f"expected {sign}")

    def options(self) -> dict[str, Any]:
        self.expect("{")
        found: dict[str, Any] = {}
        while self._tokens[0] != ("}", False):
            name = self.take()
            self.expect("=>")
            if name in found:
                raise ValueError(f"{name} twice")
            found[name] = self.value()
        self.expect("}")
        return found

    def value(self) -> Any:
        if self._tokens[0] == ("{", False):
            return self.options()
        if self._tokens[0] != ("[", False):
            text, is_quoted = self._tokens.pop(0)
            if not is_quoted and self._tokens and self._tokens[0] == ("{", False):  # a codec with options
                return {text: self.options()}
            return (
                text if is_quoted else {"true": True, "false": False}.get(text, int(text) if text.isdigit() else text)
            )
        self.expect("[")
        found = []
        while self._tokens[0] != ("]", False):
            found.append(self.value())
            if self._tokens[0] == (",", False):
                self.expect(",")
        self.expect("]")
        return found
