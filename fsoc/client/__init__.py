"""Send tickets from an institution's own programs. Imports Python's own library and nothing of the engine."""

from __future__ import annotations

from fsoc.client.gateway import Gateway, Refused, Unavailable
from fsoc.client.sending import Destination, drain
from fsoc.client.signing import Signer, make_key
from fsoc.client.spool import Batch, Spool, SpoolFull

__all__ = [
    "Batch",
    "Destination",
    "Gateway",
    "Refused",
    "Signer",
    "Spool",
    "SpoolFull",
    "Unavailable",
    "drain",
    "make_key",
]
