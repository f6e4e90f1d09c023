"""What an alert is called: a function of rule, environment, group and episode, never of arrival (law 7). Pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from fsoc.correlation.entries import GroupKey

ALERT_KEY_BYTES: Final = 16, 64
"""How long a key may be: less can be tried, more BLAKE2b does not take."""


def alert_id(key: GroupKey, episode: int, alert_key: bytes = b"") -> str:
    """The same on every machine and in every run; two different alerts never share it (128 bits of BLAKE2b).

    alert_key: known to the installation alone. Institutions are told ids, and whoever can reckon them can try what an
    alert's tickets have in common, one guess after another. Without a key, as in exercises, everybody can.
    """
    name = "\x00".join((*key, str(episode)))
    return f"al-{blake2b(name.encode(), digest_size=16, key=alert_key).hexdigest()}"
