"""Which STIX object is which: ids that follow from what the object is of, so that a revision updates it. Pure.

Ids are UUIDs of version 5, as STIX 2.1 asks of deterministic ones. What is of an alert is also of the institution that
was told: the ids of two institutions' objects never meet, so that nothing can be learnt by comparing them.
"""

from __future__ import annotations

import hashlib
from typing import Final

_NAMESPACE: Final = bytes.fromhex("2f6c1d0a6b6f5a0f9b1c7d0c5e9b3a41")
"""fsoc's own; changing it makes every object another one."""


def uuid5(*parts: str) -> str:
    """The UUID of a name in parts; parts are told apart, whatever is in them."""
    name = "".join(f"{len(part)}:{part}" for part in parts)
    digest = bytearray(hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def stix_id(kind: str, *parts: str) -> str:
    """The id of an object of this STIX type."""
    return f"{kind}--{uuid5(kind, *parts)}"
