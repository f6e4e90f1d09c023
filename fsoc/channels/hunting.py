"""Hunting rules as queries of a SIEM, converted where they are shown. Pure; pySigma's backends do the converting.

What a SIEM cannot say is told with the reason, never left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fsoc.baseline.conversion import TARGETS, Converted, convert
from fsoc.baseline.conversion.targets import NOTES
from fsoc.baseline.publish.profiles import Profile
from fsoc.channels.content import Queries, Query
from fsoc.errors import Problem, RefusedToStart
from fsoc.sharing.model import Feedback

SIEMS_MAX: Final = 16


def profile_of(text: str) -> Profile:
    """`splunk`, or `splunk+splunk_cim` with the field mapping that the backend calls so.

    Raises:
        RefusedToStart: there is no such target.
    """
    target, _, mapping = text.partition("+")
    if target not in TARGETS:
        raise RefusedToStart(Problem("--siem", f'"{target[:40]}" is none of {", ".join(TARGETS)}'))
    return Profile(target, mapping)


def queries_of(feedback: Feedback, profiles: Sequence[Profile]) -> Queries:
    """Every hunting rule of the record for every profile, by the rule's id.

    Raises:
        RefusedToStart: a backend is not installed, or a mapping is unknown.
    """
    statement = feedback.statement
    if statement is None:
        return {}
    return {rule.rule_id: [_query(rule.sigma, one) for one in profiles] for rule in statement.hunt}


def _query(sigma: str, profile: Profile) -> Query:
    system = TARGETS[profile.target].name + (f" ({profile.mapping})" if profile.mapping else "")
    found = convert(sigma, profile.target, profile.pipeline)
    if isinstance(found, Converted):
        return Query(system, found.text, tuple(NOTES[note] for note in found.notes))
    return Query(system, None, ((found.reason, found.reason),))
