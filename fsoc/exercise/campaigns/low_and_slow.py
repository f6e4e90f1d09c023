"""One machine that tries a few accounts here and there, a few times a week, for longer than anybody remembers."""

from __future__ import annotations

from fsoc.exercise.campaigns.plan import AFTER_MS, Plan, Stage, Strike, begin, report, victims
from fsoc.exercise.finding import Finding, asset, evidence, observable
from fsoc.exercise.spec import DAY_MS, CampaignKind

SHORTEST_MS, LONGEST_MS = 8 * DAY_MS, 13 * DAY_MS
FEWEST, MOST = 4, 8


def low_and_slow(stage: Stage) -> Plan:
    """Four to eight institutions over eight to thirteen days; each is touched two to four times, on days apart."""
    rng, source = stage.rng, stage.fresh.ip()
    agent = f"python-requests/2.{rng.randrange(20, 33)} ({stage.fresh.name()})"
    room_ms = stage.spec.end_ms - stage.spec.planted_from_ms - AFTER_MS
    lasts_ms = rng.randint(SHORTEST_MS, min(LONGEST_MS, room_ms))
    from_ms = begin(stage, lasts_ms)
    struck = victims(stage, FEWEST, MOST)
    drafts = []
    for rank, member in enumerate(struck):
        touches = rng.randint(2, 4)
        part_ms = lasts_ms // touches
        for touch in range(touches):
            at_ms = from_ms + touch * part_ms + rng.randrange(part_ms * 4 // 5)
            if rank == 0 and touch == 0:
                at_ms = from_ms
            if rank == 0 and touch == touches - 1:
                at_ms = from_ms + lasts_ms
            spare = rank >= FEWEST
            strike = Strike(member, at_ms, spare)
            drafts.append(report(stage, strike, _finding(stage, source, agent), needed=not spare and touch < 2))
    return Plan(CampaignKind.LOW_AND_SLOW, f"Slow guessing from {source}", drafts)


def _finding(stage: Stage, source: str, agent: str) -> Finding:
    rng = stage.rng
    failures, accounts = rng.randrange(3, 12), rng.randrange(2, 4)
    return Finding(
        title=f"A few failed log-ons at the remote access gateway from {source}",
        title_zh=f"遠端存取閘道少量登入失敗（{source}）",
        text="A handful of passwords tried on a handful of accounts, hours apart, below the limit at which an account "
        "is locked. The accounts exist. Written down because the user agent is a script's.",
        text_zh="單一來源間隔數小時嘗試少量帳號密碼，未達鎖定門檻，受測帳號均存在；因用戶端識別為腳本工具，予以立案留存。",
        category="intrusion-attempts.brute-force",
        severity=rng.choice((2, 3)),
        confidence=60,
        attack=(("credential_access", "T1110.003"),),
        trigger=("baseline", "MB-044"),
        evidence=[
            evidence(
                {
                    "src_ip": source,
                    "user_agent": agent,
                    "result": "failure",
                    "failures": failures,
                    "distinct_accounts": accounts,
                },
                product="vpn",
                service="login",
            )
        ],
        observables=[observable("ipv4", source, "attacker"), observable("user_agent", agent, "attacker")],
        assets=[asset("remote-access", "identity", 4, internet_facing=True)],
        volume={"failed_logins": failures, "successful_logins": 0, "distinct_accounts": accounts},
    )
