"""What of an alert may be told to other members, as far as its tickets decide that. Pure: a function of its entries.

It tells nobody anything: `fsoc/sharing` does, and knows of tickets no more than what is written here. A ticket that is
TLP:RED is in nothing but what says that there are such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from math import ceil, floor
from statistics import median_low
from typing import Any, Final

import orjson

from fsoc.alerts.timeline import timeline
from fsoc.correlation.entries import Entry
from fsoc.correlation.rules import CorrelationRule
from fsoc.correlation.terms import Offer, Terms
from fsoc.tickets.times import rfc3339

TLP_ORDER: Final = ("clear", "green", "amber", "amber+strict", "red")
OFFERED_MAX: Final = 50
"""Values that an alert's tickets offer; those that most of them offer first."""

_Said = tuple[str, str, Terms]
"""Institution, what counts once of it, and terms."""

_ATTRIBUTION: Final = ("anonymous", "sector_only", "named")


def sharing(rule: CorrelationRule, entries: Sequence[Entry], tactics: Mapping[str, int]) -> dict[str, Any]:
    """entries: of victims, each ticket once, at least one. tactics: as of `timeline`."""
    # Most tickets of an institution are on the same terms: looked at once for all of them.
    said = sorted({(entry.institution, entry.member, entry.terms) for entry in entries}, key=repr)
    told = [one for one in said if one[2].tlp != "red"]
    least = least_of(rule)
    has_red = len(told) < len(said)
    stands = not has_red or (_counts_institutions(rule) and _holds_without_red(entries, least, rule.timespan_ms))
    return {
        "confidence": _confidence(told),
        "tlp": max((terms.tlp for _, _, terms in said), key=TLP_ORDER.index),
        "told_tlp": max((terms.tlp for _, _, terms in told), key=TLP_ORDER.index, default=None),
        "institutions_least": least,
        "stands": stands,
        "institutions": sorted({institution for institution, _, _ in told}),
        "key": _key(said),
        "offers": _offers(told),
        "attribution": _attribution(told),
        "red": _red(entries, tactics) if has_red else None,
    }


def least_of(rule: CorrelationRule) -> int:
    """How many institutions are in an alert at least, for all who know the rule; two where it does not say."""
    asked = [condition for field, condition in rule.also if field == "institution"]
    if _counts_institutions(rule):
        asked.append(rule.condition)
    bounds = [bound for condition in asked for bound in condition.bounds]
    return max([2, *(ceil(n) for op, n in bounds if op == "gte"), *(floor(n) + 1 for op, n in bounds if op == "gt")])


def _counts_institutions(rule: CorrelationRule) -> bool:
    """Whether it asks for institutions and for nothing else."""
    return rule.type == "value_count" and rule.fields == ("institution",) and not rule.also


def _holds_without_red(entries: Iterable[Entry], least: int, timespan_ms: int) -> bool:
    """Whether some (t - timespan, t] has so many members by tickets that are not red: an episode is many of these."""
    seen: dict[str, int] = {}
    for entry in sorted(entries):
        if entry.terms.tlp != "red":
            seen[entry.member] = entry.event_time_ms
            since_ms = entry.event_time_ms - timespan_ms
            if len(seen) >= least and sum(at_ms > since_ms for at_ms in seen.values()) >= least:
                return True
    return False


def _confidence(said: Iterable[_Said]) -> int | None:
    """What at least half of the independent members hold for sure, by the surest ticket of each.

    The middle one, so that no single member makes it high or low.
    """
    surest: dict[str, int] = {}
    for _, member, terms in said:
        if terms.confidence is not None:
            surest[member] = max(terms.confidence, surest.get(member, 0))
    return median_low(surest.values()) if surest else None


def _key(said: Iterable[_Said]) -> str:
    """What the group's value is: somebody's own is nobody's to tell; else as most have it."""
    keys = Counter(key for _, key in {(institution, terms.key) for institution, _, terms in said})
    if keys["own"]:
        return "own"
    return "infrastructure" if 2 * keys["infrastructure"] > keys.total() else "attacker"


def _offers(said: Iterable[_Said]) -> list[dict[str, Any]]:
    sure: dict[Offer, int] = {}
    by: dict[Offer, set[str]] = {}
    for institution, _, terms in said:
        for offer in terms.offers:
            sure[offer] = max(terms.confidence or 0, sure.get(offer, 0))
            by.setdefault(offer, set()).add(institution)
    ranked = sorted(sure, key=lambda offer: (-len(by[offer]), offer))[:OFFERED_MAX]
    return [{**offer._asdict(), "confidence": sure[offer]} for offer in ranked]


def _attribution(said: Iterable[_Said]) -> dict[str, str]:
    """Who lets itself be named, or its sector: in every ticket of it."""
    least: dict[str, str] = {}
    for institution, _, terms in said:
        word = terms.attribution
        least[institution] = min(word, least.get(institution, word), key=_ATTRIBUTION.index)
    return {name: word for name, word in sorted(least.items()) if word != "anonymous"}


def _red(entries: Sequence[Entry], tactics: Mapping[str, int]) -> dict[str, Any]:
    """What the alert would say without its red tickets; and a digest of which these are."""
    red = [entry for entry in entries if entry.terms.tlp == "red"]
    told = [entry for entry in entries if entry.terms.tlp != "red"]
    names = sorted((entry.institution, entry.ticket_id) for entry in red)
    pairs = {pair for entry in told for pair in entry.attack}
    ordered = sorted(pairs, key=lambda pair: (tactics.get(pair[0], len(tactics)), *pair))
    times = [entry.event_time_ms for entry in told]
    return {
        "tickets": len(red),
        "digest": blake2b(orjson.dumps(names), digest_size=8).hexdigest(),
        "attack": [{"tactic": tactic, "technique": technique} for tactic, technique in ordered],
        "timeline": timeline(told, tactics),
        "first_seen": rfc3339(min(times)) if times else None,
        "last_seen": rfc3339(max(times)) if times else None,
    }
