"""What the stage keeps of one alert, and what comes of the next word about it. Pure: a function of its arguments.

nothing ── told ──┬── told anew: own part at once, statement once a day
                  ├── held: nothing more is told
                  └── retracted: at once, to all who were told, with no count
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from fsoc.sharing import words
from fsoc.sharing.less import less
from fsoc.sharing.records import Decision, Shared
from fsoc.sharing.statement import Reason, Sector, Statement, day_of, statement, untold, without_count
from fsoc.sharing.withdrawn import Withdrawn, withdrawn

Concern = Literal["own_tickets", "at_risk"]
Status = Literal["open", "final", "retracted"]


TICKETS_MAX: Final = 1_000
"""Of one's own that are listed; all are counted."""


class Own(NamedTuple):
    """What one institution was told last, besides the statement. tickets: of its own; total: how many there are.

    since_ms: when it was first told anything of the alert. retractions: how often it was told again after it had been
    told that all is taken back; again_ms: when it was, the last time.
    """

    revision: int
    status: Status
    concern: Concern
    tickets: tuple[str, ...]
    total: int
    since_ms: int = 0
    retractions: int = 0
    again_ms: int = 0

    @property
    def standing_ms(self) -> int:
        """Since when it is told without a retraction in between."""
        return max(self.since_ms, self.again_ms)


class Front(Struct, frozen=True):
    """What every institution is told of the alert itself."""

    kind: Literal["joint", "feed", "rule"]
    environment: str
    title: str
    title_zh: str
    level: str
    feed: str | None
    trigger_rule_id: str | None
    by_supplier: bool


class Known(Struct, frozen=True):
    """Everything that is kept of one alert.

    version: rises with every change of this record. offset, at_ms: of the newest record about the alert.
    revision: of the alert. shared: that; None where only what was told is known, until it comes again.
    decision: the newest. held: somebody has to release it before more is told. settled: it is over for so long that
    nothing is told of it any more. untold: why nobody may be told, where that is so. red: which tickets were red for
    the statement. front, statement: as told last; None before that. told: by institution. withdrawn: of statements.
    """

    version: int
    offset: int
    at_ms: int
    revision: int
    shared: Shared | None
    decision: Decision | None = None
    held: bool = False
    settled: bool = False
    untold: Reason | None = None
    red: str = ""
    front: Front | None = None
    statement: Statement | None = None
    told: dict[str, Own] = {}
    withdrawn: tuple[Withdrawn, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether anybody has been told, and not that it is taken back."""
        return any(own.status != "retracted" for own in self.told.values())


UNKNOWN: Final = Known(0, -1, 0, 0, None)


def heard(before: Known, word: Shared | Decision, offset: int, at_ms: int, sector: Sector) -> Known:
    """What is known after a revision of the alert, or a decision about it. before: of this alert, or UNKNOWN.

    at_ms: the record's own timestamp. A revision that is not newer changes nothing, and neither does a decision about
    an alert that nothing is known of.
    """
    shared, decision, revision = before.shared, before.decision, before.revision
    if isinstance(word, Decision):
        if decision is not None and decision.decision_id == word.decision_id:
            return before
        decision = word
    elif word.revision > before.revision:
        shared, revision = word, word.revision
    else:
        return before
    if shared is None or before.settled:
        return before
    after = msgspec.structs.replace(
        before,
        version=before.version + 1,
        offset=offset,
        at_ms=at_ms,
        revision=revision,
        shared=shared,
        decision=decision,
        untold=untold(shared, sector.caution, sector.registered),
    )
    if shared.status in {"retracted", "merged"} or after.untold is not None:
        return _taken_back(after)
    if _is_held(after, shared, sector):
        return msgspec.structs.replace(after, held=True)
    return _told(after, shared, at_ms, sector)


Standing = Literal["told", "held", "taken_back", "environment", "suppressed", "red", "few", "settled"]


def standing(known: Known) -> Standing:
    """What has become of an alert here; one of which nothing was to be told is taken back as well."""
    if known.settled:
        return "settled"
    if known.held:
        return "held"
    if known.stands:
        return "told"
    reason = known.untold
    return "taken_back" if known.told or reason is None or reason == "kind" else reason


def missed(known: Known) -> int:
    """How much it would be missed: what is held would be told, and a retraction of what stands could not be."""
    if known.held or (known.decision is not None and known.decision.op == "hold"):
        return 2
    return int(known.stands and not known.settled)


def settled(known: Known) -> Known:
    """Over for so long that nothing is told of it any more: of that no more is kept."""
    return Known(known.version + 1, known.offset, known.at_ms, known.revision, None, settled=True)


def news(before: Known, after: Known) -> Iterator[str]:
    """The institutions that are told something by this, in their order."""
    for name, own in sorted(after.told.items()):
        if name not in before.told or before.told[name].revision != own.revision:
            yield name


def _is_held(known: Known, shared: Shared, sector: Sector) -> bool:
    """A decision counts before the setting, and the setting only where nobody has been told, or all that it is over."""
    if known.decision is not None:
        return known.decision.op == "hold"
    return not known.stands and sector.caution.holds(shared.sharing.confidence, guessed=shared.kind == "joint")


def _taken_back(known: Known) -> Known:
    """All who were told are told so at once: what is false must not stand until tomorrow, whoever holds it."""
    if not known.stands:
        return msgspec.structs.replace(known, held=False)
    told = {
        name: own if own.status == "retracted" else own._replace(revision=own.revision + 1, status="retracted")
        for name, own in known.told.items()
    }
    front = known.front
    assert front is not None  # noqa: S101 - whoever was told was told that too
    title = words.Said(front.title, front.title_zh)
    said = without_count(known.statement, title, front.kind)
    return msgspec.structs.replace(known, held=False, told=told, statement=said)


def _told(known: Known, shared: Shared, at_ms: int, sector: Sector) -> Known:
    """All who are concerned, or at risk, are told what is new for them."""
    front = front_of(shared)
    status: Status = "final" if shared.status == "final" else "open"
    said = _statement(known, shared, at_ms, sector)
    anew = (front, said) != (known.front, known.statement)
    audience = _audience(shared, sector)
    told: dict[str, Own] = {}
    for name, concern in audience.items():
        tickets = shared.tickets.get(name, ())
        before = known.told.get(name)
        own = Own(0, status, concern, tickets[:TICKETS_MAX], len(tickets), *_since(before, at_ms))
        told[name] = _next(before, own, anew=anew)
    for name, before in known.told.items():
        if name not in audience:  # nothing of it is in the alert any more, and it is not warned
            gone = before._replace(status="retracted", tickets=(), total=0)
            told[name] = before if before.status == "retracted" else _next(before, gone, anew=anew)
    return msgspec.structs.replace(
        known,
        held=False,
        red=shared.red_digest,
        front=front,
        statement=said,
        told=dict(sorted(told.items())),
        withdrawn=withdrawn(known.withdrawn, known.statement, said, at_ms),
    )


def _since(before: Own | None, at_ms: int) -> tuple[int, int, int]:
    """When one was first told, how often again after a retraction, and when that was last."""
    if before is None:
        return at_ms, 0, 0
    if before.status == "retracted":
        return before.since_ms, before.retractions + 1, at_ms
    return before.since_ms, before.retractions, before.again_ms


def _audience(shared: Shared, sector: Sector) -> dict[str, Concern]:
    """Who is told, and why. All others or none, by the rule alone: a warning must not say who the victims are like."""
    members = [one.id for one in sector.registry.institutions.values() if not one.suspended]
    audience: dict[str, Concern] = {}
    if shared.kind == "joint" and sector.caution.warns(shared.level):
        audience = dict.fromkeys(members, "at_risk")
    return {**audience, **{name: "own_tickets" for name in members if name in shared.tickets}}


def _next(before: Own | None, own: Own, *, anew: bool) -> Own:
    """The next revision of what one is told; the same where nothing is new for it. anew: what all are told is."""
    if before is None:
        return own._replace(revision=1)
    if not anew and before[1:] == own[1:]:
        return before
    return own._replace(revision=before.revision + 1)


def _statement(known: Known, shared: Shared, at_ms: int, sector: Sector) -> Statement | None:
    """That of the day, if there is one: else who joins today could be told from what is said anew.

    Where other tickets are red than when it was made, they are taken out of it, and nothing else is changed.
    """
    day, before = day_of(at_ms), known.statement
    if before is None or before["day"] != day:
        return statement(shared, day, sector)
    if known.red == shared.red_digest:
        return before  # and after a retraction no count until tomorrow
    return less(before, statement(shared, day, sector, is_common=True), shared)


def front_of(shared: Shared) -> Front:
    group = shared.group
    kind: Any = shared.kind
    return Front(
        kind=kind,
        environment=shared.environment,
        title=shared.rule_title,
        title_zh=shared.rule_title_zh,
        level=shared.level,
        feed=str(group["feed"]) if shared.kind == "feed" and "feed" in group else None,
        trigger_rule_id=str(group["trigger.rule_id"]) if "trigger.rule_id" in group else None,
        by_supplier="suppliers.supplier_id" in group,
    )
