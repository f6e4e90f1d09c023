"""Correlations of correlations, read off the newest revision of every ticket: rule after rule, from the inside out.

Shares with fsoc/correlation the rules, the shape of an entry and how an alert is written, nothing that decides.
"""

from __future__ import annotations

from itertools import product

import orjson
from correlation_oracle import holds, measured, summed_up

from fsoc.alerts.compose import compose
from fsoc.alerts.identity import alert_id
from fsoc.correlation.entries import Entry, GroupKey
from fsoc.correlation.window import Satisfied


def expected(rules, tickets):
    """Alerts over the newest revisions: rule after rule, from the inside out, over plain matches."""
    newest = {}
    for ticket in tickets:
        name = (ticket["institution"], ticket["ticket_id"])
        if name not in newest or newest[name]["revision"] < ticket["revision"]:
            newest[name] = ticket
    matches, alerts = [], {}
    for (institution, ticket_id), ticket in newest.items():
        fields = {"institution": [institution], "indicator": ticket["indicators"], "category": [ticket["category"]]}
        matches += [
            (name, ticket["at"], ticket["at"], institution, ticket_id, fields, "") for name in ticket["matched"]
        ]
    for rule in sorted(rules.values(), key=lambda rule: rule.depth):
        for group, members in grouped(rule, matches).items():
            held = holding(rule, [entry for entry, _ in members])
            if not rule.silent:
                alerts.update(raised(rule, group, held))
            for entry, fields in members:
                times = [t for t in held if entry.event_time_ms <= t < entry.event_time_ms + rule.timespan_ms]
                if times:
                    fixed = {**fields, **{name: [value] for name, value in zip(rule.group_by, group, strict=True)}}
                    source = f"{rule.id}{group}{entry.source}"
                    matches.append(
                        (rule.id, min(times), entry.event_time_ms, entry.institution, entry.ticket_id, fixed, source)
                    )
    return alerts


def holding(rule, entries):
    """Event time → (event time, measure, window), where the condition holds."""
    windows = {
        t: sorted(entry for entry in entries if t - rule.timespan_ms < entry.event_time_ms <= t)
        for t in {entry.event_time_ms for entry in entries}
    }
    return {t: (t, measured(rule, windows[t]), windows[t]) for t in windows if holds(rule, measured(rule, windows[t]))}


def grouped(rule, matches):
    """Group → its (entry, fields of the match), a ticket's matches of several detections together."""
    groups = {}
    for name, at_match, at_ticket, institution, ticket_id, fields, source in matches:
        if name not in rule.rules:
            continue
        at = at_match if rule.type in {"temporal", "temporal_ordered"} else at_ticket
        counted = tuple(product(*(fields[field] for field in rule.fields))) if rule.fields else ()
        if rule.fields and not counted:
            continue
        for group in product(*(fields[field] for field in rule.group_by)):
            members = groups.setdefault(group, {})
            before = members.get((institution, ticket_id, source))
            rules = tuple(sorted({name, *(before[0].rules if before else ())}))
            entry = Entry(
                at, institution, ticket_id, 1, tuple(sorted(counted)), institution, 3, (), rules, source=source
            )
            members[institution, ticket_id, source] = (entry, fields)
    return {group: list(members.values()) for group, members in groups.items()}


def raised(rule, group, held):
    key = GroupKey(rule.id, "production", orjson.dumps(group).decode())
    episodes = {}
    for t in held:
        episodes.setdefault(t // rule.episode_ms, []).append(held[t])
    for episode, windows in episodes.items():
        before = alert_id(key, episode - 1) if episode - 1 in episodes else None
        found = Satisfied(episode, *summed_up(rule, windows))
        yield alert_id(key, episode), compose(rule, key, found, before, {})
