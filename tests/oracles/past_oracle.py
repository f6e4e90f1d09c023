"""Which entries of one group count by their institutions' own past: law 11 word by word, hour by hour, over everything.

Shares nothing with fsoc/correlation but the rule and the entries it is asked about; nothing was ever sealed here.
"""

from __future__ import annotations

from fractions import Fraction

HOUR = 3_600_000


def counting(rule, entries, since):
    """[(entry, why)], in order; why is (kind, seen, before), or None where every entry counts.

    since: institution → event time from which on its past is known; who is not in it is not known.
    """
    amounts = amounts_of(rule, entries)
    news = {
        (entry.institution, entry.event_time_ms // HOUR) for entry in entries if is_news(rule, amounts, since, entry)
    }
    found = []
    for entry in entries:
        if is_past_alone(rule, entry):
            continue
        if not entry.member:  # intel: nobody's past says anything of it
            found.append((entry, None))
            continue
        hour = entry.event_time_ms // HOUR
        why = None
        if rule.past.counts_when != "always":
            why = why_of(rule, amounts, since, entry.institution, hour)
            if why is None:
                continue
        if rule.past.hub and hub(rule, amounts, hour):
            continue
        if rule.past.agreed and not agreed(rule, entries, news, hour):
            continue
        found.append((entry, why))
    return found


def is_past_alone(rule, entry):
    return entry.dismissed or (rule.past.rules and set(entry.rules) <= set(rule.past.rules))


def is_news(rule, amounts, since, entry):
    """Whether the hour that it lies in is news to its institution, by its own past alone."""
    if not entry.member or (rule.past.hub and hub(rule, amounts, entry.event_time_ms // HOUR)):
        return False
    if rule.past.counts_when == "always":
        return True
    return why_of(rule, amounts, since, entry.institution, entry.event_time_ms // HOUR) is not None


def agreed(rule, entries, news, hour):
    """Of those to whom one of the hours up to this one is news, enough have a ticket there that may be told."""
    near = range(hour - rule.past.agreed_hours + 1, hour + 1)
    known = {institution for institution, at in news if at in near}
    telling = {
        entry.institution
        for entry in entries
        if (entry.institution, entry.event_time_ms // HOUR) in {(who, at) for who, at in news if at in near}
        and entry.member
        and not is_past_alone(rule, entry)
    }
    return len(telling) >= Fraction(str(rule.past.agreed)) * len(known)


def amounts_of(rule, entries):
    """(institution, hour) → how much there was; no more is in it than there was anything of."""
    together = {}
    for entry in entries:
        if not entry.member:
            continue
        numbers = [Fraction(text) for (text,) in entry.values] if rule.numeric else [1]
        together.setdefault((entry.institution, entry.event_time_ms // HOUR), []).extend(numbers)
    greatest = rule.numeric and rule.past.counts_when != "drop"
    return {hour: max(numbers) if greatest else sum(numbers) for hour, numbers in together.items()}


def why_of(rule, amounts, since, institution, hour):
    past = rule.past
    if institution not in since or hour < since[institution] // HOUR + past.warm_up_ms // HOUR:
        return None

    def amount(at):
        return amounts.get((institution, at))

    if past.counts_when == "drop":
        day = sum(amount(hour - back) or 0 for back in range(past.drop_hours))
        week_ago = sum(amount(hour - 168 - back) or 0 for back in range(past.drop_hours))
        fell = week_ago > 0 and week_ago - day >= Fraction(str(past.drop)) * week_ago
        return ("drop", day, week_ago) if fell else None
    end = hour - past.gap_hours
    before = [amount(at) for at in range(end - past.past_ms // HOUR, end)]
    before = [one for one in before if one is not None]
    seen = amount(hour)
    if not before:
        return ("first_ever", seen, None) if "first_ever" in past.counts_when else None
    most = max(before)
    if "surge" in past.counts_when and most > 0 and seen >= Fraction(str(past.surge_factor)) * most:
        return "surge", seen, most
    return None


def hub(rule, amounts, hour):
    had = {institution for institution, at in amounts if hour - 168 <= at < hour - 24}
    return len(had) >= rule.past.hub
