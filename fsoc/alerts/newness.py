"""Which of two records of correlation's state says more, whoever wrote it last. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from fsoc.alerts.book import ALERT, alert_newness
from fsoc.correlation.levels import revision
from fsoc.correlation.progress import SINCE


class _Come(msgspec.Struct):
    """Of a record that sums up, how far it has come."""

    offset: int


_come: Final = msgspec.json.Decoder(_Come).decode


def newness(key: bytes, value: bytes) -> int:
    """Rises with what a record of the state says, whoever wrote it and when; the rest of it is not read for that.

    Raises:
        msgspec.MsgspecError: it is no such record.
    """
    if key in (b"header", SINCE):
        return _come(value).offset
    return alert_newness(value) if key.startswith(ALERT) else revision(key, value)
