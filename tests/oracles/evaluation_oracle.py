"""The plain twin of fsoc/evaluation: the manual's definitions, one after the other, over and over all lists."""

from __future__ import annotations


def judged(alerts):
    """Newest revision of each, joint and standing."""
    newest = {}
    for alert in alerts:
        if all(other.revision <= alert.revision for other in alerts if other.id == alert.id):
            newest[alert.id] = alert
    return [one for one in newest.values() if one.kind == "joint" and one.status not in {"retracted", "merged"}]


def keys(alert):
    return [(institution, ticket) for institution in alert.tickets for ticket in alert.tickets[institution]]


def bearers(name, lines, known):
    """(institution, id) of every ticket that bears the label; (None, id) where nobody knows whose it is."""
    found = set()
    for line in lines:
        if line.label != name:
            continue
        if line.institution is not None:
            found.add((line.institution, line.ticket_id))
            continue
        theirs = [key for key in known if key[1] == line.ticket_id]
        exact = {(other.institution, other.ticket_id) for other in lines if other.institution is not None}
        others = [key for key in theirs if key not in exact]
        found.update(others or [(None, line.ticket_id)])
    return found


def struck(name, lines, known):
    return {institution for institution, _ in bearers(name, lines, known) if institution is not None}


def on(alert, name, lines, known):
    hits = [key for key in keys(alert) if key in bearers(name, lines, known)]
    named = [institution for institution in alert.institutions if institution in struck(name, lines, known)]
    return len(hits) > 0 and 2 * len(hits) >= len(keys(alert)) and len(named) >= 2


def counted(name, lines, known):
    """Whether a joint alert could be on it."""
    whose = [institution for institution, _ in bearers(name, lines, known)]
    return None in whose or len(set(whose)) >= 2


def figures(alerts, lines, sent):
    """sent: {key: (event_ms, received_ms)}."""
    known = {key for alert in judged(alerts) for key in keys(alert)} | {
        key for alert in alerts for key in keys(newest_of(alert, alerts))
    }
    known |= set(sent)
    names = sorted({line.label for line in lines if line.label is not None})
    names = [name for name in names if bearers(name, lines, known)]
    joint = [name for name in names if counted(name, lines, known)]
    standing = judged(alerts)
    true = [alert for alert in standing if any(on(alert, name, lines, known) for name in names)]
    first = {}
    for name in joint:
        raised = [alert.raised_ms for alert in standing if on(alert, name, lines, known)]
        events = [sent[key][0] for key in bearers(name, lines, known) if key in sent]
        first[name] = max(0, min(raised) - min(events)) / 1000 if raised and events else None
    return {
        "precision": (len(true), len(standing)),
        "recall": (sum(any(on(alert, name, lines, known) for alert in standing) for name in joint), len(joint)),
        "first": first,
        "stories": stories(standing),
        "by_rule": {
            rule: (
                sum(alert in true for alert in standing if alert.rule_id == rule),
                sum(alert.rule_id == rule for alert in standing),
            )
            for rule in {alert.rule_id for alert in standing}
        },
    }


def newest_of(alert, alerts):
    return [
        other
        for other in alerts
        if other.id == alert.id and other.revision == max(one.revision for one in alerts if one.id == alert.id)
    ][-1]


def stories(alerts):
    """How many groups are left when whatever belongs together has been put together, two at a time."""
    groups = [{alert.id} for alert in alerts]

    def linked(one, other):
        return (
            (one.campaign_id is not None and one.campaign_id == other.campaign_id)
            or (one.continues is not None and one.continues in {other.id, other.continues})
            or other.continues == one.id
        )

    by_id = {alert.id: alert for alert in alerts}
    merged = True
    while merged:
        merged = False
        for one in groups:
            for other in groups:
                if one is not other and any(linked(by_id[a], by_id[b]) for a in one for b in other):
                    one.update(other)
                    groups.remove(other)
                    merged = True
                    break
            if merged:
                break
    return len(groups)
