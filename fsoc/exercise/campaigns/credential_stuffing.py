"""Stolen passwords tried at one internet bank after another from a few machines with one tool."""

from __future__ import annotations

from dataclasses import dataclass

from fsoc.exercise.campaigns.plan import Plan, Spread, Stage, report, strikes
from fsoc.exercise.finding import Finding, asset, evidence, observable
from fsoc.exercise.spec import DAY_MS, HOUR_MS, CampaignKind

SPREAD = Spread(HOUR_MS, 4 * HOUR_MS, DAY_MS)


@dataclass(frozen=True, slots=True)
class _Tool:
    addresses: list[str]
    agent: str
    ja4: str


def credential_stuffing(stage: Stage) -> Plan:
    """Four to twelve institutions, three of them within four hours; one to three tickets each."""
    tool = _Tool(
        [stage.fresh.ip() for _ in range(stage.rng.randint(2, 4))],
        f"okhttp/3.12.{stage.rng.randrange(1, 13)} ({stage.fresh.name()})",
        stage.fresh.ja4(),
    )
    drafts = [
        report(stage, strike, _finding(stage, tool), later_ms=again * stage.rng.randrange(120_000, 900_000))
        for strike in strikes(stage, fewest=4, most=12, spread=SPREAD)
        for again in range(stage.rng.choice((1, 2, 2, 3)))
    ]
    return Plan(CampaignKind.CREDENTIAL_STUFFING, f"Credential stuffing from {', '.join(tool.addresses)}", drafts)


def _finding(stage: Stage, tool: _Tool) -> Finding:
    rng = stage.rng
    failures = rng.randrange(400, 6_000)
    accounts = int(failures * rng.uniform(0.5, 0.95))
    taken = rng.choice((0, 0, rng.randrange(1, 15)))
    # The first address is seen by all, so that the campaign has a thread; the others come and go.
    addresses = tool.addresses[:1] + [address for address in tool.addresses[1:] if rng.random() < 0.6]

    def login(address: str, result: str, count: int) -> dict[str, object]:
        return evidence(
            {
                "src_ip": address,
                "user_agent": tool.agent,
                "ja4": tool.ja4,
                "result": result,
                "failures": count if result == "failure" else 0,
                "distinct_accounts": max(1, count * accounts // failures) if result == "failure" else count,
            },
            product="internet_banking",
            service="login",
        )

    items = [login(address, "failure", failures // len(addresses)) for address in addresses]
    if taken:
        items.append(login(addresses[0], "success", taken))
    return Finding(
        title=f"Credential stuffing against internet banking, {failures} failures",
        title_zh=f"網路銀行遭撞庫攻擊，失敗登入 {failures} 次",
        text="A tool tried account and password pairs at a steady pace, one try per account, from few addresses with "
        "one user "
        "agent. The addresses were blocked; accounts with a success were locked and their owners called.",
        text_zh="少數來源以相同工具穩定嘗試大量帳號密碼組合，每個帳號僅嘗試一次；已封鎖來源，"
        "登入成功之帳戶已鎖定並聯繫客戶。",
        category="fraud.account-takeover" if taken else "intrusion-attempts.brute-force",
        severity=4 if taken else 3,
        confidence=85,
        attack=(("credential_access", "T1110.004"),),
        trigger=("baseline", "MB-045"),
        evidence=items,
        observables=[
            *(observable("ipv4", address, "attacker") for address in addresses),
            observable("user_agent", tool.agent, "attacker"),
            observable("ja4", tool.ja4, "attacker"),
            *(observable("account_token", stage.fresh.token(), "victim") for _ in range(min(taken, 5))),
        ],
        assets=[asset("ibank-login", "internet_banking", 5, core_system=True, internet_facing=True)],
        volume={"failed_logins": failures, "successful_logins": taken, "distinct_accounts": accounts},
    )
