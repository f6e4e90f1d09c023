"""Under which terms a ticket may be told of: how sure its sender is, TLP, attribution, what it offers. Pure.

It travels with every entry of the ticket, for whoever tells other members of the alert has nothing else of the ticket.
So it is short: most tickets need one number.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import orjson

from fsoc.tickets.vocabulary import INDICATOR_ROLES, Attribution, ObservableRole, ObservableType, Tlp

OFFERS_MAX: Final = 8
"""Values that one ticket offers to the others; those it names first."""

OFFER_BYTES_MAX: Final = 512
"""Of one value that is offered: every entry of the ticket carries it."""

OFFERED_TYPES: Final = frozenset(
    {"ipv4", "ipv6", "cidr", "asn", "domain", "url", "email", "sha256", "sha1", "md5", "ja4", "cve"}
)
"""Whose values cannot be a victim's name by their form, as a user agent's or a process's can."""


TOLD_TYPES: Final = OFFERED_TYPES | {"user_agent", "process", "mutex"}
"""Whose values may be told at all, some of them only where many have them."""

_OWN_TYPES: Final = frozenset({"account_token", "customer_token", "atm_id_token", "swift_bic"})
"""Somebody's at an institution, whatever role its sender gives them."""


class Offer(NamedTuple):
    """A value of the attacker's that its sender lets be told though nobody else may have it."""

    type: ObservableType
    value: str
    role: ObservableRole


class Terms(NamedTuple):
    """Of one ticket in one group; what is usual is the default, and is not written.

    confidence: 0 to 100, of the ticket; None where it has none, as a heartbeat.
    key: what the group's value is to this ticket. own: one of its assets' or victims' as well, and never told.
    offers: none where the ticket is red.
    """

    confidence: int | None = None
    tlp: Tlp = "amber"
    attribution: Attribution = "anonymous"
    key: Literal["attacker", "infrastructure", "own"] = "attacker"
    offers: tuple[Offer, ...] = ()


NO_TERMS: Final = Terms()


class TicketTerms:
    """The terms of one ticket, by the group that it feeds."""

    __slots__ = ("_keys", "_known", "_plain")

    def __init__(self, body: Mapping[str, Any]) -> None:
        observables = body.get("observables") or ()
        # Names and hashes mean the same in either case, and groups are made of them in lower case.
        # What is nobody's indicator may join tickets as well: a group may be of a field of the evidence.
        own = {asset["ref"].lower() for asset in body.get("assets") or ()}
        keys: dict[str, Literal["attacker", "infrastructure", "own"]] = {}
        for item in observables:
            kind, role = item["type"], item["role"]
            if kind in _OWN_TYPES or (role == "victim" and kind != "cve"):  # a weakness is nobody's
                own.add(str(item["value"]).lower())
            elif role == "infrastructure":
                keys[str(item["value"]).lower()] = "infrastructure"
        self._keys: dict[str, Literal["attacker", "infrastructure", "own"]] = {**keys, **dict.fromkeys(own, "own")}
        offers: tuple[Offer, ...] = ()
        if observables and body["tlp"] != "red":
            offers = _offers(observables, own, named=body["attribution"] != "anonymous")
        self._plain = Terms(body["confidence"], body["tlp"], body["attribution"], "attacker", offers)
        self._known: dict[str, Terms] = {}

    def of(self, group: str) -> Terms:
        """group: JSON list of its values."""
        if not self._keys:
            return self._plain
        known = self._known.get(group)
        if known is None:  # rules by the dozen group by the same
            known, keys = self._plain, self._keys
            for value in orjson.loads(group):
                key = keys.get(value.lower())
                if key == "own" or (key is not None and known is self._plain):
                    known = self._plain._replace(key=key)
                    if key == "own":
                        break
            self._known[group] = known
        return known


def _offers(observables: list[dict[str, Any]], own: Container[str], *, named: bool) -> tuple[Offer, ...]:
    """What the sender says may be told; where it says nothing, what one that lets itself be named has."""
    found: dict[Offer, None] = {}
    for item in observables:
        share = item.get("share")
        if share is False or (share is None and not named):
            continue
        value, fits = item["value"].lower(), len(item["value"].encode()) <= OFFER_BYTES_MAX
        if fits and item["role"] in INDICATOR_ROLES and item["type"] in OFFERED_TYPES and value not in own:
            found[Offer(item["type"], value, item["role"])] = None
    return tuple(found)[:OFFERS_MAX]


@lru_cache(4_096)
def written(terms: Terms) -> tuple[Any, ...]:
    """Its fields without those at the end that are as usual; () where all are."""
    fields = len(terms)
    while fields and terms[fields - 1] == NO_TERMS[fields - 1]:
        fields -= 1
    return terms[:fields]
