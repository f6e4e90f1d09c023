"""The value modifiers of Sigma 2.1.0: pySigma's, and our own where the specification says otherwise. Matches nothing.

What differs from pySigma 1.5, and why:
- `utf16le` is missing there; `utf16`'s byte order mark comes out as three UTF-8 bytes; only ASCII can be encoded.
- `base64` encodes the backslash that escapes a wildcard; `base64offset` counts characters where bytes matter.
- `windash` leaves the en dash, em dash and horizontal bar of a rule as they are.
- `re` wants Python's syntax; ours is RE2's. `re|startswith` and `re|endswith` match anywhere; ours at start and end.
- `contains`, `startswith` and `endswith` copy a text four times.
- `cased` refuses field references.
- `expand` leaves placeholders for a pipeline; ours fills in those whose values are known, where the modifier stands,
  so that `expand|base64offset` encodes the value and not the placeholder.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

import re2
from sigma.exceptions import SigmaValueError
from sigma.modifiers import (
    SigmaCaseSensitiveModifier,
    SigmaContainsModifier,
    SigmaEndswithModifier,
    SigmaExpandModifier,
    SigmaModifier,
    SigmaRegularExpressionModifier,
    SigmaStartswithModifier,
    SigmaValueModifier,
    modifier_mapping,
)
from sigma.types import (
    Placeholder,
    SigmaCasedString,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaRegularExpression,
    SigmaString,
    SpecialChars,
)

Placeholders = Mapping[str, Sequence[str | int | float]]
ModifierClass = type[SigmaModifier[Any, Any]]

_MANY: Final = SpecialChars.WILDCARD_MULTI
_DASHES: Final = "-/\u2013\u2014\u2015"
_DASH_BEFORE_WORD: Final = re.compile(rf"(?<!\w)[{_DASHES}](?=\w)")


class RegularExpression(SigmaRegularExpression):  # type: ignore[misc]
    """A pattern in RE2's syntax; whether it is one is found out when the rule is compiled."""

    def compile(self) -> None:
        """Overrides the check against Python's `re`."""


class EncodedString(SigmaString):  # type: ignore[misc]
    """A string whose characters are bytes (Latin-1): what `utf16le` and its kin make for `base64`."""

    def __bytes__(self) -> bytes:
        return _plain(self).encode("latin-1")


def _plain(value: SigmaString) -> str:
    """The text of a value that has neither wildcards nor placeholders."""
    if value.contains_special():
        raise SigmaValueError("wildcards cannot be encoded")
    if value.contains_placeholder():
        raise SigmaValueError("a placeholder without values cannot be encoded")
    return "".join(value.s)


def _octets(value: SigmaString) -> bytes:
    return bytes(value) if isinstance(value, EncodedString) else _plain(value).encode()


class _Encode(SigmaValueModifier[SigmaString, SigmaString]):  # type: ignore[misc]
    encoding = ""
    mark = ""

    def modify(self, val: SigmaString) -> SigmaString:
        encoded = EncodedString()
        encoded.s = [
            part.encode(self.encoding).decode("latin-1") if isinstance(part, str) else part
            for part in ([self.mark] if self.mark else []) + list(val.s)
        ]
        return encoded._merge_strs()  # noqa: SLF001 - pySigma's own way to join neighbours


class Utf16le(_Encode):
    encoding = "utf-16-le"


class Utf16be(_Encode):
    encoding = "utf-16-be"


class Utf16(_Encode):
    encoding = "utf-16-le"
    mark = "\ufeff"


class Base64(SigmaValueModifier[SigmaString, SigmaString]):  # type: ignore[misc]
    def modify(self, val: SigmaString) -> SigmaString:
        return SigmaString.from_str(b64encode(_octets(val)).decode())


class Base64Offset(SigmaValueModifier[SigmaString, SigmaExpansion]):  # type: ignore[misc]
    """What stays the same of the value's base64 form when 0, 1 or 2 bytes stand before it, and any after it."""

    def modify(self, val: SigmaString) -> SigmaExpansion:
        octets = _octets(val)
        if len(octets) < 2:  # of one byte in the middle no whole character is left: it would match everything
            raise SigmaValueError(f"{len(octets)} bytes leave no trace in base64; two are the least")
        shifted = []
        for before in range(3):
            encoded = b64encode(b"\x00" * before + octets).decode()
            # 6 bits a character: the first that holds no bit of what stands before, the last that is whole.
            start, stop = -(-before * 8 // 6), (before + len(octets)) * 8 // 6
            shifted.append(SigmaString.from_str(encoded[start:stop]))
        return SigmaExpansion(shifted)


class WinDash(SigmaValueModifier[SigmaString, SigmaExpansion]):  # type: ignore[misc]
    """Every dash or slash that starts a word may be any of the five; all combinations."""

    def modify(self, val: SigmaString) -> SigmaExpansion:
        def dashes(placeholder: Placeholder) -> Iterator[Any]:
            if placeholder.name == "_windash":
                yield from _DASHES
            else:
                yield placeholder

        return SigmaExpansion(val.replace_with_placeholder(_DASH_BEFORE_WORD, "_windash").replace_placeholders(dashes))


class Regex(SigmaRegularExpressionModifier):  # type: ignore[misc]
    def modify(self, val: SigmaString) -> SigmaRegularExpression:
        if self.applied_modifiers:
            raise SigmaValueError("re must stand first, before what changes the value")
        return RegularExpression(val.original)


class _Placed(SigmaModifier[Any, Any]):  # type: ignore[misc]
    """Opens a text at its ends with wildcards; anchors a pattern at the ends that stay closed."""

    before = False
    after = False

    def modify(
        self, val: SigmaString | SigmaRegularExpression | SigmaFieldReference
    ) -> SigmaString | SigmaRegularExpression | SigmaFieldReference:
        if isinstance(val, SigmaFieldReference):
            val.starts_with, val.ends_with = val.starts_with or self.after, val.ends_with or self.before
            return val
        if isinstance(val, SigmaRegularExpression):
            start, end = "" if self.before else r"\A", "" if self.after else r"\z"
            return RegularExpression(f"{start}(?:{val.regexp}){end}", val.flags)
        opened = type(val)()
        opened.s = [_MANY] * self.before + val.s + [_MANY] * self.after
        return opened


class Contains(_Placed, SigmaContainsModifier):  # type: ignore[misc]
    before = after = True


class StartsWith(_Placed, SigmaStartswithModifier):  # type: ignore[misc]
    after = True


class EndsWith(_Placed, SigmaEndswithModifier):  # type: ignore[misc]
    before = True


class Cased(SigmaCaseSensitiveModifier):  # type: ignore[misc]
    """Marks the string; that a field reference is compared cased is read from the item's list of modifiers."""

    def modify(self, val: SigmaString | SigmaFieldReference) -> SigmaCasedString | SigmaFieldReference:
        return val if isinstance(val, SigmaFieldReference) else super().modify(val)


class Expand(SigmaExpandModifier):  # type: ignore[misc]
    """Fills in the placeholders whose values are known; a value may hold wildcards, as in a rule."""

    placeholders: ClassVar[Placeholders] = {}

    def modify(self, val: SigmaString | SigmaRegularExpression) -> Any:
        if isinstance(val, SigmaRegularExpression):
            texts = val.regexp.insert_placeholders().replace_placeholders(self._patterns)
            filled = [RegularExpression(text, set(val.flags)) for text in texts]
        else:
            filled = val.insert_placeholders().replace_placeholders(self._values)
        return filled[0] if len(filled) == 1 else SigmaExpansion(filled)

    def _values(self, placeholder: Placeholder) -> Iterator[Any]:
        if placeholder.name not in self.placeholders:
            yield placeholder
        for value in self.placeholders.get(placeholder.name, ()):
            yield SigmaString(str(value))

    def _patterns(self, placeholder: Placeholder) -> Iterator[Any]:
        for value in self._values(placeholder):
            yield value if isinstance(value, Placeholder) else SigmaString(pattern(value.s), escape=False)


def pattern(parts: Sequence[Any]) -> str:
    """Text and wildcards as a regular expression of RE2's."""
    wildcards = {SpecialChars.WILDCARD_MULTI: "(?s:.*)", SpecialChars.WILDCARD_SINGLE: "(?s:.)"}
    return "".join(re2.escape(part) if isinstance(part, str) else wildcards[part] for part in parts)


def modifiers(placeholders: Placeholders) -> Mapping[str, ModifierClass]:
    """Every modifier by its name; `expand` knows the placeholders given."""
    return {
        **modifier_mapping,
        "base64": Base64,
        "base64offset": Base64Offset,
        "cased": Cased,
        "contains": Contains,
        "endswith": EndsWith,
        "expand": type("Expand", (Expand,), {"placeholders": placeholders}),
        "re": Regex,
        "startswith": StartsWith,
        "utf16": Utf16,
        "utf16be": Utf16be,
        "utf16le": Utf16le,
        "wide": Utf16le,
        "windash": WinDash,
    }
