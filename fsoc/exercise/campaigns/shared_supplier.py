"""A supplier's maintenance account, stolen once and used at several of its clients in turn."""

from __future__ import annotations

from fsoc.exercise.campaigns.plan import Plan, Spread, Stage, report, strikes
from fsoc.exercise.finding import Finding, asset, evidence, observable, windows
from fsoc.exercise.spec import DAY_MS, HOUR_MS, CampaignKind

SPREAD = Spread(4 * HOUR_MS, 20 * HOUR_MS, 5 * DAY_MS)


def shared_supplier(stage: Stage) -> Plan:
    """Three to six institutions, three of them within twenty hours; one or two tickets each."""
    supplier, source = f"sup-{9_000 + int(stage.fresh.hex(2), 16)}-{stage.fresh.hex(3)}", stage.fresh.ip()
    drafts = [
        report(stage, strike, _finding(stage, supplier, source, strike.member.hosts), later_ms=again * 1_500_000)
        for strike in strikes(stage, fewest=3, most=6, spread=SPREAD)
        for again in range(stage.rng.choice((1, 1, 2)))
    ]
    return Plan(CampaignKind.SHARED_SUPPLIER, f"Stolen maintenance account of {supplier}, from {source}", drafts)


def _finding(stage: Stage, supplier: str, source: str, hosts: str) -> Finding:
    rng = stage.rng
    account = f"svc-{supplier.removeprefix('sup-')}"
    jumps = [f"{hosts}-JMP-{rng.randrange(1, 20):04d}" for _ in range(rng.randint(1, 2))]
    return Finding(
        title=f"Supplier's maintenance account used from an unknown address ({supplier})",
        title_zh=f"委外廠商維護帳號自未知來源登入（{supplier}）",
        text="The maintenance account of a supplier logged on interactively from an address outside the supplier's "
        "agreed ranges, "
        "then looked at neighbouring servers. The supplier's desk knows of no work. Account disabled, sessions ended.",
        text_zh="委外廠商維護帳號自約定範圍外之來源位址互動登入跳板主機，並嘗試連線鄰近主機；廠商窗口表示無派工，"
        "已停用帳號並中斷連線。",
        category="intrusions.privileged-account-compromise",
        severity=rng.choice((3, 4, 4, 5)),
        confidence=75,
        attack=(("initial_access", "T1199"), ("persistence", "T1078")),
        trigger=("baseline", "MB-072"),
        evidence=[
            evidence(
                windows(
                    4624,
                    "Security",
                    jump,
                    LogonType=10,
                    TargetUserName=account,
                    TargetDomainName=hosts,
                    IpAddress=source,
                    LogonProcessName="User32",
                ),
                product="windows",
                service="security",
            )
            for jump in jumps
        ],
        observables=[observable("ipv4", source, "attacker", count=len(jumps))],
        assets=[*(asset(jump, "server", 4) for jump in jumps), asset("remote-maintenance", "third_party", 4)],
        suppliers=[
            {"supplier_id": supplier, "product": "remote-maintenance", "version": "4.2", "relation": "remote_access"}
        ],
    )
