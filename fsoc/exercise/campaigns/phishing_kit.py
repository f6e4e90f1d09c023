"""One phishing kit, hosted once, that copies several institutions' log-on pages: hours of it, and days of echo."""

from __future__ import annotations

from fsoc.exercise.campaigns.plan import Plan, Spread, Stage, report, strikes
from fsoc.exercise.finding import BROWSERS, Finding, asset, evidence, observable
from fsoc.exercise.spec import DAY_MS, HOUR_MS, CampaignKind

SPREAD = Spread(HOUR_MS, 5 * HOUR_MS, 3 * DAY_MS)


def phishing_kit(stage: Stage) -> Plan:
    """Four to ten institutions, three of them within five hours; each writes one to three tickets."""
    host, kit = stage.fresh.domain(), f"k{stage.fresh.hex(4)}"
    sender = f"notice@{host}"
    drafts = [
        report(
            stage, strike, kit_finding(stage, host, kit, sender), later_ms=again * stage.rng.randrange(60_000, 900_000)
        )
        for strike in strikes(stage, fewest=4, most=10, spread=SPREAD)
        for again in range(stage.rng.choice((1, 1, 2, 3)))
    ]
    return Plan(CampaignKind.PHISHING_KIT, f"Phishing kit {kit} on {host}", drafts)


def kit_finding(stage: Stage, host: str, kit: str, sender: str) -> Finding:
    """What one victim sees of the kit: its own page, on the shared host."""
    rng = stage.rng
    url = f"https://{host}/twbank/{kit}/verify.php"
    visits = [
        evidence(
            {
                "c-uri": f"{url}?sid={rng.getrandbits(40):010x}",
                "cs-host": host,
                "cs-method": "POST",
                "c-useragent": rng.choice(BROWSERS),
                "sc-status": 302,
            },
            category="proxy",
        )
        for _ in range(rng.randint(1, 3))
    ]
    return Finding(
        title=f"Customers' credentials sent to {host}",
        title_zh=f"釣魚網站收集客戶網銀帳密：{host}",
        text="Staff and customers followed a link in a message about a frozen account and entered credentials on a "
        "copy of our "
        "log-on page. The page asks for the one-time password next. Take-down requested, accounts watched.",
        text_zh="客戶與同仁點選「帳戶凍結」簡訊連結，於仿冒網銀登入頁輸入帳號密碼，頁面並要求一次性密碼；"
        "已申請下架並監控受影響帳戶。",
        category="fraud.phishing",
        severity=rng.choice((3, 3, 4)),
        confidence=80,
        attack=(("initial_access", "T1566.002"),),
        trigger=("baseline", "MB-033"),
        evidence=visits,
        observables=[
            observable("domain", host, "infrastructure"),
            observable("url", url, "infrastructure", count=rng.randrange(1, 40)),
            observable("email", sender, "attacker"),
            *(observable("customer_token", stage.fresh.token(), "victim") for _ in range(rng.randrange(0, 4))),
        ],
        assets=[
            asset("customer-mail", "email", 2, internet_facing=True),
            asset("ibank", "internet_banking", 5, core_system=True, internet_facing=True),
        ],
    )
