"""Campaigns by brute force: pairs of what ties, connected as long as anything changes, over the final set."""

from __future__ import annotations

from itertools import combinations

MONTH_MS = 30 * 86_400_000


def campaigns(told, decisions, institutions):
    """Id of the oldest link → ids of all links and alerts of one campaign.

    told: the newest record of each link and alert. decisions: all. institutions: how many there are.
    """
    undone = {one.undoes for one in decisions if one.op == "undo"}
    splits = [one for one in decisions if one.op == "split" and one.decision_id not in undone]
    merges = [one for one in decisions if one.op == "merge" and one.decision_id not in undone]
    ties = [one for one in told if _ties(one, splits, institutions)]
    together = [{one.id} for one in ties]
    pairs = [(a.id, b.id) for a, b in combinations(ties, 2) if _joined(a, b, merges)]
    changed = True
    while changed:
        changed = False
        for a, b in pairs:
            one = next(members for members in together if a in members)
            other = next(members for members in together if b in members)
            if one is not other:
                one |= other
                together.remove(other)
                changed = True
    by_id = {one.id: one for one in ties}
    found = {}
    for members in together:
        records = [by_id[name] for name in members]
        links = [one for one in records if one.what == "link"]
        if len({who for one in records for who in one.members.values()}) >= 3 and _two_links(links):
            found[min(links, key=lambda one: (one.first_ms, one.id)).id] = members
    return found


def _ties(one, splits, institutions):
    if one.status == "retracted" or one.kind != "joint":
        return False
    if len(set(one.members.values())) > max(10, institutions // 2):
        return False
    for split in splits:
        if one.id in split.named:
            return False
        if one.what == "link" and one.environment == split.environment:
            for rule, group in split.values:
                if rule == one.rule_id and group == _values(one):
                    return False
    return True


def _values(one):
    return "[" + ",".join(f'"{value}"' for value in one.group.values()) + "]"


def _joined(a, b, merges):
    if any(a.id in merge.named and b.id in merge.named for merge in merges):
        return True
    if a.environment != b.environment:
        return False
    if set(a.tickets) & set(b.tickets):
        return True
    if a.what != "link" or b.what != "link" or (a.rule_id, a.group) != (b.rule_id, b.group):
        return False
    return max(a.first_ms, b.first_ms) - min(a.last_ms, b.last_ms) <= MONTH_MS


def _two_links(links):
    """By pairs of values; the tickets of links on one value count together."""
    member_of = {name: member for one in links for name, member in one.members.items()}
    tickets = {}
    for one in links:
        tickets.setdefault(tuple(sorted(map(str, one.group.values()))), set()).update(one.tickets)
    for a, b in combinations(tickets.values(), 2):
        both = a & b
        if (a - b and b - a) or len({member_of[name] for name, _ in both}) >= 3:
            return True
    return False
