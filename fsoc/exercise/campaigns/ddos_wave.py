"""Many institutions' public services flooded within minutes of each other."""

from __future__ import annotations

from fsoc.exercise.campaigns.plan import Plan, Spread, Stage, report, strikes
from fsoc.exercise.finding import Finding, asset, observable
from fsoc.exercise.spec import MINUTE_MS, CampaignKind

SPREAD = Spread(3 * MINUTE_MS, 5 * MINUTE_MS, 5 * MINUTE_MS)


def ddos_wave(stage: Stage) -> Plan:
    """Five to fifteen institutions within ten minutes, by their own clocks too; one or two tickets each."""
    extortion = stage.rng.random() < 0.4
    sender = f"collective@{stage.fresh.domain()}" if extortion else ""
    struck = strikes(stage, fewest=5, most=15, spread=SPREAD)
    # Five minutes of attack, one to notice it, and clocks that are up to ninety seconds wrong on either side.
    drafts = [
        report(stage, strike, _finding(stage, sender, spare=strike.spare), notice_ms_max=MINUTE_MS) for strike in struck
    ]
    kind = "Extortion by flood" if extortion else "Flood"
    return Plan(CampaignKind.DDOS_WAVE, f"{kind} against {len(struck)} institutions' internet banking", drafts)


def _finding(stage: Stage, sender: str, *, spare: bool) -> Finding:
    """Floods of one wave differ a thousandfold: from a gigabit up, and at spare victims from a few hundred megabits."""
    rng = stage.rng
    gigabits = 10 ** rng.uniform(-0.5 if spare else 0.1, 2.9)
    return Finding(
        title=f"Internet banking flooded, peak {gigabits:.1f} Gbit/s",
        title_zh=f"網路銀行遭受分散式阻斷服務攻擊，尖峰 {gigabits:.1f} Gbps",
        text="A flood of reflected traffic reached the internet banking addresses. Scrubbing was switched on; log-on "
        "was slow or "
        "unavailable meanwhile." + (" A message before it asked for payment." if sender else ""),
        text_zh="網路銀行對外位址遭受大量反射流量攻擊，已啟動流量清洗，期間登入服務緩慢或中斷。"
        + ("攻擊前曾接獲勒索信件要求付款。" if sender else ""),
        category="availability.ddos-extortion" if sender else "availability.ddos",
        severity=rng.choice((3, 4, 4)),
        confidence=95,
        attack=(("impact", "T1498"),),
        trigger=("baseline", "MB-091"),
        observables=[observable("email", sender, "attacker")] if sender else [],
        assets=[asset("ibank", "internet_banking", 5, core_system=True, internet_facing=True)],
        volume={
            "count": 1,
            "distinct_sources": int(gigabits * rng.uniform(200, 2_000)),
            "peak_bps": int(gigabits * 1_000_000_000),
            "peak_pps": int(gigabits * rng.randrange(80, 200) * 1_000),
            "duration_s": rng.randrange(600, 5_400),
        },
        impact={"service_down": gigabits > 30, "downtime_s": rng.randrange(0, 1_800)},
    )
