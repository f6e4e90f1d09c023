"""Baseline rules that an institution meets once or twice: new to it on any day, and never to many on the same one."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from fsoc.exercise.draft import Draft
from fsoc.exercise.finding import Finding, asset
from fsoc.exercise.levels import Level
from fsoc.exercise.sector import Member
from fsoc.exercise.single import everyday_draft
from fsoc.exercise.spec import HOUR_MS, MINUTE_MS, START_MS, ExerciseSpec

APART_MS = 150 * MINUTE_MS
"""Two institutions meet the same rare rule no closer than that, so that never three do within four hours."""

# Rule number, tactic, technique, asset type, what it is about: no campaign uses any of these techniques.
RARE = (
    (201, "discovery", "T1087.002", "identity", "Directory accounts listed", "列舉網域帳號"),
    (202, "discovery", "T1069.002", "server", "Directory groups listed", "列舉網域群組"),
    (203, "collection", "T1113", "endpoint", "Screen captured by a tool", "螢幕擷取工具"),
    (204, "persistence", "T1136.001", "server", "Local account made", "新增本機帳號"),
    (205, "persistence", "T1098", "identity", "Rights of an account widened", "帳號權限異動"),
    (206, "execution", "T1047", "server", "Management interface used from afar", "遠端 WMI 執行"),
    (207, "defense_evasion", "T1220", "endpoint", "Style sheet run as a script", "XSL 腳本執行"),
    (208, "command_and_control", "T1105", "server", "Tool fetched from outside", "自外部下載工具"),
    (209, "command_and_control", "T1219", "endpoint", "Remote support tool started", "遠端支援工具啟動"),
    (210, "command_and_control", "T1572", "network", "Tunnel through an allowed port", "允許連接埠之通道"),
    (211, "defense_evasion", "T1140", "endpoint", "Archive unpacked by a system tool", "以系統工具解碼檔案"),
    (212, "defense_evasion", "T1036.005", "endpoint", "Program named like a system file", "程式名稱仿冒系統檔"),
    (213, "persistence", "T1112", "server", "Start-up key changed", "登錄機碼異動"),
    (214, "discovery", "T1018", "network", "Neighbouring hosts looked for", "探查鄰近主機"),
    (215, "discovery", "T1046", "network", "Services of neighbours looked for", "探查鄰近主機服務"),
    (216, "discovery", "T1135", "server", "Shares looked for", "探查網路共享"),
    (217, "credential_access", "T1557.001", "network", "Names answered by a stranger", "名稱解析遭冒充回應"),
    (218, "persistence", "T1053.005", "server", "Scheduled task made", "新增排程工作"),
    (219, "defense_evasion", "T1562.004", "server", "Firewall rule of a host changed", "主機防火牆規則異動"),
    (220, "defense_evasion", "T1562.012", "server", "Audit rules of a host changed", "主機稽核規則異動"),
)


def rare(rng: Random, members: Sequence[Member], spec: ExerciseSpec, level: Level) -> list[Draft]:
    """Each rule is met by up to half of the institutions, at times of their own."""
    drafts = []
    for number, *about in RARE[: level.rare]:
        most = len(members) // 2 if spec.has_past else 2
        at_ms = START_MS + rng.randrange(6 * HOUR_MS)
        gap_ms = max(APART_MS, spec.hours * HOUR_MS // max(1, most))
        for member in rng.sample(list(members), most):
            if at_ms >= spec.end_ms - HOUR_MS:
                break
            drafts.append(everyday_draft(rng, member, _finding(rng, number, *about), at_ms))
            at_ms += rng.randrange(APART_MS, max(APART_MS + 1, 2 * gap_ms - APART_MS))
    return drafts


def _finding(
    rng: Random, number: int, tactic: str, technique: str, asset_type: str, title: str, title_zh: str
) -> Finding:
    return Finding(
        title=title,
        title_zh=title_zh,
        text="A rule that hardly ever fires did. An administrator's work explains it; the change record was late.",
        text_zh="少見之監控規則觸發，經查為管理人員作業，變更單補登中，持續觀察。",
        category="intrusion-attempts.ids-alert",
        severity=rng.choice((1, 2, 2, 3)),
        confidence=50,
        attack=((tactic, technique),),
        trigger=("baseline", f"MB-{number}"),
        assets=[asset(f"{asset_type}-{rng.randrange(1, 60):02d}", asset_type, rng.randrange(2, 5))],
    )
