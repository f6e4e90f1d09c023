"""When everyday findings happen and what becomes of them. What they say is in `noise.py`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from random import Random

from fsoc.exercise.draft import Care, Draft, Step
from fsoc.exercise.finding import Finding, asset, evidence, observable
from fsoc.exercise.fresh import Fresh
from fsoc.exercise.noise import NOISES
from fsoc.exercise.scene import Scene
from fsoc.exercise.sector import Member
from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, START_MS, ExerciseSpec

LATE_SHARE = 0.015
CLIENTS_PER_SUPPLIER = 2  # a supplier that three members name is a campaign, so everyday life stays below that
DDOS_GAP_HOURS = 3


def everyday(rng: Random, fresh: Fresh, members: Sequence[Member], spec: ExerciseSpec, count: int) -> list[Draft]:
    """`count` drafts, spread over the members by weight and over the day by their habits."""
    suppliers = _contracts(rng, members)
    days = -(-spec.hours // 24)
    drafts = []
    chosen = rng.choices(members, [member.weight for member in members], k=count)
    per_member = {member.id: 0 for member in members}
    for member in chosen:
        per_member[member.id] += 1
    for member in members:
        if not per_member[member.id]:
            continue
        scene = Scene(rng, fresh, member, suppliers[member.id])
        hours = list(accumulate((member.hours * days)[: spec.hours]))
        shares = list(accumulate(share * taste for (_, share), taste in zip(NOISES, member.tastes, strict=True)))
        for _ in range(per_member[member.id]):
            ((noise, _),) = rng.choices(NOISES, cum_weights=shares)
            (hour,) = rng.choices(range(spec.hours), cum_weights=hours)
            at_ms = START_MS + hour * HOUR_MS + rng.randrange(HOUR_MS)
            drafts.append(_draft(rng, member, noise(scene), at_ms))
    return drafts


def alone(rng: Random, fresh: Fresh, members: Sequence[Member], spec: ExerciseSpec, avoid_ms: int) -> list[Draft]:
    """Grave things that strike one institution only: a web shell, and small floods hours apart.

    avoid_ms: when a wave of floods is planted; everyday floods keep hours away from it.
    """
    victims = rng.sample(list(members), min(len(members), 2 + spec.hours // DDOS_GAP_HOURS))
    shell_at = START_MS + rng.randrange(HOUR_MS, (spec.hours - 1) * HOUR_MS)
    drafts = [
        _draft(rng, victims[0], finding, shell_at + step * 7 * MINUTE_MS)
        for step, finding in enumerate(_web_shell(rng, fresh))
    ]
    at_ms = START_MS + rng.randrange(HOUR_MS)
    for victim in victims[1:]:
        if at_ms >= spec.end_ms - HOUR_MS:
            break
        if abs(at_ms - avoid_ms) > 2 * HOUR_MS:
            drafts.append(_draft(rng, victim, _small_flood(rng), at_ms))
        at_ms += rng.randrange(DDOS_GAP_HOURS * HOUR_MS, (DDOS_GAP_HOURS + 2) * HOUR_MS)
    return drafts


def _contracts(rng: Random, members: Sequence[Member]) -> dict[str, list[str]]:
    """Which suppliers each member has; each supplier has at most CLIENTS_PER_SUPPLIER clients."""
    seats = [f"sup-{3_000 + number}" for number in range(len(members)) for _ in range(CLIENTS_PER_SUPPLIER)]
    rng.shuffle(seats)
    return {member.id: sorted({seats[2 * index], seats[2 * index + 1]}) for index, member in enumerate(members)}


def _draft(rng: Random, member: Member, finding: Finding, occurred_ms: int) -> Draft:
    detected_ms = occurred_ms + rng.randrange(5_000, 15 * MINUTE_MS)
    late = rng.random() < LATE_SHARE
    opened = rng.randrange(96, 300) * MINUTE_MS if late else rng.randrange(20_000, 25 * MINUTE_MS)
    return Draft(
        member=member,
        feed=rng.choice(member.feeds),
        finding=finding,
        occurred_ms=occurred_ms,
        detected_ms=detected_ms,
        steps=_life(rng, opened),
        care=Care.LATE if late else Care.USUAL,
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


def _web_shell(rng: Random, fresh: Fresh) -> list[Finding]:
    source, page = fresh.ip(), f"/upload/{fresh.name()}.aspx"
    return [
        Finding(
            title="Web shell used on a public server",
            title_zh="對外網站主機發現網頁後門",
            text="Requests to a page that no release contains ran commands on the server. The server was taken out "
            "of the pool and "
            "an image was kept; its neighbours show no such page.",
            text_zh="對外網站出現非版本內之網頁並遭用於執行系統指令，主機已自服務叢集移除並保留映像檔，"
            "其餘主機未見相同檔案。",
            category="intrusions.application-compromise",
            severity=4,
            confidence=90,
            attack=(("persistence", "T1505.003"), ("initial_access", "T1190")),
            trigger=("local", "web-204"),
            evidence=[
                evidence(
                    {
                        "c-ip": source,
                        "cs-method": "POST",
                        "cs-uri-stem": page,
                        "cs-uri-query": f"cmd={command}",
                        "sc-status": 200,
                    },
                    category="webserver",
                )
            ],
            observables=[observable("ipv4", source, "attacker")],
            assets=[asset("www-03", "server", 4, internet_facing=True)],
        )
        for command in rng.sample(("whoami", "ipconfig+/all", "net+user", "dir+c:\\inetpub"), rng.randrange(1, 4))
    ]


def _small_flood(rng: Random) -> Finding:
    sources, seconds = rng.randrange(40, 300), rng.randrange(120, 600)
    return Finding(
        title="Short flood against one public service",
        title_zh="單一對外服務遭受短暫流量攻擊",
        text="The scrubbing service absorbed a short flood. Response times rose for a few minutes; no customer "
        "complained.",
        text_zh="流量清洗服務已吸收短暫異常流量，服務回應時間短暫上升數分鐘，未接獲客戶反映，持續監看中。",
        category="availability.ddos",
        severity=2,
        confidence=85,
        attack=(("impact", "T1498"),),
        trigger=("baseline", "MB-091"),
        assets=[asset("www", "server", 3, internet_facing=True)],
        volume={
            "count": 1,
            "distinct_sources": sources,
            "peak_bps": rng.randrange(20, 300) * 1_000_000,
            "peak_pps": rng.randrange(10, 90) * 1_000,
            "duration_s": seconds,
        },
    )
