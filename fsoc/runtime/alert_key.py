"""The key by which alerts' ids are made, from its file. What it is for: fsoc/alerts/identity.py."""

from __future__ import annotations

from typing import Final

import structlog

from fsoc.alerts.identity import ALERT_KEY_BYTES
from fsoc.errors import Problem, RefusedToStart
from fsoc.settings import Settings

MAKE_ONE: Final = "make one with `openssl rand -hex 32`, and give every worker the same, for good"

_log: Final = structlog.get_logger()


def alert_key(settings: Settings, *, warns: bool = False) -> bytes:
    """What the file of the setting holds, without white space around it; b"" where none is named.

    warns: where production has none. Whoever only reads need not tell.

    Raises:
        RefusedToStart: the file cannot be read, or holds too little or too much.
    """
    path = settings.alert_key_file
    if path is None:
        if warns and settings.environment == "production":
            _log.warning("alert_ids_can_be_reckoned", setting="alert_key_file", remedy=MAKE_ONE)
        return b""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise RefusedToStart(Problem(str(path), f"{error.strerror or error}; {MAKE_ONE}")) from error
    least, most = ALERT_KEY_BYTES
    if not least <= len(key) <= most:
        raise RefusedToStart(Problem(str(path), f"holds {len(key)} bytes, expected {least} to {most}; {MAKE_ONE}"))
    return key
