"""Money taken: transfers over SWIFT to one beneficiary, and machines emptied by one crew."""

from __future__ import annotations

from fsoc.exercise.campaigns.plan import Plan, Spread, Stage, report, strikes
from fsoc.exercise.finding import Finding, asset, evidence, observable
from fsoc.exercise.spec import DAY_MS, HOUR_MS, CampaignKind

SWIFT_SPREAD = Spread(3 * HOUR_MS, 20 * HOUR_MS, 3 * DAY_MS)
ATM_SPREAD = Spread(2 * HOUR_MS, 10 * HOUR_MS, 2 * DAY_MS)


def swift_fraud(stage: Stage) -> Plan:
    """Three or four institutions, three of them within twenty hours; one ticket each."""
    bic, server = f"{stage.fresh.letters(4)}ZZ2X", stage.fresh.domain()
    drafts = [
        report(stage, strike, _transfer(stage, bic, server))
        for strike in strikes(stage, fewest=3, most=4, spread=SWIFT_SPREAD)
    ]
    return Plan(CampaignKind.SWIFT_FRAUD, f"Fraudulent transfers to {bic}", drafts)


def atm_cashout(stage: Stage) -> Plan:
    """Three to five institutions, three of them within ten hours; one to three tickets each."""
    tool = stage.fresh.sha256()
    drafts = [
        report(stage, strike, _cashout(stage, tool), later_ms=again * stage.rng.randrange(300_000, 1_500_000))
        for strike in strikes(stage, fewest=3, most=5, spread=ATM_SPREAD)
        for again in range(stage.rng.choice((1, 2, 3)))
    ]
    return Plan(CampaignKind.ATM_CASHOUT, f"Machines emptied with tool {tool[:12]}", drafts)


def _transfer(stage: Stage, bic: str, server: str) -> Finding:
    rng = stage.rng
    amount = rng.randrange(20, 900) * 1_000_000
    return Finding(
        title="Payment message that nobody entered",
        title_zh="SWIFT 出現非經辦人員輸入之匯款電文",
        text="Reconciliation found a payment message without an entry behind it; the operator's terminal had been used "
        "at night. A recall was sent, the terminal was taken off the network.",
        text_zh="對帳發現無對應交易之匯款電文，操作終端於夜間遭使用；已發送止付電文，並將終端主機離線保全證據。",
        category="fraud.swift-transfer",
        severity=5,
        confidence=90,
        attack=(("impact", "T1657"),),
        trigger=("local", "swift-recon-1"),
        evidence=[
            evidence({"message_type": "pacs.008", "beneficiary_bic": bic, "state": "unmatched"}, product="swift"),
        ],
        observables=[
            observable("swift_bic", bic, "attacker"),
            observable("domain", server, "infrastructure"),
        ],
        assets=[asset("swift-terminal", "swift", 5, core_system=True)],
        impact={"funds_at_risk_twd": amount, "service_down": False},
    )


def _cashout(stage: Stage, tool: str) -> Finding:
    rng, token = stage.rng, stage.fresh.hex(16)
    notes = rng.randrange(400, 4_000)
    return Finding(
        title="Machine paid out without a transaction",
        title_zh="自動櫃員機無交易吐鈔",
        text="A machine paid out its notes without a transaction behind it. The camera shows two people and a cable. "
        "The machines of that type have been switched off.",
        text_zh="自動櫃員機於無對應交易下連續吐鈔，影像顯示兩名人員以線材連接設備；同型機台已全面停用並報案。",
        category="fraud.atm-cashout",
        severity=5,
        confidence=95,
        attack=(("impact", "T1657"),),
        trigger=("local", "atm-sec-2"),
        evidence=[
            evidence({"terminal": token, "event": "dispense", "notes": notes, "door": "open"}, product="atm"),
        ],
        observables=[
            observable("atm_id_token", token, "victim"),
            observable("sha256", tool, "attacker"),
        ],
        assets=[asset(f"atm-{token[:6]}", "atm", 4)],
        volume={"count": notes},
        impact={"funds_at_risk_twd": notes * 1_000, "service_down": True},
    )
