"""What many institutions see at once and is no attack: a scanner, a new rule, a roll-out of software.

A sector SOC can tell: hardly any of it is held for more than low; a new rule names a baseline version that its
institution adopted within the hour or the day; a scanner is a scanner; a roll-out is everybody's, by night.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random

from fsoc.exercise.draft import Draft
from fsoc.exercise.endpoint import new_service
from fsoc.exercise.finding import Finding, asset
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.levels import Level, times
from fsoc.exercise.noise import scan
from fsoc.exercise.rollout import Push, Rollout
from fsoc.exercise.scene import Scene
from fsoc.exercise.sector import Member
from fsoc.exercise.single import everyday_draft
from fsoc.exercise.spec import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, ExerciseSpec, RuleDefect

SCANNED_SHARE, DEFECTIVE_SHARE, FIRING_SHARE, DEPLOYED_SHARE = 0.7, 0.6, 0.5, 0.8
NIGHT_MS, NIGHT_LASTS_MS = 14 * HOUR_MS, 6 * HOUR_MS  # 22:00 to 04:00 in Taipei
DEFECT_LASTS_MS = 60_000
INDEPENDENT_MIN = 3

# What a new baseline version brings: rule number, tactic, technique, asset type, titles. No campaign uses these.
_NEW_RULES = (
    (231, "credential_access", "T1555.003", "endpoint", "Browser's store of passwords read", "瀏覽器密碼庫遭讀取"),
    (232, "defense_evasion", "T1218.011", "server", "Library run by a system tool", "系統工具執行函式庫"),
    (233, "exfiltration", "T1048.003", "network", "Large answers over a plain channel", "明文通道大量外傳"),
    (234, "command_and_control", "T1090.003", "network", "Connection to an anonymity network", "連線匿名網路"),
)


def together(
    rng: Random, fresh: Fresh, members: Sequence[Member], spec: ExerciseSpec, level: Level, rollout: Rollout
) -> list[Draft]:
    """All of it, by the level's numbers."""
    drafts: list[Draft] = []
    for _ in range(times(spec, level.scanners)):
        drafts += _overrated(rng, level, _scanner(rng, fresh, members, spec))
    for push in rollout.pushes:
        drafts += _overrated(rng, level, _new_rule(rng, members, spec, push))
    if spec.has_past:
        for _ in range(times(spec, level.deployments)):
            drafts += _overrated(rng, level, _deployment(rng, fresh, members, spec))
    return drafts


def _scanner(rng: Random, fresh: Fresh, members: Sequence[Member], spec: ExerciseSpec) -> Iterator[Draft]:
    """One address knocks at most doors within a few hours."""
    source = fresh.ip()
    lasts_ms = rng.randrange(HOUR_MS, 5 * HOUR_MS)
    from_ms = START_MS + rng.randrange(spec.hours * HOUR_MS - lasts_ms - HOUR_MS)
    for member in members:
        if rng.random() >= SCANNED_SHARE:
            continue
        finding = scan(Scene(rng, fresh, member, ()))
        for item in finding.evidence:
            item["fields"]["src_ip"] = source
        finding.observables[0]["value"] = source
        yield everyday_draft(rng, member, finding, from_ms + rng.randrange(lasts_ms))


def _new_rule(rng: Random, members: Sequence[Member], spec: ExerciseSpec, push: Push) -> Iterator[Draft]:
    """The new rule of a version: a defect fires everywhere in one minute, else where it is adopted and now and then."""
    for member in members:
        adopted_ms = push.adopted_ms[member.id]
        if push.at_once and rng.random() < DEFECTIVE_SHARE:
            at_ms = push.published_ms + rng.randrange(DEFECT_LASTS_MS // 3, DEFECT_LASTS_MS)
            for _ in range(rng.randint(1, 3)):
                yield everyday_draft(rng, member, _pushed(rng, push), at_ms, notice_ms_max=10_000, prompt=True)
        elif not push.at_once and rng.random() < FIRING_SHARE:
            at_ms = adopted_ms + rng.randrange(MINUTE_MS, HOUR_MS)
            while at_ms < spec.end_ms - HOUR_MS:
                yield everyday_draft(rng, member, _pushed(rng, push), at_ms)
                at_ms += rng.randrange(2 * DAY_MS, 8 * DAY_MS)


def defects(rollout: Rollout, sent: Iterable[Draft]) -> tuple[RuleDefect, ...]:
    """The truth of the rules that fired everywhere at once, by what was sent of them.

    Not of those that fired at fewer than three independent institutions, so that nobody could tell.
    """
    drafts = list(sent)
    found: list[RuleDefect] = []
    for push in rollout.pushes:
        own = [draft for draft in drafts if push.at_once and _is_of(draft, push)]
        if len({draft.member.independent for draft in own}) >= INDEPENDENT_MIN:
            own.sort(key=lambda draft: (draft.event_ms, draft.member.id))
            names = tuple(dict.fromkeys(draft.member.id for draft in own))
            rule, times = _rule_of(push), (own[0].event_ms, own[-1].event_ms)
            found.append(RuleDefect(f"defect-{len(found) + 1}", rule, push.version, names, *times))
    return tuple(found)


def _is_of(draft: Draft, push: Push) -> bool:
    """Whether the ticket is of the minute after the push, and of its new rule."""
    since_ms = draft.occurred_ms - push.published_ms
    return draft.finding.trigger == ("baseline", _rule_of(push)) and 0 <= since_ms < DEFECT_LASTS_MS


def _rule_of(push: Push) -> str:
    return f"MB-{_NEW_RULES[push.rank % len(_NEW_RULES)][0]}"


def _pushed(rng: Random, push: Push) -> Finding:
    _, tactic, technique, asset_type, title, title_zh = _NEW_RULES[push.rank % len(_NEW_RULES)]
    return Finding(
        title=title,
        title_zh=title_zh,
        text="A rule of the new baseline fired. What it found is a program that we approved long ago; the rule's "
        "author was told.",
        text_zh="新版監控基準之規則觸發，經查為既有核准程式所致，已回報規則維護單位評估調整。",
        category="intrusion-attempts.ids-alert",
        severity=rng.choice((1, 2)),
        confidence=40,
        attack=((tactic, technique),),
        trigger=("baseline", _rule_of(push)),
        assets=[asset(f"{asset_type}-{rng.randrange(1, 60):02d}", asset_type, 3)],
    )


def _deployment(rng: Random, fresh: Fresh, members: Sequence[Member], spec: ExerciseSpec) -> Iterator[Draft]:
    """Over one night a vendor's new agent is installed, and endpoint detection says so, everywhere."""
    day = rng.randrange(3, spec.hours // 24 - 1)
    for member in members:
        if rng.random() < DEPLOYED_SHARE:
            for _ in range(rng.randint(3, 9)):
                at_ms = START_MS + day * DAY_MS + NIGHT_MS + rng.randrange(NIGHT_LASTS_MS)
                yield everyday_draft(rng, member, new_service(Scene(rng, fresh, member, ())), at_ms)


def _overrated(rng: Random, level: Level, drafts: Iterator[Draft]) -> list[Draft]:
    """Analysts differ: some hold for medium what the others hold for low, in few institutions or in any number."""
    found = list(drafts)
    names = sorted({draft.member.id for draft in found})
    may = set(rng.sample(names, min(len(names), level.overrated_most)))
    for draft in found:
        if draft.member.id in may and rng.random() < level.overrated:
            draft.finding = replace(draft.finding, severity=3)
    return found
