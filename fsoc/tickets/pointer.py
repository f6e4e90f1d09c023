"""JSON Pointer (RFC 6901) of a path, bounded: names in it come from the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

POINTER_MAX: Final = 256
_ELLIPSIS: Final = "…"


def pointer(path: Iterable[str | int]) -> str:
    """`("observables", 3, "a/b")` → `/observables/3/a~1b`; "" is the whole. Past POINTER_MAX it is cut, marked `…`."""
    text = "".join("/" + str(step)[: POINTER_MAX + 1].replace("~", "~0").replace("/", "~1") for step in path)
    return text if len(text) <= POINTER_MAX else text[: POINTER_MAX - 1] + _ELLIPSIS
