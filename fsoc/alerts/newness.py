"""Which of two records that a partition's state has of one thing is the newer, whoever wrote it and when. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from fsoc.alerts.book import ALERT, alert_revision
from fsoc.correlation.levels import revision


class _Come(msgspec.Struct):
    """Of a header, how far it has come."""

    offset: int


_come: Final = msgspec.json.Decoder(_Come).decode


def newness(key: bytes, value: bytes) -> int:
    """Rises with what a record of the state says; the rest of it is not read for that.

    Raises:
        msgspec.MsgspecError: it is no such record.
    """
    if key == b"header":
        return _come(value).offset
    return alert_revision(value) if key.startswith(ALERT) else revision(key, value)
