"""A technique nobody had met, at several institutions within hours, and nothing in common but the technique."""

from __future__ import annotations

from fsoc.exercise.campaigns.plan import Plan, Spread, Stage, report, strikes
from fsoc.exercise.finding import Finding, asset, observable, process
from fsoc.exercise.spec import HOUR_MS, CampaignKind

SPREAD = Spread(HOUR_MS, 5 * HOUR_MS // 2, 4 * HOUR_MS)

# Rule, tactic, technique, asset type, titles, program, command. Neither rule nor technique occurs anywhere else.
WAVES = (
    (
        ("MB-171", "defense_evasion", "T1562.001", "server"),
        ("Endpoint protection switched off", "端點防護遭停用"),
        ("C:\\Windows\\System32\\sc.exe", "sc.exe config {name} start= disabled"),
    ),
    (
        ("MB-172", "credential_access", "T1558.003", "identity"),
        ("Tickets of many service accounts asked for", "大量請求服務帳號票證"),
        ("C:\\Users\\Public\\{name}.exe", "{name}.exe kerberoast /nowrap"),
    ),
    (
        ("MB-173", "persistence", "T1546.003", "server"),
        ("Event subscription that starts a program", "WMI 事件訂閱常駐"),
        ("C:\\Windows\\System32\\wbem\\mofcomp.exe", "mofcomp.exe {name}.mof"),
    ),
    (
        ("MB-174", "persistence", "T1197", "endpoint"),
        ("Transfer job that starts a program when done", "BITS 工作執行程式"),
        ("C:\\Windows\\System32\\bitsadmin.exe", "bitsadmin /setnotifycmdline {name} run.cmd NULL"),
    ),
    (
        ("MB-175", "credential_access", "T1003.001", "server"),
        ("Memory of the log-on process read", "讀取登入程序記憶體"),
        ("C:\\Windows\\System32\\rundll32.exe", "rundll32.exe comsvcs.dll MiniDump 640 {name}.dmp full"),
    ),
    (
        ("MB-176", "persistence", "T1505.004", "server"),
        ("Module loaded into the web server", "網站伺服器載入未知模組"),
        ("C:\\Windows\\System32\\inetsrv\\appcmd.exe", "appcmd install module /name:{name}"),
    ),
    (
        ("MB-177", "defense_evasion", "T1562.002", "server"),
        ("Event logging of a server stopped", "伺服器事件紀錄服務遭停止"),
        ("C:\\Windows\\System32\\auditpol.exe", "auditpol /clear /y {name}"),
    ),
)


def technique_wave(stage: Stage) -> Plan:
    """Four to eight institutions within four hours, three within two and a half; one or two tickets each."""
    left = [wave for wave in WAVES if wave[0][0] not in stage.waves] or list(WAVES)
    wave = stage.rng.choice(left)
    stage.waves.add(wave[0][0])
    drafts = [
        report(
            stage,
            strike,
            _finding(stage, wave, strike.member.hosts),
            later_ms=again * stage.rng.randrange(120_000, 900_000),
            by_technique=True,
        )
        for strike in strikes(stage, fewest=4, most=8, spread=SPREAD)
        for again in range(stage.rng.choice((1, 1, 2)))
    ]
    (rule, _, technique, _), (title, _), _ = wave
    return Plan(CampaignKind.TECHNIQUE_WAVE, f"{title} ({technique}, {rule})", drafts)


def _finding(
    stage: Stage, wave: tuple[tuple[str, str, str, str], tuple[str, str], tuple[str, str]], hosts: str
) -> Finding:
    (rule, tactic, technique, asset_type), (title, title_zh), (image, command) = wave
    rng = stage.rng
    host, user = f"{hosts}-SRV-{rng.randrange(1, 900):04d}", f"{hosts}\\u{rng.randrange(10_000, 99_999)}"
    name = f"m{stage.fresh.hex(5)}"
    return Finding(
        title=f"{title} on {host}",
        title_zh=f"{host} {title_zh}",
        text="Endpoint detection reported the command below. Nobody in operations did it, and none of our tools does. "
        "The host was isolated; how it was reached is not known yet.",
        text_zh="端點偵測回報下列指令，經查非維運人員所為，亦非既有工具行為；主機已隔離，入侵途徑調查中。",
        category="intrusions.system-compromise",
        severity=rng.choice((3, 3, 4)),
        confidence=75,
        attack=((tactic, technique),),
        trigger=("baseline", rule),
        evidence=[
            process(host, image.format(name=name), command.format(name=name), "C:\\Windows\\System32\\cmd.exe", user)
        ],
        observables=[observable("sha256", stage.fresh.sha256(), "artefact")],
        assets=[asset(host, asset_type, 4)],
    )
