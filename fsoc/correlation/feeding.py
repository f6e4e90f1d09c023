"""From one message to what it puts into groups: its detections, the groups they feed, an entry for each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from fsoc.correlation.entries import Entry, GroupKey, common, put_in_group
from fsoc.correlation.feeder import Feed
from fsoc.correlation.lookup import TicketFields
from fsoc.correlation.ruleset import RuleSet
from fsoc.correlation.terms import NO_TERMS, Terms
from fsoc.tickets.decode import Message


class Fed(NamedTuple):
    """What one message feeds, by rule and group. detections: rules that matched. cut: groups past the bounds."""

    feeds: dict[tuple[str, str], Feed]
    detections: int
    cut: int


def feeds_of(rules: RuleSet, body: Mapping[str, Any], institution: str, member: str, at_ms: int) -> Fed:
    """member: what counts once of the institution; "" for intel, which happened to nobody. at_ms: its event time."""
    matches = rules.detector.match_ticket(body)
    fields = TicketFields(body, institution, lambda: rules.attack(body, [match.rule_id for match in matches]))
    feeds, cut = rules.feeder.feeds(matches, fields, member, at_ms)
    found = {(feed.rule, feed.group): feed for feed in feeds}
    return Fed(found, len({match.rule_id for match in matches}), cut)


def told_by(message: Message, institution: str, member: str, at_ms: int, *, dismissed: bool) -> Entry:
    """What all entries of a ticket have in common. member, at_ms: as of `feeds_of`. dismissed: as in `Entry`."""
    criticality = max((asset.get("criticality") or 0 for asset in message.body.get("assets") or ()), default=0)
    name, severity = (institution, message.ticket_id), message.body.get("severity", 0)
    return common(at_ms, name, message.revision, member, severity, criticality, dismissed=dismissed)


def entries_of(
    rules: RuleSet,
    message: Message,
    fed: Iterable[Feed],
    told: Entry,
    terms: Callable[[str], Terms] = lambda _: NO_TERMS,
) -> Iterator[tuple[GroupKey, Entry]]:
    """told: what all entries of the message have in common. terms: under which it may be told of, by group."""
    attack = rules.attack_of(message.body)
    for feed in fed:
        by, beside, onward = attack(feed.rules), feed.also, feed.onward
        entry = put_in_group(told, feed.values, by, feed.rules, beside, onward, terms(feed.group))
        yield GroupKey(feed.rule, message.environment, feed.group), entry
