"""What follows from a ticket's own fields and rules may ask for, though no sender states it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def with_derived(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The ticket with `volume.failure_ratio`: failed logins of all of both kinds, 0 to 1.

    Only where it states both numbers, and they are not both 0; any other ticket is returned as it is. Sigma compares
    fields with constants and cannot reckon.
    """
    volume = body.get("volume")
    if not isinstance(volume, Mapping):
        return body
    failed, successful = volume.get("failed_logins"), volume.get("successful_logins")
    if not isinstance(failed, int) or not isinstance(successful, int) or failed + successful <= 0:
        return body
    return {**body, "volume": {**volume, "failure_ratio": failed / (failed + successful)}}
