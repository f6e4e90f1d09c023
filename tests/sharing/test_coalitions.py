"""Fewer than k institutions that pool every revision of all they were told cannot single out another one.

Twelve institutions, k = 3: every coalition of one and of two. Two things are held, and each is shown to be able to
fail.

1. To a coalition, the others are all alike: put one of them in another's place, and not a byte of what the coalition is
   told is different. So whatever it concludes of one it concludes of all who are not in it.
2. What it concludes is never all, and never a number but the least there can be: among the worlds that agree with what
   it was told so far there are always some in which k of the others have nothing to do with it, and, where there are
   more of them than one above what the rule itself asks for, some with another number of them. (One above: who is the
   first to join on a new day, and is told three or more, knows that there were three before.)

For 2 the worlds are enumerated. Because of 1 a world is how many came on each day, and what became of the coalition's
own members; the plain twin of an attacker keeps, for everything a coalition can have been told, all worlds in which it
would have been told just that.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b
from itertools import combinations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from fsoc.sharing import known as life
from fsoc.sharing.caution import Caution
from fsoc.sharing.statement import statement
from tests.sharing_stage import DAY, HOUR, NOON, Teller, alert, decision, members

K = 3
NAMES = [f"aa-{number:02d}" for number in range(1, 13)]
SECTORS = ("bank", "insurance", "securities")
RAISED_AT = 3
"""Institutions that the rule asks for, as all know who know the rule."""


def sector():
    """Twelve that differ in everything that is registered of them."""
    return members(
        12, **{name: {"sector": SECTORS[place % 3], "tier": place % 3 + 1} for place, name in enumerate(NAMES)}
    )


# 1. To a coalition the others are all alike.

TICKET = st.tuples(st.sampled_from(NAMES), st.sampled_from(["T-1", "T-2"]))
STEP = st.fixed_dictionaries(
    {
        "tickets": st.sets(TICKET, max_size=16),
        "status": st.sampled_from(["open", "open", "open", "final", "retracted"]),
        "red": st.sets(st.sampled_from(NAMES), max_size=2),
        "later": st.sampled_from([0, HOUR, 5 * HOUR, DAY]),
        "op": st.sampled_from([None, None, None, "hold", "release"]),
        "level": st.sampled_from(["medium", "high"]),
        "technique": st.sampled_from(["T1566", "T1486", "T1110.004"]),
    }
)


def transcripts(steps, place_of, caution):
    """What everybody is told, in order, where each institution is in the place of another."""
    teller, at = Teller(sector(), caution), NOON
    for revision, step in enumerate(steps, 1):
        at += step["later"]
        tickets = {}
        for name, ticket in sorted(step["tickets"]):
            tickets.setdefault(place_of.get(name, name), []).append(f"{ticket} of {name}")
        left = sorted(set(tickets) - {place_of.get(name, name) for name in step["red"]})
        attack = [{"tactic": "impact", "technique": step["technique"]}]
        red = {"digest": "r", "attack": attack, "timeline": [], "first_seen": None, "last_seen": None}
        sharing = {"institutions": left, "red": red if len(left) < len(tickets) else None, "stands": len(left) >= 2}
        more = {"status": step["status"], "level": step["level"], "attack": attack, "sharing": sharing}
        if step["op"] is not None:
            teller.hear(decision(step["op"], number=revision), at=at)
        if tickets:
            teller.hear(alert(tickets, revision, **more), at=at)
    return {name: teller.heard_by(name) for name in NAMES}


def the_others_are_alike(steps, one, other, caution=None):
    """Every coalition without these two is told the same, whichever of them is where."""
    caution = caution or Caution()
    usual = transcripts(steps, {}, caution)
    swapped = transcripts(steps, {one: other, other: one}, caution)
    return all(usual[name] == swapped[name] for name in NAMES if name not in {one, other})


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(STEP, min_size=1, max_size=6),
    pair=st.sampled_from(list(combinations(NAMES, 2))),
    below=st.sampled_from([0, 90]),
)
def test_not_a_byte_tells_one_of_the_others_from_another(steps, pair, below):
    assert the_others_are_alike(steps, *pair, Caution(hold_below=below))


PLAIN = {"status": "open", "red": set(), "later": HOUR, "op": None, "level": "high", "technique": "T1486"}


def test_for_every_two_of_twelve_it_is_so_when_three_become_seven():
    steps = [{**PLAIN, "tickets": {(name, "T-1") for name in NAMES[:count]}} for count in (3, 5, 7)]

    assert all(the_others_are_alike(steps, one, other) for one, other in combinations(NAMES, 2))


def test_warnings_by_sector_would_tell_them_apart(monkeypatch):
    """As a mutant of `_audience`: only those are warned who are of a sector that is in it."""

    def by_sector(shared, among):
        registry = among.registry.institutions
        sectors = {registry[name].sector for name in shared.tickets}
        warned = {name: "at_risk" for name, one in registry.items() if one.sector in sectors}
        return {**warned, **dict.fromkeys(shared.tickets, "own_tickets")}

    monkeypatch.setattr(life, "_audience", by_sector)
    steps = [{**PLAIN, "tickets": {("aa-01", "T-1"), ("aa-04", "T-1")}}]

    assert not the_others_are_alike(steps, "aa-04", "aa-05")


# 2. What a coalition concludes of how many there are.


def worlds():
    """Everything that may happen, as far as coalitions can tell it apart: who comes on which day, in which order.

    On the first day so many come, one after the other, from the third on it is an alert; the last may take its ticket
    back for good. On the second, one who is in it already may have more to say first, or not, and so many more come. On
    the third it is over. When all of the first day have come, one or two may make their tickets red: that some are
    nobody knows but who did it. (Where too few are left then it is taken back, which says that: see the manual.)
    """
    for first, second in product(range(RAISED_AT, 13), range(10)):
        for touched, (leaves, reddens) in product((True, False), ((True, 0), (False, 0), (False, 1), (False, 2))):
            if first + second <= 12 and (touched or second) and (not reddens or first - reddens >= RAISED_AT):
                yield first, second, touched, leaves, reddens


def events(first, second, touched, leaves, reddens):
    """(day, who is in it, whom the alert names, status) in order; a retracted alert says what it said when it stood."""
    for count in range(RAISED_AT, first + 1):
        yield 0, NAMES[:count], NAMES[:count], "open"
    there = NAMES[: first - leaves]
    if reddens:
        yield 0, there, there, "open"
    if leaves and len(there) < RAISED_AT:
        yield 0, there, NAMES[:first], "retracted"
    elif leaves:
        yield 0, there, there, "open"
    if touched and len(there) >= RAISED_AT:
        yield 1, there, there, "open"
    for last in range(first + 1, first + second + 1):
        now = [*there, *NAMES[first:last]]
        yield 1, now, now, "open"
    now = [*there, *NAMES[first : first + second]]
    if len(now) >= RAISED_AT:
        yield 2, now, now, "final"


class Attackers:
    """All coalitions in all worlds.

    seen: what a coalition can have been told → (others, how many of them are in it, how many of all) that fit it.
    """

    def __init__(self):
        self.seen = defaultdict(set)

    def live_through(self, world):
        teller = Teller(members(12))
        pasts = dict.fromkeys(NAMES, b"")
        first, *_, reddens = world
        for number, (day, involved, named, status) in enumerate(events(*world), 1):
            red = NAMES[:reddens] if number > first - RAISED_AT + 1 else []
            tickets = {name: [f"ticket of {name}"] for name in named}
            sharing = {"institutions_least": RAISED_AT, **without(red, named)}
            body = alert(tickets, number, status, sharing=sharing, group={"observable:cve": "cve-2026-1234"})
            before = {name: len(teller.heard_by(name)) for name in NAMES}
            told = teller.hear(body, at=NOON + day * DAY)
            for name in told:
                said = b"".join(teller.heard_by(name)[before[name] :]).replace(name.encode(), b"me")
                pasts[name] = blake2b(pasts[name] + said, digest_size=12).digest()
            for coalition in [*combinations(NAMES, 1), *combinations(NAMES, 2)]:
                if not any(name in told for name in coalition):
                    continue
                key = tuple(sorted((pasts[name], name in involved, name in red) for name in coalition))
                number_of_others = sum(name not in coalition for name in involved)
                self.seen[key].add((len(NAMES) - len(coalition), number_of_others, len(involved)))

    def singled_out(self):
        """What coalitions can have been told from which they know too much."""
        for key, fitting in self.seen.items():
            (others,) = {others for others, _, _ in fitting}
            numbers = {number for _, number, _ in fitting}
            if others - min(numbers) < K:
                yield key, f"fewer than {K} of {others} others may have nothing to do with it", numbers
            if len(numbers) < 2 and max(total for _, _, total in fitting) > RAISED_AT + 1:
                yield key, "it is known how many there are", numbers


def without(red, named):
    """What an alert says to be told without the tickets of these."""
    if not red:
        return {}
    left = [name for name in named if name not in red]
    said = alert(dict.fromkeys(left, ()))
    digest = {"digest": "r", **{name: said[name] for name in ("attack", "timeline", "first_seen", "last_seen")}}
    return {"institutions": left, "stands": len(left) >= RAISED_AT, "red": digest}


def attacked():
    attackers = Attackers()
    for world in worlds():
        attackers.live_through(world)
    return attackers


def test_no_coalition_of_fewer_than_k_learns_whether_one_is_in_it_or_how_many_are():
    attackers = attacked()

    assert list(attackers.singled_out()) == []
    assert len(attackers.seen) > 100


def test_exact_counts_would_single_out(monkeypatch):
    monkeypatch.setattr(Caution, "at_least", lambda _, institutions, __: institutions)

    assert next(attacked().singled_out(), None) is not None


def test_counts_that_leave_nobody_to_hide_among_would_single_out(monkeypatch):
    """Rounded down all the same: twelve of twelve are told as ten, and two who have nothing to do with it know all."""
    monkeypatch.setattr(Caution, "hides", lambda *_: True)

    assert any("may have nothing" in why for _, why, _ in attacked().singled_out())


def test_a_statement_made_anew_with_every_revision_would_tell_how_many(monkeypatch):
    """The moment at which three become five is a count, exactly."""
    monkeypatch.setattr(
        life, "_statement", lambda _, shared, at_ms, among: statement(shared, life.day_of(at_ms), among)
    )

    assert "how many" in next(attacked().singled_out())[1]


def test_a_statement_counted_anew_where_a_ticket_turned_red_would_tell_how_many(monkeypatch):
    """As soon as one's own is taken out the others may be fewer than was said: then they are as many as was said."""

    def counted_anew(before, now, shared):
        return now if now["institution_count_at_least"] != before["institution_count_at_least"] else before

    monkeypatch.setattr(life, "less", counted_anew)

    assert any("how many" in why for _, why, _ in attacked().singled_out())


def test_a_revision_of_the_alerts_own_would_tell_how_many(monkeypatch):
    """Whoever is told each time that somebody joins counts them."""
    monkeypatch.setattr(
        life, "_next", lambda before, own, **_: own._replace(revision=1 if before is None else before.revision + 1)
    )

    assert next(attacked().singled_out(), None) is not None
