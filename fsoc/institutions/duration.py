"""Durations as people write them: `90`, `90s`, `15m`, `1h`, `7d`. Not Sigma's timespans, though they look alike."""

from __future__ import annotations

import re
from typing import Any

_shape = re.compile(r"([0-9]{1,9})([smhd]?)").fullmatch
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration_ms(value: Any) -> int:
    """Milliseconds of whole seconds (a number) or of a number with s, m, h or d.

    Raises:
        ValueError: neither; the text says what was found and what is allowed.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9:
        return value * 1000
    match = _shape(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(
            f"{str(value)[:40]!r} is no duration; expected seconds, or a number and s, m, h or d, such as 1h"
        )
    return int(match[1]) * _SECONDS[match[2]] * 1000
