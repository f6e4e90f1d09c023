"""The life of one everyday ticket: noticed, opened, perhaps worked on, closed or taken back; sometimes hours late."""

from __future__ import annotations

from random import Random

from fsoc.exercise.draft import Care, Draft, Step
from fsoc.exercise.finding import Finding
from fsoc.exercise.sector import Member
from fsoc.exercise.spec import MINUTE_MS

LATE_SHARE = 0.015
NOTICE_MS_MAX = 15 * MINUTE_MS


def everyday_draft(
    rng: Random,
    member: Member,
    finding: Finding,
    occurred_ms: int,
    *,
    notice_ms_max: int = NOTICE_MS_MAX,
    prompt: bool = False,
) -> Draft:
    """prompt: never late, and sent again within minutes if it is lost."""
    detected_ms = occurred_ms + rng.randrange(5_000, notice_ms_max)
    late = not prompt and rng.random() < LATE_SHARE
    opened = rng.randrange(96, 300) * MINUTE_MS if late else rng.randrange(20_000, 25 * MINUTE_MS)
    return Draft(
        member=member,
        feed=rng.choice(member.feeds),
        finding=finding,
        occurred_ms=occurred_ms,
        detected_ms=detected_ms,
        steps=_life(rng, opened),
        care=Care.LATE if late else Care.PROMPT if prompt else Care.USUAL,
    )


def _life(rng: Random, opened_ms: int) -> tuple[Step, ...]:
    """Opened; perhaps worked on; perhaps closed or taken back."""
    steps = [Step(opened_ms, "open", "new")]
    after_ms = opened_ms
    if rng.random() < 0.15:
        after_ms += rng.randrange(5, 90) * MINUTE_MS
        steps.append(Step(after_ms, "update", "in_progress"))
    fate = rng.random()
    after_ms += rng.randrange(10, 240) * MINUTE_MS
    if fate < 0.12:
        steps.append(Step(after_ms, "close", "resolved", "false_positive"))
    elif fate < 0.28:
        steps.append(Step(after_ms, "close", "resolved", rng.choice(("true_positive", "benign", "managed_externally"))))
    elif fate < 0.30:
        steps.append(Step(after_ms, "retract", "archived"))
    return tuple(steps)
