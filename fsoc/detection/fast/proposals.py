"""A regular expression of RE2 written anew for Hyperscan, so that it finds at least what RE2 finds. It decides nothing.

What is written has no flag, no class by name and no letter case: it is searched for in the folded text of values that
are ASCII throughout, where a character is a byte and folding is lower case. A pattern is refused wherever the two
libraries might read it differently; it is then tried with RE2 alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_ASCII: Final = frozenset(range(128))
_DIGITS: Final = frozenset(b"0123456789")
_WORD: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_SPACE: Final = frozenset(b"\t\n\f\r ")
"""RE2's, which has no vertical tab."""
_CLASSES: Final = {
    "d": _DIGITS,
    "D": _ASCII - _DIGITS,
    "w": _WORD,
    "W": _ASCII - _WORD,
    "s": _SPACE,
    "S": _ASCII - _SPACE,
}
_CONTROLS: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_ANCHORS: Final = {"b": r"\b", "A": r"\A", "z": r"\z"}
_FLAGS: Final = re.compile(r"\(\?([is]+)\)")
_GROUP: Final = re.compile(r"\((?!\?)|\(\?:|\(\?P?<\w+>", re.ASCII)
_REPEAT: Final = re.compile(r"[*+?]|\{([0-9]{1,4})(?:,(?:[0-9]{1,4})?)?\}", re.ASCII)
_HEX: Final = re.compile(r"x([0-7][0-9a-fA-F])", re.ASCII)
_NESTED_MAX: Final = 32
_LENGTH_MAX: Final = 1024


class UnsureError(ValueError):
    """The pattern may mean something else to Hyperscan."""


def literal(text: str) -> str:
    """An expression for a text as it stands."""
    return "".join(rf"\x{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def propose(pattern: str) -> str:
    """An expression found in the folded text of every ASCII value in which RE2 finds the pattern.

    Raises:
        UnsureError: no such expression is certain to be one.
    """
    return _Translation(pattern).whole()


class _Translation:
    """Reads the pattern from left to right; `at` is the place of the next character."""

    def __init__(self, pattern: str) -> None:
        if not pattern.isascii() or len(pattern) > _LENGTH_MAX:
            raise UnsureError("not ASCII, or too long")  # with (?i), ſ is s and K is k
        self._pattern = pattern
        self._at = 0
        self._depth = 0
        flags = ""
        while match := _FLAGS.match(pattern, self._at):
            flags += match[1]
            self._at = match.end()
        self._any_case = "i" in flags
        self._dot = _ASCII if "s" in flags else _ASCII - {10}

    def whole(self) -> str:
        found = self._alternatives()
        if self._at < len(self._pattern):
            raise UnsureError(f"at {self._at}")
        return found

    def _alternatives(self) -> str:
        found = [self._sequence()]
        while self._next() == "|":
            self._at += 1
            found.append(self._sequence())
        return "|".join(found)

    def _sequence(self) -> str:
        found = []
        while self._next() not in ("", "|", ")"):
            found.append(self._repeated())
        return "".join(found)

    def _repeated(self) -> str:
        atom, repeatable = self._atom()
        match = _REPEAT.match(self._pattern, self._at)
        if match is None:
            if self._next() == "{":
                raise UnsureError("a brace that repeats nothing")
            return atom
        self._at = match.end()
        if self._next() == "?":  # whether it is lazy changes where a match ends, not whether there is one
            self._at += 1
        if not repeatable or self._next() in ("*", "+", "?", "{"):
            raise UnsureError("a repetition of what is none")
        if match[0] in ("*", "+", "?"):
            return atom + match[0]
        # How often it stands there is left open: Hyperscan would spell it out, and takes 2 s for a.{1,900}b.{1,900}c.
        return atom + ("*" if int(match[1]) == 0 else "+")

    def _atom(self) -> tuple[str, bool]:
        """What stands next, and whether it may be repeated."""
        character = self._next()
        if character == "(":
            return self._group(), True
        if character == "[":
            return self._set(self._bracket()), True
        self._at += 1
        if character in ("^", "$"):
            return (r"\A" if character == "^" else r"\z"), False
        if character == "\\" and self._next() in _ANCHORS:
            self._at += 1
            return _ANCHORS[self._pattern[self._at - 1]], False
        if character == "\\":
            return self._set(self._cased(self._escaped())), True
        if character in "*+?{":
            raise UnsureError("a repetition of nothing")
        return self._set(self._dot if character == "." else self._cased(frozenset((ord(character),)))), True

    def _group(self) -> str:
        match = _GROUP.match(self._pattern, self._at)
        self._depth += 1
        if match is None or self._depth > _NESTED_MAX:
            raise UnsureError("a group with options, or too deep")
        self._at = match.end()
        inner = self._alternatives()
        if self._next() != ")":
            raise UnsureError("a group without an end")
        self._at += 1
        self._depth -= 1
        return f"(?:{inner})"

    def _bracket(self) -> frozenset[int]:
        self._at += 1
        negated = self._next() == "^"
        self._at += negated
        members: set[int] = set()
        first = True
        while first or self._next() != "]":
            low = self._member()
            first = False
            if self._next() == "-" and self._pattern[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                high = self._member()
                if len(low) != 1 or len(high) != 1 or min(low) > min(high):
                    raise UnsureError("a range of what are no characters")
                members.update(range(min(low), min(high) + 1))
            else:
                members |= low
        self._at += 1
        cased = self._cased(members)
        return _ASCII - cased if negated else cased

    def _member(self) -> frozenset[int]:
        character = self._next()
        self._at += 1
        if character in ("", "["):
            raise UnsureError("a class without an end, or by name")
        return self._escaped() if character == "\\" else frozenset((ord(character),))

    def _escaped(self) -> frozenset[int]:
        """What an escape stands for; its backslash is read."""
        character = self._next()
        if match := _HEX.match(self._pattern, self._at):
            self._at = match.end()
            return frozenset((int(match[1], 16),))
        self._at += 1
        if character in _CLASSES:
            return _CLASSES[character]
        if character in _CONTROLS:
            return frozenset((_CONTROLS[character],))
        if not character or character.isalnum():
            raise UnsureError("an escape of another kind")
        return frozenset((ord(character),))

    def _cased(self, members: Iterable[int]) -> frozenset[int]:
        """Both cases of what is there, if case is nothing to the pattern."""
        found = frozenset(members)
        if not self._any_case:
            return found
        return found | frozenset(ord(cased) for each in found for cased in (chr(each).lower(), chr(each).upper()))

    @staticmethod
    def _set(members: frozenset[int]) -> str:
        """One character, as it stands in a folded text."""
        folded = sorted({ord(chr(each).lower()) for each in members})
        if not folded:
            raise UnsureError("a class of nothing")
        written = "".join(rf"\x{each:02x}" for each in folded)
        return f"[{written}]" if len(folded) > 1 else written

    def _next(self) -> str:
        return self._pattern[self._at : self._at + 1]
