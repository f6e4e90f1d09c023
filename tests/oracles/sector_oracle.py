"""What a whole sector's final tickets come to: which alerts stand, and what they say. Plain, slow, after the fact.

It reads ticket logs and receipts, not puts, states or windows that something else has made, and shares nothing with
`fsoc` but the correlation rules it is asked about: laws 6 and 7 once more, in words of its own.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from itertools import product
from types import SimpleNamespace
from typing import Any, NamedTuple

from tests.oracles.measures_oracle import holds, is_number, measured, most_telling
from tests.oracles.past_oracle import counting
from tests.oracles.tickets_oracle import Ticket, is_false, is_intel, ms

DAY_MS = 86_400_000
LISTED_UNTIL_MS = 20_000 * DAY_MS


class Match(NamedTuple):
    """What a rule may count: a detection in one place of a ticket, or an inner correlation that held with it.

    at: the ticket's event time. held_at: the same for a detection; of an inner correlation, when it first held with the
    ticket. source: "" for a detection, the inner group otherwise. values: of a field, by its name; numbers: the same
    with the place they stand in, so that equal ones are told apart.
    """

    name: str
    at: int
    held_at: int
    source: str
    ticket: Ticket
    values: Callable[[str], list[str]]
    numbers: Callable[[str], list[tuple[Any, str]]]


class Row(NamedTuple):
    """One ticket in one group."""

    at: int
    institution: str
    ticket_id: str
    source: str
    member: str
    values: tuple[Any, ...]
    also: tuple[frozenset[str], ...]
    rules: frozenset[str]
    matches: tuple[Match, ...]
    is_news: bool = False


Matcher = Callable[[Mapping[str, Any]], Iterable[tuple[str, int]]]
"""The detections of a ticket: (detection, index of the evidence item that matched or -1)."""


def standing(
    rules: Iterable[Any],
    tickets: Iterable[Ticket],
    matcher: Matcher,
    members: Mapping[str, str],
    since: Mapping[str, int],
) -> dict[str, dict[str, Any]]:
    """The alerts that stand, by id.

    members: institution → what counts once for `independent`, where that differs. since: institution → from when on its
    past is known.
    """
    rules = {rule.id: rule for rule in rules}
    found = [match for ticket in tickets for match in detected(ticket, matcher)]
    alerts: dict[str, dict[str, Any]] = {}
    silent = {inner for rule in rules.values() if not rule.generate for inner in rule.rules if inner in rules}
    heard = {inner for rule in rules.values() if rule.generate for inner in rule.rules}
    for rule in by_depth(rules):
        for (environment, group), rows in groups_of(rule, found, members).items():
            rows = by_past(rule, rows, since)  # noqa: PLW2901 - nothing else is asked of them
            windows = satisfied(rule, rows)
            if rule.id not in silent or rule.id in heard:
                for alert in alerts_of(rule, environment, group, rows, windows, members):
                    alerts[alert["alert_id"]] = alert
            found.extend(relayed(rule, group, rows, windows))
    return alerts


def by_depth(rules: Mapping[str, Any]) -> list[Any]:
    """Inner ones first."""

    def depth(rule: Any) -> int:
        return 1 + max((depth(rules[name]) for name in rule.rules if name in rules), default=0)

    return sorted(rules.values(), key=depth)


def detected(ticket: Ticket, matcher: Matcher) -> Iterable[Match]:
    for detection, index in matcher(ticket.body):
        yield Match(
            detection,
            ticket.at,
            ticket.at,
            "",
            ticket,
            lambda name, index=index: list(dict.fromkeys(text for _, text in texts_of(ticket, index, name))),
            lambda name, index=index: texts_of(ticket, index, name),
        )


def texts_of(ticket: Ticket, index: int, name: str) -> list[tuple[Any, str]]:
    """Every value of a field with its place: the matched evidence item's, else the ticket's own."""
    body = ticket.body
    if name == "institution":
        return [] if is_intel(ticket) else [(0, ticket.institution)]
    if name in {"environment", "ticket_id"}:
        return [(0, body[name])]
    if name in {"tactic", "technique"}:
        return [(0, text) for text in dict.fromkeys(item[name] for item in body.get("attack", []))]
    if name == "observable:domain":
        name = "indicator"  # members send no others
    if name == "indicator":
        hostile = [item for item in body.get("observables", []) if item["role"] in {"attacker", "infrastructure"}]
        return [(0, text) for text in dict.fromkeys(item["value"].lower() for item in hostile)]
    for where, node in ((index, body["evidence"][index]["fields"] if index >= 0 else {}), (-1, body)):
        found = list(scalars(node, name))
        if found:
            return [((where, place), text) for place, text in enumerate(found)]
    return []


def scalars(node: Any, name: str) -> Iterable[str]:
    if isinstance(node, list):
        for item in node:
            yield from scalars(item, name)
    elif isinstance(node, dict) and name in node:
        for value in node[name] if isinstance(node[name], list) else [node[name]]:
            if value is not None and not isinstance(value, dict):
                yield str(value).lower() if isinstance(value, bool) else str(value)
    elif isinstance(node, dict) and "." in name:
        head, _, rest = name.partition(".")
        yield from scalars(node.get(head), rest)


def groups_of(rule: Any, found: Iterable[Match], members: Mapping[str, str]) -> dict[tuple[str, str], list[Row]]:
    """Each group's rows in order: of event time, institution, ticket."""
    fed: dict[tuple[str, str], dict[tuple[Any, ...], list[tuple[Match, list[Any]]]]] = {}
    for match in found:
        if match.name not in rule.rules or (rule.past is None and is_false(match.ticket.body)):
            continue
        counted = counted_of(rule, match, members)
        if rule.fields and not counted:
            continue
        ticket = match.ticket
        # What came first is asked of matches; what is counted, of tickets.
        at = match.held_at if rule.type.startswith("temporal") else match.at
        name = (at, ticket.institution, ticket.body["ticket_id"], match.source)
        columns = [match.values(called(rule, match.name, field)) for field in rule.group_by]
        for values in product(*([one for one in column if not left_out(rule, one, match)] for column in columns)):
            group = json.dumps(list(values), separators=(",", ":"), ensure_ascii=False)
            fed.setdefault((ticket.body["environment"], group), {}).setdefault(name, []).append((match, counted))
    return {
        key: [
            Row(
                *name,
                "" if is_intel(how[0][0].ticket) else members.get(name[1], name[1]),
                tuple(dict.fromkeys(value for _, counted in how for value in counted)),
                tuple(
                    frozenset(value for match, _ in how for value in column_of(rule, match, field, members))
                    for field, _ in rule.also
                ),
                frozenset(match.name for match, _ in how),
                tuple(match for match, _ in how),
            )
            for name, how in sorted(rows.items())
        ]
        for key, rows in fed.items()
    }


def by_past(rule: Any, rows: list[Row], since: Mapping[str, int]) -> list[Row]:
    """Those that count."""
    if rule.past is None:
        return rows
    seen = [
        SimpleNamespace(
            event_time_ms=row.at,
            institution=row.institution,
            member=row.member,
            values=[(text,) for (_, text) in row.values] if rule.numeric else [],
            rules=row.rules,
            dismissed=is_false(row.matches[0].ticket.body),
            row=row,
        )
        for row in rows
    ]
    return [one.row._replace(is_news=why is not None) for one, why in counting(rule, seen, since)]


def left_out(rule: Any, value: str, match: Match) -> bool:
    """Whether a value is on the one list there is, of which a part ends at a midnight."""
    lasting = value in {"c0-0.example", "x.example"}
    ending = value.endswith(".y.example") or value == "y.example"
    return bool(rule.allow_lists) and (lasting or (ending and match.ticket.at < LISTED_UNTIL_MS))


def called(rule: Any, name: str, field: str) -> str:
    return rule.aliases.get(field, {}).get(name, field)


def counted_of(rule: Any, match: Match, members: Mapping[str, str]) -> list[Any]:
    if rule.type.startswith("value_") and rule.type != "value_count":
        numbers = match.numbers(called(rule, match.name, rule.fields[0]))
        return [one for one in numbers if is_number(one[1]) and not (rule.non_negative and one[1].startswith("-"))]
    columns = [column_of(rule, match, field, members) for field in rule.fields]
    return list(product(*columns)) if rule.fields else []


def column_of(rule: Any, match: Match, field: str, members: Mapping[str, str]) -> list[str]:
    own = match.ticket.institution
    if rule.independent and field == "institution" and not is_intel(match.ticket):
        return [members.get(own, own)]
    return match.values(called(rule, match.name, field))


def satisfied(rule: Any, rows: list[Row]) -> list[tuple[int, int, int, Any]]:
    """(t, first row, past the last row, measure) for every row's time t at which the rule holds over its window.

    Of absence: those rows that nothing followed, and the time by which nothing had.
    """
    times = [row.at for row in rows]
    found: list[tuple[int, int, int, Any]] = []
    for t in sorted(set(times)):
        if rule.absent:
            first, past, until = times.index(t), bisect_right(times, t), t + rule.timespan_ms
            if past == len(times) or times[past] > until:
                found.append((until, first, past, 0))
            continue
        first, past = bisect_right(times, t - rule.timespan_ms), bisect_right(times, t)
        measure = measured(rule, rows[first:past])
        if holds(rule.condition.bounds, measure):
            found.append((t, first, past, measure))
    return found


def relayed(rule: Any, group: str, rows: list[Row], windows: list[tuple[int, int, int, Any]]) -> Iterable[Match]:
    """What another correlation may count: each row of some window that holds, and the earliest such time."""
    shared = dict(zip(rule.group_by, json.loads(group), strict=True))
    ends = [past for _, _, past, _ in windows]
    for index, row in enumerate(rows):
        place = bisect_right(ends, index)
        if place == len(ends) or windows[place][1] > index:
            continue
        for match in row.matches:

            def values(name: str, match: Match = match) -> list[str]:
                return [shared[name]] if name in shared else match.values(called(rule, match.name, name))

            source = f"{rule.id} {group}"
            yield Match(rule.id, row.at, windows[place][0], source, match.ticket, values, numberless)


def numberless(_: str) -> list[tuple[Any, str]]:
    """Correlations are not reckoned with."""
    return []


def alerts_of(
    rule: Any,
    environment: str,
    group: str,
    rows: list[Row],
    windows: list[tuple[int, int, int, Any]],
    members: Mapping[str, str],
) -> Iterable[dict[str, Any]]:
    episode_ms = max(rule.timespan_ms, DAY_MS)
    episodes: dict[int, list[tuple[int, int, int, Any]]] = {}
    for window in windows:
        if any(row.member for row in rows[window[1] : window[2]]):  # not of intel alone
            episodes.setdefault(window[0] // episode_ms, []).append(window)

    def name_of(episode: int) -> str:
        text = "\x00".join((rule.id, environment, group, str(episode)))
        return f"al-{blake2b(text.encode(), digest_size=16).hexdigest()}"

    lie_in = {
        episode: [row for place, row in enumerate(rows) if any(first <= place < past for _, first, past, _ in of_it)]
        for episode, of_it in episodes.items()
    }
    for episode, of_it in episodes.items():
        inside = lie_in[episode]
        decided_at = of_it[0][0] - (rule.timespan_ms if rule.absent else 0)
        struck = [row for row in inside if row.member]
        bodies = [row.matches[0].ticket.body for row in struck]
        heard: dict[tuple[str, str], int] = {}
        for row in inside:
            if not row.member:
                heard.setdefault((row.institution, row.ticket_id), row.at)
        tickets: dict[str, list[str]] = {}
        for row in struck:
            tickets.setdefault(row.institution, []).append(row.ticket_id)
        tickets = {name: list(dict.fromkeys(tickets[name])) for name in sorted(tickets)}
        count = len({members.get(name, name) for name in tickets})
        yield {
            "alert_id": name_of(episode),
            "rule_id": rule.id,
            "environment": environment,
            "group": dict(zip(rule.group_by, json.loads(group), strict=True)),
            "institutions": sorted(tickets),
            "independent_count": count,
            "tickets": tickets,
            "severity": severity_of(rule, bodies, count, len({row.institution for row in struck if row.is_news})),
            "deciding": {(row.institution, row.ticket_id) for row in inside if row.at == decided_at},
            "attack": {(item["tactic"], item["technique"]) for body in bodies for item in body.get("attack", [])},
            "intel": [(*name, at) for name, at in heard.items()],
            "first_seen": struck[0].at,
            "last_seen": struck[-1].at,
            "raised_at_event_time": of_it[0][0],
            "window_from": of_it[0][0] - rule.timespan_ms,
            "window_to": of_it[-1][0],
            "seen": most_telling(rule.condition.bounds, [measure for _, _, _, measure in of_it]),
            "continues": name_of(episode - 1) if episode - 1 in episodes else None,
        }


def severity_of(rule: Any, bodies: list[Mapping[str, Any]], members: int, news_to: int) -> int:
    """Of tickets that name no assets, and tactics and techniques that the simulated ones name."""
    points = 8 * max(body["severity"] for body in bodies) + min(news_to, 3)
    named = [item[key] for body in bodies for item in body.get("attack", []) for key in ("tactic", "technique")]
    weights = {"execution": 1, "exfiltration": 4, "impact": 5, "T1485": 6, "T1486": 6}
    points += max((weights.get(one, 0) for one in named), default=0)
    points += sum(more for least, more in ((2, 2), (3, 2), (4, 1), (5, 1), (10, 2), (20, 2)) if members >= least)
    points += 2 * any(name.startswith("suppliers.") for name in (*rule.group_by, *rule.fields))
    return min(5, points // 10)


def as_told(alert: Mapping[str, Any]) -> dict[str, Any]:
    """A published alert in the oracle's words."""
    same = ("alert_id", "rule_id", "environment", "group", "institutions", "independent_count", "tickets", "severity")
    times = ("first_seen", "last_seen", "raised_at_event_time", "window_from", "window_to")
    return {
        **{name: alert[name] for name in same},
        **{name: ms(alert[name]) for name in times},
        "attack": {(item["tactic"], item["technique"]) for item in alert["attack"]},
        "intel": [(one["institution"], one["ticket_id"], ms(one["at"])) for one in alert["intel"]],
        "deciding": {(who, ticket) for who, ids in alert["explanation"]["deciding"].items() for ticket in ids},
        "seen": alert["explanation"]["seen"],
        "continues": alert["continues"],
    }
