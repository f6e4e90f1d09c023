"""How long it took until an alert was raised, in event time: of tickets where they are known, else of alerts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from fsoc.evaluation.records import Alert
from fsoc.evaluation.tickets import Tickets
from fsoc.evaluation.truth import Label

DECIDED_BY: Final = 3
"""The institution whose first ticket decides: before it, hardly anybody would call a campaign joint."""


class Timing:
    """tickets, independent_of: as of `evaluate`. `alerts` are those on the label, the earliest first."""

    def __init__(self, tickets: Tickets | None, independent_of: Callable[[str], str]) -> None:
        self._tickets = tickets
        self._independent_of = independent_of

    def after_first_s(self, label: Label, alerts: Sequence[Alert]) -> float | None:
        """From the label's first ticket. Without tickets: from the first that one of these alerts names.

        Nothing where the alert stood before: tickets that do not bear the label can raise it first.
        """
        if not alerts:
            return None
        if self._tickets is None:
            events = [alert.first_ms for alert in alerts]
        else:
            events = [times.event_ms for key in label.tickets if (times := self._tickets.get(key)) is not None]
        return max(0, alerts[0].raised_ms - min(events)) / 1000 if events else None

    def after_third_s(self, label: Label, alerts: Sequence[Alert]) -> float | None:
        """From the first ticket of the third independent institution; None where there is none, or no tickets."""
        if not alerts or self._tickets is None:
            return None
        first: dict[str, int] = {}
        for key in label.tickets:
            times = self._tickets.get(key)
            if times is not None:
                member = self._independent_of(key[0])
                first[member] = min(first.get(member, times.event_ms), times.event_ms)
        ordered = sorted(first.values())
        return (alerts[0].raised_ms - ordered[DECIDED_BY - 1]) / 1000 if len(ordered) >= DECIDED_BY else None

    def after_deciding_s(self, alert: Alert) -> float | None:
        """From when the deciding ticket happened to when it came: the alert is raised as it comes.

        The deciding ticket is the one at whose event time the rule's condition held first, intel too; of several of
        that moment the one that came last.
        """
        if self._tickets is None:
            return None
        known = (*map(self._tickets.get, alert.keys), *map(self._tickets.intel, alert.intel))
        came = [times.received_ms for times in known if times is not None and alert.raised_ms in times.moments]
        return (max(came) - alert.raised_ms) / 1000 if came else None
