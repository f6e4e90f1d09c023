"""What an alert is called: a function of rule, environment, group and episode, never of arrival (law 7). Pure."""

from __future__ import annotations

from hashlib import blake2b

from fsoc.correlation.entries import GroupKey


def alert_id(key: GroupKey, episode: int) -> str:
    """The same on every machine and in every run; two different alerts never share it (128 bits of BLAKE2b)."""
    name = "\x00".join((*key, str(episode)))
    return f"al-{blake2b(name.encode(), digest_size=16).hexdigest()}"
